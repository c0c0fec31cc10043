"""What makes a muscle's values doubtful: cut off, fused, arms beside the trunk, metal."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from ..anatomy import Structure
from ..image import Volume
from .settings import LEFT
from .slabs import Plane, Slab
from .voxels import cranial_axis

_END_MM = 25.0  # muscle this near to a slab's plane tells whether the image shows it up to there
_OUTSIDE = 0.01  # share of it
_MIDLINE_MM = 5.0  # muscle of one side reaches over the midline by less
_OTHER_SIDE = 0.1
_MISSING = 0.1  # of a slab's length
_MISSING_PSOAS = 0.25  # it begins at T12 to L1
_METAL_MM3, _NEAR_METAL_MM = 20.0, 20.0
_AIR_HU, _AIR = -900.0, 0.01
_MOST_POINTS = 20_000
_BODY_HU = -200.0
_COARSE_MM, _APART_MM = 4.0, 8.0  # grid on which parts of the body are told apart; skin folds narrower than this part
_ARM_CM2, _ARM_MM = 12.0, 30.0  # least cross-section and thickness of a forearm, less what the parting takes
_ASIDE = 0.75  # of the trunk's half-width
_SLICES = 12


def thinned(points: np.ndarray) -> np.ndarray:
    """Return at most about 20,000 of the points, evenly taken."""
    return points[:: max(1, len(points) // _MOST_POINTS)]


def cut_by_image(ct: Volume, ras: np.ndarray, slab: Slab) -> bool:
    """Whether the slab ends beyond the image's upper or lower end where the muscle, at the points `ras`, lies."""
    return any(_beyond(ct, ras, plane) for plane in (slab.upper, slab.lower))


def _beyond(ct: Volume, ras: np.ndarray, plane: Plane) -> bool:
    height = plane.height(ras)
    near = np.abs(height) <= _END_MM
    if not near.any():
        return False
    axis = cranial_axis(ct)
    on_plane = ras[near] - height[near, None] * plane.normal
    place = ct.to_ijk(on_plane)[:, 2 - axis]
    outside = (place < -0.5) | (place > ct.array.shape[axis] - 0.5)
    return bool(outside.mean() > _OUTSIDE)


def other_side(ras: np.ndarray, slab: Slab, side: Structure) -> float:
    """Return which share of one side's muscle lies on the other side of the spine, 0 to 1."""
    x = slab.beside(ras)[:, 0]
    return float(np.mean(x > _MIDLINE_MM if side in LEFT else x < -_MIDLINE_MM))


def is_fused(share: float) -> bool:
    """Whether so much of a side's label lies on the other side that it cannot be the side's muscle."""
    return share > _OTHER_SIDE


def faults(
    hu: np.ndarray, ras: np.ndarray, at_border: np.ndarray, slab: Slab, muscle: Structure, voxel_mm: float
) -> Iterator[str]:
    """Yield what to keep in mind of a muscle in a slab.

    Parameters
    ----------
    hu, ras, at_border : ndarray
        Of the muscle's voxels in the slab, as in `MuscleVoxels`.
    slab : Slab
    muscle : Structure
        Erector spinae or psoas.
    voxel_mm : float
        The largest voxel edge.
    """
    if at_border.any():
        yield "touches the image's border: a part of it may be missing"
    if np.mean(hu < _AIR_HU) > _AIR:
        yield "holds air or unscanned voxels"
    missing = 1 - _covered(slab, thinned(ras), voxel_mm)
    begins = muscle is Structure.PSOAS
    if missing > (_MISSING_PSOAS if begins else _MISSING):
        yield f"its label is missing in {missing:.0%} of the slab's length"
    y = slab.beside(thinned(ras))[:, 1]
    if np.mean(y > 0 if muscle is Structure.ERECTOR_SPINAE else y < -50) > _OTHER_SIDE:
        yield "its label reaches where another muscle lies"


def _covered(slab: Slab, ras: np.ndarray, voxel_mm: float) -> float:
    """Return over which share of the slab's length the muscle is labelled."""
    length = slab.length(ras.mean(axis=0))
    bins = int(np.clip(length / (2 * voxel_mm), 3, 40))
    found = np.histogram(slab.place(ras), bins, (0, 1))[0]
    return float(np.mean(found > 0))


def metal_near(ct: Volume, metal: np.ndarray, ras: np.ndarray) -> bool:
    """Whether metal (voxels i, j, k, shape (n, 3)) lies in or within 20 mm of the box around the points `ras`."""
    if not len(metal):
        return False
    ijk = ct.to_ijk(thinned(ras))
    margin = _NEAR_METAL_MM / ct.spacing
    near = np.all((metal >= ijk.min(axis=0) - margin) & (metal <= ijk.max(axis=0) + margin), axis=1)
    return bool(np.count_nonzero(near) * ct.voxel_volume > _METAL_MM3)


def arms_beside(ct: Volume, span: slice) -> bool:
    """Whether another part of the body lies beside the trunk in the axial slices `span` (of the image's long axis).

    Arms beside the trunk cast streaks over it and harden the beam. They are looked for on a dozen slices: soft tissue
    in a piece of its own, as large and thick as a forearm, well to the side of the trunk; or the skin touches, but no
    more than 8 mm deep.
    """
    axis = cranial_axis(ct)
    picked = range(span.start, span.stop, max(1, (span.stop - span.start) // _SLICES))
    slices = (np.take(ct.array, n, axis) for n in picked)
    others = [n for n in range(3) if n != axis]
    lateral = int(np.argmax([np.abs(ct.ijk_to_ras[0, 2 - n]) / ct.spacing[2 - n] for n in others]))
    spacing = [float(ct.spacing[2 - n]) for n in others]
    found = [_has_arm(plane, spacing, lateral) for plane in slices]
    return sum(found) >= max(2, len(found) // 4)


def _has_arm(plane: np.ndarray, spacing: list[float], lateral: int) -> bool:
    steps = [max(1, round(_COARSE_MM / size)) for size in spacing]
    sizes = [step * size for step, size in zip(steps, spacing, strict=True)]
    body = plane[:: steps[0], :: steps[1]] > _BODY_HU
    solid = ndimage.distance_transform_edt(np.pad(body, 1, constant_values=False), sampling=sizes)[1:-1, 1:-1]
    pieces, count = ndimage.label(solid > _APART_MM / 2)
    if count < 2:
        return False
    areas = np.bincount(pieces.ravel())[1:] * np.prod(sizes) / 100
    trunk = int(np.argmax(areas)) + 1
    across = np.flatnonzero((pieces == trunk).any(axis=1 - lateral))
    middle, half = (across[0] + across[-1]) / 2, (across[-1] - across[0]) / 2
    for number in np.flatnonzero(areas >= _ARM_CM2) + 1:
        piece = pieces == number
        aside = abs(np.argwhere(piece).mean(axis=0)[lateral] - middle)
        extent = [np.ptp(np.flatnonzero(piece.any(axis=1 - n))) * sizes[n] for n in (0, 1)]
        if number != trunk and aside > _ASIDE * half and min(extent) + _APART_MM >= _ARM_MM:
            return True
    return False
