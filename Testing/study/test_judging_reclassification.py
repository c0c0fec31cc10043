"""NRI and IDI against Hmisc's improveProb and by hand; judging.R made the golden values."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.judging.reclassification import categorical_nri, continuous_nri, idi

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "judging_golden.json").read_text("utf-8"))
TO_R = {"rel": 1e-6, "abs": 1e-9}


@pytest.fixture(params=sorted(GOLDEN))
def case(request) -> SimpleNamespace:
    """A real table, and what R says of it."""
    rows = np.genfromtxt(HERE / f"judging_{request.param}.csv", delimiter=",", names=True)
    return SimpleNamespace(y=rows["y"], old=rows["old"], new=rows["new"], r=GOLDEN[request.param])


def error_of(estimate) -> float:
    """The standard error that the interval was made of."""
    return (estimate.high - estimate.low) / 2 / 1.959963984540054


def test_continuous_nri_is_that_of_hmisc(case):
    found, r = continuous_nri(case.y, case.old, case.new), case.r["improve"]
    values = [found.total.value, found.events.value, found.non_events.value]
    assert values == pytest.approx([r["nri"], r["nri.ev"], r["nri.ne"]], **TO_R)
    errors = [error_of(one) for one in (found.total, found.events, found.non_events)]
    assert errors == pytest.approx([r["se.nri"], r["se.nri.ev"], r["se.nri.ne"]], **TO_R)
    assert found.total.test.statistic == pytest.approx(r["z.nri"], **TO_R)


def test_idi_is_that_of_hmisc(case):
    found, r = idi(case.y, case.old, case.new), case.r["improve"]
    values = [found.total.value, found.events.value, found.non_events.value]
    assert values == pytest.approx([r["idi"], r["improveSens"], r["improveSpec"]], **TO_R)
    assert error_of(found.total) == pytest.approx(r["se.idi"], **TO_R)
    assert found.total.test.statistic == pytest.approx(r["z.idi"], **TO_R)


def test_categorical_nri_is_that_of_r(case):
    found, r = categorical_nri(case.y, case.old, case.new, [0.2, 0.5]), case.r["nri"]
    values = [found.total.value, found.events.value, found.non_events.value]
    assert values == pytest.approx([r["total"], r["events"], r["non_events"]], **TO_R)
    assert [error_of(found.total), found.total.test.p] == pytest.approx([r["se"], r["p"]], **TO_R)
    assert np.sum(found.table_events) == case.y.sum() == found.events.n


def test_categories_by_hand():
    y, old, new = (
        [1, 1, 1, 1, 0, 0, 0, 0, 0],
        [0.1, 0.3, 0.2, 0.9] + [0.5] * 5,
        [0.3, 0.1, 0.6, 0.9] + [0.1] * 2 + [0.5] * 3,
    )
    found = categorical_nri(y, old, new, [0.2, 0.5])
    # Events: two rise, one falls of four; others: two fall of five. A prediction at 0.2 belongs to the middle.
    assert found.events.value == pytest.approx(0.25)
    assert found.non_events.value == pytest.approx(0.4)
    assert found.table_events == ((0, 1, 0), (1, 0, 1), (0, 0, 1))
    assert found.table_non_events == ((0, 0, 0), (0, 0, 0), (2, 0, 3))


def test_no_test_where_nothing_moves(case):
    found = idi(case.y, case.old, case.old)
    assert found.total.value == 0
    assert found.total.low is found.total.test.p is None
    assert found.total.reason == "the variance is zero"


def test_nothing_is_said_where_there_is_one_class():
    found = continuous_nri([0, 0], [0.1, 0.2], [0.2, 0.1])
    assert found.total.value is found.events.value is None
    assert "none of the 2 patients" in found.total.reason


@pytest.mark.parametrize("cutoffs", [[], [0.5, 0.2], [0, 0.5], [0.3, 0.3]])
def test_wrong_cutoffs_are_refused(case, cutoffs):
    with pytest.raises(UserError, match="cut-offs"):
        categorical_nri(case.y, case.old, case.new, cutoffs)


def test_scores_are_refused(case):
    with pytest.raises(UserError, match="no probabilities"):
        idi(case.y, case.old, case.new * 3)
