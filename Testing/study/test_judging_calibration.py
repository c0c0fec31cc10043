"""Calibration against rms, glm and lowess of R; judging.R made the golden values."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.judging.calibration import calibration
from OVFRiskLib.study.judging.calibration_curve import hosmer_lemeshow, risk_groups

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "judging_golden.json").read_text("utf-8"))
TO_R = {"rel": 1e-6, "abs": 1e-9}

pytest.importorskip("statsmodels")


@pytest.fixture(params=sorted(GOLDEN), scope="module")
def case(request) -> SimpleNamespace:
    """A real table, what R says of it, and what we say."""
    rows = np.genfromtxt(HERE / f"judging_{request.param}.csv", delimiter=",", names=True)
    ours = calibration(rows["y"], rows["new"], seed=5, replicates=300)
    return SimpleNamespace(y=rows["y"], new=rows["new"], r=GOLDEN[request.param], ours=ours)


def test_it_is_val_prob(case):
    r, ours = case.r["val_prob"], case.ours
    for found, name in (
        (ours.slope, "Slope"),
        (ours.intercept, "Intercept"),
        (ours.brier, "Brier"),
        (ours.average_error, "Eavg"),
        (ours.e90, "E90"),
        (ours.emax, "Emax"),
    ):
        assert found.value == pytest.approx(r[name], rel=1e-6, abs=1e-7), name
        assert found.low < found.high
        assert found.n == len(case.y)
    assert ours.unreliability.statistic == pytest.approx(r["U:Chi-sq"], **TO_R)
    assert ours.unreliability.p == pytest.approx(r["U:p"], **TO_R)
    assert ours.spiegelhalter.statistic == pytest.approx(r["S:z"], **TO_R)
    assert ours.spiegelhalter.p == pytest.approx(r["S:p"], **TO_R)


def test_recalibration_is_that_of_glm(case):
    found = [[one.value, one.low, one.high] for one in (case.ours.intercept, case.ours.slope, case.ours.in_the_large)]
    r = case.r["recalibrated"]
    assert found == [pytest.approx(row, **TO_R) for row in (*r["fit"], r["large"])]


def test_smooth_curve_is_lowess_of_r(case):
    smooth, r = case.ours.smooth, case.r["smoothed"]
    assert smooth.patient_observed == pytest.approx(r["at"], **TO_R)
    assert smooth.observed == pytest.approx(r["grid"], **TO_R)
    assert case.ours.median_error.value == pytest.approx(r["e50"], **TO_R)
    assert case.ours.eci.value == pytest.approx(r["eci"], **TO_R)
    low, observed, high = np.array([smooth.low, smooth.observed, smooth.high])[:, 10:-10]
    assert np.mean((low < observed) & (observed < high)) > 0.95


def test_scaled_brier_by_hand(case):
    share = case.y.mean()
    assert case.ours.scaled_brier.value == pytest.approx(1 - case.r["val_prob"]["Brier"] / (share * (1 - share)))


def test_interval_of_the_brier_score_is_near_the_normal_one(case):
    error = (case.new - case.y) ** 2
    width = 1.96 * error.std(ddof=1) / np.sqrt(len(error))
    assert case.ours.brier.low == pytest.approx(error.mean() - width, abs=0.2 * width)
    assert case.ours.brier.high == pytest.approx(error.mean() + width, abs=0.2 * width)


@pytest.mark.parametrize(("fitted_here", "name"), [(True, "hosmer_fitted"), (False, "hosmer_other")])
def test_hosmer_lemeshow_is_that_of_r(case, fitted_here, name):
    found, r = hosmer_lemeshow(case.y, case.new, fitted_here=fitted_here), case.r[name]
    assert [found.statistic, found.p] == pytest.approx([r["statistic"], r["p"]], **TO_R)
    groups = risk_groups(case.y, case.new)
    assert [one.events for one in groups] == r["observed"]
    assert [one.n * one.predicted for one in groups] == pytest.approx(r["expected"], **TO_R)


def test_the_same_seed_gives_the_same(case):
    again, other = (calibration(case.y, case.new, seed=seed, replicates=20) for seed in (5, 6))
    assert again == calibration(case.y, case.new, seed=5, replicates=20)
    assert again.brier.low != other.brier.low


def test_certain_predictions_are_left_out_of_the_slope_and_named(case):
    y, p = np.append(case.y, [1, 0]), np.append(case.new, [1, 0])
    found = calibration(y, p, seed=1, replicates=20)
    assert found.slope.value == pytest.approx(case.ours.slope.value, rel=1e-9)
    assert found.slope.n == len(case.y)
    assert "without 2 of" in found.slope.method
    assert found.brier.n == len(y)


def test_one_class_has_a_brier_score_alone():
    found = calibration([1, 1, 1], [0.5, 0.8, 0.9], seed=1, replicates=20)
    assert found.brier.value == pytest.approx((0.25 + 0.04 + 0.01) / 3)
    for one in (found.slope, found.intercept, found.in_the_large, found.scaled_brier, found.emax):
        assert one.value is None
        assert "all of the 3 patients" in one.reason
    assert found.smooth.reason == found.unreliability.reason == "all of the 3 patients had the event"


def test_equal_predictions_are_calibrated_in_the_large_alone():
    found = calibration([1, 0, 0, 0], [0.5] * 4, seed=1, replicates=20)
    assert found.in_the_large.value == pytest.approx(np.log(1 / 3))  # logit(1/4) - logit(1/2)
    assert found.slope.value is None
    assert "distinct" in found.slope.reason
    assert "distinct" in found.smooth.reason
    assert "0.5" in found.spiegelhalter.reason


def test_separated_outcomes_have_no_slope():
    found = calibration([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.9], seed=1, replicates=20)
    assert found.slope.value is None
    assert "separate" in found.slope.reason


def test_groups_of_ties_are_fewer():
    y, p = [0, 1, 0, 1, 0, 0], [0.1, 0.1, 0.1, 0.9, 0.9, 0.9]
    assert [one.n for one in risk_groups(y, p)] == [3, 3]
    assert hosmer_lemeshow(y, p, fitted_here=False).p is None


def test_nobody_is_judged():
    found = calibration([], [], seed=1, replicates=20)
    assert found.brier.value is found.slope.value is None
    assert risk_groups([], []) == ()


def test_scores_are_refused():
    with pytest.raises(UserError, match="no probabilities"):
        calibration([0, 1], [-1.0, 2.0], seed=1)
