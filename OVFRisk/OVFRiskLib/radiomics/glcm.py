"""Grey level co-occurrence matrix (GLCM, IBSI LFYI): features averaged over directions."""

from collections.abc import Mapping

import numpy as np
from scipy.special import xlogy

from .discretisation import GreyLevels
from .feature import EPSILON, Feature, Undefined
from .kernels.cooccurrence import summarise_pairs
from .matrices import cooccurrence, directions
from .weighting import merged


class CooccurrenceMatrix:
    """Probabilities p(i, j) of neighbouring grey levels, one matrix a direction.

    Parameters
    ----------
    counts : ndarray, shape (directions, levels, levels)
        Directions without counts are dropped.
    levels : ndarray, shape (levels,)
        The grey levels that occur.

    Attributes
    ----------
    px, py : ndarray, shape (directions, levels)
        Probability of each i and each j.
    p_minus, p_plus : ndarray, shape (directions, differences or sums)
        Probability of each |i - j| in `k_minus` and of each i + j in `k_plus`.
    ux, uy : ndarray, shape (directions, 1)
        Mean i and mean j.
    product, energy, largest, hxy, hxy1, covariance : ndarray, shape (directions,)
        Mean of i·j, sum of p², largest p, entropy of p (bits), -Σ p·log2(px·py), and covariance of i and j.
    """

    def __init__(self, counts: np.ndarray, levels: np.ndarray) -> None:
        n = counts.sum(axis=(1, 2))
        if not n.any():
            raise Undefined("no two voxels of the region are neighbours")
        self.p = counts[n > 0] / n[n > 0, None, None]
        self.i = levels.astype(float)
        self.n_levels = int(levels.max())
        self.k_minus, self.k_plus = np.arange(float(self.n_levels)), np.arange(2.0 * self.n_levels + 1)
        lengths = (levels.size, levels.size, self.k_minus.size, self.k_plus.size, 6)
        found = [np.zeros((len(self.p), length)) for length in lengths]
        summarise_pairs(self.p, levels, EPSILON, *found)
        self.px, self.py, self.p_minus, self.p_plus, sums = found
        self.product, self.energy, self.largest, self.hxy, self.hxy1, self.covariance = sums.T
        self.ux, self.uy = (self.px @ self.i)[:, None], (self.py @ self.i)[:, None]

    def cluster(self, power: int) -> float:
        """Return the expectation of (i + j - ux - uy) to the given power."""
        return mean(self.p_plus * (self.k_plus - self.ux - self.uy) ** power)

    def mean_difference(self, weight: np.ndarray) -> float:
        """Return the expectation of `weight`, a function of |i - j|, averaged over directions."""
        return float((self.p_minus @ weight).mean())


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> CooccurrenceMatrix:
    """Return the co-occurrence of grey levels in the region."""
    grid = levels.grid(max(settings["distances"]))
    steps = directions(settings["distances"], settings)
    counts = cooccurrence(grid, steps)
    if settings["symmetricalGLCM"]:
        counts = counts + counts.transpose(0, 2, 1)
    counts = merged(
        counts, steps, levels.region.spacing, settings["weightingNorm"], lambda length: np.exp(-(length**2))
    )
    return CooccurrenceMatrix(counts, grid.present)


def mean(terms: np.ndarray) -> float:
    """Return the sum of `terms`, shape (directions, ...), averaged over directions."""
    return float(terms.sum() / len(terms))


def entropy(p: np.ndarray) -> np.ndarray:
    """Return the entropy of each direction's probabilities in bits, shape (directions,)."""
    return -(p * np.log2(p + EPSILON)).sum(axis=1)


def _correlation(m: CooccurrenceMatrix) -> float:
    variance_x, variance_y = ((p * (m.i - u) ** 2).sum(axis=1) for p, u in ((m.px, m.ux), (m.py, m.uy)))
    sigma = np.sqrt(variance_x) * np.sqrt(variance_y)
    return float(np.where(sigma == 0, 1.0, m.covariance / (sigma + EPSILON)).mean())


def _difference_variance(m: CooccurrenceMatrix) -> float:
    average = (m.p_minus @ m.k_minus)[:, None]
    return mean(m.p_minus * (m.k_minus - average) ** 2)


