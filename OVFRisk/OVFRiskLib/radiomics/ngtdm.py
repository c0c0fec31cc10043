"""Neighbourhood grey tone difference matrix (NGTDM, IBSI IPET)."""

from collections.abc import Mapping

import numpy as np

from .discretisation import GreyLevels
from .feature import Feature
from .matrices import directions, tone_differences


class ToneDifferences:
    """Frequencies p of grey levels i and the sums s of their differences to the neighbourhood.

    The primed names stand for the second level of a pair: formulas over pairs are outer products.
    """

    def __init__(self, levels: np.ndarray, counts: np.ndarray, differences: np.ndarray) -> None:
        self.n = counts.sum()
        self.levels = levels.size
        self.i, self.p, self.s = levels.astype(float), counts / self.n, differences
        self.i_, self.p_, self.s_ = (x[:, None] for x in (self.i, self.p, self.s))


def measure(levels: GreyLevels, settings: Mapping[str, object]) -> ToneDifferences:
    """Return the tone differences of the region."""
    grid = levels.grid(max(settings["distances"]))
    steps = directions(settings["distances"], settings)
    return ToneDifferences(grid.present, *tone_differences(grid, steps, settings["gldm_a"]))


def _coarseness(m: ToneDifferences) -> float:
    total = (m.p * m.s).sum()
    return 1 / total if total else 1e6  # IBSI's and PyRadiomics' convention for a homogeneous region


def _contrast(m: ToneDifferences) -> float:
    if m.levels == 1:
        return 0.0
    spread = (m.p * m.p_ * (m.i - m.i_) ** 2).sum() / (m.levels * (m.levels - 1))
    return spread * m.s.sum() / m.n


def _busyness(m: ToneDifferences) -> float:
    total = np.abs(m.i * m.p - m.i_ * m.p_).sum()
    return (m.p * m.s).sum() / total if total else 0.0


def _complexity(m: ToneDifferences) -> float:
    return (np.abs(m.i - m.i_) * (m.p * m.s + m.p_ * m.s_) / (m.p + m.p_)).sum() / m.n


def _strength(m: ToneDifferences) -> float:
    total = m.s.sum()
    return ((m.p + m.p_) * (m.i - m.i_) ** 2).sum() / total if total else 0.0


FEATURES = (
    Feature("Busyness", "NQ30", "ngt_busyness_3D", _busyness),
    Feature("Coarseness", "QCDE", "ngt_coarseness_3D", _coarseness),
    Feature("Complexity", "HDEZ", "ngt_complexity_3D", _complexity),
    Feature("Contrast", "65HE", "ngt_contrast_3D", _contrast),
    Feature("Strength", "1X9X", "ngt_strength_3D", _strength),
)
