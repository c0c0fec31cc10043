"""ROC against pROC and scikit-learn, and what cannot be judged; judging.R made the golden values."""

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.judging.delong import placements
from OVFRiskLib.study.judging.roc import auc, compare, compare_all, compare_unpaired
from OVFRiskLib.study.judging.roc_curve import roc_curve, roc_curve_with_band, sensitivity_at

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "judging_golden.json").read_text("utf-8"))
TO_R = {"rel": 1e-6, "abs": 1e-9}


@pytest.fixture(params=sorted(GOLDEN))
def case(request) -> SimpleNamespace:
    """A real table, and what R says of it."""
    rows = np.genfromtxt(HERE / f"judging_{request.param}.csv", delimiter=",", names=True)
    return SimpleNamespace(y=rows["y"], old=rows["old"], new=rows["new"], r=GOLDEN[request.param])


@pytest.mark.parametrize("model", ["old", "new"])
def test_area_and_interval_are_those_of_proc(case, model):
    found = auc(case.y, getattr(case, model))
    assert [found.value, found.low, found.high] == pytest.approx(case.r[f"auc_{model}"], **TO_R)
    assert (found.n, found.events) == (len(case.y), case.y.sum())
    assert "DeLong" in found.method


def test_paired_test_is_that_of_proc(case):
    found = compare(case.y, case.new, case.old)
    assert found.test.statistic == pytest.approx(case.r["paired"]["statistic"], **TO_R)
    assert found.test.p == pytest.approx(case.r["paired"]["p"], rel=1e-6)
    assert [found.difference.low, found.difference.high] == pytest.approx(case.r["paired"]["interval"], **TO_R)


def test_unpaired_test_is_that_of_proc(case):
    half = len(case.y) // 2
    found = compare_unpaired(case.y[:half], case.new[:half], case.y[half:], case.old[half:]).test
    r = case.r["unpaired"]
    assert [found.statistic, found.p, found.degrees] == pytest.approx([r["statistic"], r["p"], r["degrees"]], **TO_R)


def test_every_pair_is_compared_once(case):
    found = compare_all(case.y, {"a": case.old, "b": case.new, "c": -case.old})
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found["a", "b"] == compare(case.y, case.old, case.new)
    assert found["a", "c"].b.value == pytest.approx(1 - case.r["auc_old"][0], **TO_R)


def test_corners_are_those_of_proc(case):
    found, r = roc_curve(case.y, case.new), case.r["corners"]
    assert found.sensitivity[::-1] == pytest.approx(r["sensitivity"], **TO_R)
    assert found.specificity[::-1] == pytest.approx(r["specificity"], **TO_R)


def test_corners_are_those_of_scikit_learn(case):
    metrics = pytest.importorskip("sklearn.metrics")
    false, true, thresholds = metrics.roc_curve(case.y, case.new, drop_intermediate=False)
    found = roc_curve(case.y, case.new)
    assert found.threshold == pytest.approx(thresholds)
    assert found.sensitivity == pytest.approx(true)
    assert 1 - np.array(found.specificity) == pytest.approx(false)


def test_between_corners_it_reads_as_proc(case):
    r = case.r["read"]
    assert sensitivity_at(roc_curve(case.y, case.new), r["specificity"]) == pytest.approx(r["sensitivity"], **TO_R)


def test_reading_by_hand():
    curve = roc_curve([1, 0, 1, 1, 0], [5, 4, 3, 3, 3])  # corners (0, 1/3), (1/2, 1/3), (1, 1)
    assert sensitivity_at(curve, [1, 0.5, 0.25, 0]) == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1])


def test_band_is_that_of_proc_but_for_the_draw(case):
    band = roc_curve_with_band(case.y, case.new, seed=3, replicates=2000).band
    low, median, high = np.array(case.r["band"]).T
    at = [10, 30, 50, 70, 90]
    assert np.array(band.specificity)[at] == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert np.array(band.low)[at] == pytest.approx(low, abs=0.025)
    assert np.array(band.high)[at] == pytest.approx(high, abs=0.025)
    assert np.all(np.array(band.low)[at] <= median)


def test_the_band_is_the_seeds(case):
    bands = [roc_curve_with_band(case.y, case.new, seed=seed, replicates=50).band for seed in (1, 1, 2)]
    assert bands[0] == bands[1] != bands[2]


