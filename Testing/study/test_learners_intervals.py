"""Odds ratios and intervals of the plain regression: R's on two real tables; no numbers where there can be none."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("statsmodels")

from OVFRiskLib.errors import UserError
from OVFRiskLib.models.predictors import predictor_from
from OVFRiskLib.study.learners import LEARNERS
from OVFRiskLib.study.learners.intervals import odds_ratios, predictor_with_intervals
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from .learners_in_r import golden, run_r, tables

NAMES = ["breast-cancer", "diabetes"]


def trained(x, y, name="logistic-unpenalised"):
    folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(x, y))
    return LEARNERS[name].search(x, y, folds, 2, 0).estimator


@pytest.mark.parametrize("name", NAMES)
def test_odds_ratios_are_r_s(name):
    x, y = tables()[name]
    found, r = odds_ratios(trained(x, y), x, y), golden(name)
    expected = np.array(r["table"])[1:]  # estimate, standard error, z, P
    assert list(found.index) == list(x.columns)
    assert found[["coefficient", "se"]].to_numpy() == pytest.approx(expected[:, :2], rel=1e-6)
    assert found["p"].to_numpy() == pytest.approx(expected[:, 3], rel=1e-6)
    assert found["odds_ratio"].to_numpy() == pytest.approx(np.exp(expected[:, 0]), rel=1e-6)
    assert found[["low", "high"]].to_numpy() == pytest.approx(np.array(r["interval"])[1:], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_predictor_s_intervals_are_r_s(name):
    x, y = tables()[name]
    predictor, center, scale = predictor_with_intervals(trained(x, y), x, y)
    spec, parts = predictor.parts()
    again = predictor_from(spec, parts, x.shape[1])
    found = [again.interval(row) for row in (x.to_numpy()[:5] - center) / scale]
    assert np.array(found) == pytest.approx(np.column_stack([golden(name)["low"], golden(name)["high"]]), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_r_still_says_so(name):
    found, kept = run_r(name), golden(name)
    for key in ("table", "covariance", "low", "high"):
        assert np.array(found[key]) == pytest.approx(np.array(kept[key]), rel=1e-8)


def separated():
    x = pd.DataFrame({"a": np.arange(40.0), "b": np.random.default_rng(0).normal(size=40)})
    return x, (x["a"] > 19).astype(int).to_numpy()


def test_separated_outcomes_have_no_odds_ratio():
    x, y = separated()
    with pytest.raises(UserError, match="separate the outcomes"):
        odds_ratios(LogisticRegression(C=np.inf, max_iter=10_000).fit(x, y), x, y)


def test_one_input_that_only_the_ill_have_has_no_odds_ratio():
    x, y = tables()["diabetes"]
    x = x.assign(only=((y == 1) & (x["age"] > 60)).astype(float))
    with pytest.raises(UserError, match="separate the outcomes"):
        odds_ratios(
            LogisticRegression(C=np.inf, max_iter=10_000, tol=1e-10).fit((x - x.mean()) / x.std(), y),
            (x - x.mean()) / x.std(),
            y,
        )


def test_an_input_twice_has_no_odds_ratio():
    x, y = tables()["diabetes"]
    x = x.assign(again=x["bmi"])
    model = LogisticRegression(C=np.inf, max_iter=10_000).fit(x, y)
    with pytest.raises(UserError, match="repeat each other"):
        odds_ratios(model, x, y)


def test_other_patients_are_refused():
    x, y = tables()["diabetes"]
    with pytest.raises(UserError, match="other patients"):
        odds_ratios(trained(x, y), x.iloc[:300], y.iloc[:300])


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(5, random_state=0)])
def test_a_penalty_leaves_no_wald_interval(model):
    x, y = tables()["diabetes"]
    with pytest.raises(UserError, match="no Wald intervals"):
        odds_ratios(model.fit(x, y), x, y)
