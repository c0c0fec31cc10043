"""Decision curves against dcurves, R and by hand; judging.R made the golden values."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.judging.decisions import clinical_impact, decision_curve

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "judging_golden.json").read_text("utf-8"))


@pytest.fixture(params=sorted(GOLDEN))
def case(request) -> SimpleNamespace:
    """A real table, and what R says of it."""
    rows = np.genfromtxt(HERE / f"judging_{request.param}.csv", delimiter=",", names=True)
    return SimpleNamespace(y=rows["y"], new=rows["new"], r=GOLDEN[request.param])


def test_net_benefit_is_that_of_r(case):
    r = case.r["net_benefit"]
    found = decision_curve(case.y, case.new, r["thresholds"], seed=1, replicates=200)
    assert found.net_benefit.values == pytest.approx(r["values"], rel=1e-9)
    assert np.all(np.array(found.net_benefit.low) <= r["values"])
    assert np.all(np.array(found.net_benefit.high) >= r["values"])


@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_curves_are_those_of_dcurves(case, prevalence):
    dcurves, pandas = pytest.importorskip("dcurves"), pytest.importorskip("pandas")
    pt = [0.02, 0.1, 0.25, 0.5, 0.8]
    table = pandas.DataFrame({"y": case.y == 1, "new": case.new})
    theirs = dcurves.dca(table, "y", ["new"], pt, prevalence=prevalence, nper=100).groupby("model")
    ours = decision_curve(case.y, case.new, pt, seed=1, prevalence=prevalence, replicates=50)
    rows = theirs.get_group("new")
    assert ours.net_benefit.values == pytest.approx(rows["net_benefit"].to_numpy(), rel=1e-9)
    assert ours.net_reduction.values == pytest.approx(rows["net_intervention_avoided"].to_numpy(), rel=1e-9, abs=1e-9)
    treat_all = theirs.get_group("all")["net_benefit"].to_numpy()
    assert ours.treat_all.values == pytest.approx(treat_all, rel=1e-9)
    assert ours.gain.values == pytest.approx(np.array(ours.net_benefit.values) - np.maximum(treat_all, 0))
    impact = clinical_impact(case.y, case.new, pt, seed=1, prevalence=prevalence, replicates=50)
    assert impact.with_event.values == pytest.approx(1000 * rows["tp_rate"].to_numpy(), rel=1e-9)
    assert impact.high_risk.values == pytest.approx(1000 * (rows["tp_rate"] + rows["fp_rate"]).to_numpy(), rel=1e-9)


def test_by_hand():
    y, p = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [0.9, 0.2, 0.2, 0.6, *[0.1] * 6]
    found = decision_curve(y, p, [0.2, 0.5], seed=1, replicates=100)
    assert found.net_benefit.values == pytest.approx([0.2 - 0.2 / 4, 0.1 - 0.1])  # a prediction at 0.2 is treated
    assert found.treat_all.values == pytest.approx([0.2 - 0.8 / 4, 0.2 - 0.8])
    assert found.net_reduction.values == pytest.approx([60, 60])
    impact = clinical_impact(y, p, [0.2, 0.5], seed=1, population=100, replicates=100)
    assert impact.high_risk.values == pytest.approx([40, 20])
    assert impact.with_event.values == pytest.approx([20, 10])


def test_interval_of_treating_all_is_that_of_the_share(case):
    pt = 0.2
    found = decision_curve(case.y, case.new, [pt], seed=2, replicates=4000).treat_all
    error = np.sqrt(case.y.mean() * (1 - case.y.mean()) / len(case.y)) / (1 - pt)  # nb = (share - pt) / (1 - pt)
    assert (found.high[0] - found.low[0]) / 2 == pytest.approx(1.96 * error, rel=0.05)


def test_a_given_prevalence_has_no_sampling_error_of_its_own(case):
    found = decision_curve(case.y, case.new, [0.1], seed=2, prevalence=0.1, replicates=100)
    assert found.prevalence == pytest.approx(0.1)
    assert found.treat_all.low == pytest.approx(found.treat_all.high)
    assert found.net_benefit.low < found.net_benefit.high


def test_the_same_seed_gives_the_same(case):
    first, again, other = (decision_curve(case.y, case.new, seed=seed, replicates=30) for seed in (1, 1, 2))
    assert first == again
    assert first.net_benefit.low != other.net_benefit.low


def test_nothing_is_said_where_there_is_one_class():
    assert decision_curve([0, 0], [0.1, 0.2], seed=1).net_benefit.values == ()
    assert clinical_impact([0, 0], [0.1, 0.2], seed=1).reason == "none of the 2 patients had the event"


@pytest.mark.parametrize("thresholds", [[], [0, 0.5], [0.5, 1], [0.4, 0.2]])
def test_wrong_thresholds_are_refused(case, thresholds):
    with pytest.raises(UserError, match="thresholds"):
        decision_curve(case.y, case.new, thresholds, seed=1)


def test_wrong_prevalence_is_refused(case):
    with pytest.raises(UserError, match="prevalence"):
        clinical_impact(case.y, case.new, seed=1, prevalence=12)
