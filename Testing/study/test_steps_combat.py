"""ComBat: equal to neuroCombat, takes the scanner away and leaves the patients, learns from training rows only."""

import json

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.steps import AdaptiveScaler, Combat, make_step, schema_of
from OVFRiskLib.study.synthetic import synthetic_cohort
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from .combat_golden import GOLDEN, MODES, scanned

X, SCANNER = scanned()
Y = np.arange(60) % 2


@pytest.mark.parametrize("mode", MODES)
def test_equals_neurocombat(mode):
    golden = json.loads(GOLDEN.read_text("utf-8"))[mode]
    step = Combat(SCANNER, **MODES[mode]).fit(X)
    assert step.transform(X)[::5] == pytest.approx(np.array(golden["data"]), rel=1e-9)
    assert step.gamma_ == pytest.approx(np.array(golden["gamma"]), rel=1e-7, abs=1e-9)
    assert step.delta_ == pytest.approx(np.array(golden["delta"]), rel=1e-7)


@pytest.mark.parametrize("mode", MODES)
def test_units_do_not_matter(mode):
    other = Combat(SCANNER, **MODES[mode]).fit(X * 1e-7 + 2e-7).transform(X * 1e-7 + 2e-7)
    same = Combat(SCANNER, **MODES[mode]).fit(X).transform(X)
    assert (other - 2e-7) * 1e7 == pytest.approx(same, rel=1e-6, abs=1e-6)


def share_of(scanner: pd.Series, x: pd.DataFrame) -> float:
    """The scanner's share of the variance, mean over the features."""
    return float((x.groupby(scanner).transform("mean").var() / x.var()).mean())


def gap(x: pd.DataFrame, outcome: pd.Series) -> pd.Series:
    """Standardised difference between events and others."""
    return (x[outcome == 1].mean() - x[outcome == 0].mean()) / x.std()


def test_the_scanner_goes_and_the_outcome_stays():
    drawn = synthetic_cohort("malignant-fracture", 3, scanner_effect=1.0)
    table, columns = drawn.cohort.table, list(drawn.features)
    outcome, scanner, seen = table[drawn.outcome], table["scanner"], table[columns]
    true = synthetic_cohort("malignant-fracture", 3).cohort.table[columns]  # the same patients on one scanner
    train = np.arange(len(table)) % 10 < 7
    found = Combat(scanner).set_output(transform="pandas").fit(seen[train]).transform(seen)
    for rows in (train, ~train):
        assert share_of(scanner[rows], seen[rows]) > 0.25
        assert share_of(scanner[rows], found[rows]) < 0.045
    assert seen.corrwith(true).mean() < 0.85
    assert found.corrwith(true).mean() > 0.98
    rule = [name for name in drawn.truth.terms if name in columns]
    assert len(rule) > 5
    assert gap(found[rule], outcome).to_numpy() == pytest.approx(gap(true[rule], outcome).to_numpy(), abs=0.03)


def test_a_pipeline_learns_each_scanner_from_its_training_rows():
    train = np.arange(60) % 3 > 0
    pipeline = make_pipeline(Combat(SCANNER), AdaptiveScaler(), LogisticRegression()).set_output(transform="pandas")
    pipeline.fit(X[train], Y[train])
    step = pipeline[0]
    assert list(step.get_feature_names_out()) == X.columns.tolist()
    alone = Combat(SCANNER[X.index[train]]).fit(X[train])  # knows the others' scanners as little as their features
    assert np.array_equal(alone.gamma_, step.gamma_)
    one_by_one = np.vstack([step.transform(X[n : n + 1]) for n in range(60)])
    assert one_by_one == pytest.approx(step.transform(X).to_numpy(), rel=1e-12)
    folds = list(StratifiedKFold(3).split(X, SCANNER))
    scores = cross_val_score(clone(pipeline), X, Y, cv=folds, error_score="raise")
    assert np.isfinite(scores).all()
    assert clone(step).fit(X[train]).gamma_ == pytest.approx(step.gamma_)