def test_placements_of_ties_by_counting_pairs():
    y, score = np.array([1, 1, 1, 0, 0, 0, 0], bool), np.array([3, 2, 2, 2, 1, 2, 0.0])
    # Of the four others, the first case beats all; the ties of 2 with two others count one half each.
    assert placements(y, score).events == pytest.approx([1, 0.75, 0.75])
    assert placements(y, score).others == pytest.approx([2 / 3, 1, 2 / 3, 1])
    assert auc(y, score).value == pytest.approx(2.5 / 3)


def test_nothing_is_said_where_there_is_one_class():
    for found in (auc([1, 1, 1], [0.1, 0.2, 0.3]), compare([1, 1], [0.1, 0.2], [0.2, 0.1]).difference):
        assert found.value is found.low is found.high is None
        assert "had the event" in found.reason
    assert roc_curve([0, 0], [1, 2]).reason == "none of the 2 patients had the event"
    assert roc_curve_with_band([0, 0], [1, 2], seed=1).threshold == ()
    assert "there is no patient" in auc([], []).reason
    unpaired = compare_unpaired([0, 1], [0.1, 0.2], [0, 0], [0.1, 0.2])
    assert unpaired.a.value == 1
    assert unpaired.difference.value is None


@pytest.mark.parametrize(("score", "area"), [([0.2] * 6, 0.5), ([1, 2, 3, 4, 5, 6], 1.0)])
def test_no_interval_without_variance(score, area):
    found = auc([0, 0, 0, 1, 1, 1], score)
    assert (found.value, found.low, found.high) == (area, None, None)
    assert "variance" in found.reason


def test_no_interval_from_a_single_case():
    found = auc([0, 0, 1], [0.1, 0.4, 0.3])
    assert (found.value, found.low) == (0.5, None)
    assert "fewer than two patients" in found.reason


def test_no_test_between_scores_of_one_order(case):
    found = compare(case.y, case.new, 2 * case.new + 5)
    assert found.difference.value == 0
    assert found.test.p is None
    assert "alike" in found.test.reason


@pytest.mark.parametrize(
    ("outcome", "score", "says"),
    [
        ([0, 1, 2], [1, 2, 3], "value 2"),
        ([0, 1, np.nan], [1, 2, 3], "missing"),
        ([0, 1, 1], [1, np.nan, np.inf], "2 of 3"),
        ([0, 1, 1], [1, 2], "2 predictions for 3"),
        ([0, 1, 1], ["a", "b", "c"], "no|not a column of numbers"),
        ([[0, 1]], [1, 2], "shape"),
    ],
)
def test_what_cannot_be_judged_is_refused(outcome, score, says):
    with pytest.raises(UserError, match=says):
        auc(outcome, score)


def test_reordered_rows_are_refused():
    pandas = pytest.importorskip("pandas")
    outcome = pandas.Series([0, 1, 1], ["a", "b", "c"])
    score = pandas.Series([0.1, 0.2, 0.3], ["b", "a", "c"])
    with pytest.raises(UserError, match="another order"):
        auc(outcome, score)
    assert auc(outcome, score.loc[outcome.index]).value == pytest.approx(0.5)


def test_r_still_says_the_same():
    rscript = shutil.which("Rscript")
    packages = [rscript, "-e", "library(pROC); library(rms); library(jsonlite)"]
    if rscript is None or subprocess.run(packages, check=False, capture_output=True).returncode:
        pytest.skip("R with pROC, rms and jsonlite is not installed")
    done = subprocess.run([rscript, "judging.R"], cwd=HERE, capture_output=True, text=True, check=True)
    ours, theirs = dict(flat(GOLDEN)), dict(flat(json.loads(done.stdout)))
    assert ours.keys() == theirs.keys()
    numbers = [key for key, value in ours.items() if not isinstance(value, str)]
    assert [theirs[key] for key in numbers] == pytest.approx([ours[key] for key in numbers], rel=1e-7, abs=1e-9)


def flat(value: object, name: str = ""):
    """Yield (path, number or text) of everything in nested JSON."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from flat(inner, f"{name}/{key}")
    else:
        yield name, value
