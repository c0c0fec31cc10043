"""Matching finds the pairs, distances, weights and balance of R's MatchIt, and ties go by key.

cohort_golden.json holds what R computed, cohort.R the lines that did it.
"""

import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.cohort import MatchingDesign, balance, match
from OVFRiskLib.study.cohort.propensity import propensity

from .cohort_data import COVARIATES, TABLES

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "cohort_golden.json").read_text())["values"]
DESIGNS = {
    "plain": {},
    "caliper": {"ratio": 2, "caliper": 0.2, "exact": ("sex",)},
    "score": {"caliper": 0.25, "scale": "probability", "order": "smallest"},
    "replaced": {"caliper": 0.2, "replace": True},
}
CASES = [(table, design) for table in TABLES for design in DESIGNS]


def matched(table, design):
    frame = TABLES[table]()
    return frame, match(frame, "group", "case", MatchingDesign(COVARIATES[table], **DESIGNS[design]))


@pytest.mark.parametrize(("table", "design"), CASES)
def test_pairs_distances_and_weights_are_those_of_matchit(table, design):
    frame, found = matched(table, design)
    theirs = GOLDEN[table]["matching"][design]
    rows = zip(theirs["cases"], theirs["pairs"])
    pairs = {(case, control, n) for case, row in rows for n, control in enumerate(row, start=1) if control is not None}
    assert set(found.pairs[["case", "control", "round"]].itertuples(index=False, name=None)) == pairs
    assert found.distance.to_numpy() == pytest.approx(theirs["distance"], rel=1e-8, abs=1e-8)
    score = dict(zip(frame.index, theirs["distance"]))
    apart = [abs(score[case] - score[control]) for case, control in found.pairs[["case", "control"]].to_numpy()]
    assert found.pairs["distance"].to_numpy() == pytest.approx(apart, abs=1e-8)
    assert found.weights.to_numpy() == pytest.approx(theirs["weights"], abs=1e-12)
    if DESIGNS[design].get("caliper"):
        assert found.caliper == pytest.approx(theirs["caliper"], rel=1e-8)
    else:
        assert found.caliper is None


@pytest.mark.parametrize(("table", "design"), CASES)
def test_balance_is_that_of_matchit(table, design):
    frame, found = matched(table, design)
    ours, theirs = balance(frame, found, COVARIATES[table]), GOLDEN[table]["matching"][design]
    names = ("mean cases", "mean controls", "smd", "variance ratio")
    assert theirs["variables"][1 : 1 + len(COVARIATES[table])] == list(COVARIATES[table])
    for when in ("before", "after"):
        for (_, row), expected in zip(ours.table.iterrows(), theirs[when]):  # R adds the exact columns at the end
            assert [row[f"{name} {when}"] for name in names] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    controls, cases = np.transpose(theirs["sizes"])
    for row, (_, everyone, effective, inside, outside, _gone) in zip(ours.sizes.to_dict("records"), (cases, controls)):
        assert (row["all"], row["matched"], row["unmatched"]) == (everyone, inside, outside)
        assert row["effective"] == pytest.approx(effective)


@pytest.mark.parametrize("table", TABLES)
def test_with_replacement_each_case_gets_the_nearest_controls_there_are(table):
    frame = TABLES[table]()
    found = match(frame, "group", "case", MatchingDesign(COVARIATES[table], ratio=3, caliper=0.1, replace=True))
    theirs = found.distance[frame["group"] == "control"]
    for case in frame.index[frame["group"] == "case"]:
        apart = (theirs - found.distance[case]).abs().sort_values()
        nearest = apart[apart <= 0.1 * found.distance.std()].head(3)
        assert list(found.pairs["control"][found.pairs["case"] == case]) == list(nearest.index)
    with pytest.raises(UserError, match="no sets"):
        _ = found.sets


def test_love_plot_starts_with_the_largest_difference_before():
    frame, found = matched("diabetes", "caliper")
    drawn = balance(frame, found).love_plot()
    before = drawn[drawn["matching"] == "before"]["difference"]
    assert before.is_monotonic_decreasing
    assert list(drawn["matching"]) == ["before", "after"] * len(before)
    sexes = drawn[drawn["variable"] == "sex=M"].set_index("matching")["difference"]
    assert sexes["before"] > 0.01
    assert sexes["after"] < drawn["difference"].max()


def test_nobody_is_matched_twice_and_sexes_agree():
    frame, found = matched("breast", "caliper")
    assert found.pairs["control"].is_unique
    assert (frame["sex"][found.pairs["case"]].to_numpy() == frame["sex"][found.pairs["control"]].to_numpy()).all()
    assert found.pairs["distance"].max() <= found.caliper
    sets = found.sets
    assert set(sets.index) == set(found.keys)
    assert all(sets[control] == case for case, control in found.pairs[["case", "control"]].to_numpy())


def test_how_the_rows_are_ordered_changes_no_pair():
    frame, found = matched("diabetes", "caliper")
    shuffled = frame.sample(frac=1, random_state=3)
    again = match(shuffled, "group", "case", found.design)
    assert {*map(tuple, again.pairs[["case", "control"]].to_numpy())} == {
        *map(tuple, found.pairs[["case", "control"]].to_numpy())
    }


