"""The voxels of each muscle around the lumbar spine, and how noisy they are."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..anatomy import Region, Structure
from ..image import LabelMap, Volume, bounding_box
from .settings import SIDES
from .slabs import Slab

_REACH_MM = np.array([[-130.0, -150.0], [130.0, 110.0]])  # of the muscles beside and behind/before the bodies' middle
_FIBRE_MM = 3.0  # along the fibres muscle changes little over this, and a CT's noise is a new one
_FEWEST_PAIRS = 500
METAL_HU = 2500.0  # cement and cortical bone stay below


@dataclass(frozen=True)
class MuscleVoxels:
    """One muscle's voxels around the slabs.

    Parameters
    ----------
    hu : ndarray, shape (n,), float32
    ras : ndarray, shape (n, 3), float32
        Voxel centres, mm.
    at_border : ndarray of bool, shape (n,)
        Whether the voxel lies at a border of the image other than its upper and lower end.
    noise : float or None
        Standard deviation of the noise, HU; None where it cannot be told.
    """

    hu: np.ndarray
    ras: np.ndarray
    at_border: np.ndarray
    noise: float | None


def gather(ct: Volume, labels: LabelMap, box: tuple[slice, slice, slice]) -> dict[Structure, MuscleVoxels]:
    """Return the voxels of each labelled muscle in a part of the image.

    Parameters
    ----------
    ct : Volume
    labels : LabelMap
        On the CT's grid.
    box : tuple of slice
        From `box_around`.
    """
    wanted = {side for sides in SIDES.values() for side in sides}
    values = {region.part: value for value, region in labels.labels.items() if region.part in wanted}
    part = labels.array[box]
    found = {}
    for structure, value in values.items():
        mask = part == value
        if mask.any():
            inner = bounding_box(mask)
            outer = tuple(slice(b.start + n.start, b.start + n.stop) for b, n in zip(box, inner, strict=True))
            found[structure] = _voxels(ct, outer, mask[inner])
    return found


def box_around(ct: Volume, slabs: Iterable[Slab]) -> tuple[slice, slice, slice]:
    """Return the part of the image (slices along k, j, i) that the slabs reach, two voxels more at each side."""
    (left, back), (right, front) = _REACH_MM
    corners = []
    for slab in slabs:
        for frame, plane in ((slab.frames[0], slab.upper), (slab.frames[-1], slab.lower)):
            z = frame.from_ras(plane.point)[2]
            corners += [frame.to_ras([x, y, z]) for x in (left, right) for y in (back, front)]
    ijk = ct.to_ijk(np.array(corners))
    shape = np.array(ct.array.shape[::-1])
    low = np.clip(np.floor(ijk.min(axis=0)).astype(int) - 2, 0, shape - 1)
    high = np.clip(np.ceil(ijk.max(axis=0)).astype(int) + 3, low + 1, shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low[::-1], high[::-1], strict=True))


def cranial_axis(ct: Volume) -> int:
    """Return the array axis (0, 1, 2 for k, j, i) that runs nearest along the patient."""
    return 2 - int(np.argmax(np.abs(ct.ijk_to_ras[2, :3]) / ct.spacing))


def _voxels(ct: Volume, box: tuple[slice, slice, slice], mask: np.ndarray) -> MuscleVoxels:
    kji = [c.astype(np.float32) + np.float32(s.start) for c, s in zip(np.nonzero(mask), box, strict=True)]
    ras = np.empty((3, kji[0].size), dtype=np.float32)
    for row in range(3):
        ras[row] = ct.ijk_to_ras[row, 3]
        for column, step in zip(kji[::-1], ct.ijk_to_ras[row, :3], strict=True):
            if step:
                ras[row] += np.float32(step) * column
    border = np.zeros(kji[0].size, dtype=bool)
    for axis in {0, 1, 2} - {cranial_axis(ct)}:
        border |= (kji[axis] == 0) | (kji[axis] == ct.array.shape[axis] - 1)
    part = ct.array[box]
    return MuscleVoxels(part[mask].astype(np.float32), ras.T, border, _noise(ct, part, mask))


def _noise(ct: Volume, part: np.ndarray, mask: np.ndarray) -> float | None:
    """Estimate the noise from differences along the body, HU.

    Fibres, and the fat between them, run along the body. Half the mean squared difference of two voxels is the noise's
    variance and a share of the muscle's that grows with their distance; from two distances that share is taken out.
    """
    axis = cranial_axis(ct)
    spacing = ct.spacing[2 - axis]
    lag = max(1, int(np.ceil(_FIBRE_MM / spacing - 1e-6)))
    part, mask = np.moveaxis(part, axis, 0), np.moveaxis(mask, axis, 0)
    near, far = (_half_squared_difference(part, mask, n) for n in (lag, 2 * lag))
    if near is None or far is None:
        return None
    return float(np.sqrt(max(2 * near - far, 0.0)))


def _half_squared_difference(part: np.ndarray, mask: np.ndarray, lag: int) -> float | None:
    both = mask[lag:] & mask[:-lag]
    if np.count_nonzero(both) < _FEWEST_PAIRS:
        return None
    difference = part[lag:][both].astype(np.float32) - part[:-lag][both]
    return float(np.mean(np.square(difference), dtype=np.float64) / 2)


def metal(ct: Volume, box: tuple[slice, slice, slice]) -> np.ndarray:
    """Return the voxels of metal in a part of the image, (i, j, k) in the whole image, shape (n, 3)."""
    return np.argwhere(ct.array[box] > METAL_HU)[:, ::-1] + [part.start for part in box[::-1]]


def structures(labels: LabelMap) -> set[Structure]:
    """Return the muscles' sides that the label map names."""
    wanted = {Region(side) for sides in SIDES.values() for side in sides}
    return {region.part for region in labels.regions if region in wanted}
