"""Table 1's tests are R's, and each variable gets the one that fits it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.tables import write_csv
from OVFRiskLib.study.cohort import table_one
from OVFRiskLib.study.cohort.group_tests import (
    Variances,
    association,
    difference,
    fisher,
    normality,
    standardised_difference,
    standardised_shares,
)

from .cohort_data import COVARIATES, TABLES

GOLDEN = json.loads(Path(__file__).with_name("cohort_golden.json").read_text())["values"]
NUMBERS = [(t, kind, v) for t in TABLES for kind in ("numbers", "few_numbers") for v in COVARIATES[t]]
SHARES = [(t, kind, v) for t in TABLES for kind in ("shares", "few_shares") for v in ("sex", "band")]


def frame(table, kind):
    return TABLES[table]().head(40) if kind.startswith("few") else TABLES[table]()


@pytest.mark.parametrize(("table", "kind", "variable"), NUMBERS)
def test_tests_of_numbers_are_those_of_r(table, kind, variable):
    rows, theirs = frame(table, kind), GOLDEN[table][kind][variable]
    a, b = (rows[variable][rows["group"] == name].to_numpy() for name in ("case", "control"))
    assert normality((a, b)).p == pytest.approx(theirs["shapiro"], rel=1e-6)
    student, welch = (difference(a, b, True, kind) for kind in (Variances.EQUAL, Variances.UNEQUAL))
    assert (student.statistic, student.p) == pytest.approx(theirs["student"], rel=1e-6)
    assert (welch.statistic, welch.p, welch.df) == pytest.approx(theirs["welch"], rel=1e-6)
    ranks = difference(a, b, False)
    assert (ranks.statistic, ranks.p) == pytest.approx(theirs["wilcoxon"], rel=1e-6)
    tested = difference(a, b, True, Variances.TESTED)
    assert tested.p == (ranks.p if theirs["levene"] < 0.05 else student.p)
    assert standardised_difference(a, b) == pytest.approx(theirs["smd"], rel=1e-9)


@pytest.mark.parametrize(("table", "kind", "variable"), SHARES)
def test_tests_of_shares_are_those_of_r(table, kind, variable):
    rows, theirs = frame(table, kind), GOLDEN[table][kind][variable]
    counts = pd.crosstab(rows[variable], rows["group"]).to_numpy()
    assert counts.tolist() == theirs["counts"]
    assert fisher(counts) == pytest.approx(theirs["fisher"], rel=1e-6)
    found = association(counts)
    if kind == "shares":  # no count is small
        assert (found.statistic, found.p, found.df) == pytest.approx(theirs["chisq"], rel=1e-6)
        assert association(counts, yates=True).p == pytest.approx(theirs["yates"], rel=1e-6)
    assert standardised_shares(counts) == pytest.approx(theirs["smd"], rel=1e-9)


def test_small_counts_get_fisher_s_test():
    tea = np.array([[3, 1], [1, 3]])  # Fisher's lady tasting tea: (16 + 1) × 2 / 70
    found = association(tea)
    assert found.name == "Fisher's exact test"
    assert found.p == pytest.approx(34 / 70)
    assert association(tea * 10).name == "chi-square test"
    one_of_four = np.array([[1, 10], [20, 21]])  # 11 × 21 / 52 = 4.4 is expected in one cell
    assert association(one_of_four).name == "Fisher's exact test"
    assert association(np.array([[1, 10], [20, 21], [20, 21]])).name == "chi-square test"  # one of six
    assert "too many tables" in association(np.array([[900, 900]] * 6 + [[0, 1]] * 9)).note


def test_some_levene_rejects_and_some_does_not():
    rejected = [GOLDEN[t][kind][v]["levene"] < 0.05 for t, kind, v in NUMBERS]
    assert any(rejected)
    assert not all(rejected)


def test_each_variable_is_described_as_its_shape_asks():
    found = table_one(TABLES["diabetes"](), "group")
    kinds = {row.variable: row.kind for row in found.rows}
    for variable, theirs in GOLDEN["diabetes"]["numbers"].items():
        assert kinds[variable] == ("mean ± SD" if min(theirs["shapiro"]) >= 0.05 else "median (IQR)")
    assert kinds["sex"] == kinds["band"] == "n (%)"
    assert found.names == ("case", "control")
    assert found.sizes == (121, 321)


def test_summaries_are_those_of_r():
    found = table_one(TABLES["breast"](), "group")
    for row in found.rows[:3]:
        theirs = GOLDEN["breast"]["numbers"][row.variable]
        assert [one.mean for one in row.groups] == pytest.approx(theirs["mean"])
        assert [one.sd for one in row.groups] == pytest.approx(theirs["sd"])
        assert [[one.q1, one.median, one.q3] for one in row.groups] == pytest.approx(np.array(theirs["quartiles"]))


def patients():
    return pd.DataFrame(
        {
            "group": ["a"] * 6 + ["b"] * 6,
            "age": [60.0, 62, 64, 66, 68, 70, 61, 63, 65, 67, 69, np.nan],
            "grade": [0.0, 1, 2, 0, 1, 2, 3, 3, 2, 3, 2, 3],
            "sex": ["F", "F", "F", "M", "M", "M", "F", "M", "M", "M", "M", None],
            "same": 1.0,
        },
        index=[f"p{n}" for n in range(12)],
    )


def test_the_printed_table():
    found = table_one(patients(), "group", categorical=("grade",))
    text = found.frame().set_index(["variable", "category"])
    age = text.loc["age", "mean ± SD"]
    assert list(age[["all (n = 12)", "a (n = 6)", "b (n = 6)"]]) == ["65.0 ± 3.3", "65.0 ± 3.7", "65.0 ± 3.2"]
    assert (age["missing"], age["P"], age["test"], age["standardised difference"]) == ("1", "1.000", "t test", "0.000")
    assert text.loc[("sex", "F"), "a (n = 6)"] == "3 (50.0 %)"
    assert text.loc[("sex", "M"), "b (n = 6)"] == "4 (80.0 %)"  # of those whose sex is known
    assert text.loc[("grade", "3"), "b (n = 6)"] == "4 (66.7 %)"
    assert text.loc[("same", "n (%)"), "note"] == "there is one category only"
    assert text.loc[("same", "n (%)"), "P"] == ""


def test_the_table_is_written(tmp_path):
    write_csv(tmp_path / "one.csv", table_one(patients(), "group").columns())
    written = pd.read_csv(tmp_path / "one.csv", keep_default_na=False)
    assert written["variable"].iloc[0] == "age"
    assert written["a (n = 6)"].iloc[0] == "65.0 ± 3.7"


def test_shapes_can_be_given():
    forced = table_one(TABLES["diabetes"](), "group", ["age", "bmi"], shapes={"age": True, "bmi": False})
    assert [row.test.name for row in forced.rows] == ["t test", "Mann–Whitney U test"]
    assert forced.rows[0].test.p == pytest.approx(GOLDEN["diabetes"]["numbers"]["age"]["student"][1])


def test_too_many_and_too_few_patients_are_said():
    rng = np.random.default_rng(5)
    many = normality((rng.normal(size=5001), rng.normal(size=10)))
    assert not many.normal
    assert many.p[0] is None
    assert "n = 5001: Shapiro–Wilk does not apply" in many.note
    assert not normality((np.array([1.0, 2.0]), rng.normal(size=10))).normal
    large = normality((rng.normal(size=4000) + 0.4 * rng.exponential(size=4000), rng.normal(size=10)))
    assert "a small departure is enough" in large.note


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "a"}, "1 groups"),
        ({"group": ["a"] * 4 + ["b"] * 4 + ["c"] * 4}, "3 groups"),
        ({"group": ["a"] * 11 + [None]}, "'group' is empty for p11"),
        ({"age": [np.inf] * 6 + list(range(6))}, "infinite"),
    ],
)
def test_wrong_tables_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        table_one(patients().assign(**change), "group")


def test_a_p_value_that_cannot_be_computed_is_absent():
    steps = difference(np.array([1.0, 1.0]), np.array([2.0, 2.0, 2.0]), normal=True)
    assert (steps.p, steps.note) == (None, "nothing varies within the groups")
    assert standardised_difference(np.array([1.0, 1.0]), np.array([2.0, 2.0, 2.0])) is None
    assert difference(np.ones(4), np.ones(5), normal=False).note == "all values are equal"


def test_a_variable_that_nobody_of_a_group_has():
    gone = patients().assign(age=[60.0, 61, 62, 63, 64, 65] + [np.nan] * 6)
    (row,) = table_one(gone, "group", ["age"]).rows
    assert row.test.p is None
    assert row.test.note == "groups of 6 and 0 are too small"
    assert "no value" in table_one(gone, "group", ["age"]).frame().iloc[0].to_list()
