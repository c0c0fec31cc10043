"""The mid-sagittal plane of an exam from its images alone: where left and right mirror each other.

The back is nearly symmetric: muscles, pedicles, facets and fat. Slices at equal distances to both sides of its midline
are more alike than other slices as far apart. It is the midline of the back: where the spine is bent or turned sideways
the bodies lie beside it, and clicks in them tell more.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ..image import Modality, Volume
from .body_planes import sagittal_plane
from .plane import Plane

_PIXEL_MM = 2.0  # details of the size of vessels and bowel are no evidence
_SHARPEN_MM = 12.0  # what changes more slowly is the coil
_REACH_MM = (4.0, 24.0)  # to both sides, that a mirror is judged by: pedicles, facets and the muscles' inner part
_LEAST_REACH_MM = 10.0  # on the narrower side
_STEP_MM = 0.5
_NEAR_MM = 8.0  # from the best plane: beyond lies another one
_CLEAR = 0.05  # correlation by which the best plane is better than any other
_ALIKE = 0.05  # correlation above the usual one of slices so far apart, under which there is no symmetry
_SWING_MM = 6.0  # between the upper and the lower half: scoliosis or an oblique patient
_FEWEST_SLICES, _THICKEST_MM = 3, 8.0  # of a sagittal stack
_OFF_MM = 5.0  # that sequences may differ by


class Midsagittal(NamedTuple):
    """Where the midline seems to be.

    Parameters
    ----------
    plane : Plane or None
        A slice of the first sequence; None where there is no stack of sagittal slices.
    reason : str
        How it was chosen, or why not.
    doubt : str
        What speaks against it; empty where nothing does.
    """

    plane: Plane | None
    reason: str
    doubt: str = ""


def midsagittal_plane(volumes: Mapping[Modality, Volume]) -> Midsagittal:
    """Propose the mid-sagittal slice of an exam.

    It is parallel to the sagittal slices of the first sequence. A proposal: the user may always take another plane.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2 and STIR as far as there are; sagittal slices or voxels of equal sides.
    """
    grids = {sequence: volume.reoriented("RAS") for sequence, volume in volumes.items()}
    curves = {sequence: _curve(grid) for sequence, grid in grids.items()}
    curves = {sequence: curve for sequence, curve in curves.items() if curve is not None}
    if not curves:
        return _middle(grids)
    first = grids[next(iter(curves))]
    middle = first.to_ras((np.array(first.array.shape[::-1]) - 1) / 2)
    reference = sagittal_plane(first, middle)
    at, whole = _together(curves, grids, reference, 0)
    best = int(np.argmax(whole))
    if whole[best] < _ALIKE:
        return _middle(grids)
    plane = sagittal_plane(first, np.array(reference.origin) + at[best] * reference.normal)
    names = " and ".join(curves)
    reason = (
        f"left and right are most alike about this slice on {names} (correlation {whole[best]:.2f} above the usual)"
    )
    return Midsagittal(plane, reason, "; ".join(_doubts(curves, grids, reference, at, whole)))


def _middle(grids: Mapping[Modality, Volume]) -> Midsagittal:
    """Return the middle slice of the first sagittal stack."""
    for sequence, grid in grids.items():
        if grid.array.shape[2] >= _FEWEST_SLICES and grid.spacing[0] <= _THICKEST_MM:
            plane = sagittal_plane(grid, grid.to_ras((np.array(grid.array.shape[::-1]) - 1) / 2))
            doubt = "left and right are not alike about any slice: choose the slice yourself"
            return Midsagittal(plane, f"the middle slice of {sequence}", doubt)
    return Midsagittal(None, "there is no stack of sagittal slices")


Curve = tuple[np.ndarray, np.ndarray]  # slice numbers with fractions; correlation: whole, upper half, lower half


def _curve(volume: Volume) -> Curve | None:
    """Return how much more alike left and right are about each place than slices so far apart usually are."""
    slices = _sharp(volume)
    half = slices.shape[1] // 2
    tables = [_alike(slices[:, rows]) for rows in (slice(None), slice(half, None), slice(None, half))]
    apart = np.arange(len(slices)) * volume.spacing[0] / 2  # half the distance of two slices
    used = (apart >= _REACH_MM[0]) & (apart <= _REACH_MM[1])
    found = [
        m for m in range(2 * len(slices) - 1) if _most_apart(m, len(slices)) * volume.spacing[0] / 2 >= _LEAST_REACH_MM
    ]
    if not found or not used.any():
        return None
    rows = [[_gain(table, m, used) for m in found] for table in tables]
    return np.array(found) / 2, np.array(rows)


def _most_apart(total: int, count: int) -> int:
    """Return the largest distance of two slices whose numbers add up to `total`."""
    return min(total, 2 * (count - 1) - total)


def _gain(table: np.ndarray, total: int, used: np.ndarray) -> float:
    """Return the mean of what the pairs of slices about one place are more alike than usual for their distance."""
    first = np.arange(max(0, total - len(table) + 1), total // 2 + 1)
    second = total - first
    keep = used[second - first]
    usual = np.array([np.mean(np.diagonal(table, n)) for n in range(len(table))])
    return float(np.mean((table[first, second] - usual[second - first])[keep])) if keep.any() else -1.0


def _sharp(volume: Volume) -> np.ndarray:
    """Return the slices, shape (i, k, j), coarse, without the coil's slow changes, of equal contrast everywhere."""
    array = volume.array.astype(np.float32).transpose(2, 0, 1)
    sigma = [0, *(_PIXEL_MM / volume.spacing[n] / 2 for n in (2, 1))]
    step = [max(round(_PIXEL_MM / volume.spacing[n]), 1) for n in (2, 1)]
    coarse = ndimage.gaussian_filter(array, sigma)[:, :: step[0], :: step[1]]
    wide = [0, *(_SHARPEN_MM / (volume.spacing[n] * s) for n, s in zip((2, 1), step, strict=True))]
    sharp = coarse - ndimage.gaussian_filter(coarse, wide)
    size = np.sqrt(ndimage.gaussian_filter(sharp**2, wide))
    return sharp / (size + 0.05 * float(np.percentile(size, 99)) + 1e-6)


