"""Intervertebral discs along a spine curve: a dark valley between two bright end plates, at its own tilt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..image import Grid, Volume
from ..level_frame import LevelFrame
from .spine_curve import SpineCurve, sample

_STEP_MM = 1.0
_HALF_WIDTH_MM, _HALF_DEPTH_MM = 13.0, 11.0  # well within a lumbar or lower thoracic body
_TILTS_RIGHT = np.tan(np.deg2rad(np.arange(-24, 25, 6)))
_TILTS_FRONT = np.tan(np.deg2rad(np.arange(-36, 37, 6)))  # L5's lower disc leans most
_HALF_HEIGHTS_MM = np.arange(2.0, 9.5, 1.0)  # of a disc with half of both end plates
_THICK_MM, _THICK_COST = 14.0, 4.0  # HU a mm: end plates farther apart hold a body rather than a disc
_TILT_COST = 60.0  # HU by which a disc at 45 degrees has to be clearer
_LEAST_SHARE = 0.3  # of the range of brightness in and between the bodies
_LEAST_WORTH = 0.35  # of the clearest discs' contrast; less is no disc
_LEAST_HEIGHT = 0.35  # of the usual distance of discs; a body crushed by 60 % keeps more
_CLICK_COST = 8.0  # a click a fifth of the height off (8 mm at L3) costs as much as a crush by a third
_BONE_SHARE = 0.4  # of the distance of two discs, from its middle: there the bone ends
_AWAY_COST = 3.0  # HU a mm away from where a disc is expected
_LEAST_VOXELS = 3.0  # from end plate to end plate: two bright ones and a dark one between show a tilt of their own
_PLATE_MM, _FIT_STEP_MM = 3.0, 0.5  # an end plate is looked for so far beyond where it was found
_HU_RANGE = (-100.0, 600.0)  # gas and metal count as fat and cortical bone


@dataclass(frozen=True, eq=False)
class DiscPlane:
    """The middle of a disc.

    Parameters
    ----------
    s : float
        Its place on the curve, mm.
    point, normal : ndarray, shape (3,)
        RAS; the normal points to the head.
    thickness : float
        Distance of the end plates that it lies between, mm.
    contrast : float
        How much brighter the end plates are than the disc, HU.
    known : bool
        Whether a disc must be there, however faint the image shows it, since bodies lie on both sides.
    """

    s: float
    point: np.ndarray
    normal: np.ndarray
    thickness: float
    contrast: float
    known: bool = False

    def height(self, ras: np.ndarray) -> np.ndarray:
        """Return how far points, shape (..., 3), lie above the plane, mm."""
        return (np.asarray(ras) - self.point) @ self.normal


@dataclass(frozen=True, eq=False)
class DiscEvidence:
    """How much each place of a curve looks like the middle of a disc.

    Parameters
    ----------
    curve : SpineCurve
    s : ndarray, shape (n,)
        Places, mm, equally spaced.
    score : ndarray, shape (n,)
        Contrast in HU less the cost of tilt and height; -inf where the image does not show enough.
    slopes : ndarray, shape (n, 2)
        Best tilt: rise of the plane to the right and to the front, mm a mm.
    half_height : ndarray, shape (n,)
        Best distance from the disc's middle to an end plate, mm.
    least_contrast : float
        What a clear disc has at least, HU.
    """

    curve: SpineCurve
    s: np.ndarray
    score: np.ndarray
    slopes: np.ndarray
    half_height: np.ndarray
    least_contrast: float

    def plane(self, n: int) -> DiscPlane:
        """Return the disc at the place with index `n`."""
        frame = self.curve.frame(self.s[n])
        normal = np.array([*-self.slopes[n], 1.0]) @ frame.axes
        thickness = 2 * float(self.half_height[n])
        unit = normal / np.linalg.norm(normal)
        return DiscPlane(float(self.s[n]), frame.origin, unit, thickness, float(self.score[n]))

    def best_between(self, low: float, high: float, expected: float | None = None) -> DiscPlane | None:
        """Return the clearest disc with low <= s <= high, rather near `expected`; None where there is none."""
        score = np.where((self.s >= low) & (self.s <= high), self.score, -np.inf)
        if expected is not None:
            score = score - _AWAY_COST * np.abs(self.s - expected)
        n = int(np.argmax(score))
        return self.plane(n) if np.isfinite(score[n]) and self.score[n] > 0 else None


def disc_evidence(ct: Volume, curve: SpineCurve, low: float, high: float) -> DiscEvidence:
    """Look for discs at the places from `low` to `high` (mm) of a curve that runs through the bodies.

    Every place is tried with a set of tilts and thicknesses; the contrast is that of the weaker end plate.
    """
    reach = 1 + _HALF_HEIGHTS_MM[-1] + _HALF_WIDTH_MM * _TILTS_RIGHT[-1] + _HALF_DEPTH_MM * _TILTS_FRONT[-1]
    margin = int(np.ceil(reach / _STEP_MM))
    s = np.arange(low, high + _STEP_MM / 2, _STEP_MM)
    wide = low + _STEP_MM * np.arange(-margin, len(s) + margin)
    x = np.arange(-_HALF_WIDTH_MM, _HALF_WIDTH_MM + 1, 2)
    y = np.arange(-_HALF_DEPTH_MM, _HALF_DEPTH_MM + 1, 2)
    image = np.clip(curve.sample(ct, wide, y, x), *_HU_RANGE)
    image[:, np.hypot(*np.meshgrid(x / (_HALF_WIDTH_MM + 1), y / (_HALF_DEPTH_MM + 1))) > 1] = np.nan
    best = np.full(len(s), -np.inf)
    slopes, half = np.zeros((len(s), 2)), np.full(len(s), _HALF_HEIGHTS_MM[0])
    for right in _TILTS_RIGHT:
        for front in _TILTS_FRONT:
            profile = _sheared_mean(image, right * x / _STEP_MM, front * y / _STEP_MM)
            score, height = _valley(profile, margin, len(s))
            score -= _TILT_COST * np.hypot(right, front)
            better = score > best
            best[better], half[better] = score[better], height[better]
            slopes[better] = right, front
    return DiscEvidence(curve, s, best, slopes, half, _least_contrast(image))


def fitted_plane(image: Grid, disc: DiscPlane, frame: LevelFrame) -> DiscPlane:
    """Return the disc with the plane halfway between its end plates, at any tilt: the search knows steps only.

    Parameters
    ----------
    image : Grid
    disc : DiscPlane
        As found along the curve.
    frame : LevelFrame
        Tells which way the front is.
    """
    voxel = np.linalg.norm(disc.normal @ image.ijk_to_ras[:3, :3])
    if disc.thickness < _LEAST_VOXELS * voxel:
        return disc
    frame = replace(frame, origin=disc.point).aligned(disc.normal)
    x, y = (np.arange(-half, half + 1, 2) for half in (_HALF_WIDTH_MM, _HALF_DEPTH_MM))
    reach = disc.thickness / 2 + _PLATE_MM
    z = np.arange(-reach, reach + _FIT_STEP_MM / 2, _FIT_STEP_MM)
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1)
    values = np.clip(sample(image, frame.to_ras(grid)), *_HU_RANGE)
    values = ndimage.gaussian_filter(values, (1, 1, 0))
    within = np.hypot(grid[..., 0, 0] / (_HALF_WIDTH_MM + 1), grid[..., 0, 1] / (_HALF_DEPTH_MM + 1)) <= 1
    middle = _halfway(values[within], z, disc)
    places = grid[..., 0, :2][within][np.isfinite(middle)]
    if 2 * len(places) < within.sum():
        return disc
    fit = robust_plane(np.column_stack([places, middle[np.isfinite(middle)]]))
    normal = np.array([-fit[0], -fit[1], 1.0]) @ frame.axes
    return replace(disc, point=frame.to_ras([0.0, 0.0, fit[2]]), normal=normal / np.linalg.norm(normal))


def _halfway(columns: np.ndarray, z: np.ndarray, disc: DiscPlane) -> np.ndarray:
    """Return the height halfway between the end plates in each column, shape (n,); NaN where they do not show."""
    inner = np.abs(z) <= max(disc.thickness / 2 - 1, 1)
    valley = np.nan_to_num(np.where(inner, columns, np.inf), nan=np.inf).argmin(axis=1)
    least = np.take_along_axis(columns, valley[:, None], axis=1)
    sides = []
    for way in (-1, 1):
        beyond = way * (np.arange(len(z)) - valley[:, None]) >= 0
        part = np.where(beyond, columns, -np.inf)
        peak = part.max(axis=1, keepdims=True)
        bright = beyond & (columns > (least + peak) / 2)
        first = bright.argmax(axis=1) if way > 0 else len(z) - 1 - bright[:, ::-1].argmax(axis=1)
        sides.append(np.where((peak - least)[:, 0] > max(disc.contrast, 0) / 2, z[first], np.nan))
    return np.mean(sides, axis=0)


def robust_plane(points: np.ndarray) -> np.ndarray:
    """Return slopes and height of the plane z(x, y) through points, shape (n, 3), without those that lie off."""
    design = np.column_stack([points[:, :2], np.ones(len(points))])
    keep = np.ones(len(points), dtype=bool)
    for _ in range(3):
        fit = np.linalg.lstsq(design[keep], points[keep, 2], rcond=None)[0]
        residual = np.abs(points[:, 2] - design @ fit)
        keep = residual <= max(2.0 * np.median(residual), 0.5)
    return fit


def _least_contrast(image: np.ndarray) -> float:
    seen = image[np.isfinite(image)]
    low, high = np.percentile(seen, [5, 99]) if seen.size else (0.0, 0.0)
    return float(_LEAST_SHARE * max(high - low, 1.0))


def _sheared_mean(image: np.ndarray, rise_x: Sequence[float], rise_y: Sequence[float]) -> np.ndarray:
    """Mean over planes that rise by `rise_x` and `rise_y` steps; NaN where less than half of a plane is seen."""
    columns = np.flatnonzero(np.isfinite(image).any(axis=0).ravel())
    flat = image.reshape(len(image), -1)[:, columns]
    rise = (np.asarray(rise_y)[:, None] + np.asarray(rise_x)[None, :]).ravel()[columns]
    whole = np.floor(rise).astype(int)
    part = (rise - whole).astype(np.float32)
    index = np.arange(len(image))[:, None] + whole
    inside = (index >= 0) & (index + 1 < len(image))
    index = np.clip(index, 0, len(image) - 2)
    lower, upper = (np.take_along_axis(flat, index + n, axis=0) for n in (0, 1))
    values = np.where(inside, lower + part * (upper - lower), np.nan)
    seen = np.isfinite(values)
    count = seen.sum(axis=1)
    total = np.where(seen, values, 0).sum(axis=1)
    return np.where(2 * count >= len(columns), total / np.maximum(count, 1), np.nan)


def _valley(profile: np.ndarray, margin: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Contrast of the weaker end plate over the valley, and the distance of the end plates that gives most."""

    def around(offset: float) -> np.ndarray:
        start = margin + round(offset / _STEP_MM)
        return profile[start : start + count]

    middle = (around(-1) + 2 * around(0) + around(1)) / 4
    thick = _THICK_COST * np.maximum(2 * _HALF_HEIGHTS_MM - _THICK_MM, 0)
    plates = [np.minimum(around(h), around(-h)) for h in _HALF_HEIGHTS_MM]
    contrast = [plate - middle - cost for plate, cost in zip(plates, thick, strict=True)]
    contrast = np.nan_to_num(contrast, nan=-np.inf)
    return contrast.max(axis=0), _HALF_HEIGHTS_MM[contrast.argmax(axis=0)]


