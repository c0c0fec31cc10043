"""The searches: given folds, one table a seed on one core or two, the best by hand, refusals."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from OVFRiskLib.errors import UserError
from OVFRiskLib.models.export import predictor_of
from OVFRiskLib.study.learners import LEARNERS, Learner, Phase, exportable
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

NAMES = [f"cancellous_wavelet-LLH_glcm_F{n}" for n in range(6)]
NEEDS = {"xgboost": ("xgboost",), "tabnet": ("torch", "pytorch_tabnet", "safetensors")}


def patients(rows=120, seed=0):
    random = np.random.default_rng(seed)
    x = pd.DataFrame(random.normal(size=(rows, 6)) * 50 + 200, columns=NAMES)
    logit = (x[NAMES[0]] - 200) / 30 + np.abs(x[NAMES[1]] - 200) / 40 - 1.5
    return x, (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(int).to_numpy()


def folds(x, y, count=3):
    return list(StratifiedKFold(count, shuffle=True, random_state=1).split(x, y))


def searched(name, candidates=2, seed=5, jobs=1, **more):
    for package in NEEDS.get(name, ()):
        pytest.importorskip(package)
    x, y = patients()
    return LEARNERS[name].search(x, y, folds(x, y), candidates, seed, jobs, **more)


@pytest.fixture(scope="module", params=LEARNERS)
def found(request):
    return searched(request.param)


def test_a_bundle_gives_the_same_probabilities(found):
    predictor, center, scale = predictor_of(exportable(found.estimator))
    x, _ = patients(500, seed=9)
    given = found.estimator.predict_proba(x)[:, 1]
    assert np.abs(predictor.output((x.to_numpy() - center) / scale) - given).max() < 1e-6
    assert 0.02 < given.std()


def test_the_estimator_is_one_of_scikit_learn(found):
    x, y = patients()
    again = clone(found.estimator).fit(x, y)
    assert np.abs(again.predict_proba(x) - found.estimator.predict_proba(x)).max() < 1e-6
    assert set(np.unique(again.predict(x))) <= {0, 1}
    assert list(found.estimator.feature_names_in_) == NAMES
    with pytest.raises(ValueError, match=r"feature.names"):
        found.estimator.predict_proba(x[NAMES[::-1]])


def test_the_table_names_the_best(found):
    table = found.candidates
    best = table[table["rank"] == 1].iloc[0]
    each = table.filter(like="fold_").to_numpy()
    assert each.shape[1] == 3
    assert table["mean"].to_numpy() == pytest.approx(each.mean(axis=1))
    assert table["sd"].to_numpy() == pytest.approx(np.std(each, axis=1, ddof=1))
    assert best["mean"] == table["mean"].max() == found.score
    assert all(best[name] == value for name, value in found.parameters.items())
    assert sorted(table["rank"]) == list(range(1, len(table) + 1))


def test_scores_are_those_of_the_given_folds():
    """The best candidate, trained and judged by hand on the same folds."""
    x, y = patients()
    for name, model in {
        "logistic": LogisticRegression(solver="saga", max_iter=5000, random_state=5),
        "svm": SVC(),
    }.items():
        result = searched(name)
        by_hand = []
        for training, test in folds(x, y):
            fitted = make_pipeline(StandardScaler(), clone(model).set_params(**result.parameters))
            margin = fitted.fit(x.iloc[training], y[training]).decision_function(x.iloc[test])
            by_hand.append(roc_auc_score(y[test], margin))
        assert result.score == pytest.approx(np.mean(by_hand), abs=1e-12)


def test_two_processes_give_the_same_table():
    alone, two = searched("tabnet"), searched("tabnet", jobs=2)
    pd.testing.assert_frame_equal(alone.candidates, two.candidates, check_exact=True)
    x, _ = patients(50, seed=3)
    assert np.array_equal(alone.estimator.predict_proba(x), two.estimator.predict_proba(x))


def test_another_seed_tries_others():
    assert searched("logistic").candidates["C"].tolist() != searched("logistic", seed=6).candidates["C"].tolist()


def test_more_candidates_begin_with_the_same():
    few, many = searched("svm", 2).candidates, searched("svm", 6).candidates
    assert few["mean"].tolist() == many["mean"].tolist()[:2]
    assert len(many) == 6


def test_a_later_phase_starts_from_the_best():
    def build(parameters, _seed):
        return LogisticRegression(C=parameters["C"], max_iter=parameters["max_iter"])

    phases = (Phase("first", {"C": [1e-4, 10.0]}, 0.5), Phase("second", {"max_iter": [50, 60]}))
    learner = Learner("two", "Two", "", build, phases, start={"max_iter": 1000})
    x, y = patients()
    z = (x - 200) / 50
    result = learner.search(z, y, folds(z, y), 4, 0)
    assert [row["phase"] for _, row in result.candidates.iterrows()] == ["first"] * 2 + ["second"] * 2
    assert result.candidates["max_iter"].tolist()[:2] == [1000, 1000]
    best_first = result.candidates.iloc[:2].sort_values("mean").iloc[-1]["C"]
    assert result.candidates["C"].tolist()[2:] == [best_first] * 2
    assert sorted(result.candidates["max_iter"].tolist()[2:]) == [50, 60]


def test_what_is_prepared_sees_the_training_part_only():
    x, y = patients()
    seen = []

    def keep_two(training, outcomes, other):
        seen.append((training.index.tolist(), other.index.tolist()))
        columns = NAMES[1:3]
        return training[columns], outcomes, other[columns]

    result = LEARNERS["logistic"].search(x, y, folds(x, y), 2, 0, prepare=keep_two)
    parts = [(training.tolist(), test.tolist()) for training, test in folds(x, y)]
    assert seen == [*parts, (list(range(120)), list(range(120)))]
    assert list(result.estimator.feature_names_in_) == NAMES[1:3]


def test_prepared_rows_may_be_more():
    x, y = patients()

    def doubled(training, outcomes, other):
        return pd.concat([training, training]), np.concatenate([outcomes, outcomes]), other

    result = LEARNERS["random-forest"].search(x, y, folds(x, y), 1, 0, prepare=doubled)
    assert result.estimator.estimators_[0].tree_.n_node_samples[0] > 120 * 0.63


def wrong():
    x, y = patients()
    good = folds(x, y)
    gap, words = x.copy(), x.astype(object)
    gap.iloc[3, 2] = np.nan
    words.iloc[0, 0] = "high"
    return {
        "gap": ((gap, y, good, 2), NAMES[2]),
        "text": ((words, y, good, 2), "numbers"),
        "no inputs": ((x[[]], y, good, 2), "no inputs"),
        "1 and 2": ((x, y + 1, good, 2), "0 and 1"),
        "one outcome": ((x, y * 0, good, 2), "0 and 1"),
        "fewer outcomes": ((x, y[:-1], good, 2), "120 patients and 119"),
        "no folds": ((x, y, [], 2), "no folds"),
        "leak": ((x, y, [(np.arange(100), np.arange(90, 120))], 2), "Fold 1 trains on patients that it tests on"),
        "fold of one outcome": (
            (x, y, [(np.arange(60), np.arange(60, 120)[y[60:] == 1])], 2),
            "Fold 1 has patients of one",
        ),
        "no candidate": ((x, y, good, 0), "at least one candidate"),
    }


@pytest.mark.parametrize("name", wrong())
def test_mistakes_are_told(name):
    (x, y, parts, candidates), says = wrong()[name]
    with pytest.raises(UserError, match=says):
        LEARNERS["logistic"].search(x, y, parts, candidates, 0)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_what_did_not_converge_is_noted():
    learner = Learner(
        "short", "", "", lambda _, seed: LogisticRegression(max_iter=1, random_state=seed), (Phase("", {}),)
    )
    x, y = patients()
    note = learner.search((x - 200) / 50, y, folds(x, y), 1, 0).candidates["note"][0]
    assert "failed to converge" in note