def _alike(slices: np.ndarray) -> np.ndarray:
    """Return the correlation of each slice with each other, shape (n, n)."""
    flat = slices.reshape(len(slices), -1)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    return flat @ flat.T


def _together(curves: Mapping[Modality, Curve], grids: Mapping[Modality, Volume], reference: Plane, part: int) -> Curve:
    """Return distances from the reference, mm, and the mean of the sequences' correlations there."""
    own = [(_distance(grids[s], middles, reference), rows[part]) for s, (middles, rows) in curves.items()]
    low, high = max(min(d) for d, _ in own), min(max(d) for d, _ in own)
    at = np.arange(low, high + _STEP_MM / 2, _STEP_MM) if high >= low else own[0][0]
    return at, np.mean([np.interp(at, d, row) for d, row in own], axis=0)


def _distance(grid: Volume, middles: np.ndarray, reference: Plane) -> np.ndarray:
    centre = (np.array(grid.array.shape[::-1]) - 1) / 2
    return reference.from_ras(grid.to_ras([[m, centre[1], centre[2]] for m in middles]))[:, 2]


def _doubts(
    curves: Mapping[Modality, Curve],
    grids: Mapping[Modality, Volume],
    reference: Plane,
    at: np.ndarray,
    whole: np.ndarray,
) -> list[str]:
    best = float(at[np.argmax(whole)])
    doubts = []
    others = whole[np.abs(at - best) > _NEAR_MM]
    if others.size and whole.max() - others.max() < _CLEAR:
        doubts.append("another slice is nearly as symmetric")
    if best - at[0] < _STEP_MM or at[-1] - best < _STEP_MM:
        doubts.append("the midline may lie nearer to the border of the images")
    upper, lower = (a[np.argmax(row)] for a, row in (_together(curves, grids, reference, n) for n in (1, 2)))
    if abs(upper - lower) > _SWING_MM:
        doubts.append(f"above and below it differs by {abs(upper - lower):.0f} mm (scoliosis, or turned slices?)")
    own = [float(a[np.argmax(c)]) for a, c in (_together({s: curves[s]}, grids, reference, 0) for s in curves)]
    if max(own) - min(own) > _OFF_MM:
        doubts.append(f"the sequences differ by {max(own) - min(own):.0f} mm")
    return doubts
