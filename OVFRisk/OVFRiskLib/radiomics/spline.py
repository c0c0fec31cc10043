"""Cubic B-spline interpolation of part of an image: ITK's values from the voxels around the region only.

What a voxel adds to a coefficient falls by 0.27 a voxel, so that MARGIN of them leave 2e-14 of it. The axes are worked
on one after the other, each only where the ones before are wanted.
"""

from dataclasses import dataclass

import numpy as np

from .kernels.spline import combine, filter_lines

ORDER = 3
POLE = np.sqrt(3) - 2
MARGIN = 24


@dataclass(frozen=True, eq=False)
class Samples:
    """Places along one axis where an image is wanted.

    Parameters
    ----------
    places : ndarray of float
        In voxels of the image, ascending.
    length : int
        Voxels of the image along the axis.
    """

    places: np.ndarray
    length: int

    @property
    def needed(self) -> slice:
        """The voxels that have a say in the values."""
        return self.around(ORDER + MARGIN)

    def around(self, margin: int) -> slice:
        """Return the voxels at the places and `margin` more at both ends."""
        low, high = int(np.floor(self.places[0])), int(np.floor(self.places[-1]))
        low, high = (min(max(place, 0), self.length - 1) for place in (low, high))
        return slice(max(low - margin, 0), min(high + margin + 1, self.length))

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the four coefficients around each place, numbered from the first needed, and their weights."""
        first = np.floor(self.places).astype(np.int64) - 1
        index = np.abs(first[:, None] + np.arange(ORDER + 1))
        index = np.where(index < self.length, index, 2 * (self.length - 1) - index)  # mirrored at both ends
        part = self.places - first - 1
        far = part**3 / 6
        near = 1 / 6 + part * (part - 1) / 2 - far
        second = part + near - 2 * far
        weight = np.stack([near, 1 - near - second - far, second, far], axis=1)
        return np.ascontiguousarray(index - self.needed.start), np.ascontiguousarray(weight)


def interpolated(part: np.ndarray, samples: tuple[Samples, Samples, Samples]) -> np.ndarray:
    """Return the values at all combinations of places along k, j, i.

    Parameters
    ----------
    part : ndarray of float64, shape (nk, nj, ni)
        The needed voxels along each axis. Overwritten.
    """
    for axis, wanted in enumerate(samples):
        part = _along(part, axis, wanted)
    return part


def _along(array: np.ndarray, axis: int, wanted: Samples) -> np.ndarray:
    lines = array.reshape(int(np.prod(array.shape[:axis])), array.shape[axis], -1)
    filter_lines(lines, _start(lines.shape[1]))
    index, weight = wanted.weights()
    found = np.empty((lines.shape[0], len(index), lines.shape[2]))
    combine(lines, index, weight, found)
    return found.reshape(*array.shape[:axis], len(index), *array.shape[axis + 1 :])


def _start(length: int) -> np.ndarray:
    """Return the weights of the samples in the first coefficient: ITK sums as many as leave 1e-10, or all mirrored."""
    horizon = int(np.ceil(np.log(1e-10) / np.log(-POLE)))
    if horizon < length:
        return POLE ** np.arange(horizon)
    n, mirrored = np.arange(length), POLE ** (2.0 * (length - 1))
    weights = POLE**n + np.where((0 < n) & (n < length - 1), mirrored / POLE**n, 0)
    return weights / (1 - mirrored)
