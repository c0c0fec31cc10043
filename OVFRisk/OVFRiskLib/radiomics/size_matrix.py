"""What run-length, size-zone and dependence matrices share: counts by grey level and size."""

from functools import cached_property

import numpy as np

from .feature import EPSILON, Undefined

_POWERS = (-2, 0, 2)


class SizeMatrix:
    """Counts of grey levels i and sizes j, in one or several directions.

    Every feature is computed for each direction and then averaged.

    Parameters
    ----------
    counts : ndarray, shape (directions, levels, sizes)
        Directions without counts are dropped.
    levels : ndarray, shape (levels,)
        The grey levels of the rows.
    sizes : ndarray, shape (sizes,), optional
        The sizes of the columns; from 1 if not given.

    Attributes
    ----------
    i, j : ndarray
        Grey levels, shape (levels,), and sizes, shape (sizes,), that occur.
    n : ndarray, shape (directions,)
        Number of runs, zones or voxels in each direction.
    p : ndarray, shape (directions, levels, sizes)
        Relative frequencies.
    marginal : mapping
        Relative frequencies of ``"i"`` and ``"j"`` alone, shape (directions, levels or sizes).
    """

    def __init__(self, counts: np.ndarray, levels: np.ndarray, sizes: np.ndarray | None = None) -> None:
        n = counts.sum(axis=(1, 2))
        if not n.any():
            raise Undefined("no two voxels of the region lie on one line of any direction")
        if not n.all():
            counts, n = counts[n > 0], n[n > 0]
        occurring = counts.any(axis=(0, 1))
        self.n, self.p = n, counts[:, :, occurring] / n[:, None, None]
        self.i = levels.astype(float)
        self.j = (np.arange(1.0, occurring.size + 1) if sizes is None else sizes.astype(float))[occurring]
        self.marginal = {"i": self.p.sum(axis=2), "j": self.p.sum(axis=1)}

    @cached_property
    def _moments(self) -> np.ndarray:
        """Means of i^u·j^v over all directions; u and v at their places in _POWERS."""
        i, j = (np.stack([x**power for power in _POWERS]) for x in (self.i, self.j))
        return (i @ self.p @ j.T).mean(axis=0)

    def mean(self, i: int = 0, j: int = 0) -> float:
        """Return the mean of i and j, each to the given power (-2, 0, 2), over the matrix."""
        return float(self._moments[_POWERS.index(i), _POWERS.index(j)])

    def variance(self, of: str) -> float:
        """Return the variance of ``"i"`` or ``"j"``."""
        x, p = getattr(self, of), self.marginal[of]
        return float((p * (x - (p @ x)[:, None]) ** 2).sum(axis=1).mean())

    def non_uniformity(self, of: str, power: int = 1) -> float:
        """Return the sum of squared marginal counts of ``"i"`` or ``"j"`` over n (or n²)."""
        return float(((self.marginal[of] ** 2).sum(axis=1) * self.n ** (2 - power)).mean())

    def entropy(self) -> float:
        """Return the entropy of the matrix in bits."""
        p = self.p[self.p > 0]
        return float(-(p * np.log2(p + EPSILON)).sum() / len(self.n))

    def percentage(self) -> float:
        """Return n over the number of voxels."""
        return float((1 / (self.marginal["j"] @ self.j)).mean())
