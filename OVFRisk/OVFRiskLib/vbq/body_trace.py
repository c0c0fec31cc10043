"""Bodies between two clicked ones, found from one to the next along the spine, from both ends."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..image import Modality, Volume
from ..segmentation.bodies import usual_size
from .body_find import FoundBody, find_body
from .plane import Plane

PlaneAt = Callable[[np.ndarray], Plane]
Clicks = dict[VertebralLevel, np.ndarray]
_OPTIONAL = (VertebralLevel.T13, VertebralLevel.L6)
_SCALES = (0.8, 1.2)  # of the usual size: adults
_AGREED_MM = 5.0  # that the ways from both ends may differ by: a body is 25 mm high, a disc 10
_UNEVEN = 0.2  # of the typical step, by which one may differ; a vertebra too many or too few differs by more
_LEAST_SCORE = 1.0  # of a rectangle; four clear sides and nothing but marrow inside give 4


def spine_scale(places: Mapping[VertebralLevel, np.ndarray]) -> float:
    """Return how large the spine is against `usual_size`, from its length between the first and the last place."""
    levels = sorted(places, key=lambda level: level.rank)
    if len(levels) < 2:
        return 1.0
    length = sum(np.linalg.norm(places[a] - places[b]) for a, b in pairwise(levels))
    return float(np.clip(length / sum(_steps([*levels[:1], *_between(levels), levels[-1]])), *_SCALES))


def fill_gaps(volumes: Mapping[Modality, Volume], clicks: Clicks, plane_at: PlaneAt) -> tuple[Clicks, dict]:
    """Return the clicks with a place in each body between them, and a remark on each that was added.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
    clicks : dict of VertebralLevel to ndarray, shape (3,)
        RAS mm.
    plane_at : callable
        Returns the sagittal plane through a RAS point.

    Raises
    ------
    UserError
        When the ways down and up do not meet in the same bodies.
    """
    levels = sorted(clicks, key=lambda level: level.rank)
    filled, remarks = dict(clicks), {}
    for first, last in pairwise(levels):
        between = _usual_between(first, last)
        if between:
            chain = [first, *between, last]
            added, apart = _between_clicks(volumes, chain, clicks[first], clicks[last], plane_at)
            filled |= added
            note = f"found between the clicks of {first} and {last} (ways from both ends {apart:.1f} mm apart): confirm"
            remarks |= dict.fromkeys(between, note)
    return {level: filled[level] for level in sorted(filled, key=lambda level: level.rank)}, remarks


def _usual_between(first: VertebralLevel, last: VertebralLevel) -> tuple[VertebralLevel, ...]:
    inside = list(VertebralLevel)[first.rank + 1 : last.rank]
    return tuple(level for level in inside if level not in _OPTIONAL)


def _between(levels: Sequence[VertebralLevel]) -> list[VertebralLevel]:
    """Return the levels from the second to the last but one, with those that were not clicked."""
    every = [level for first, last in pairwise(levels) for level in (first, *_usual_between(first, last))]
    return every[1:]


def _steps(levels: Sequence[VertebralLevel]) -> list[float]:
    pitch = [usual_size(level)[3] for level in levels]
    return [(a + b) / 2 for a, b in pairwise(pitch)]


def _between_clicks(
    volumes: Mapping[Modality, Volume],
    levels: list[VertebralLevel],
    first: np.ndarray,
    last: np.ndarray,
    plane_at: PlaneAt,
) -> tuple[Clicks, float]:
    try:
        down = _trace(volumes, levels, first, last, plane_at)
        up = _trace(volumes, levels[::-1], last, first, plane_at)
    except ValueError as error:
        raise _unsure(levels, str(error)) from None
    apart = max(np.linalg.norm(down[level] - up[level]) for level in levels)
    if apart > _AGREED_MM:
        raise _unsure(levels, f"from above and from below they differ by {apart:.0f} mm")
    mean = {level: (down[level] + up[level]) / 2 for level in levels}
    steps = np.array([np.linalg.norm(mean[a] - mean[b]) for a, b in pairwise(levels)]) / _steps(levels)
    if np.max(np.abs(steps / np.median(steps) - 1)) > _UNEVEN or not _SCALES[0] <= np.median(steps) <= _SCALES[1]:
        raise _unsure(levels, "their distances are uneven or unusual")
    return {level: mean[level] for level in levels[1:-1]}, float(apart)


def _unsure(levels: Sequence[VertebralLevel], why: str) -> UserError:
    return UserError(
        f"The vertebrae between {levels[0]} and {levels[-1]} could not be found with certainty ({why}).",
        "Click once into each vertebral body.",
    )


def _trace(
    volumes: Mapping[Modality, Volume],
    levels: Sequence[VertebralLevel],
    start: np.ndarray,
    end: np.ndarray,
    plane_at: PlaneAt,
) -> Clicks:
    """Return the middles of the bodies from `start` to `end`, each found from the one before, RAS mm."""
    steps = _steps(levels)
    scale = float(np.clip(np.linalg.norm(end - start) / sum(steps), *_SCALES))
    here, way = start, (end - start) / np.linalg.norm(end - start)
    places = {}
    for n, level in enumerate(levels):
        body = _body(volumes, plane_at(here), here, way, scale * usual_size(level)[1:3])
        here = places[level] = _beside(body.centre, start, end)
        if n < len(steps):
            to_end = (end - here) / max(np.linalg.norm(end - here), 1.0)
            up = np.array(body.window.plane.axes).T @ body.box.axes[1]
            way = to_end + (up if up @ to_end > 0 else -up)
            way = way / np.linalg.norm(way)
            here = here + scale * steps[n] * way
    return places


def _body(
    volumes: Mapping[Modality, Volume], plane: Plane, place: np.ndarray, way: np.ndarray, size: np.ndarray
) -> FoundBody:
    up = way if way[2] > 0 else -way
    body = find_body(volumes, plane, plane.from_ras(place)[:2], np.array(plane.axes) @ up, size)
    if body.box.score < _LEAST_SCORE:
        raise ValueError("an edge of a body is missing")
    return body


def _beside(place: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the place moved sideways onto the line between the clicks: a body's plane is no evidence of its side."""
    share = np.clip((place[2] - start[2]) / (end[2] - start[2]), 0, 1)
    return np.array([start[0] + share * (end[0] - start[0]), place[1], place[2]])
