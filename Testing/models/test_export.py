"""Trained models become predictors: the same probabilities, nothing of the patients, or a refusal with advice."""

import json

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.export import predictor_of

from .trained import again, in_new_process, patients

pytest.importorskip("sklearn")

from sklearn import ensemble, linear_model, neighbors, pipeline, preprocessing, svm
from sklearn.calibration import CalibratedClassifierCV

PIPELINE = pipeline.make_pipeline
REGRESSION = linear_model.LogisticRegression
REGRESSIONS = {
    "alone": REGRESSION(),
    "standardised": PIPELINE(preprocessing.StandardScaler(), REGRESSION(C=0.3)),
    "robust": PIPELINE(preprocessing.RobustScaler(quantile_range=(10, 90)), REGRESSION()),
    "to 0-1": PIPELINE(preprocessing.MinMaxScaler((-1, 3)), REGRESSION()),
    "largest": PIPELINE(preprocessing.MaxAbsScaler(), REGRESSION(class_weight="balanced")),
    "not centred": PIPELINE(preprocessing.StandardScaler(with_mean=False), REGRESSION()),
    "only centred": PIPELINE(preprocessing.StandardScaler(with_std=False), REGRESSION()),
    "robust, not centred": PIPELINE(preprocessing.RobustScaler(with_centering=False), REGRESSION()),
    "passed through": PIPELINE("passthrough", preprocessing.StandardScaler(), REGRESSION()),
    "all": PIPELINE(
        preprocessing.MinMaxScaler(), preprocessing.StandardScaler(), preprocessing.RobustScaler(), REGRESSION()
    ),
    "sparse": REGRESSION(solver="liblinear", l1_ratio=1.0, C=0.05),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression_and_its_scalers_become_numbers(name):
    x, y = patients(300)
    model = REGRESSIONS[name].fit(x * 7 + 100, y)
    predictor, center, scale = predictor_of(model)
    test = patients(1000, seed=1)[0] * 7 + 100
    assert predictor.kind == "logistic"
    assert (scale > 0).all()
    found = again(predictor, 5).output((test - center) / scale)
    assert np.abs(found - model.predict_proba(test)[:, 1]).max() < 1e-9


def test_scaling_by_hand():
    x, y = patients(300)
    _, center, scale = predictor_of(PIPELINE(preprocessing.StandardScaler(), REGRESSION()).fit(x, y))
    assert center == pytest.approx(x.mean(axis=0))
    assert scale == pytest.approx(x.std(axis=0))
    _, center, scale = predictor_of(PIPELINE(preprocessing.MinMaxScaler(), REGRESSION()).fit(x, y))
    assert center == pytest.approx(x.min(axis=0))
    assert scale == pytest.approx(x.max(axis=0) - x.min(axis=0))


def test_a_regression_scores_where_no_training_library_is(tmp_path):
    x, y = patients(300)
    model = PIPELINE(preprocessing.StandardScaler(), REGRESSION()).fit(x, y)
    predictor, center, scale = predictor_of(model)
    spec, parts = predictor.parts()
    assert parts == {}
    (tmp_path / "model.json").write_text(json.dumps(spec))
    test, _ = patients(1000, seed=1)
    np.save(tmp_path / "x.npy", (test - center) / scale)
    script = (
        "import sys\nfor name in ('sklearn', 'scipy', 'xgboost', 'torch', 'skops'):\n    sys.modules[name] = None\n"
        "import json\nimport numpy as np\nfrom OVFRiskLib.models.predictors import predictor_from\n"
        "p = predictor_from(json.loads(open('model.json').read()), {}, 5)\n"
        "print(json.dumps(p.output(np.load('x.npy')).tolist()))"
    )
    found = json.loads(in_new_process(script, tmp_path))
    assert np.abs(np.array(found) - model.predict_proba(test)[:, 1]).max() < 1e-9


@pytest.mark.parametrize("scaled", [False, True])
def test_xgboost_gives_the_library_s_digits(scaled):
    xgboost = pytest.importorskip("xgboost")
    x, y = patients(300)
    last = xgboost.XGBClassifier(n_estimators=15, n_jobs=1)
    model = (PIPELINE(preprocessing.StandardScaler(), last) if scaled else last).fit(x, y)
    predictor, center, scale = predictor_of(model)
    test, _ = patients(1000, seed=1)
    found = again(predictor, 5).output((test - center) / scale)
    assert np.array_equal(found, model.predict_proba(test)[:, 1].astype(np.float64))
    if not scaled:
        assert np.array_equal(predictor_of(model.get_booster())[0].output(test), found)


def test_trees_after_early_stopping_are_left_out():
    xgboost = pytest.importorskip("xgboost")
    x, y = patients(300)
    model = xgboost.XGBClassifier(n_estimators=200, learning_rate=0.9, early_stopping_rounds=5, n_jobs=1)
    model.fit(x[:200], y[:200], eval_set=[(x[200:], y[200:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    test, _ = patients(1000, seed=1)
    found = again(predictor_of(model)[0], 5).output(test)
    assert np.array_equal(found, model.predict_proba(test)[:, 1].astype(np.float64))


def test_nothing_of_the_patients_is_kept():
    pandas = pytest.importorskip("pandas")
    x, y = patients(100)
    table = pandas.DataFrame(x, columns=["Jane Roe", "b", "c", "d", "e"])
    model = ensemble.RandomForestClassifier(30, oob_score=True, random_state=np.random.RandomState(0)).fit(table, y)
    data = predictor_of(model)[0].parts()[1]["predictor.skops"]
    for word in (b"Jane Roe", b"feature_names_in_", b"oob_decision_function_", b"RandomState", b"__id__"):
        assert word not in data
    assert hasattr(model, "oob_decision_function_")


def test_the_same_model_gives_the_same_bytes():
    x, y = patients(100)
    models = [ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0).fit(x, y) for _ in range(2)]
    first, second = (predictor_of(model)[0].parts() for model in models)
    assert first == second


def test_outcomes_may_be_true_and_false():
    x, y = patients(100)
    model = ensemble.RandomForestClassifier(5, random_state=0).fit(x, y.astype(bool))
    assert np.array_equal(predictor_of(model)[0].output(x), model.predict_proba(x)[:, 1])


class OwnScaler(preprocessing.StandardScaler):
    """Somebody's own."""


def wrong_models():
    x, y = patients(120)
    three = np.digitize(x[:, 0], [-0.5, 0.5])
    return {
        "untrained": (REGRESSION(max_iter=1000), "not been trained"),
        "no model": (object(), "builtins.object"),
        "neighbours": (neighbors.KNeighborsClassifier().fit(x, y), "KNeighborsClassifier"),
        "a regressor": (ensemble.RandomForestRegressor(3).fit(x, y), "RandomForestRegressor"),
        "three classes": (REGRESSION(max_iter=1000).fit(x, three), "classes than 0 and 1"),
        "three classes, a forest": (ensemble.RandomForestClassifier(3).fit(x, three), "classes than 0 and 1"),
        "words": (REGRESSION().fit(x, np.where(y, "yes", "no")), "classes than 0 and 1"),
        "1 and 2": (ensemble.RandomForestClassifier(3).fit(x, y + 1), "classes than 0 and 1"),
        "no probability": (svm.SVC().fit(x, y), "gives no probability"),
        "scaled, no probability": (PIPELINE(preprocessing.StandardScaler(), svm.SVC()).fit(x, y), "no probability"),
        "polynomials": (
            PIPELINE(preprocessing.PolynomialFeatures(), REGRESSION(max_iter=1000)).fit(x, y),
            "PolynomialFeatures",
        ),
        "clipped": (PIPELINE(preprocessing.MinMaxScaler(clip=True), REGRESSION()).fit(x, y), "clips"),
        "own scaler": (PIPELINE(OwnScaler(), REGRESSION()).fit(x, y), "OwnScaler"),
        "calibrated neighbours": (
            CalibratedClassifierCV(neighbors.KNeighborsClassifier(), cv=2).fit(x, y),
            "KNeighborsClassifier",
        ),
    }


@pytest.fixture(scope="module")
def wrong():
    return wrong_models()


@pytest.mark.parametrize(
    "name",
    [
        "untrained", "no model", "neighbours", "a regressor", "three classes", "three classes, a forest", "words",
        "1 and 2", "no probability", "scaled, no probability", "polynomials", "clipped", "own scaler",
        "calibrated neighbours",
    ],
)  # fmt: skip
def test_other_models_are_refused_with_advice(wrong, name):
    model, says = wrong[name]
    with pytest.raises(UserError, match=says) as refusal:
        predictor_of(model)
    assert refusal.value.what_to_do


def test_a_support_vector_machine_without_probability_names_the_way_out(wrong):
    with pytest.raises(UserError) as refusal:
        predictor_of(wrong["no probability"][0])
    assert "CalibratedClassifierCV" in refusal.value.what_to_do


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"missing": 0}, "missing"),
        ({"booster": "dart"}, "gbtree"),
        ({"booster": "gblinear"}, "gbtree"),
        ({"objective": "binary:hinge"}, "objective"),
    ],
)
def test_other_kinds_of_xgboost_are_refused(settings, says):
    xgboost = pytest.importorskip("xgboost")
    x, y = patients(60)
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1, **settings).fit(x, y)
    with pytest.raises(UserError, match=says):
        predictor_of(model)


def test_what_would_give_other_probabilities_is_refused():
    """A change that the exporter does not know of must not pass unseen."""
    x, y = patients(100)
    model = REGRESSION().fit(x, y)
    model.predict_proba = lambda rows: np.full((len(rows), 2), 0.5)
    with pytest.raises(UserError, match="would differ by"):
        predictor_of(model)
