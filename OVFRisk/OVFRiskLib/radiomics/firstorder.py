"""First-order statistics: intensities (IBSI UHIW) and their histogram (ZVCW), wherever they lie."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from .discretisation import GreyLevels
from .feature import EPSILON, Feature, Undefined


class Intensities:
    """Intensities x of the region's voxels and the frequencies p of their grey levels."""

    def __init__(self, x: np.ndarray, counts: np.ndarray, shift: float, voxel_volume: float) -> None:
        self.x = np.sort(x.astype(float))
        self.p = counts / counts.sum()
        self.shift = shift
        self.voxel_volume = voxel_volume
        self.mean = self.x.mean()

    def percentile(self, q: float) -> float:
        """Return the q-th percentile, linear between values."""
        return float(np.percentile(self.x, q))

    @cached_property
    def energy(self) -> float:
        """Sum of squares, after adding `voxelArrayShift`."""
        return float(((self.x + self.shift) ** 2).sum())

    @cached_property
    def deviation(self) -> np.ndarray:
        """Differences to the mean."""
        return self.x - self.mean

    @cached_property
    def variance(self) -> float:
        """Mean squared deviation."""
        return float((self.deviation**2).mean())

    def standardised_moment(self, power: int) -> float:
        """Return the central moment over the variance to the same power.

        Raises
        ------
        Undefined
            When all intensities are equal (PyRadiomics says 0).
        """
        if self.x[0] == self.x[-1] or self.variance == 0:
            raise Undefined("all intensities of the region are equal")
        square = self.deviation**2
        moment = (square * (self.deviation if power == 3 else square)).mean()
        return float(moment / self.variance ** (power / 2))


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> Intensities:
    """Return the intensities of the region."""
    volume = float(np.prod(levels.region.spacing))
    return Intensities(levels.region.intensities, levels.counts, settings["voxelArrayShift"], volume)


def _robust_mean_absolute_deviation(m: Intensities) -> float:
    middle = m.x[(m.x >= m.percentile(10)) & (m.x <= m.percentile(90))]
    if not middle.size:
        raise Undefined("no intensity lies between the 10th and the 90th percentile")
    return float(np.abs(middle - middle.mean()).mean())


FEATURES = (
    Feature("10Percentile", "QG58", "stat_p10", lambda m: m.percentile(10)),
    Feature("90Percentile", "8DWT", "stat_p90", lambda m: m.percentile(90)),
    Feature("Energy", "N8CA", "stat_energy", lambda m: m.energy),
    Feature("Entropy", "TLU2", "ih_entropy", lambda m: float(-(m.p * np.log2(m.p + EPSILON)).sum())),
    Feature("InterquartileRange", "SALO", "stat_iqr", lambda m: m.percentile(75) - m.percentile(25)),
    Feature("Kurtosis", "IPH6", "stat_kurt", lambda m: m.standardised_moment(4)),
    Feature("Maximum", "84IY", "stat_max", lambda m: m.x[-1]),
    Feature("Mean", "Q4LE", "stat_mean", lambda m: m.mean),
    Feature("MeanAbsoluteDeviation", "4FUA", "stat_mad", lambda m: np.abs(m.deviation).mean()),
    Feature("Median", "Y12H", "stat_median", lambda m: m.percentile(50)),
    Feature("Minimum", "1GSF", "stat_min", lambda m: m.x[0]),
    Feature("Range", "2OJQ", "stat_range", lambda m: m.x[-1] - m.x[0]),
    Feature("RobustMeanAbsoluteDeviation", "1128", "stat_rmad", _robust_mean_absolute_deviation),
    Feature("RootMeanSquared", "5ZWQ", "stat_rms", lambda m: np.sqrt(m.energy / m.x.size)),
    Feature("Skewness", "KE2A", "stat_skew", lambda m: m.standardised_moment(3)),
    Feature("StandardDeviation", "", "", lambda m: np.sqrt(m.variance), optional=True),
    Feature("TotalEnergy", "", "", lambda m: m.energy * m.voxel_volume),
    Feature("Uniformity", "BJ5W", "ih_uniformity", lambda m: (m.p**2).sum()),
    Feature("Variance", "ECT3", "stat_var", lambda m: m.variance),
)
