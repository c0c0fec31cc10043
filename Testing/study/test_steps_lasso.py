"""The lasso against R's glmnet 4.1 on two real tables, and what it is worth on its own."""

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.measurement import Measurement
from OVFRiskLib.models.card import Input
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.inputs import Record, pick
from OVFRiskLib.study.steps import AdaptiveScaler, LassoSelector, Radscore, radscore_input
from OVFRiskLib.study.steps.lasso_path import lasso_path, penalties_of
from scipy.special import expit
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline

from .steps_in_r import LINES, folds, golden, run_r, tables

TABLES = ("breast-cancer", "diabetes")


def path_of(name: str):
    x, y = (part.to_numpy(float) for part in tables()[name])
    return x, y, lasso_path(x, y, penalties_of(x, y, 100, None))


@pytest.mark.parametrize("name", TABLES)
def test_path_is_glmnets(name):
    x, _, path = path_of(name)
    r = golden(name)
    assert path.penalties == pytest.approx(r["penalties"], rel=1e-12)  # as many: it ends where glmnet's ends
    at = np.array(r["at"]) - 1
    theirs = np.array(r["coefficients"])
    assert path.explained[at] == pytest.approx(r["explained"], abs=2e-7)
    sd, largest = x.std(axis=0), np.abs(theirs[:, 1:] * x.std(axis=0)).max()
    assert path.coefficients[at] * sd == pytest.approx(theirs[:, 1:] * sd, abs=5e-5 * largest)  # glmnet's own error
    assert ((path.coefficients[at] != 0) == (theirs[:, 1:] != 0)).all()


@pytest.mark.parametrize("name", TABLES)
def test_path_meets_the_conditions_of_a_minimum(name):
    """|gradient| is λ where there is a coefficient, of its sign, and no larger elsewhere (Karush, Kuhn, Tucker)."""
    x, y, path = path_of(name)
    gradient = (y - expit(path.log_odds(x))) @ ((x - x.mean(axis=0)) / x.std(axis=0)) / len(y)
    share, used = gradient / path.penalties[:, None], path.coefficients != 0
    assert share[used] == pytest.approx(np.sign(path.coefficients[used]), abs=1e-6)
    assert np.abs(share[~used]).max() < 1 + 1e-6
    assert (y - expit(path.log_odds(x))).sum(axis=1) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("measure", ["deviance", "auc"])
@pytest.mark.parametrize("name", TABLES)
def test_choice_is_that_of_cv_glmnet(name, measure):
    x, y = tables()[name]
    r = golden(name)[measure]
    lasso = LassoSelector(measure=measure, splitter=PredefinedSplit(folds(len(x))), penalties=40, ratio=1e-3).fit(x, y)
    assert lasso.lambda_min_ == pytest.approx(r["min"], rel=1e-12)
    assert lasso.lambda_1se_ == pytest.approx(r["se"], rel=1e-12)
    assert lasso.choice_.mean == pytest.approx(r["mean"], abs=1e-6)
    assert lasso.choice_.error == pytest.approx(r["error"], abs=1e-6)
    assert lasso.folds_.tolist() == folds(len(x))


@pytest.mark.parametrize("name", TABLES)
def test_selector_keeps_what_glmnet_keeps(name):
    x, y = tables()[name]
    splitter = PredefinedSplit(folds(len(x)))
    lasso = LassoSelector("1se", splitter=splitter, penalties=40, ratio=1e-3).set_output(transform="pandas").fit(x, y)
    wanted = x.columns[np.array(golden(name)["kept"]) - 1].tolist()
    assert lasso.transform(x).columns.tolist() == wanted == lasso.get_feature_names_out().tolist()


@pytest.mark.parametrize("name", TABLES)
def test_r_still_says_the_same(name):
    again, before = run_r(name), golden(name)
    assert again.keys() == before.keys()
    for key in ("penalties", "coefficients", "rank_sum", "multivariate"):
        assert np.array(again[key]) == pytest.approx(np.array(before[key]), rel=1e-6, abs=1e-9)
    assert golden("r_lines") == LINES


def wide(seed: int, rows: int = 60, features: int = 300, signal: float = 2.0) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, features)) + random.normal(size=(rows, 1))
    y = (signal * x[:, 0] + random.logistic(size=rows) > 0).astype(int)
    return pd.DataFrame(x * 7 + 100, columns=[f"f{n}" for n in range(features)]), y


def test_more_features_than_rows_meet_the_conditions_though_the_groups_are_separable():
    x, y = wide(3)
    x = x.to_numpy()
    path = lasso_path(x, y.astype(float), penalties_of(x, y.astype(float), 100, None))
    gradient = (y - expit(path.log_odds(x))) @ ((x - x.mean(axis=0)) / x.std(axis=0)) / len(y)
    share = np.abs(gradient) / path.penalties[:, None]
    assert share.max() < 1 + 1e-6
    assert share[path.coefficients != 0] == pytest.approx(1, abs=1e-5)


