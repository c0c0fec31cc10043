"""Grey level co-occurrence matrix (GLCM, IBSI LFYI): features averaged over directions."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from .discretisation import GreyLevels
from .feature import EPSILON, Feature, Undefined
from .matrices import LevelGrid, cooccurrence, directions
from .weighting import merged


class CooccurrenceMatrix:
    """Probabilities p(i, j) of neighbouring grey levels, one matrix a direction.

    Parameters
    ----------
    counts : ndarray, shape (directions, levels, levels)
        Directions without counts are dropped.
    levels : ndarray, shape (levels,)
        The grey levels that occur.
    """

    def __init__(self, counts: np.ndarray, levels: np.ndarray) -> None:
        counts = counts[counts.any(axis=(1, 2))]
        if not len(counts):
            raise Undefined("no two voxels of the region are neighbours")
        self.p = counts / counts.sum(axis=(1, 2), keepdims=True)
        self.i = levels.astype(float)[:, None]
        self.j = levels.astype(float)[None, :]
        self.n_levels = int(levels.max())
        self.px, self.py = self.p.sum(axis=2, keepdims=True), self.p.sum(axis=1, keepdims=True)
        self.ux, self.uy = self.sum(self.i), self.sum(self.j)

    def sum(self, weight: np.ndarray) -> np.ndarray:
        """Return the sum of p·weight for each direction, shape (directions, 1, 1)."""
        return (self.p * weight).sum(axis=(1, 2), keepdims=True)

    def mean(self, weight: np.ndarray) -> float:
        """Return the expectation of `weight`, averaged over directions."""
        return float(self.sum(weight).mean())

    def cluster(self, power: int) -> float:
        """Return the expectation of (i + j - ux - uy) to the given power."""
        return self.mean((self.i + self.j - self.ux - self.uy) ** power)

    @cached_property
    def k_minus(self) -> np.ndarray:
        """Possible differences of grey levels, from 0."""
        return np.arange(self.n_levels, dtype=float)

    @cached_property
    def p_minus(self) -> np.ndarray:
        """Probability of each |i - j| in `k_minus`, shape (directions, differences)."""
        return self._marginal(np.abs(self.i - self.j), self.n_levels)

    @cached_property
    def p_plus(self) -> np.ndarray:
        """Probability of each i + j from 0, shape (directions, sums)."""
        return self._marginal(self.i + self.j, 2 * self.n_levels + 1)

    def _marginal(self, key: np.ndarray, length: int) -> np.ndarray:
        keys = key.astype(int).ravel()
        return np.stack([np.bincount(keys, p.ravel(), minlength=length) for p in self.p])

    def mean_difference(self, weight: np.ndarray) -> float:
        """Return the expectation of `weight`, a function of |i - j|, averaged over directions."""
        return float((self.p_minus * weight).sum(axis=1).mean())

    @cached_property
    def hxy(self) -> np.ndarray:
        """Joint entropy of each direction, bits."""
        return entropy(self.p)


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> CooccurrenceMatrix:
    """Return the co-occurrence of grey levels in the region."""
    grid = LevelGrid(levels.array, reach=max(settings["distances"]))
    steps = directions(settings["distances"], settings)
    counts = cooccurrence(grid, steps)
    if settings["symmetricalGLCM"]:
        counts = counts + counts.transpose(0, 2, 1)
    counts = merged(
        counts, steps, levels.region.spacing, settings["weightingNorm"], lambda length: np.exp(-(length**2))
    )
    return CooccurrenceMatrix(counts, grid.present)


def entropy(p: np.ndarray) -> np.ndarray:
    """Return the entropy of each direction's probabilities in bits, shape (directions,)."""
    return -(p * np.log2(p + EPSILON)).reshape(len(p), -1).sum(axis=1)


def _correlation(m: CooccurrenceMatrix) -> float:
    sigma = np.sqrt(m.sum((m.i - m.ux) ** 2)) * np.sqrt(m.sum((m.j - m.uy) ** 2))
    covariance = m.sum((m.i - m.ux) * (m.j - m.uy))
    return float(np.where(sigma == 0, 1.0, covariance / (sigma + EPSILON)).mean())


def _imc1(m: CooccurrenceMatrix) -> float:
    hxy1 = -(m.p * np.log2(m.px * m.py + EPSILON)).sum(axis=(1, 2))
    larger = np.maximum(entropy(m.px), entropy(m.py))
    return float(np.divide(m.hxy - hxy1, larger, out=np.zeros_like(hxy1), where=larger != 0).mean())


