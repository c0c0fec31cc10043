"""Regions of an exam without labels: bodies from clicks, one a level, or the first and the last alone."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..image import Grid, Modality, Volume
from ..level_frame import spine_directions
from ..segmentation.bodies import usual_size
from ..segmentation.seeds import Seed, named_seeds
from .body_find import FoundBody, find_body, section
from .body_planes import planes_of_clicks, sagittal_plane
from .body_trace import fill_gaps, spine_scale
from .plane import Plane
from .proposal import DEFAULT, LEVELS, SEQUENCES, propose_from_sections
from .regions import Regions, RegionSettings
from .sections import Section

_COMPARED_FROM, _ODD_DEPTH = 4, 0.12  # bodies; share by which a depth may differ from the others'
_TOO_DEEP = 1.35  # depth over height, against a usual body's; the sac adds a third to the depth
_LEAST_SCORE = 1.0  # of a rectangle with four clear sides and nothing but marrow inside 4
_LEAST_DROP = 0.12  # of the median edge, where marrow that borders on no signal is 1
_LEAST_SEEN = 0.9  # of the outline in the image
_OFF_LINE_MM = 15.0  # half a body's depth; lordosis bends the line of three neighbours by up to about 8 mm
_ONE_BODY = 0.5  # of the usual distance: nearer middles belong to one body


def regions_from_clicks(
    volumes: Mapping[Modality, Volume],
    seeds: Iterable[Seed],
    levels: Iterable[VertebralLevel] = LEVELS,
    settings: RegionSettings = DEFAULT,
    plane: Plane | None = None,
) -> Regions:
    """Propose the regions of one exam from clicks in its vertebral bodies.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2 and STIR as far as there are; each on its own grid.
    seeds : iterable of Seed
        A point in each body, up to about 6 mm off its middle; levels between two points are found along the spine.
        Points without a level are counted from those that have one.
    levels : iterable of VertebralLevel
        Where body regions are wanted; they are there as far as clicked.
    settings : RegionSettings
    plane : Plane or None
        The sagittal plane of all bodies (first axis towards anterior, second towards the head); None for the slice
        nearest to the clicks, or several in scoliosis.

    Raises
    ------
    UserError
        When there is no sequence, the clicks contradict each other or lie outside the image, or levels between two
        clicks cannot be found with certainty.
    """
    sections, missing = sections_from_clicks(volumes, seeds, levels, settings, plane)
    return propose_from_sections(volumes, sections, missing, settings)


def sections_from_clicks(
    volumes: Mapping[Modality, Volume],
    seeds: Iterable[Seed],
    levels: Iterable[VertebralLevel] = LEVELS,
    settings: RegionSettings = DEFAULT,
    plane: Plane | None = None,
) -> tuple[dict[VertebralLevel, Section], dict[VertebralLevel, str]]:
    """Return each clicked body's section, and the reasons for wanted levels without one; see `regions_from_clicks`."""
    sequences = {s: volumes[s] for s in SEQUENCES if s in volumes}
    if not sequences:
        raise UserError("There is no T1, T2 or STIR image to measure bone quality on.", "Give at least one of them.")
    clicks = {seed.level: seed.point for seed in _checked(sequences, named_seeds(tuple(seeds)))}
    grid = next(iter(sequences.values())).reoriented("RAS")
    clicks, remarks = fill_gaps(sequences, clicks, lambda point: plane or sagittal_plane(grid, point))
    planes = _planes(grid, clicks, settings, plane)
    bodies, missing = _found(sequences, clicks, planes)
    wanted = tuple(levels)
    missing |= {level: f"{level} was not clicked" for level in wanted if level not in clicks}
    ups = spine_directions({level: body.centre for level, body in bodies.items()} or clicks)
    sections, doubts = {}, _doubtful_shapes(bodies)
    for level, body in bodies.items():
        notes = (planes[level][1], remarks.get(level, ""), _seen_note(body), doubts.get(level, ""))
        notes = tuple(filter(None, notes))
        sections[level] = section(level, body, np.array(body.window.plane.axes) @ ups[level], notes)
    return (
        {level: s for level, s in sections.items() if level in wanted},
        {level: reason for level, reason in missing.items() if level in wanted},
    )


def _checked(volumes: Mapping[Modality, Volume], seeds: tuple[Seed, ...]) -> tuple[Seed, ...]:
    for seed in seeds:
        if not any(_holds(volume, seed.point) for volume in volumes.values()):
            raise UserError(
                f"The point of {seed.level} at R A S {np.round(seed.point, 1)} lies outside the MR images.",
                "Check that points and images belong together (points from files are RAS unless they say LPS).",
            )
    return seeds


def _holds(grid: Grid, point: np.ndarray) -> bool:
    ijk = grid.to_ijk(point)
    return bool(np.all(ijk >= -0.5) and np.all(ijk <= np.array(grid.array.shape[::-1]) - 0.5))


