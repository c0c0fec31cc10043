"""First-order statistics: intensities (IBSI UHIW) and their histogram (ZVCW), wherever they lie."""

from collections.abc import Mapping

import numpy as np

from .discretisation import GreyLevels
from .feature import EPSILON, Feature, Undefined
from .kernels.moments import central_moments


class Intensities:
    """Intensities x of the region's voxels, ascending, and the frequencies p of their grey levels.

    Attributes
    ----------
    mean, mean_absolute_deviation, variance, third, fourth : float
        Means of x and of |d|, d², d³, d⁴, where d = x - mean.
    energy : float
        Sum of squares, after adding `voxelArrayShift`.
    """

    def __init__(self, ascending: np.ndarray, counts: np.ndarray, shift: float, voxel_volume: float) -> None:
        self.x = ascending.astype(float, copy=False)
        self.p = counts / counts.sum()
        self.voxel_volume = voxel_volume
        found = moments(self.x, shift)
        self.mean, self.mean_absolute_deviation, self.variance, self.third, self.fourth, self.energy = found

    def percentile(self, q: float) -> float:
        """Return the q-th percentile, linear between values, as ``np.percentile`` does."""
        place = q / 100 * (self.x.size - 1)
        low = int(place)
        part = place - low
        a, b = float(self.x[low]), float(self.x[min(low + 1, self.x.size - 1)])
        return a + (b - a) * part if part < 0.5 else b - (b - a) * (1 - part)

    def standardised(self, moment: float, power: int) -> float:
        """Return a central moment over the variance to the same power.

        Raises
        ------
        Undefined
            When all intensities are equal (PyRadiomics says 0).
        """
        scale = self.variance ** (power / 2)
        if self.x[0] == self.x[-1] or scale == 0:  # the power of a tiny variance may be too small for a number
            raise Undefined("all intensities of the region are equal")
        return moment / scale


def moments(x: np.ndarray, shift: float = 0.0) -> list[float]:
    """Return the mean of x, the means of |d|, d², d³, d⁴ (d = x - mean), and the sum of (x + shift)²."""
    found = np.empty(6)
    central_moments(x, float(shift), found)
    return found.tolist()


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> Intensities:
    """Return the intensities of the region."""
    volume = float(np.prod(levels.region.spacing))
    return Intensities(levels.region.ascending, levels.counts, settings["voxelArrayShift"], volume)


def _robust_mean_absolute_deviation(m: Intensities) -> float:
    first, last = np.searchsorted(m.x, m.percentile(10), "left"), np.searchsorted(m.x, m.percentile(90), "right")
    if first == last:
        raise Undefined("no intensity lies between the 10th and the 90th percentile")
    return moments(m.x[first:last])[1]


FEATURES = (
    Feature("10Percentile", "QG58", "stat_p10", lambda m: m.percentile(10)),
    Feature("90Percentile", "8DWT", "stat_p90", lambda m: m.percentile(90)),
    Feature("Energy", "N8CA", "stat_energy", lambda m: m.energy),
    Feature("Entropy", "TLU2", "ih_entropy", lambda m: float(-(m.p * np.log2(m.p + EPSILON)).sum())),
    Feature("InterquartileRange", "SALO", "stat_iqr", lambda m: m.percentile(75) - m.percentile(25)),
    Feature("Kurtosis", "IPH6", "stat_kurt", lambda m: m.standardised(m.fourth, 4)),
    Feature("Maximum", "84IY", "stat_max", lambda m: m.x[-1]),
    Feature("Mean", "Q4LE", "stat_mean", lambda m: m.mean),
    Feature("MeanAbsoluteDeviation", "4FUA", "stat_mad", lambda m: m.mean_absolute_deviation),
    Feature("Median", "Y12H", "stat_median", lambda m: m.percentile(50)),
    Feature("Minimum", "1GSF", "stat_min", lambda m: m.x[0]),
    Feature("Range", "2OJQ", "stat_range", lambda m: m.x[-1] - m.x[0]),
    Feature("RobustMeanAbsoluteDeviation", "1128", "stat_rmad", _robust_mean_absolute_deviation),
    Feature("RootMeanSquared", "5ZWQ", "stat_rms", lambda m: np.sqrt(m.energy / m.x.size)),
    Feature("Skewness", "KE2A", "stat_skew", lambda m: m.standardised(m.third, 3)),
    Feature("StandardDeviation", "", "", lambda m: np.sqrt(m.variance), optional=True),
    Feature("TotalEnergy", "", "", lambda m: m.energy * m.voxel_volume),
    Feature("Uniformity", "BJ5W", "ih_uniformity", lambda m: (m.p**2).sum()),
    Feature("Variance", "ECT3", "stat_var", lambda m: m.variance),
)
