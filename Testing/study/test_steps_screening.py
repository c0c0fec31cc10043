"""Tests and odds ratios, one by one and together, against R."""

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.steps import MultivariateLogistic, RankSumFilter, UnivariateLogistic
from OVFRiskLib.study.steps.logistic_fit import is_separated

from .steps_in_r import golden, tables

TABLES = ("breast-cancer", "diabetes")


@pytest.mark.parametrize("name", TABLES)
def test_rank_sum_is_that_of_wilcox_test(name):
    x, y = tables()[name]
    r = golden(name)
    for correction, key in (("none", "rank_sum"), ("holm", "holm"), ("fdr_bh", "fdr")):
        wanted = np.array(r[key] if isinstance(r[key], list) else list(r[key].values()), dtype=float)
        found = RankSumFilter(0.05, correction).fit(x, y)
        assert found.table_["p_corrected"].to_numpy() == pytest.approx(wanted, rel=1e-9, abs=1e-14)
        assert found.support_.tolist() == (wanted < 0.05).tolist()


def test_auc_of_the_rank_sum_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    x, y = tables()["breast-cancer"]
    table = RankSumFilter().fit(x, y).table_
    assert table.loc["mean texture", "auc"] == pytest.approx(metrics.roc_auc_score(y, x["mean texture"]))


@pytest.mark.parametrize("name", TABLES)
def test_univariate_odds_ratios_are_those_of_glm(name):
    x, y = tables()[name]
    wanted = np.array(golden(name)["univariate"])
    found = UnivariateLogistic(alpha=0.05).fit(x, y)
    columns = ["coefficient", "error", "p", "low", "high"]
    assert found.table_[columns].to_numpy() == pytest.approx(wanted, rel=2e-6)
    assert found.table_["odds_ratio"].to_numpy() == pytest.approx(np.exp(wanted[:, 0]), rel=2e-6)
    assert found.support_.tolist() == (wanted[:, 2] < 0.05).tolist()
    assert (found.rows_, found.events_) == (len(y), y.sum())


@pytest.mark.parametrize("name", TABLES)
def test_multivariate_odds_ratios_are_those_of_glm(name):
    x, y = tables()[name]
    wanted = np.array(golden(name)["multivariate"])
    found = MultivariateLogistic().fit(x.iloc[:, :5], y)
    assert found.table_[["coefficient", "error", "p"]].to_numpy() == pytest.approx(wanted[1:], rel=2e-6)
    assert found.intercept_ == pytest.approx(wanted[0, 0], rel=2e-6)
    assert found.support_.tolist() == (wanted[1:, 2] < 0.05).tolist()
    assert found.events_per_variable_ == pytest.approx(min(y.sum(), len(y) - y.sum()) / 5)


Y = np.array([0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("column", "separated"),
    [
        ([1, 2, 3, 4, 5, 6], True),
        ([6, 5, 4, 3, 2, 1], True),
        ([1, 2, 3, 3, 4, 5], True),  # they touch: quasi-complete
        ([0, 0, 0, 0, 1, 1], True),  # a cell of the 2 x 2 table is empty
        ([1, 2, 4, 3, 5, 6], False),
        ([0, 0, 1, 0, 1, 1], False),
    ],
)
def test_separation_is_seen(column, separated):
    x = np.array(column, dtype=float)[:, None]
    assert is_separated(x, Y) == separated
    assert is_separated(np.column_stack([x, [0, 1, 0, 1, 0, 1]]), Y) or not separated  # the linear programme


def test_separation_by_a_slanting_plane_is_seen():
    x = np.array([[0, 3], [1, 4], [2, 5.1], [0, 2], [1, 3], [2, 4]], dtype=float)  # each alone overlaps
    assert not is_separated(x[:, [0]], Y)
    assert not is_separated(x[:, [1]], Y)
    assert is_separated(x, Y)


def separating() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    y = np.arange(60) % 2
    return pd.DataFrame({"noise": random.normal(size=60), "leak": y + random.uniform(0, 0.5, 60), "still": 3.0}), y


def test_separated_predictors_have_no_odds_ratio_and_a_note():
    x, y = separating()
    row = UnivariateLogistic().fit(x, y).table_.loc["leak"]
    assert row["kept"]
    assert np.isnan(row["odds_ratio"])
    assert "separates the groups" in row["note"]
    assert UnivariateLogistic(alpha=1.0, separated="drop").fit(x, y).table_["kept"].tolist() == [True, False, False]
    both = MultivariateLogistic().fit(x[["noise", "leak"]], y)
    assert np.isnan(both.intercept_)
    assert both.table_["kept"].all()
    with pytest.raises(UserError, match="together separate"):
        MultivariateLogistic(separated="drop").fit(x[["noise", "leak"]], y)


def test_constant_and_dependent_predictors_are_told():
    x, y = separating()
    assert UnivariateLogistic(alpha=1.0).fit(x, y).table_.loc["still", "note"] == "has one value"
    assert RankSumFilter(alpha=1.0).fit(x, y).table_.loc["still", "note"] == "has one value"
    with pytest.raises(UserError, match="still has one value"):
        MultivariateLogistic().fit(x, y)
    with pytest.raises(UserError, match="linearly dependent"):
        MultivariateLogistic().fit(x[["noise"]].assign(other=1 - 2 * x["noise"]), y)


def test_nothing_left_is_told():
    x, y = separating()
    with pytest.raises(UserError, match="keeps none of the 1 features"):
        RankSumFilter(alpha=0.0001).fit(x[["noise"]], y)


@pytest.mark.parametrize("y", [np.zeros(60), np.arange(60) % 3, np.array(["yes", "no"] * 30), np.arange(30) % 2])
def test_other_outcomes_are_refused(y):
    with pytest.raises(UserError, match="outcome"):
        RankSumFilter().fit(separating()[0], y)
