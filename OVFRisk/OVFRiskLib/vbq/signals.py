"""The signal of an MR image in each region, with what makes it doubtful."""

from dataclasses import dataclass

import numpy as np

from ..anatomy import Structure
from ..image import Volume
from .regions import Regions
from .roi import Roi

_FEWEST_VOXELS = 5
_CSF_RADIUS_MM = 4.0  # under it a shift of 2 mm changes VBQ by more than a tenth
_CSF_CV = 0.15
_BODY_CV = 0.30
_CLIPPED_SHARE = 0.01


@dataclass(frozen=True)
class Signal:
    """Mean and sample SD of an image in a region, and what is doubtful about them.

    Parameters
    ----------
    roi : Roi
    mean, sd : float or None
        None where the region could not be measured; the remarks say why.
    voxels : int
    remarks : tuple of str
    """

    roi: Roi
    mean: float | None
    sd: float | None
    voxels: int
    remarks: tuple[str, ...]


def measure_signals(volume: Volume, regions: Regions) -> tuple[Signal, ...]:
    """Measure all regions on one image."""
    ceiling = _ceiling(volume)
    return tuple(_signal(volume, roi, ceiling) for roi in regions)


def _signal(volume: Volume, roi: Roi, ceiling: float | None) -> Signal:
    values = volume.array[roi.mask_on(volume).array].astype(float)
    if values.size < _FEWEST_VOXELS:
        where = "outside the image" if values.size == 0 else f"only {values.size} voxels in the image"
        return Signal(roi, None, None, values.size, (where,))
    if not np.all(np.isfinite(values)):
        return Signal(roi, None, None, values.size, ("the image holds values that are no numbers",))
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    remarks = (roi.note, _cut(volume, roi), _clipped(values, ceiling), *_doubts(roi, mean, sd))
    return Signal(roi, mean, sd, values.size, tuple(remark for remark in remarks if remark))


def _doubts(roi: Roi, mean: float, sd: float) -> tuple[str, ...]:
    variation = sd / mean if mean > 0 else float("inf")
    if roi.region.part is not Structure.CSF:
        uneven = f"uneven signal (SD {variation:.0%} of the mean): lesion, vein or fracture in the region?"
        return (uneven,) if variation > _BODY_CV else ()
    doubts = []
    if roi.inscribed_radius_mm < _CSF_RADIUS_MM:
        doubts.append(
            f"radius {roi.inscribed_radius_mm:.2f} mm, under {_CSF_RADIUS_MM:g} mm: depends on its exact place"
        )
    if variation > _CSF_CV:
        doubts.append(f"uneven signal (SD {variation:.0%} of the mean): nerve roots or partial volume?")
    return tuple(doubts)


def _cut(volume: Volume, roi: Roi) -> str:
    return "" if roi.is_within(volume) else "partly outside the image"


def _ceiling(volume: Volume) -> float | None:
    """Return the value at which the image may have been clipped: 255 of 8-bit data, or its integer type's largest."""
    highest = float(volume.array.max())
    if highest == 255:
        return highest
    if volume.array.dtype.kind in "iu" and highest == np.iinfo(volume.array.dtype).max:
        return highest
    return None


def _clipped(values: np.ndarray, ceiling: float | None) -> str:
    share = 0.0 if ceiling is None else float(np.mean(values >= ceiling))
    return f"{share:.0%} of the voxels are clipped at {ceiling:g}" if share > _CLIPPED_SHARE else ""
