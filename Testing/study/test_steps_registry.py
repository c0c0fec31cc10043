"""All steps behave in a pipeline, and a design file can only set what they allow."""

import inspect

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.steps import STEPS, AdaptiveScaler, RankSumFilter, make_step, pipeline_of, schema_of
from OVFRiskLib.study.steps.sampling import Sampler
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from .steps_in_r import tables

X, Y = tables()["breast-cancer"]
X = X.iloc[:, :12]
TRANSFORMERS = [name for name, step in STEPS.items() if not issubclass(step, Sampler)]


def made(name: str):
    if name == "reproducibility":
        return make_step(name, repeats=(X, X + 1e-3))
    if name == "combat":
        return make_step(name, batches=pd.Series(np.arange(len(X)) % 3, X.index))
    return make_step(name, **({"folds": 5, "penalties": 20} if name in ("lasso", "radscore") else {}))


@pytest.mark.parametrize("name", STEPS)
def test_parameters_are_those_of_the_constructor(name):
    step = STEPS[name]
    own = inspect.signature(step.__init__).parameters if step.__init__ is not object.__init__ else {}
    defaults = {key: parameter.default for key, parameter in own.items() if key != "self"}
    assert {parameter.name: parameter.default for parameter in step.PARAMETERS} == defaults
    assert all(parameter.source for parameter in step.PARAMETERS)
    assert set(schema_of(step)) <= set(defaults)
    assert step().get_params() == defaults


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_pandas_goes_in_and_out_and_a_clone_does_the_same(name):
    step = made(name).set_output(transform="pandas")
    found = step.fit(X, Y).transform(X)
    assert isinstance(found, pd.DataFrame)
    assert found.columns.tolist() == list(step.get_feature_names_out())
    again = clone(step).fit(X, Y)
    pd.testing.assert_frame_equal(again.transform(X), found)
    pd.testing.assert_frame_equal(step.transform(X[300:]), found[300:], rtol=1e-9)  # rows do not see each other
    assert list(step.feature_names_in_) == X.columns.tolist()


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_arrays_give_the_same(name):
    if name in ("reproducibility", "combat"):
        pytest.skip("needs names: of the features, of the patients")
    assert made(name).fit(X.to_numpy(), Y).transform(X.to_numpy()) == pytest.approx(made(name).fit(X, Y).transform(X))


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_wrong_tables_are_told(name):
    with pytest.raises(NotFittedError):
        made(name).transform(X)
    with pytest.raises(UserError, match="missing or infinite values in mean area"):
        made(name).fit(X.assign(**{"mean area": np.nan}), Y)
    fitted = made(name).fit(X, Y)
    with pytest.raises(UserError, match="feature names"):
        fitted.transform(X.iloc[:, ::-1])
    with pytest.raises(UserError, match="missing or infinite"):
        fitted.transform(X.assign(**{"mean area": np.inf}))
    with pytest.raises(UserError, match="Give a table of numbers"):
        made(name).fit(X.assign(**{"mean area": "large"}), Y)


@pytest.mark.parametrize(
    ("name", "parameters", "what"),
    [
        ("pca", {}, "no step 'pca'"),
        ("mrmr", {"number": 3}, "has no number"),
        ("mrmr", {"count": 2.5}, "count is 2.5"),
        ("mrmr", {"count": True}, "count is True"),
        ("mrmr", {"variant": "MIX"}, "variant is 'MIX'"),
        ("rank-sum", {"alpha": 1.5}, "alpha is 1.5"),
        ("rank-sum", {"alpha": float("nan")}, "alpha is nan"),
    ],
)
def test_what_a_design_may_not_set_is_told(name, parameters, what):
    with pytest.raises(UserError, match=what):
        make_step(name, **parameters)


def test_schema_has_limits_and_defaults():
    schema = schema_of(STEPS["mrmr"])
    assert schema["count"] == {"type": "integer", "default": 20, "description": "Ge 2025", "minimum": 1}
    assert schema["variant"]["enum"] == ["MID", "MIQ", "FCD", "FCQ"]


def test_selection_inside_the_folds_shows_no_signal_in_noise():
    """The optimism of choosing before splitting: 60 patients, 800 features of pure noise."""
    random = np.random.default_rng(11)
    inside, before = [], []
    for _ in range(2):
        x, y = random.normal(size=(60, 800)), np.arange(60) % 2
        folds = StratifiedKFold(5)
        steps = [("scale", AdaptiveScaler()), ("test", RankSumFilter(0.05)), ("model", LogisticRegression())]
        inside.append(cross_val_score(pipeline_of(steps), x, y, cv=folds, scoring="roc_auc").mean())
        chosen = RankSumFilter(0.05).fit(x, y).transform(x)
        before.append(cross_val_score(LogisticRegression(), chosen, y, cv=folds, scoring="roc_auc").mean())
    assert 0.3 < np.mean(inside) < 0.7
    assert np.mean(before) > 0.9
