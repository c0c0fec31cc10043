"""Whether the brightest signals of an image were cut off when it was stored."""

import numpy as np

from ..image import Volume

_NEAR = 0.02  # of the highest value: the band below it that a pile-up is compared with
_FEWEST = 50  # voxels of the highest value that make a pile-up
_GREY_LEVELS = 64  # an image of fewer has no noise that could tell a pile-up from a flat tissue
_EVERY = 4  # voxels along each axis, to count grey levels


def ceiling_of(volume: Volume) -> float | None:
    """Return the value at which an image may have been clipped; None where nothing points to it.

    It is 255 of 8-bit data, the largest value of the integer type, or a highest value that more voxels have than the
    2 % below it together: noise thins out towards the top, clipping piles up there.
    """
    highest = float(volume.array.max())
    if not np.isfinite(highest) or highest <= 0:
        return None
    if highest == 255:
        return highest
    if volume.array.dtype.kind in "iu" and highest == np.iinfo(volume.array.dtype).max:
        return highest
    return highest if _piled_up(volume.array, highest) else None


def _piled_up(array: np.ndarray, highest: float) -> bool:
    top = int(np.count_nonzero(array >= highest))
    if top < _FEWEST or top <= np.count_nonzero(array >= (1 - _NEAR) * highest) - top:
        return False
    return np.unique(array[::_EVERY, ::_EVERY, ::_EVERY]).size >= _GREY_LEVELS