def _imc1(m: CooccurrenceMatrix) -> float:
    larger = np.maximum(entropy(m.px), entropy(m.py))
    return float(np.divide(m.hxy - m.hxy1, larger, out=np.zeros_like(larger), where=larger != 0).mean())


def _imc2(m: CooccurrenceMatrix) -> float:
    """Where i and j are independent HXY2 equals HXY; rounding below that is 0 (PyRadiomics drops the direction)."""
    return float(np.sqrt(1 - np.exp(-2 * np.maximum(_hxy2(m) - m.hxy, 0))).mean())


def _hxy2(m: CooccurrenceMatrix) -> np.ndarray:
    """Return -Σ px·py·log2(px·py + ε) of each direction, bits.

    The sum over all pairs of levels is one of marginals, as log2(px·py + ε) = log2(px) + log2(py) + ε / (px·py·ln 2)
    but for ε².
    """
    occurring = np.count_nonzero(m.px, axis=1) * np.count_nonzero(m.py, axis=1)
    alone = [-xlogy(p, p).sum(axis=1) / np.log(2) for p in (m.px, m.py)]
    return alone[0] + alone[1] - EPSILON / np.log(2) * occurring


def _mcc(m: CooccurrenceMatrix) -> float:
    """Root of the second largest eigenvalue of Q(i, j) = Σ p(i, k)·p(j, k) / (px(i)·py(k)).

    Q is similar to A·Aᵀ, A = p / √(px·py): the roots are the singular values of A. Of PyRadiomics' ε, added to the
    denominator, this keeps all but ε². Haralick et al., IEEE Trans Syst Man Cybern 1973;3:610-621.
    """
    if m.i.size == 1:
        return 1.0
    a = m.p / np.sqrt(m.px[:, :, None] * m.py[:, None, :] + EPSILON)
    second = np.linalg.eigvalsh(a @ a.transpose(0, 2, 1))[:, -2]
    return float(np.sqrt(np.maximum(second, 0)).mean())


FEATURES = (
    Feature("Autocorrelation", "QWB0", "cm_auto_corr_3D_avg", lambda m: m.product.mean()),
    Feature("ClusterProminence", "AE86", "cm_clust_prom_3D_avg", lambda m: m.cluster(4)),
    Feature("ClusterShade", "7NFM", "cm_clust_shade_3D_avg", lambda m: m.cluster(3)),
    Feature("ClusterTendency", "DG8W", "cm_clust_tend_3D_avg", lambda m: m.cluster(2)),
    Feature("Contrast", "ACUI", "cm_contrast_3D_avg", lambda m: m.mean_difference(m.k_minus**2)),
    Feature("Correlation", "NI2N", "cm_corr_3D_avg", _correlation),
    Feature("DifferenceAverage", "TF7R", "cm_diff_avg_3D_avg", lambda m: m.mean_difference(m.k_minus)),
    Feature("DifferenceEntropy", "NTRS", "cm_diff_entr_3D_avg", lambda m: entropy(m.p_minus).mean()),
    Feature("DifferenceVariance", "D3YU", "cm_diff_var_3D_avg", _difference_variance),
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
        lambda m: mean(m.p_minus[:, 1:] / m.k_minus[1:] ** 2),
    ),
    Feature("JointAverage", "60VM", "cm_joint_avg_3D_avg", lambda m: m.ux.mean()),
    Feature("JointEnergy", "8ZQL", "cm_energy_3D_avg", lambda m: m.energy.mean()),
    Feature("JointEntropy", "TU9B", "cm_joint_entr_3D_avg", lambda m: m.hxy.mean()),
    Feature("MCC", "", "", _mcc),
    Feature("MaximumProbability", "GYBY", "cm_joint_max_3D_avg", lambda m: m.largest.mean()),
    Feature("SumAverage", "ZGXS", "cm_sum_avg_3D_avg", lambda m: mean(m.p_plus * m.k_plus)),
    Feature("SumEntropy", "P6QZ", "cm_sum_entr_3D_avg", lambda m: entropy(m.p_plus).mean()),
    Feature("SumSquares", "UR99", "cm_joint_var_3D_avg", lambda m: mean(m.px * (m.i - m.ux) ** 2)),
)
