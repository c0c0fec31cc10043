"""Vertebral bodies around known points: discs along the spine, then the best surface around every point."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..anatomy import VertebralLevel
from ..image import Volume
from ..level_frame import LevelFrame
from .disc_planes import DiscPlane, disc_chain, disc_evidence, fitted_plane, robust_plane
from .engines import Report
from .seeds import Seed
from .spine_curve import SpineCurve
from .star_cut import StarSurface, star_cut

Discs = tuple[DiscPlane | None, DiscPlane | None]  # below and above a body

# Half width, half depth and half height of a body, and the distance of its discs, mm: typical adult sizes. Only the
# first guess.
_SIZES = {
    VertebralLevel.C3: (9, 8, 7, 18),
    VertebralLevel.C7: (11, 8.5, 7, 19),
    VertebralLevel.T1: (14, 9, 8, 20),
    VertebralLevel.T6: (14.5, 13.5, 10, 25),
    VertebralLevel.T12: (20, 16, 12.5, 31),
    VertebralLevel.L3: (23, 17.5, 13.5, 37),
    VertebralLevel.L5: (25.5, 17.5, 13.5, 37),
}

_INTO_DISC = 0.4  # share of a half disc that the surface stays away from its middle
_WALL_PERCENTILE = 30  # of the places where rays meet the posterior wall, which is hollow
_WITHIN_PLATE = 0.7  # share of the body's width and depth where rays end on an end plate
_LEAST_PLATE = 0.35  # median edge of an end plate, where 1 is a clear edge


@dataclass(frozen=True, eq=False)
class Body:
    """A vertebral body found on the CT.

    Parameters
    ----------
    level : VertebralLevel
    surface : StarSurface
    limits : sequence of (ndarray, float)
        Half spaces of the surface's frame that hold the body: normal @ point <= offset.
    discs : (lower, upper)
        DiscPlane, or None where the image shows no disc.
    """

    level: VertebralLevel
    surface: StarSurface
    limits: tuple[tuple[np.ndarray, float], ...]
    discs: Discs

    @property
    def frame(self) -> LevelFrame:
        """Of the body, origin at its centre."""
        return self.surface.frame

    def contains(self, ras: np.ndarray) -> np.ndarray:
        """Whether RAS points, shape (..., 3), lie in the body."""
        points = self.frame.from_ras(ras)
        inside = self.surface.contains(points)
        for normal, offset in self.limits:
            inside &= points @ normal <= offset
        return inside


def usual_size(level: VertebralLevel) -> np.ndarray:
    """Return half width, half depth, half height and distance of the discs of a level, mm, shape (4,)."""
    ranks = [known.rank for known in _SIZES]
    return np.array([np.interp(level.rank, ranks, column) for column in np.transpose(list(_SIZES.values()))])


def find_bodies(ct: Volume, seeds: Sequence[Seed], report: Report, trust: float = 1.0) -> list[Body]:
    """Find the body around each seed (all with levels, from head to foot); `trust` as for `disc_chain`."""
    levels = [seed.level for seed in seeds]
    frames, sizes = first_look(ct, levels, np.array([seed.point for seed in seeds]), report, trust)
    curve = SpineCurve(np.array([frame.origin for frame in frames]), up=frames[0].axes[2])
    discs = _discs(ct, curve, levels, trust)
    bodies = []
    for n, level in enumerate(levels):
        report(0.5 + 0.4 * n / len(levels), f"Segmenting {level}")
        frame = _first_frame(curve, n, discs[n])
        bodies.append(_body(ct, level, frame, sizes[n], discs[n]))
    return bodies


def first_look(
    ct: Volume, levels: Sequence[VertebralLevel], centres: np.ndarray, report: Report, trust: float = 1.0
) -> tuple[list[LevelFrame], np.ndarray]:
    """Return frames at the bodies' middles, and half sizes, from one cut around each click."""
    curve = SpineCurve(centres)
    discs = _discs(ct, curve, levels, trust)
    frames, sizes = [], []
    for n, level in enumerate(levels):
        report(0.1 + 0.4 * n / len(levels), f"Finding {level}")
        frame = _first_frame(curve, n, discs[n])
        frame, size = _refitted(_cut(ct, frame, usual_size(level)[:3], discs[n])[0])
        frames.append(frame)
        sizes.append(size)
    return frames, _agreed_sizes(levels, sizes)


def _discs(ct: Volume, curve: SpineCurve, levels: Sequence[VertebralLevel], trust: float) -> list[Discs]:
    """Return the lower and the upper disc of each level; levels that are not neighbours are looked at apart."""
    places = curve.knots[::-1]
    pitches = np.array([usual_size(level)[3] for level in levels])
    found = []
    for run in _runs(levels):
        clicks = [places[n] for n in run]
        usual = pitches[run]
        if len(run) > 1:
            usual = usual * np.median(-np.diff(clicks) / ((usual[1:] + usual[:-1]) / 2))
        margin = 1.2 * usual.max()
        evidence = disc_evidence(ct, curve, clicks[-1] - margin, clicks[0] + margin)
        chain = disc_chain(evidence, clicks[::-1], usual[::-1], trust)
        chain = [disc and fitted_plane(ct, disc, curve.frame(disc.s)) for disc in chain]
        found += list(pairwise(chain))[::-1]
    return found