def _planes(
    grid: Grid, clicks: Mapping[VertebralLevel, np.ndarray], settings: RegionSettings, plane: Plane | None
) -> dict[VertebralLevel, tuple[Plane, str]]:
    return dict.fromkeys(clicks, (plane, "")) if plane else planes_of_clicks(grid, clicks, settings)


def _found(
    volumes: Mapping[Modality, Volume],
    clicks: Mapping[VertebralLevel, np.ndarray],
    planes: Mapping[VertebralLevel, tuple[Plane, str]],
) -> tuple[dict[VertebralLevel, FoundBody], dict[VertebralLevel, str]]:
    """Return the bodies, and for the levels without one the reason.

    A body whose size is far from what the others let expect is looked for again with their size.
    """
    sizes = {level: spine_scale(clicks) * usual_size(level)[1:3] for level in clicks}
    ups = spine_directions(dict(clicks))
    bodies, missing = {}, {}
    for level in clicks:
        try:
            bodies[level] = _body(volumes, planes[level][0], clicks[level], ups[level], sizes[level])
        except ValueError as error:
            missing[level] = f"{level}: {error}"
    for level, size in _odd_sizes(bodies).items():
        bodies[level] = _body(volumes, planes[level][0], clicks[level], ups[level], size)
    missing |= _refused(bodies)
    return {level: body for level, body in bodies.items() if level not in missing}, missing


def _body(
    volumes: Mapping[Modality, Volume], plane: Plane, click: np.ndarray, up: np.ndarray, size: np.ndarray
) -> FoundBody:
    return find_body(volumes, plane, plane.from_ras(click)[:2], np.array(plane.axes) @ up, size)


def _odd_sizes(bodies: Mapping[VertebralLevel, FoundBody]) -> dict[VertebralLevel, np.ndarray]:
    """Return the half depth and half height to expect of bodies whose depth is far from that of the others."""
    if len(bodies) < _COMPARED_FROM:
        return {}
    ratio = {level: body.box.half / usual_size(level)[1:3] for level, body in bodies.items()}
    typical = np.median(list(ratio.values()), axis=0)
    return {
        level: typical * usual_size(level)[1:3]
        for level, own in ratio.items()
        if abs(own[0] / typical[0] - 1) > _ODD_DEPTH
    }


def _doubtful_shapes(bodies: Mapping[VertebralLevel, FoundBody]) -> dict[VertebralLevel, str]:
    """Return what makes an outline doubtful: an odd depth, or a shape as if it reached into the canal."""
    odd = dict.fromkeys(_odd_sizes(bodies), "its depth is unlike that of the others: look at the outline")
    shapes = {v: body.box.half / usual_size(v)[1:3] for v, body in bodies.items()}
    deep = [level for level, (depth, height) in shapes.items() if depth / height > _TOO_DEEP]
    return odd | dict.fromkeys(deep, "very deep for its height: crushed, or the outline reaches beyond the body")


def _refused(bodies: Mapping[VertebralLevel, FoundBody]) -> dict[VertebralLevel, str]:
    """Return why some of what was found is no body to measure."""
    reasons = _beside_the_line(bodies)
    for level, body in bodies.items():
        if body.seen < _LEAST_SEEN:
            reasons[level] = f"{level} is cut off by the border of the image"
        elif body.box.score < _LEAST_SCORE or np.median(body.outline.drop) < _LEAST_DROP:
            reasons[level] = (
                f"no edge of a vertebral body was found around the click of {level}: click nearer its middle"
            )
    for upper, lower in pairwise(sorted(bodies, key=lambda level: level.rank)):
        distance = np.linalg.norm(bodies[upper].centre - bodies[lower].centre)
        if distance < _ONE_BODY * (usual_size(upper)[3] + usual_size(lower)[3]) / 2:
            reasons |= dict.fromkeys((upper, lower), f"the clicks of {upper} and {lower} lead to one body")
    return reasons


def _beside_the_line(bodies: Mapping[VertebralLevel, FoundBody]) -> dict[VertebralLevel, str]:
    """Return why what lies far in front of or behind the line of its neighbours is no body: the worst first."""
    centres = {level: bodies[level].centre for level in sorted(bodies, key=lambda level: level.rank)}
    reasons = {}
    while len(centres) > 2:
        levels = list(centres)
        off = {
            level: _distance_from_line(centres[above], centres[level], centres[below])
            for above, level, below in zip(levels, levels[1:], levels[2:], strict=False)
        }
        worst = max(off, key=off.get)
        if off[worst] <= _OFF_LINE_MM:
            break
        reasons[worst] = (
            f"what was found at the click of {worst} lies {off[worst]:.0f} mm beside the line of the others"
        )
        del centres[worst]
    return reasons


def _distance_from_line(above: np.ndarray, here: np.ndarray, below: np.ndarray) -> float:
    share = (here[2] - below[2]) / (above[2] - below[2])
    return float(abs(here[1] - below[1] - share * (above[1] - below[1])))


def _seen_note(body: FoundBody) -> str:
    return "" if body.seen == 1 else "the body is cut off by the border of the image"
