"""Bodies without clicks: the column, its discs, one point a body, and the seeded engine."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..image import LabelMap, Volume, present_values
from .column import Column, bone_share, find_column, isotropic
from .disc_planes import DiscPlane, disc_evidence
from .engines import Report, Request
from .level_naming import FoundBody, find_sacrum, last_rib, name_levels, rib_reach
from .seeded import segment_seeded
from .seeds import Seed
from .spine_curve import SpineCurve

_KNOT_MM = 20.0
_GRID_MM, _BLUR_MM = 2.0, 1.2  # thin thoracic discs are 3-4 mm high
_END_MM = 30.0  # the column is followed to the image's border when it ends so near it
_TRUST = 15.0  # the middle between two discs is nearer to a body's than a click is
_CUT_SHARE = 0.6  # of a body and its disc that must be seen at the image's border
_INSIDE_MM = 6.0  # a point so near the border shows too little of its body
# Distance of neighbouring discs: a crushed thoracic body to a tall L3 with its disc (typical adult sizes).
_NEAREST_MM, _FARTHEST_MM = 14, 48
_USUAL_MM = (21.0, 40.0)
_CLEAR_SHARE = 75  # percentile of the peaks that counts as a clear disc
_JUMP_COST = 0.8  # of a change of the distance by the factor e
_ODD_COST = 0.05  # a mm outside the usual distance
_OPEN_COST = 0.02  # a mm without a disc at either end: a body that is cut, or the sacrum
_PEDICLE_ABOVE_MM = 4.0  # the foramen is widest this far above the disc
_PEDICLE_WEIGHT = 1.5
_LEVEL_MM, _PLATE_REACH_MM, _PLATE_WEIGHT = 35, 5.0, 0.4


def segment_automatic(ct: Volume, request: Request, report: Report) -> LabelMap:
    """Segment all vertebral bodies (or vertebrae) of a CT; the levels from `request.anchor`, or proposed.

    Raises
    ------
    UserError
        When less than 60 mm of spine are seen, or nothing shows which levels they are.
    """
    report(0.0, "Looking for the spinal column")
    column = find_column(ct)
    report(0.1, "Looking for the discs")
    curve = column_curve(column)
    smooth = isotropic(ct, _GRID_MM, blur=_BLUR_MM, outside=np.nan)
    discs = find_discs(smooth, column, curve)
    sacrum = find_sacrum(smooth, discs)
    bodies = found_bodies(ct, curve, discs[sacrum.disc :] if sacrum else discs, open_below=sacrum is None)
    report(0.2, "Naming the levels")
    naming = name_levels(bodies, sacrum, last_rib(rib_reach(smooth, curve, bodies)), request.anchor)
    seeds = tuple(Seed(body.point, level) for body, level in zip(bodies, naming.levels, strict=True) if level)
    seeded = replace(request, seeds=seeds, between=None)
    labels = segment_seeded(ct, seeded, lambda done, what: report(0.2 + 0.8 * done, what), _TRUST)
    at_border = {level for body, level in zip(bodies, naming.levels, strict=True) if body.cut}
    told = (*labels.corrections, *naming.notes, *_cut(labels, at_border))
    return replace(labels, corrections=tuple(dict.fromkeys(told)))  # each once


def column_curve(column: Column) -> SpineCurve:
    """Return the curve through the bodies."""
    count = max(round(column.length / _KNOT_MM), 2)
    points = column.bodies[np.linspace(0, len(column.bodies) - 1, count + 1).round().astype(int)]
    return SpineCurve(points)


def found_bodies(ct: Volume, curve: SpineCurve, discs: Sequence[DiscPlane], *, open_below: bool) -> list[FoundBody]:
    """Return the bodies between discs, and those that the image's border cuts, from head to foot."""
    if len(discs) < 2:
        raise UserError(
            "The discs between the vertebral bodies do not show clearly enough.",
            "Click the bodies (--engine seeded --seeds FILE), or give a CT with thinner slices.",
        )
    places = [disc.s for disc in discs]
    low, high = _seen(ct, curve)
    bodies = [FoundBody(curve.at((a + b) / 2), a, b) for a, b in pairwise(places)]
    usual = places[-1] - places[-2]
    if high - places[-1] >= _CUT_SHARE * usual:
        middle = min(places[-1] + usual / 2, high - _INSIDE_MM)
        bodies.append(FoundBody(curve.at(middle), places[-1], high, cut=True))
    usual = places[1] - places[0]
    if open_below and places[0] - low >= _CUT_SHARE * usual:
        middle = max(places[0] - usual / 2, low + _INSIDE_MM)
        bodies.insert(0, FoundBody(curve.at(middle), low, places[0], cut=True))
    return bodies[::-1]


def _seen(ct: Volume, curve: SpineCurve) -> tuple[float, float]:
    """Return the lowest and highest place that is spine, up to the image's border where it is near."""
    ends = []
    for end, way in ((0.0, -1), (float(curve.knots[-1]), 1)):
        s = end + way * np.arange(0, _END_MM + 1)
        ijk = ct.to_ijk(curve.at(s))
        inside = np.all((ijk > -0.5) & (ijk < np.array(ct.array.shape[::-1]) - 0.5), axis=1)
        ends.append(end if inside.all() else float(s[max(np.argmin(inside) - 1, 0)]))
    return ends[0], ends[1]