def _runs(levels: Sequence[VertebralLevel]) -> list[list[int]]:
    """Group the indices of levels that follow each other (T13 and L6 may be missing)."""
    runs = [[0]]
    for n in range(1, len(levels)):
        gap = range(levels[n - 1].rank + 1, levels[n].rank)
        if all(list(VertebralLevel)[rank] in (VertebralLevel.T13, VertebralLevel.L6) for rank in gap):
            runs[-1].append(n)
        else:
            runs.append([n])
    return runs


def _first_frame(curve: SpineCurve, n: int, discs: Discs) -> LevelFrame:
    """Return the frame halfway between the discs of the `n`-th centre, upright to them."""
    place = curve.knots[::-1][n]
    lower, upper = discs
    frame = curve.frame((lower.s + upper.s) / 2 if lower and upper else place)
    normals = [disc.normal for disc in discs if disc]
    return frame.aligned(np.mean(normals, axis=0)) if normals else frame


def _limits(frame: LevelFrame, discs: Discs) -> list[tuple[np.ndarray, float]]:
    limits = []
    for disc, sign in zip(discs, (-1, 1), strict=True):
        if disc:
            normal = sign * frame.axes @ disc.normal
            limits.append((normal, float(normal @ frame.from_ras(disc.point)) - _INTO_DISC * disc.thickness / 2))
    return limits


def _body(
    ct: Volume,
    level: VertebralLevel,
    frame: LevelFrame,
    half_size: np.ndarray,
    discs: Discs,
) -> Body:
    """Cut; centre, turn and resize the template to the cut; cut again."""
    surface, discs = _cut(ct, frame, half_size, discs)
    frame, half_size = _refitted(surface)
    limits = _limits(frame, discs)
    surface = star_cut(ct, frame, half_size, limits)
    return Body(level, surface, (*limits, _wall(surface)), discs)


def _cut(ct: Volume, frame: LevelFrame, half_size: np.ndarray, discs: Discs) -> tuple[StarSurface, Discs]:
    """Cut within the discs; at the ends of the row, one without an end plate (a dark band in the body) is left out."""
    surface = star_cut(ct, frame, half_size, _limits(frame, discs))
    height = surface.points[:, 2] / half_size[2]
    across = np.linalg.norm(surface.points[:, :2] / half_size[:2], axis=1) < _WITHIN_PLATE
    plates = [np.median(surface.strength[across & (way * height > 0)]) for way in (-1, 1)]
    sure = [
        disc if disc and (disc.known or plate >= _LEAST_PLATE) else None
        for disc, plate in zip(discs, plates, strict=True)
    ]
    if tuple(sure) == tuple(discs):
        return surface, discs
    surface = star_cut(ct, frame, half_size, _limits(frame, sure))
    points = frame.to_ras(surface.points)
    return surface, tuple(
        disc if disc and np.max(way * disc.height(points)) <= 0 else known
        for disc, known, way in zip(discs, sure, (-1, 1), strict=True)
    )


def _refitted(surface: StarSurface) -> tuple[LevelFrame, np.ndarray]:
    """Return frame and half size of the template that fits the surface."""
    points, half_size = surface.points, surface.half_size
    unit = points / half_size
    middle = np.abs(unit) < 0.5
    low, high = -half_size, half_size.copy()
    for axis in range(3):
        central = middle[:, axis - 1] & middle[:, axis - 2]
        for side, way in ((low, -1), (high, 1)):
            part = central & (way * unit[:, axis] > 0.3)
            side[axis] = np.median(points[part, axis]) if part.any() else side[axis]
    low[1] = -_wall(surface)[1]
    plates = [_normal(points[part]) for part in (unit[:, 2] > 0.7, unit[:, 2] < -0.7) if part.sum() > 10]
    frame = surface.frame.moved((low + high) / 2)
    if plates:
        frame = frame.aligned(np.mean(plates, axis=0) @ frame.axes)
    return frame, np.clip((high - low) / 2, 0.6 * half_size, 1.5 * half_size)


def _normal(points: np.ndarray) -> np.ndarray:
    """Normal of the plane z(x, y) through points, robustly."""
    fit = robust_plane(points)
    return np.array([-fit[0], -fit[1], 1.0]) / np.linalg.norm([*fit[:2], 1.0])


def _wall(surface: StarSurface) -> tuple[np.ndarray, float]:
    """Return the plane of the posterior wall as a limit, from the rays that end on the canal."""
    points, unit = surface.points, surface.points / surface.half_size
    back = (unit[:, 1] < -0.3) & (np.abs(unit[:, 0]) < 0.45) & (np.abs(unit[:, 2]) < 0.7) & (surface.strength > 0.2)
    if back.sum() < 8:
        return np.array([0.0, -1.0, 0.0]), float(1.3 * surface.half_size[1])
    return np.array([0.0, -1.0, 0.0]), -float(np.percentile(points[back, 1], _WALL_PERCENTILE))


def _agreed_sizes(levels: Sequence[VertebralLevel], sizes: Sequence[np.ndarray]) -> np.ndarray:
    """Return the half sizes with width and depth held near what the other bodies let expect."""
    usual = np.array([usual_size(level)[:3] for level in levels])
    ratio = np.array(sizes) / usual
    typical = np.median(ratio, axis=0)
    ratio[:, :2] = np.clip(ratio[:, :2], 0.85 * typical[:2], 1.15 * typical[:2])
    return ratio * usual