def _imc2(m: CooccurrenceMatrix) -> float:
    """Where i and j are independent HXY2 equals HXY; rounding below that is 0 (PyRadiomics drops the direction)."""
    hxy2 = entropy(m.px * m.py)
    return float(np.sqrt(1 - np.exp(-2 * np.maximum(hxy2 - m.hxy, 0))).mean())


def _mcc(m: CooccurrenceMatrix) -> float:
    """Root of the second largest eigenvalue of Q, whose eigenvalues are real: rounding beyond that is cut off.

    Haralick et al., IEEE Trans Syst Man Cybern 1973;3:610-621.
    """
    if m.i.size == 1:
        return 1.0
    q = (m.p / (m.px * m.py + EPSILON)) @ m.p.transpose(0, 2, 1)
    second = np.sort(np.linalg.eigvals(q).real, axis=1)[:, -2]
    return float(np.sqrt(np.maximum(second, 0)).mean())


FEATURES = (
    Feature("Autocorrelation", "QWB0", "cm_auto_corr_3D_avg", lambda m: m.mean(m.i * m.j)),
    Feature("ClusterProminence", "AE86", "cm_clust_prom_3D_avg", lambda m: m.cluster(4)),
    Feature("ClusterShade", "7NFM", "cm_clust_shade_3D_avg", lambda m: m.cluster(3)),
    Feature("ClusterTendency", "DG8W", "cm_clust_tend_3D_avg", lambda m: m.cluster(2)),
    Feature("Contrast", "ACUI", "cm_contrast_3D_avg", lambda m: m.mean((m.i - m.j) ** 2)),
    Feature("Correlation", "NI2N", "cm_corr_3D_avg", _correlation),
    Feature("DifferenceAverage", "TF7R", "cm_diff_avg_3D_avg", lambda m: m.mean_difference(m.k_minus)),
    Feature("DifferenceEntropy", "NTRS", "cm_diff_entr_3D_avg", lambda m: float(entropy(m.p_minus).mean())),
    Feature(
        "DifferenceVariance",
        "D3YU",
        "cm_diff_var_3D_avg",
        lambda m: m.mean_difference((m.k_minus - m.p_minus @ m.k_minus[:, None]) ** 2),
    ),
    Feature("Id", "IB1Z", "cm_inv_diff_3D_avg", lambda m: m.mean_difference(1 / (1 + m.k_minus))),
    Feature("Idm", "WF0Z", "cm_inv_diff_mom_3D_avg", lambda m: m.mean_difference(1 / (1 + m.k_minus**2))),
    Feature(
        "Idmn",
        "1QCO",
        "cm_inv_diff_mom_norm_3D_avg",
        lambda m: m.mean_difference(1 / (1 + (m.k_minus / m.n_levels) ** 2)),
    ),
    Feature("Idn", "NDRX", "cm_inv_diff_norm_3D_avg", lambda m: m.mean_difference(1 / (1 + m.k_minus / m.n_levels))),
    Feature("Imc1", "R8DG", "cm_info_corr1_3D_avg", _imc1),
    Feature("Imc2", "JN9H", "cm_info_corr2_3D_avg", _imc2),
    Feature(
        "InverseVariance",
        "E8JP",
        "cm_inv_var_3D_avg",
        lambda m: float((m.p_minus[:, 1:] / m.k_minus[1:] ** 2).sum(axis=1).mean()),
    ),
    Feature("JointAverage", "60VM", "cm_joint_avg_3D_avg", lambda m: float(m.ux.mean())),
    Feature("JointEnergy", "8ZQL", "cm_energy_3D_avg", lambda m: m.mean(m.p)),
    Feature("JointEntropy", "TU9B", "cm_joint_entr_3D_avg", lambda m: float(m.hxy.mean())),
    Feature("MCC", "", "", _mcc),
    Feature("MaximumProbability", "GYBY", "cm_joint_max_3D_avg", lambda m: float(m.p.max(axis=(1, 2)).mean())),
    Feature("SumAverage", "ZGXS", "cm_sum_avg_3D_avg", lambda m: m.mean(m.i + m.j)),
    Feature("SumEntropy", "P6QZ", "cm_sum_entr_3D_avg", lambda m: float(entropy(m.p_plus).mean())),
    Feature("SumSquares", "UR99", "cm_joint_var_3D_avg", lambda m: m.mean((m.i - m.ux) ** 2)),
)