def ages(cases, controls):
    rows = [(key, "case", age) for key, age in cases.items()] + [(key, "control", age) for key, age in controls.items()]
    return pd.DataFrame(rows, columns=["subject", "group", "age"]).set_index("subject")


def test_ties_go_by_key():
    # All who are 70 have one score: of the controls c1, c2, c9 the smallest keys are taken, by the smallest case first.
    frame = ages({"p2": 70, "p1": 70, "p3": 66}, {"c9": 70, "c2": 70, "c1": 70, "c5": 60, "c4": 80, "c7": 67})
    for rows in (frame, frame.iloc[::-1], frame.sort_index()):
        pairs = match(rows, "group", "case", MatchingDesign(("age",))).pairs
        assert dict(zip(pairs["case"], pairs["control"])) == {"p1": "c1", "p2": "c2", "p3": "c7"}


def test_a_random_order_is_the_seed_s():
    frame = TABLES["diabetes"]()

    def pairs(seed):
        found = match(frame, "group", "case", MatchingDesign(("age", "bmi"), order="random", seed=seed))
        return [tuple(row) for row in found.pairs[["case", "control"]].to_numpy()]

    assert pairs(1) == pairs(1)
    assert pairs(1) != pairs(2)
    with pytest.raises(UserError, match="seed"):
        MatchingDesign(("age",), order="random")


def test_the_score_is_r_s_glm_whatever_the_units():
    frame = TABLES["diabetes"]()
    is_case = frame["group"] == "case"
    found = propensity(frame, is_case, COVARIATES["diabetes"])
    grams = propensity(frame.assign(age=frame["age"] * 1e6), is_case, COVARIATES["diabetes"])
    assert grams.logit.to_numpy() == pytest.approx(found.logit.to_numpy(), abs=1e-9)
    assert grams.coefficients["age"] * 1e6 == pytest.approx(found.coefficients["age"])
    by_hand = found.coefficients["intercept"] + sum(frame[n] * found.coefficients[n] for n in COVARIATES["diabetes"])
    assert found.logit.to_numpy() == pytest.approx(by_hand.to_numpy(), abs=1e-9)
    assert found.probability.sum() == pytest.approx(is_case.sum())  # the score equation of the intercept


def test_a_covariate_that_follows_from_the_others_is_refused():
    frame = TABLES["diabetes"]()
    twice = frame.assign(man=(frame["sex"] == "M") * 1.0)
    found = propensity(twice, frame["group"] == "case", ["age", "sex"])
    assert list(found.coefficients.index) == ["intercept", "age", "sex=M"]
    with pytest.raises(UserError, match="age, sex, man say the same twice"):
        propensity(twice, frame["group"] == "case", ["age", "sex", "man"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(age=f["age"].where(f.index != "d003")), "missing for d003"),
        (lambda f: f.assign(age=50.0), "same for all"),
        (lambda f: f.assign(age=(f["group"] == "case") * 10.0 + f["age"] / 100), "tell the groups apart"),
        (lambda f: f.assign(age=f["age"].where(f.index != "d003", math.inf)), "infinite"),
        (lambda f: f.assign(group="case"), "1 groups"),
        (lambda f: f.drop(columns="age"), "no column 'age'"),
    ],
)
def test_what_cannot_be_matched_is_said(change, message):
    with pytest.raises(UserError, match=message):
        match(change(TABLES["diabetes"]()), "group", "case", MatchingDesign(("age",)))


def test_cases_without_a_control_are_named():
    frame = ages({"p1": 90, "p2": 60, "p3": 61, "p4": 50}, {"c1": 60.5, "c2": 61.5, "c3": 40, "c4": 52})
    found = match(frame, "group", "case", MatchingDesign(("age",), ratio=2, caliper=0.3))
    assert "p1" not in set(found.pairs["case"])
    assert "1 of 4 cases have no control: p1" in found.remarks
    with pytest.raises(UserError, match="No case has a control"):
        match(frame, "group", "case", MatchingDesign(("age",), caliper=1e-6))
    with pytest.raises(UserError, match="caliper"):
        MatchingDesign(("age",), caliper=math.nan)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_still_gives_the_golden_values(tmp_path):
    installed = "q(status = !all(c('MatchIt', 'jsonlite') %in% rownames(installed.packages())))"
    if subprocess.run(["Rscript", "-e", installed], check=False).returncode:
        pytest.skip("R lacks MatchIt or jsonlite")
    for name, table in TABLES.items():
        table().to_csv(tmp_path / f"{name}.csv")
    subprocess.run(["Rscript", HERE / "cohort.R", tmp_path], check=True)
    assert_alike(json.loads((tmp_path / "golden.json").read_text()), GOLDEN)


def assert_alike(found, expected):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_alike(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_alike(one, other)
    else:
        assert found == (pytest.approx(expected, rel=1e-7, abs=1e-9) if isinstance(expected, float) else expected)