def test_radscore_is_the_sum_that_it_writes_down():
    x, y = tables()["breast-cancer"]
    score = Radscore("1se", folds=5, penalties=40, seed=2).set_output(transform="pandas").fit(x, y)
    terms = score.terms_
    by_hand = score.scaled_intercept_ + ((x[terms.index] - terms["center"]) / terms["scale"]) @ terms["coefficient"]
    found = score.transform(x)
    assert found.columns.tolist() == ["radscore"]
    assert found["radscore"].to_numpy() == pytest.approx(by_hand.to_numpy(), rel=1e-10)
    assert terms["center"].to_numpy() == pytest.approx(x[terms.index].mean().to_numpy())


def test_the_same_seed_gives_the_same_radscore():
    x, y = wide(1)
    once, again = (Radscore(folds=5, penalties=40, seed=4).fit(x, y) for _ in range(2))
    assert once.terms_.equals(again.terms_)
    assert once.lambda_ == again.lambda_


def test_a_radscore_without_features_is_the_same_for_everybody_and_says_so():
    x, y = wide(5, signal=0.0)
    score = Radscore("1se", folds=5, penalties=20, seed=0).fit(x, y)
    assert score.terms_.empty
    assert "keeps no feature" in score.note_
    assert np.unique(score.transform(x)) == pytest.approx(np.log(y.mean() / (1 - y.mean())))
    with pytest.raises(UserError, match="keeps no feature"):
        radscore_input(score, {}, "Radscore")
    with pytest.raises(UserError, match="keeps none of the 300"):
        LassoSelector("1se", folds=5, penalties=20, seed=0).fit(x, y)


def test_a_constant_feature_gets_no_coefficient():
    x, y = wide(2)
    lasso = LassoSelector(folds=5, seed=0).fit(x.assign(f7=0.1), y)
    assert lasso.table_.loc["f7", ["coefficient", "kept", "note"]].tolist() == [0.0, False, "has one value"]


@pytest.mark.parametrize(
    ("parameters", "what"),
    [({"folds": 2}, "folds is 2"), ({"folds": 40}, "rarer outcome has"), ({"choice": "best"}, "choice is 'best'")],
)
def test_wrong_parameters_are_told(parameters, what):
    x, y = wide(2)
    with pytest.raises(UserError, match=what):
        LassoSelector(**parameters).fit(x, y)


def test_a_fold_without_events_is_told():
    x, y = wide(2)
    with pytest.raises(UserError, match="one outcome only"):
        LassoSelector(splitter=PredefinedSplit(np.where(y == 1, 0, 1 + np.arange(len(y)) % 2))).fit(x, y)


def record_of(row: pd.Series, columns: dict[str, Input]) -> Record:
    measured = (
        Measurement("P1", VertebralLevel.L1, None, columns[name].name, value, "1", "p") for name, value in row.items()
    )
    return Record.of("P1", measured, Facts())


def test_card_input_gives_what_the_pipeline_gives():
    x, y = tables()["breast-cancer"]
    columns = {name: Input(f"f{n}", name, "1") for n, name in enumerate(x.columns)}
    pipeline = (
        make_pipeline(AdaptiveScaler(), Radscore("1se", folds=5, penalties=40, seed=2))
        .set_output(transform="pandas")
        .fit(x, y)
    )
    scaler, score = pipeline[0], pipeline[1]
    written = radscore_input(score, columns, "Radscore", scaler)
    assert {"robust", "z-score"} <= set(scaler.table_.loc[score.terms_.index, "method"])
    for row in (0, 17, 400):
        picked = pick(record_of(x.iloc[row], columns), written, VertebralLevel.L1)
        assert picked.value == pytest.approx(pipeline.transform(x.iloc[[row]]).iloc[0, 0], rel=1e-9)


@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-5, 1e-3])
def test_copies_of_features_change_nothing_but_who_gets_the_coefficient(apart):
    x, y = wide(7, features=6)
    x, y = x.to_numpy(), y.astype(float)
    copies = x + apart * x.std(axis=0) * np.random.default_rng(0).normal(size=x.shape)
    alone = lasso_path(x, y, penalties_of(x, y, 50, 1e-3), may_end=False)
    both = np.hstack([x, copies])
    path = lasso_path(both, y, alone.penalties, may_end=False)
    assert path.log_odds(both) == pytest.approx(alone.log_odds(x), abs=max(10 * apart, 1e-4))
