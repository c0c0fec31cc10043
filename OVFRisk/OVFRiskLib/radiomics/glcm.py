"""Grey level co-occurrence matrix (GLCM, IBSI LFYI): features averaged over directions."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .discretisation import GreyLevels
from .feature import EPSILON, Feature, Undefined
from .kernels.cooccurrence import normalise_pairs, second_eigenvalue, summarise_marginals, summarise_pairs
from .matrices import cooccurrence, directions
from .weighting import merged


class Sums(NamedTuple):
    """What features are made of, of each direction, shape (directions,), or on average; entropies in bits.

    Of the pairs: their number, the mean of i·j, Σ p², the largest p, the entropy of p, Σ p / (px·py), the covariance of
    i and j. Of i (x), j (y), |i - j| (minus) and i + j (plus): how many values occur, entropies, means, variances, and
    third and fourth central moments.
    """

    count: np.ndarray | float
    product: np.ndarray | float
    energy: np.ndarray | float
    largest: np.ndarray | float
    hxy: np.ndarray | float
    ratio: np.ndarray | float
    covariance: np.ndarray | float
    nx: np.ndarray | float
    ny: np.ndarray | float
    n_minus: np.ndarray | float
    n_plus: np.ndarray | float
    hx: np.ndarray | float
    hy: np.ndarray | float
    h_minus: np.ndarray | float
    h_plus: np.ndarray | float
    ux: np.ndarray | float
    uy: np.ndarray | float
    u_minus: np.ndarray | float
    u_plus: np.ndarray | float
    variance_x: np.ndarray | float
    variance_y: np.ndarray | float
    variance_minus: np.ndarray | float
    variance_plus: np.ndarray | float
    third_plus: np.ndarray | float
    fourth_plus: np.ndarray | float


_SMALL = EPSILON / np.log(2)
_OF_PAIRS = Sums._fields.index("nx")


class CooccurrenceMatrix:
    """Probabilities p(i, j) of neighbouring grey levels, one matrix a direction.

    Parameters
    ----------
    counts : ndarray, shape (directions, levels, levels)
        Becomes p; directions without counts are dropped.
    levels : ndarray, shape (levels,)
        The grey levels that occur, ascending.
    symmetrical : bool
        Whether each pair counts in both orders.

    Attributes
    ----------
    px, py : ndarray, shape (directions, levels)
        Probability of each i and each j.
    p_minus : ndarray, shape (differences,)
        Probability of each |i - j| in `k_minus`, averaged over directions.
    each, average : Sums
        Of each direction, and averaged.
    """

    def __init__(self, counts: np.ndarray, levels: np.ndarray, symmetrical: bool) -> None:
        i, n_levels = levels.astype(float), int(levels[-1])
        starts = np.array([0, i.size, i.size, n_levels, 2 * n_levels + 1]).cumsum()
        marginals, sums = (np.zeros((len(counts), n)) for n in (starts[-1], len(Sums._fields)))
        summarise_pairs(counts, symmetrical, i, starts, EPSILON, marginals, sums)
        occurs = sums[:, 0] > 0
        if not occurs.all():
            counts, marginals, sums = counts[occurs], marginals[occurs], sums[occurs]
        if not len(sums):
            raise Undefined("no two voxels of the region are neighbours")
        summarise_marginals(marginals, i, starts, EPSILON, sums[:, _OF_PAIRS:])
        self.each, self.average = Sums(*sums.T), Sums(*(sums.sum(axis=0) / len(sums)).tolist())
        self.p, self.n_levels = counts, n_levels
        self.px, self.py = marginals[:, : starts[1]], marginals[:, starts[1] : starts[2]]
        self.p_minus, self.k_minus = marginals[:, starts[2] : starts[3]].mean(axis=0), np.arange(float(n_levels))


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> CooccurrenceMatrix:
    """Return the co-occurrence of grey levels in the region."""
    grid = levels.grid(max(settings["distances"]))
    steps = directions(settings["distances"], settings)
    counts = merged(
        cooccurrence(grid, steps),
        steps,
        levels.region.spacing,
        settings["weightingNorm"],
        lambda length: np.exp(-(length**2)),
    )
    return CooccurrenceMatrix(counts, grid.present, settings["symmetricalGLCM"])


def _correlation(m: CooccurrenceMatrix) -> float:
    sigma = np.sqrt(m.each.variance_x) * np.sqrt(m.each.variance_y)
    return np.where(sigma == 0, 1.0, m.each.covariance / (sigma + EPSILON)).mean()


def _imc1(m: CooccurrenceMatrix) -> float:
    larger = np.maximum(m.each.hx, m.each.hy)
    return np.where(larger > 0, (m.each.hxy - _hxy1(m)) / larger, 0.0).mean()


def _imc2(m: CooccurrenceMatrix) -> float:
    """Where i and j are independent HXY2 equals HXY; rounding below that is 0 (PyRadiomics drops the direction)."""
    return np.sqrt(1 - np.exp(-2 * np.maximum(_hxy2(m) - m.each.hxy, 0))).mean()


def _hxy1(m: CooccurrenceMatrix) -> np.ndarray:
    """Return -Σ p·log2(px·py + ε) of each direction, bits.

    The sum over all pairs of levels is one of marginals, as log2(px·py + ε) = log2(px) + log2(py) + ε / (px·py·ln 2)
    but for ε²; in the same way HX and HY are rid of their ε.
    """
    return m.each.hx + m.each.hy + _SMALL * (m.each.nx + m.each.ny - m.each.ratio)


def _hxy2(m: CooccurrenceMatrix) -> np.ndarray:
    """Return -Σ px·py·log2(px·py + ε) of each direction, bits; found as HXY1."""
    return m.each.hx + m.each.hy + _SMALL * (m.each.nx + m.each.ny - m.each.nx * m.each.ny)


def _mcc(m: CooccurrenceMatrix) -> float:
    """Root of the second largest eigenvalue of Q(i, j) = Σ p(i, k)·p(j, k) / (px(i)·py(k)).

    Q is similar to A·Aᵀ, A = p / √(px·py). Of PyRadiomics' ε, added to the denominator, this keeps all but ε². Haralick
    et al., IEEE Trans Syst Man Cybern 1973;3:610-621.
    """
    if m.px.shape[1] == 1:
        return 1.0
    second, a = [], np.empty(m.p.shape[1:])
    for p, px, py in zip(m.p, m.px, m.py):
        normalise_pairs(p, px, py, EPSILON, a)
        second.append(second_eigenvalue(a, px))
    return np.sqrt(np.maximum(second, 0)).mean()


FEATURES = (
    Feature("Autocorrelation", "QWB0", "cm_auto_corr_3D_avg", lambda m: m.average.product),
    Feature("ClusterProminence", "AE86", "cm_clust_prom_3D_avg", lambda m: m.average.fourth_plus),
    Feature("ClusterShade", "7NFM", "cm_clust_shade_3D_avg", lambda m: m.average.third_plus),
    Feature("ClusterTendency", "DG8W", "cm_clust_tend_3D_avg", lambda m: m.average.variance_plus),
    Feature("Contrast", "ACUI", "cm_contrast_3D_avg", lambda m: m.p_minus @ m.k_minus**2),
    Feature("Correlation", "NI2N", "cm_corr_3D_avg", _correlation),
    Feature("DifferenceAverage", "TF7R", "cm_diff_avg_3D_avg", lambda m: m.average.u_minus),
    Feature("DifferenceEntropy", "NTRS", "cm_diff_entr_3D_avg", lambda m: m.average.h_minus),
    Feature("DifferenceVariance", "D3YU", "cm_diff_var_3D_avg", lambda m: m.average.variance_minus),
    Feature("Id", "IB1Z", "cm_inv_diff_3D_avg", lambda m: m.p_minus @ (1 / (1 + m.k_minus))),
    Feature("Idm", "WF0Z", "cm_inv_diff_mom_3D_avg", lambda m: m.p_minus @ (1 / (1 + m.k_minus**2))),
    Feature(
        "Idmn",
        "1QCO",
        "cm_inv_diff_mom_norm_3D_avg",
        lambda m: m.p_minus @ (1 / (1 + (m.k_minus / m.n_levels) ** 2)),
    ),
    Feature("Idn", "NDRX", "cm_inv_diff_norm_3D_avg", lambda m: m.p_minus @ (1 / (1 + m.k_minus / m.n_levels))),
    Feature("Imc1", "R8DG", "cm_info_corr1_3D_avg", _imc1),
    Feature("Imc2", "JN9H", "cm_info_corr2_3D_avg", _imc2),
    Feature("InverseVariance", "E8JP", "cm_inv_var_3D_avg", lambda m: m.p_minus[1:] @ (1 / m.k_minus[1:] ** 2)),
    Feature("JointAverage", "60VM", "cm_joint_avg_3D_avg", lambda m: m.average.ux),
    Feature("JointEnergy", "8ZQL", "cm_energy_3D_avg", lambda m: m.average.energy),
    Feature("JointEntropy", "TU9B", "cm_joint_entr_3D_avg", lambda m: m.average.hxy),
    Feature("MCC", "", "", _mcc),
    Feature("MaximumProbability", "GYBY", "cm_joint_max_3D_avg", lambda m: m.average.largest),
    Feature("SumAverage", "ZGXS", "cm_sum_avg_3D_avg", lambda m: m.average.u_plus),
    Feature("SumEntropy", "P6QZ", "cm_sum_entr_3D_avg", lambda m: m.average.h_plus),
    Feature("SumSquares", "UR99", "cm_joint_var_3D_avg", lambda m: m.average.variance_x),
)
