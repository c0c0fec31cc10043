"""Cubic B-spline interpolation of part of an image: ITK's values from the voxels around the region only.

What a voxel adds to a coefficient falls by 0.27 a voxel, so that MARGIN of them leave 2e-14 of it. The axes are worked
on one after the other, each only where the ones before are wanted.
"""

from dataclasses import dataclass

import numpy as np

from .kernels.spline import combine, combine_in_order, filter_lines

ORDER = 3
POLE = np.sqrt(3) - 2
MARGIN = 24
FAR = 64
"""Voxels: beyond MARGIN a difference shrinks to the last bit, and with every further one it is likelier to vanish."""


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

    def around(self, margin: int) -> slice:
        """Return the voxels at the places and `margin` more at both ends."""
        low, high = int(np.floor(self.places[0])), int(np.floor(self.places[-1]))
        low, high = (min(max(place, 0), self.length - 1) for place in (low, high))
        return slice(max(low - margin, 0), min(high + margin + 1, self.length))

    def weights(self, first_voxel: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the four coefficients around each place, numbered from `first_voxel`, and their weights (ITK's)."""
        first = np.floor(self.places.astype(np.float32)).astype(np.int64) - 1
        index = np.abs(first[:, None] + np.arange(ORDER + 1))
        index = np.where(index < self.length, index, 2 * (self.length - 1) - index)  # mirrored at both ends
        part = self.places - (first + 1)
        far = 1 / 6 * part * part * part
        near = 1 / 6 + 0.5 * part * (part - 1) - far
        second = part + near - 2 * far
        weight = np.stack([near, 1 - near - second - far, second, far], axis=1)
        return np.ascontiguousarray(index - first_voxel), np.ascontiguousarray(weight)


AllSamples = tuple[Samples, Samples, Samples]
"""Along k, j, i."""


def interpolated(part: np.ndarray, samples: AllSamples) -> np.ndarray:
    """Return the values at all combinations of places along k, j, i.

    Parameters
    ----------
    part : ndarray of float64, shape (nk, nj, ni)
        The voxels ``around(ORDER + MARGIN)`` along each axis. Overwritten.
    """
    for axis, wanted in enumerate(samples):
        part = _along(part, axis, wanted)
    return part


def interpolated_as_itk(part: np.ndarray, samples: AllSamples) -> np.ndarray:
    """Return the values at all combinations of places along k, j, i, to ITK's last bit.

    Parameters
    ----------
    part : ndarray of float64, shape (nk, nj, ni)
        The voxels ``around(FAR)`` along each axis: further ones do not change a coefficient's last bit. Overwritten.
    """
    near = [wanted.around(ORDER) for wanted in samples]
    for axis in (2, 1, 0):
        lines = _lines(part, axis)
        filter_lines(lines, *_start(lines.shape[1]))
        first = samples[axis].around(FAR).start
        inner = slice(near[axis].start - first, near[axis].stop - first)
        part = np.ascontiguousarray(lines.reshape(part.shape)[(slice(None),) * axis + (inner,)])
    along_k, along_j, (index, weight) = (wanted.weights(side.start) for wanted, side in zip(samples, near))
    found = np.zeros([len(wanted.places) for wanted in samples])
    spread = np.ascontiguousarray(part[:, :, index.T])
    combine_in_order(spread, *along_k, *along_j, np.ascontiguousarray(weight.T), found)
    return found


def _lines(array: np.ndarray, axis: int) -> np.ndarray:
    return array.reshape(int(np.prod(array.shape[:axis])), array.shape[axis], -1)


def _along(array: np.ndarray, axis: int, wanted: Samples) -> np.ndarray:
    lines = _lines(array, axis)
    filter_lines(lines, *_start(lines.shape[1]))
    index, weight = wanted.weights(wanted.around(ORDER + MARGIN).start)
    found = np.empty((lines.shape[0], len(index), lines.shape[2]))
    combine(lines, index, weight, found)
    return found.reshape(*array.shape[:axis], len(index), *array.shape[axis + 1 :])


def _start(length: int) -> tuple[np.ndarray, float]:
    """Return the weights of the samples in the first coefficient, and what to divide by.

    ITK sums as many as leave 1e-10, or all mirrored; powers are products, as there.
    """
    horizon = int(np.ceil(np.log(1e-10) / np.log(-POLE)))
    powers = np.cumprod([1.0] + [POLE] * (min(horizon, length) - 1))
    if horizon < length:
        return powers, 1.0
    last = POLE ** (length - 1.0)
    mirrored = np.cumprod([last * (last * (1 / POLE))] + [1 / POLE] * (length - 3))
    return np.concatenate([[1.0], powers[1:-1] + mirrored, [last]]), 1 - powers[-1] * powers[-1]
