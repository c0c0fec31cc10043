"""Cut-offs and confusion matrices against pROC, R's prop.test and scikit-learn; judging.R made the golden values."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.judging.confusion import confusion
from OVFRiskLib.study.judging.cutoff import at_sensitivity, fixed, youden

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "judging_golden.json").read_text("utf-8"))
TO_R = {"rel": 1e-6, "abs": 1e-9}
WILSON = ("accuracy", "sensitivity", "specificity", "ppv", "npv")


@pytest.fixture(params=sorted(GOLDEN))
def case(request) -> SimpleNamespace:
    """A real table, and what R says of it."""
    rows = np.genfromtxt(HERE / f"judging_{request.param}.csv", delimiter=",", names=True)
    return SimpleNamespace(y=rows["y"], new=rows["new"], r=GOLDEN[request.param])


def counts_of(found) -> list[int]:
    """TP, FP, FN, TN."""
    return [found.true_positives, found.false_positives, found.false_negatives, found.true_negatives]


def test_youden_is_that_of_proc(case):
    cutoff, r = youden(case.y, case.new), case.r["youden"]
    assert cutoff.value == pytest.approx(r["threshold"], **TO_R)
    found = confusion(case.y, case.new, cutoff, seed=1, replicates=50)
    assert counts_of(found) == [r["tp"], r["fp"], r["fn"], r["tn"]]
    assert found.sensitivity.value == pytest.approx(r["sensitivity"])
    assert found.specificity.value == pytest.approx(r["specificity"])


def test_fixed_sensitivity_is_that_of_proc(case):
    cutoff = at_sensitivity(case.y, case.new, 0.9)
    assert cutoff.value == pytest.approx(case.r["at90"], **TO_R)
    assert confusion(case.y, case.new, cutoff, seed=1, replicates=50).sensitivity.value >= 0.9


def test_shares_have_the_interval_of_r(case):
    found, r = confusion(case.y, case.new, 0.5, seed=1, replicates=50), case.r["table"]
    assert counts_of(found) == [r["tp"], r["fp"], r["fn"], r["tn"]]
    for name in WILSON:
        one = getattr(found, name)
        assert [one.low, one.high] == pytest.approx(case.r["wilson"][name], **TO_R), name


def test_metrics_are_those_of_scikit_learn(case):
    metrics = pytest.importorskip("sklearn.metrics")
    found, said = confusion(case.y, case.new, 0.5, seed=1, replicates=50), case.new >= 0.5
    assert found.f1.value == pytest.approx(metrics.f1_score(case.y, said))
    assert found.kappa.value == pytest.approx(metrics.cohen_kappa_score(case.y, said))
    assert found.mcc.value == pytest.approx(metrics.matthews_corrcoef(case.y, said))
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(case.y, said))
    assert found.ppv.value == pytest.approx(metrics.precision_score(case.y, said))
    assert found.npv.value == pytest.approx(metrics.precision_score(1 - case.y, ~said))


def test_bootstrap_of_counts_is_that_of_patients(case):
    stats, metrics = pytest.importorskip("scipy.stats"), pytest.importorskip("sklearn.metrics")
    found, said = confusion(case.y, case.new, 0.5, seed=1, replicates=4000), case.new >= 0.5
    rows = stats.bootstrap(
        (case.y, said), metrics.f1_score, paired=True, vectorized=False, n_resamples=400, method="percentile", rng=3
    ).confidence_interval
    assert [found.f1.low, found.f1.high] == pytest.approx([rows.low, rows.high], abs=0.015)


def test_the_same_seed_gives_the_same(case):
    first, again, other = (confusion(case.y, case.new, 0.5, seed=seed, replicates=200) for seed in (1, 1, 2))
    assert first == again
    assert first.kappa.low != other.kappa.low


def test_of_equal_youden_indices_the_most_sensitive_one_wins():
    y, score = [1, 0, 1, 0], [4, 3, 2, 1]  # sensitivity + specificity - 1 is 0.5 at 3.5 and at 1.5
    assert youden(y, score).value == 1.5
    assert at_sensitivity(y, score, 0.5).value == 3.5
    assert at_sensitivity([1, 1], [1, 2], 1).reason == "all of the 2 patients had the event"


def test_a_score_at_the_cutoff_is_positive():
    assert counts_of(confusion([1, 0], [0.5, 0.5], 0.5, seed=1, replicates=20)) == [1, 1, 0, 0]
    close = np.nextafter(0.5, 1)
    cutoff = youden([0, 1], [0.5, close])
    assert counts_of(confusion([0, 1], [0.5, close], cutoff, seed=1, replicates=20)) == [1, 0, 0, 1]


def test_a_useless_score_has_no_cutoff():
    cutoff = youden([0, 1, 0, 1], [0.3] * 4)
    assert cutoff.value is None
    found = confusion([0, 1, 0, 1], [0.3] * 4, cutoff, seed=1)
    assert found.accuracy.value is found.true_positives is None
    assert found.mcc.reason == "no cut-off is better than chance"


def test_what_has_no_denominator_is_absent():
    found = confusion([0, 1, 0, 1], [0.1] * 4, 0.5, seed=1, replicates=50)
    assert found.sensitivity.value == found.f1.value == 0
    assert found.ppv.value is None
    assert "above the cut-off" in found.ppv.reason
    assert found.mcc.value is None
    assert found.kappa.value == 0
    one = confusion([1, 1], [0.1, 0.9], 0.5, seed=1)
    assert (one.sensitivity.value, one.specificity.value, one.mcc.value) == (0.5, None, None)


def test_wrong_wishes_are_refused(case):
    with pytest.raises(UserError, match="finite"):
        fixed(np.inf)
    with pytest.raises(UserError, match="sensitivity"):
        at_sensitivity(case.y, case.new, 90)
