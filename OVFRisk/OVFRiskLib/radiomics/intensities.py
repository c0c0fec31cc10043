"""The image that features see: without gaps, normalised. Whole-volume work is done once a volume."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from threading import RLock
from weakref import WeakKeyDictionary

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..errors import UserError
from ..image import Volume
from .kernels.moments import compensated_sums, whole_number_sums

LARGEST = 1e15
"""Larger numbers are no intensities: their squares would leave single precision."""


@dataclass(frozen=True, eq=False)
class Intensities:
    """Intensities of a whole volume, made where they are wanted.

    Parameters
    ----------
    raw : ndarray, shape (nk, nj, ni)
        Without gaps.
    mean, factor, limit : float
        What is asked for is (raw - mean) · factor, cut at ± limit; as raw where `factor` is None.
    scale : float
        Times this in the end.
    warnings : tuple of str
        What to know about them.
    """

    raw: np.ndarray
    mean: float = 0.0
    factor: float | None = None
    limit: float | None = None
    scale: float = 1.0
    warnings: tuple[str, ...] = ()

    @property
    def dtype(self) -> np.dtype:
        """Type of the intensities."""
        return self.raw.dtype if self.factor is None else np.dtype(float)

    @cached_property
    def array(self) -> np.ndarray:
        """All of them, shape (nk, nj, ni)."""
        return self.part((slice(None),) * 3)

    def bins_hang_on_rounding(self, box: tuple[slice, slice, slice]) -> bool:
        """Whether bins may end at intensities inside `box`: those cut at a limit, or whole numbers in double precision.

        Where voxels coincide, interpolation returns such numbers but for the last bit, and that decides their bin.
        """
        values = self.part(box)
        if self.factor is None:
            return values.dtype == np.float64 and np.array_equal(values, np.rint(values))
        return self.limit is not None and max(-values.min(), values.max()) >= self.limit * self.scale

    def part(self, box: tuple[slice, slice, slice]) -> np.ndarray:
        """Return those inside `box`."""
        if self.factor is None:
            return self.raw[box]
        values = self.raw[box].astype(float)
        values -= self.mean
        values *= self.factor
        if self.limit is not None:
            np.clip(values, -self.limit, self.limit, out=values)
        values *= self.scale
        return values


def usable(array: np.ndarray) -> np.ndarray:
    """Return where `array` holds intensities: neither NaN, nor infinite, nor beyond LARGEST."""
    return np.abs(array) < LARGEST if array.dtype.kind == "f" else np.ones(array.shape, bool)


def once_a_volume(function: Callable) -> Callable:
    """Keep the last result of ``function(volume, *settings)`` as long as the volume lives."""
    kept: WeakKeyDictionary[Volume, tuple] = WeakKeyDictionary()
    lock = RLock()

    @wraps(function)
    def remembered(volume: Volume, *settings: object) -> object:
        with lock:  # the second of two threads waits, rather than do the same
            before = kept.get(volume)
            if before is None or before[0] != settings:
                before = kept[volume] = (settings, function(volume, *settings))
            return before[1]

    return remembered


@once_a_volume
def intensities(volume: Volume, normalize: bool, scale: float, outliers: float | None) -> Intensities:
    """Return the intensities of `volume`, normalised over the whole image if asked for.

    Normalised means (x - mean) / standard deviation (n - 1), cut at ± `outliers`, times `scale`. Voxels without an
    intensity do not count; as filters need one everywhere, they get that of the nearest voxel that has one.

    Raises
    ------
    UserError
        When an image to be normalised is constant.
    """
    array, warnings = _filled(volume.array)
    if not normalize:
        return Intensities(array, warnings=warnings)
    mean, deviation = _moments(volume.array)
    if deviation == 0:
        raise UserError("The image is constant and cannot be normalised.", "Set normalize to false.")
    return Intensities(array, mean, 1 / deviation, outliers, scale, warnings)


def _moments(array: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of what is usable, 0 where all is equal.

    By ITK's formula, from sums as good as exact: the last bit decides where values lie on bin edges. (ITK compensates
    its sums for rounding, too, but a part of the image each thread: its last bit depends on their number.) Slice by
    slice, to need no memory.
    """
    slices = np.array([_sums(part) for part in array])
    n, total, squares = (math.fsum(columns.ravel()) for columns in np.split(slices[:, :5], [1, 3], axis=1))
    if slices[:, 5].min() == slices[:, 6].max():
        return total / n, 0.0
    variance = (squares - total * total / n) / max(n - 1, 1)
    return total / n, float(np.sqrt(max(variance, 0)))


def _sums(part: np.ndarray) -> np.ndarray:
    """Return number, sum, its rest, sum of squares, its rest, minimum and maximum of the usable values of a slice."""
    if part.dtype.kind in "iu" and part.dtype.itemsize <= 2:
        whole = np.empty(4, dtype=np.int64)
        whole_number_sums(part.astype(np.int32).ravel(), whole)
        total, squares, low, high = whole
        return np.array([part.size, total, 0, squares, 0, low, high], dtype=float)
    found = np.empty(7)
    compensated_sums(part.astype(float).ravel(), LARGEST, found)
    return found


def _filled(array: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    if array.dtype.kind == "f" and array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.dtype.kind != "f" or -LARGEST < array.min() <= array.max() < LARGEST:  # NaN is in no order
        return array, ()
    gaps = ~usable(array)
    nearest = distance_transform_edt(gaps, return_distances=False, return_indices=True)
    note = f"{np.count_nonzero(gaps)} voxels outside the region have no intensity; interpolation and filters near "
    return array[tuple(nearest)], (note + "them see that of the nearest voxel.",)
