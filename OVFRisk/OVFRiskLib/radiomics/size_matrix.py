"""What run-length, size-zone and dependence matrices share: counts by grey level and size."""

from functools import cached_property

import numpy as np

from .feature import EPSILON, Undefined


class SizeMatrix:
    """Counts of grey levels i and sizes j, in one or several directions.

    Every feature is computed for each direction and then averaged.

    Parameters
    ----------
    counts : ndarray, shape (directions, levels, sizes)
        Sizes from 1. Directions without counts are dropped.
    levels : ndarray, shape (levels,)
        The grey levels of the rows.

    Attributes
    ----------
    i, j : ndarray
        Grey levels, shape (levels, 1), and sizes, shape (sizes,), that occur.
    """

    def __init__(self, counts: np.ndarray, levels: np.ndarray) -> None:
        counts = counts[counts.any(axis=(1, 2))]
        if not len(counts):
            raise Undefined("no two voxels of the region lie on one line of any direction")
        occurring = counts.any(axis=(0, 1))
        self.counts = counts[:, :, occurring]
        self.i = levels.astype(float)[:, None]
        self.j = np.flatnonzero(occurring) + 1.0

    @cached_property
    def n(self) -> np.ndarray:
        """Number of runs, zones or voxels in each direction."""
        return self.counts.sum(axis=(1, 2))

    @cached_property
    def p(self) -> np.ndarray:
        """Relative frequencies, shape (directions, levels, sizes)."""
        return self.counts / self.n[:, None, None]

    def mean(self, weight: np.ndarray) -> float:
        """Return the mean of `weight`, a function of i and j, over the matrix."""
        return float((self.p * weight).sum(axis=(1, 2)).mean())

    def variance(self, of: np.ndarray) -> float:
        """Return the variance of `of` (i or j)."""
        centre = (self.p * of).sum(axis=(1, 2), keepdims=True)
        return float((self.p * (of - centre) ** 2).sum(axis=(1, 2)).mean())

    def non_uniformity(self, axis: int, power: int = 1) -> float:
        """Return the sum of squared marginal counts over n (or n²), of grey levels (axis 1) or sizes (axis 2)."""
        marginal = self.counts.sum(axis=3 - axis)
        return float(((marginal**2).sum(axis=1) / self.n**power).mean())

    def entropy(self) -> float:
        """Return the entropy of the matrix in bits."""
        return float(-(self.p * np.log2(self.p + EPSILON)).sum(axis=(1, 2)).mean())

    def percentage(self) -> float:
        """Return n over the number of voxels."""
        return float((self.n / (self.counts * self.j).sum(axis=(1, 2))).mean())
