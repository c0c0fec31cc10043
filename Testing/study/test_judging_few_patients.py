"""With a handful of patients, ties and certain predictions, every figure is a finite number or has a reason."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from OVFRiskLib.study.judging.calibration import calibration
from OVFRiskLib.study.judging.calibration_curve import hosmer_lemeshow
from OVFRiskLib.study.judging.confusion import confusion
from OVFRiskLib.study.judging.cutoff import at_sensitivity, youden
from OVFRiskLib.study.judging.decisions import clinical_impact, decision_curve
from OVFRiskLib.study.judging.estimate import Estimate, SignificanceTest
from OVFRiskLib.study.judging.reclassification import categorical_nri, continuous_nri, idi
from OVFRiskLib.study.judging.roc import auc, compare, compare_unpaired
from OVFRiskLib.study.judging.roc_curve import roc_curve_with_band

pytest.importorskip("statsmodels")


def judged(y: np.ndarray, old: np.ndarray, new: np.ndarray) -> list:
    """Everything that can be said of these patients."""
    return [
        auc(y, new),
        compare(y, old, new),
        compare_unpaired(y, old, 1 - y, new),
        roc_curve_with_band(y, new, seed=1, replicates=20).band,
        continuous_nri(y, old, new),
        categorical_nri(y, old, new, [0.3, 0.6]),
        idi(y, old, new),
        calibration(y, new, seed=1, replicates=20),
        hosmer_lemeshow(y, new, fitted_here=True, groups=3),
        decision_curve(y, new, [0.1, 0.5], seed=1, replicates=20),
        clinical_impact(y, new, [0.1, 0.5], seed=1, replicates=20, prevalence=0.2),
        confusion(y, new, youden(y, new), seed=1, replicates=20),
        confusion(y, new, at_sensitivity(y, new, 0.9), seed=1, replicates=20),
    ]


def check(found: object) -> int:
    """Look into every result, and return how many figures there were."""
    if isinstance(found, Estimate):
        assert (found.low is None) == (found.high is None) == (found.reason is not None), found
        assert found.value is not None or found.low is None
    if isinstance(found, SignificanceTest):
        assert (found.p is None) == (found.statistic is None) == (found.reason is not None), found
        assert found.p is None or 0 <= found.p <= 1
    if isinstance(found, float):
        assert np.isfinite(found)
        return 1
    inside = [getattr(found, field.name) for field in fields(found)] if is_dataclass(found) else found
    return sum(map(check, inside)) if isinstance(inside, (list, tuple)) else 0


@pytest.mark.parametrize("seed", range(40))
def test_no_figure_is_nan(seed):
    generator = np.random.default_rng(seed)
    n = int(generator.integers(1, 13))
    y = generator.integers(0, 2, n)
    old, new = (np.round(generator.random(n), 1) for _ in range(2))
    assert check(judged(y, old, new)) > 0
