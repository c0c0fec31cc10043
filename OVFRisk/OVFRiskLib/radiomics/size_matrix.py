"""What run-length, size-zone and dependence matrices share: counts by grey level and size."""

import numpy as np

from .feature import EPSILON, Undefined
from .kernels.sizes import summarise_sizes

_POWERS = (-2, 0, 2)


class SizeMatrix:
    """Counts of grey levels i and sizes j, in one or several directions.

    Every feature is computed for each direction with counts and then averaged.

    Parameters
    ----------
    counts : ndarray, shape (directions, levels, sizes)
    levels : ndarray, shape (levels,)
        The grey levels of the rows.
    sizes : ndarray, shape (sizes,), optional
        The sizes of the columns; from 1 if not given.
    """

    def __init__(self, counts: np.ndarray, levels: np.ndarray, sizes: np.ndarray | None = None) -> None:
        totals = counts.sum(axis=(1, 2))
        directions = np.count_nonzero(totals)
        if not directions:
            raise Undefined("no two voxels of the region lie on one line of any direction")
        i, j = levels.astype(float), np.arange(1.0, counts.shape[2] + 1) if sizes is None else sizes.astype(float)
        moments, found = np.zeros((3, 3)), np.zeros(8)
        summarise_sizes(counts, totals, i, j, EPSILON, moments, found)
        self._moments = (moments / directions).tolist()
        *spread, self._entropy, self._percentage = (found / directions).tolist()
        self._variance = {"i": spread[0], "j": spread[1]}
        self._non_uniformity = {("i", 1): spread[2], ("j", 1): spread[3], ("i", 2): spread[4], ("j", 2): spread[5]}

    def mean(self, i: int = 0, j: int = 0) -> float:
        """Return the mean of i and j, each to the given power (-2, 0, 2), over the matrix."""
        return self._moments[_POWERS.index(i)][_POWERS.index(j)]

    def variance(self, of: str) -> float:
        """Return the variance of ``"i"`` or ``"j"``."""
        return self._variance[of]

    def non_uniformity(self, of: str, power: int = 1) -> float:
        """Return the sum of squared marginal counts of ``"i"`` or ``"j"`` over n (or n²)."""
        return self._non_uniformity[of, power]

    def entropy(self) -> float:
        """Return the entropy of the matrix in bits."""
        return self._entropy

    def percentage(self) -> float:
        """Return n over the number of voxels."""
        return self._percentage