def disc_chain(
    evidence: DiscEvidence, clicks: Sequence[float | None], pitches: Sequence[float], trust: float = 1.0
) -> list[DiscPlane | None]:
    """Return the discs below, between and above neighbouring bodies, from the lowest up, by dynamic programming.

    Parameters
    ----------
    evidence : DiscEvidence
    clicks : sequence of float or None
        A place in each body from the lowest up, where one is known, mm.
    pitches : sequence of float
        Expected distance of each body's two discs, mm.
    trust : float
        How firmly a click stands for the body's middle: 1 for a user's, more where the discs were known.

    Returns
    -------
    list of DiscPlane or None
        One more than bodies; None where the image shows no disc beyond the first or the last.
    """
    s = evidence.s
    seen = np.isfinite(evidence.score)
    scale = max(np.percentile(evidence.score[seen], 95), evidence.least_contrast) if seen.any() else 1.0
    worth = np.where(seen, np.clip(evidence.score / scale, -0.2, 1), 0.0)
    best, origins = worth, []
    for click, pitch in zip(clicks, pitches, strict=True):
        total = best[:, None] + _body_worth(s[:, None], s[None, :], click, pitch, trust)
        origins.append(total.argmax(axis=0))
        best = worth + total.max(axis=0)
    places = [int(best.argmax())]
    for origin in origins[::-1]:
        places.append(int(origin[places[-1]]))
    last, *inner, first = places
    inner = [replace(evidence.plane(n), known=True) for n in inner[::-1]]
    lower, upper = (
        replace(evidence.plane(n), known=trust > 1) if worth[n] >= _LEAST_WORTH / trust else None for n in (first, last)
    )
    return [lower, *inner, upper]


def _body_worth(low: np.ndarray, high: np.ndarray, click: float | None, pitch: float, trust: float) -> np.ndarray:
    """How well a body fits between discs at `low` and `high`: its height, and the click near its middle."""
    height = (high - low) / pitch
    worth = -3 * (height - 1) ** 2
    worth = np.where(height > _LEAST_HEIGHT, worth, -np.inf)
    if click is None:
        return worth
    middle = np.abs(click - (low + high) / 2) / pitch
    return worth - max(trust, _CLICK_COST) * middle**2 - 10 * np.maximum(middle - _BONE_SHARE * height, 0)
