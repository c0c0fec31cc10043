"""The signal of an MR image in each region, with what makes it doubtful."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..anatomy import Structure
from ..image import Volume
from .roi import Roi
from .score_clipping import ceiling_of
from .score_places import Place

_FEWEST_VOXELS = 5
_CSF_AREA_MM2 = 20.0  # about thirty voxels of 0.8 mm: of fewer the mean hangs on single roots and on noise
_CSF_CV = 0.15
_BODY_CV = 0.30
_TAIL = 0.2  # of the median: what lies this far towards marrow is more than noise
_LOPSIDED = 2.0  # noise has two tails of one length; roots and partial volume have one
_CLIPPED_SHARE = 0.01
_MOST_CLIPPED = 0.5  # the mean is then the ceiling's, not the tissue's
_MOST_LEFT_OUT = 0.5


@dataclass(frozen=True)
class Signal:
    """Mean and sample SD of an image in a region, and what is doubtful about them.

    Parameters
    ----------
    place : Place
    mean, sd : float or None
        None where the region could not be measured; the remarks say why.
    voxels : int
    remarks : tuple of str
    """

    place: Place
    mean: float | None
    sd: float | None
    voxels: int
    remarks: tuple[str, ...]

    @property
    def roi(self) -> Roi:
        """The region, where it lies on this image."""
        return self.place.roi


def measure_signals(volume: Volume, places: Iterable[Place]) -> tuple[Signal, ...]:
    """Measure all regions on one image."""
    ceiling = ceiling_of(volume)
    return tuple(signal_in(volume, place, ceiling) for place in places)


def signal_in(volume: Volume, place: Place, ceiling: float | None) -> Signal:
    values = place.values_in(volume)
    if values.size < _FEWEST_VOXELS:
        return Signal(place, None, None, values.size, (_why_too_few(volume, place, values.size),))
    if not np.all(np.isfinite(values)):
        return Signal(place, None, None, values.size, ("the image holds values that are no numbers",))
    if ceiling is not None and np.mean(values >= ceiling) > _MOST_CLIPPED:
        return Signal(place, None, None, values.size, (_clipped(values, ceiling),))
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    remarks = (
        place.roi.note,
        *place.notes,
        _left_out(volume, place),
        "" if place.roi.is_within(volume) else "partly outside the image",
        _clipped(values, ceiling),
        *(_csf_doubts(place.roi, values) if place.region.part is Structure.CSF else _body_doubts(values)),
    )
    return Signal(place, mean, sd, values.size, tuple(remark for remark in remarks if remark))


def _why_too_few(volume: Volume, place: Place, count: int) -> str:
    if place.share_left_out(volume) > _MOST_LEFT_OUT:
        return f"hardly anything of the region is left without {' and '.join(place.kinds)}"
    return "outside the image" if count == 0 else f"only {count} voxels in the image"


def _left_out(volume: Volume, place: Place) -> str:
    share = place.share_left_out(volume)
    if share == 0:
        return ""
    doubt = ", more than half of it: is the rest healthy?" if share > _MOST_LEFT_OUT else ""
    return f"{' and '.join(place.kinds)} left out ({share:.0%} of the region{doubt})"


def _body_doubts(values: np.ndarray) -> tuple[str, ...]:
    variation = _variation(values)
    uneven = f"uneven signal (SD {variation:.0%} of the mean): lesion, vein or fracture in the region?"
    return (uneven,) if variation > _BODY_CV else ()


def _csf_doubts(roi: Roi, values: np.ndarray) -> tuple[str, ...]:
    doubts = []
    if roi.area_mm2 < _CSF_AREA_MM2:
        doubts.append(f"small CSF region ({roi.area_mm2:.0f} mm², under {_CSF_AREA_MM2:g})")
    variation = _variation(values)
    if variation > _CSF_CV:
        doubts.append(f"uneven signal (SD {variation:.0%} of the mean): nerve roots or partial volume?")
    elif _one_tail(values):
        doubts.append("part of the CSF region differs from the rest: nerve roots or partial volume?")
    return tuple(doubts)


def _variation(values: np.ndarray) -> float:
    mean = values.mean()
    return float(values.std(ddof=1) / mean) if mean > 0 else float("inf")


def _one_tail(values: np.ndarray) -> bool:
    """Whether at least a twentieth lies far from the median to one side only, which noise does not."""
    low, median, high = np.percentile(values, (5, 50, 95))
    tails = sorted((median - low, high - median))
    return bool(median > 0 and tails[1] > _TAIL * median and tails[1] > _LOPSIDED * tails[0])


def _clipped(values: np.ndarray, ceiling: float | None) -> str:
    share = 0.0 if ceiling is None else float(np.mean(values >= ceiling))
    return f"{share:.0%} of the voxels are clipped at {ceiling:g}" if share > _CLIPPED_SHARE else ""