def test_patients_who_stand_twice_count_twice():
    twice = X.iloc[[*range(60), 3, 45]]
    names = [f"row-{n}" for n in range(62)]
    renamed = Combat(SCANNER.loc[twice.index].set_axis(names)).fit(twice.set_axis(names))
    assert np.array_equal(Combat(SCANNER).fit(twice).gamma_, renamed.gamma_)


def test_the_table_says_what_was_found():
    step = Combat(SCANNER).fit(X)
    mine = step.table_[step.table_["batch"] == "B"].loc["mean area"]
    within = np.sqrt(X["mean area"].groupby(SCANNER).transform(lambda v: (v - v.mean()) ** 2).mean())
    here = X["mean area"][SCANNER == "B"]
    assert mine["patients"] == 20
    assert mine["gamma_hat"] == pytest.approx((here.mean() - X["mean area"].mean()) / within)
    assert mine["delta_hat"] == pytest.approx(here.var() / within**2)
    assert mine["gamma"] == step.gamma_[1, X.columns.get_loc("mean area")]
    assert len(step.table_) == 30


def test_features_without_spread():
    odd = X.assign(same=4.0, tells=SCANNER.map({"A": 1.0, "B": 2.0, "C": 4.0}))
    step = Combat(SCANNER).set_output(transform="pandas").fit(odd)
    found = step.transform(odd)
    assert (found["same"] == 4.0).all()
    assert found["tells"].to_numpy() == pytest.approx((30 * 1 + 20 * 2 + 10 * 4) / 60)
    assert set(step.table_["note"].loc[["same", "tells"]]) == {"has one value on each: not shrunk"}
    assert found[X.columns].to_numpy() == pytest.approx(Combat(SCANNER).fit(X).transform(X))
    still = X.assign(**{"mean area": np.where(SCANNER == "C", 3.0, X["mean area"])})
    for parametric in (True, False):
        found = Combat(SCANNER, parametric=parametric).set_output(transform="pandas").fit(still).transform(still)
        assert found["mean area"][SCANNER == "C"].nunique() == 1
        assert np.isfinite(found.to_numpy()).all()


@pytest.mark.parametrize(
    ("step", "x", "what"),
    [
        (Combat(), X, "not given one scanner a patient"),
        (Combat(SCANNER.tolist()), X, "not given one scanner a patient"),
        (Combat(pd.concat([SCANNER, SCANNER[:1]])), X, "not given one scanner a patient"),
        (Combat(SCANNER, column="centre"), X.set_axis(range(60)), "The centre of 0, 1, 2 and 57 more is not known"),
        (Combat(SCANNER.where(SCANNER != "C")), X, "is not known"),
        (Combat(SCANNER), X.to_numpy(), "needs the patients' keys"),
        (Combat(SCANNER), X[:30], "the same scanner, 'A'"),
        (Combat(SCANNER), X[:51], "Only one training patient has the scanner 'C'"),
        (Combat(SCANNER), X.iloc[[*range(50), 50, 50]], "'C' have the same features"),
        (Combat(SCANNER), X[["mean area"]], "1 features that vary"),
        (Combat(SCANNER, parametric="yes"), X, "parametric is 'yes'"),
    ],
)
def test_what_cannot_be_harmonised_is_told(step, x, what):
    with pytest.raises(UserError, match=what):
        step.fit(x)


def test_an_unknown_scanner_is_refused():
    step = Combat(SCANNER).fit(X[:50])
    with pytest.raises(UserError, match=r"no scanner 'C' \(patients patient-50, patient-51, patient-52 and 7 more\)"):
        step.transform(X)
    with pytest.raises(UserError, match="is not known"):
        Combat(SCANNER[:50]).fit(X[:50]).transform(X)


def test_a_design_file_sets_all_but_the_scanners():
    assert set(schema_of(Combat)) == {"column", "parametric", "mean_only"}
    assert make_step("combat", batches=SCANNER, column="centre", mean_only=True).mean_only
