"""The image that features see: without gaps, normalised. Whole-volume work is done once a volume."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from weakref import WeakKeyDictionary

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..errors import UserError
from ..image import Volume

LARGEST = 1e15
"""Larger numbers are no intensities: their squares would leave single precision."""


@dataclass(frozen=True, eq=False)
class Intensities:
    """Intensities of a whole volume, shape (nk, nj, ni), and what to know about them."""

    array: np.ndarray
    warnings: tuple[str, ...] = ()


def usable(array: np.ndarray) -> np.ndarray:
    """Return where `array` holds intensities: neither NaN, nor infinite, nor beyond LARGEST."""
    return np.abs(array) < LARGEST if array.dtype.kind == "f" else np.ones(array.shape, bool)


def once_a_volume(function: Callable) -> Callable:
    """Keep the last result of ``function(volume, *settings)`` as long as the volume lives."""
    kept: WeakKeyDictionary[Volume, tuple] = WeakKeyDictionary()

    @wraps(function)
    def remembered(volume: Volume, *settings: object) -> object:
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
        return Intensities(array, warnings)
    known = volume.array[usable(volume.array)].astype(float)
    mean, deviation = _moments(known)
    if deviation == 0 or known.min() == known.max():
        raise UserError("The image is constant and cannot be normalised.", "Set normalize to false.")
    normalised = (array.astype(float) - mean) * (1 / deviation)
    if outliers is not None:
        normalised = normalised.clip(-outliers, outliers)
    return Intensities(normalised * scale, warnings)


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation by ITK's formula: the last bit decides where values lie on bin edges."""
    n, total = values.size, values.sum()
    variance = (values @ values - total * total / n) / max(n - 1, 1)
    return total / n, np.sqrt(max(variance, 0))


def _filled(array: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    if array.dtype.kind == "f" and array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    gaps = ~usable(array)
    if not gaps.any():
        return array, ()
    nearest = distance_transform_edt(gaps, return_distances=False, return_indices=True)
    note = f"{np.count_nonzero(gaps)} voxels outside the region have no intensity; interpolation and filters near "
    return array[tuple(nearest)], (note + "them see that of the nearest voxel.",)