def _cut(labels: LabelMap, at_border: set[VertebralLevel | None]) -> list[str]:
    """Name the levels that touch the image's border, and those with a disc beyond it."""
    border = np.ones(labels.array.shape, dtype=bool)
    border[1:-1, 1:-1, 1:-1] = False
    touching = {labels.labels[value].level for value in present_values(labels.array[border]) if value}
    known = [level for level in labels.levels() if level in touching | at_border]
    return [f"{level} touches the image border" for level in known]


def find_discs(ct: Volume, column: Column, curve: SpineCurve) -> list[DiscPlane]:
    """Return the discs from foot to head: the clearest row of them at distances that vertebrae have."""
    evidence = disc_evidence(ct, curve, 0.0, float(curve.knots[-1]))
    contrast = evidence.score
    peaks = contrast[(ndimage.maximum_filter1d(contrast, 13) == contrast) & (contrast > 0)]
    if not len(peaks):
        return []
    clear = max(float(np.percentile(peaks, _CLEAR_SHARE)), 20.0)
    pedicles = pedicle_profile(ct, column, curve, evidence.s + _PEDICLE_ABOVE_MM)
    plates = plate_profile(ct, curve, evidence.s)
    score = np.clip(contrast / clear, -0.3, 1) - _PEDICLE_WEIGHT * _swing(pedicles) + _PLATE_WEIGHT * _swing(plates)
    return [evidence.plane(n) for n in best_row(score)]


def pedicle_profile(ct: Volume, column: Column, curve: SpineCurve, s: np.ndarray) -> np.ndarray:
    """Return the share of bone at the sides of the canal, where pedicles and foramina take turns, shape (len(s),)."""
    x = np.concatenate([np.arange(-19.0, -8, 2), np.arange(9.0, 20, 2)])
    y = np.arange(-40.0, 1, 2)
    bone = np.nan_to_num(bone_share(curve.sample(ct, s, y, x))).mean(axis=2)
    canal = np.array([curve.frame(place).from_ras(_beside(column, curve.at(place)))[1] for place in s])
    beside = (y >= canal[:, None] + 2) & (y <= canal[:, None] + 12)
    profile = (bone * beside).sum(axis=1) / np.maximum(beside.sum(axis=1), 1)
    return ndimage.gaussian_filter1d(profile, 2.0)


def plate_profile(ct: Volume, curve: SpineCurve, s: np.ndarray) -> np.ndarray:
    """Return how bright the end plates within some millimetres are, in units of their usual swing, shape (len(s),).

    On thick slices the two end plates of a thin disc blur into one bright band, with no valley between.
    """
    image = np.clip(curve.sample(ct, s, np.arange(-8.0, 9, 2), np.arange(-10.0, 11, 2)), -100, 600)
    seen = np.isfinite(image).reshape(len(s), -1)
    profile = np.where(seen, np.nan_to_num(image).reshape(len(s), -1), 0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    bright = np.maximum(profile - ndimage.median_filter(profile, _LEVEL_MM, mode="nearest"), 0)
    smooth = ndimage.gaussian_filter1d(bright, _PLATE_REACH_MM)
    return smooth / max(2 * float(np.std(smooth)), 1.0)


def _swing(profile: np.ndarray) -> np.ndarray:
    """Return the profile less its mean over a level."""
    return profile - ndimage.uniform_filter1d(profile, _LEVEL_MM, mode="nearest")


def _beside(column: Column, point: np.ndarray) -> np.ndarray:
    return column.canal[np.argmin(np.linalg.norm(column.canal - point, axis=1))]


def best_row(score: np.ndarray) -> list[int]:
    """Return the places (mm) of the row of discs with the highest sum of scores.

    Each distance must be one that vertebrae have, neighbouring distances differ little, and what stands open at
    the ends costs. Dynamic programming over pairs of neighbouring discs.
    """
    distances = np.arange(_NEAREST_MM, _FARTHEST_MM + 1)
    odd = _ODD_COST * (np.maximum(_USUAL_MM[0] - distances, 0) + np.maximum(distances - _USUAL_MM[1], 0))
    jump = _JUMP_COST * np.abs(np.log(distances[:, None] / distances[None, :]))  # (now, before)
    open_end = _OPEN_COST * np.maximum(np.arange(len(score)) - _USUAL_MM[0], 0)
    total = np.full((len(score), len(distances)), -np.inf)  # best row that ends here after this distance
    came = np.full(total.shape, -1)
    for n in range(len(score)):
        for d, distance in enumerate(distances[distances <= n]):
            m = n - distance
            start = score[m] - open_end[m]
            rows = total[m] - jump[d]
            best = int(np.argmax(rows))
            came[n, d] = best if rows[best] > start else -1
            total[n, d] = max(rows[best], start) + score[n] - odd[d]
    total -= open_end[::-1, None]
    n, d = np.unravel_index(np.argmax(total), total.shape)
    if not np.isfinite(total[n, d]):
        return []
    row = [int(n)]
    while d >= 0:
        n, d = n - distances[d], came[n, d]
        row.append(int(n))
    return row[::-1]
