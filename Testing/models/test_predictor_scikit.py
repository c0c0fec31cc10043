"""Models of scikit-learn through a bundle: the same probabilities, and contributions with a reference of their own."""

import io
import json
import zipfile
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.export import predictor_of
from OVFRiskLib.models.predictors import predictor_from, scikit
from OVFRiskLib.models.predictors.skops_trees import float32_above

from .trained import again, patients

sklearn = pytest.importorskip("sklearn")
pytest.importorskip("skops")

from sklearn import ensemble, linear_model, pipeline, preprocessing, svm, tree  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402

PART = "predictor.skops"
PIPELINE = pipeline.make_pipeline
MODELS = {
    "tree": tree.DecisionTreeClassifier(max_depth=5, random_state=0),
    "forest": ensemble.RandomForestClassifier(30, class_weight="balanced", random_state=0),
    "extra trees": ensemble.ExtraTreesClassifier(20, max_features=None, random_state=0),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0),
    "exponential": ensemble.GradientBoostingClassifier(loss="exponential", n_estimators=10, init="zero"),
    "histogram": ensemble.HistGradientBoostingClassifier(max_iter=15, early_stopping=True, random_state=0),
    "calibrated svm": CalibratedClassifierCV(svm.SVC(kernel="poly", degree=2), ensemble=False, cv=3),
    "scaled svms": PIPELINE(preprocessing.RobustScaler(), CalibratedClassifierCV(svm.SVC(), cv=3)),
    "isotonic forest": CalibratedClassifierCV(ensemble.RandomForestClassifier(5), method="isotonic", cv=3),
    "calibrated regression": CalibratedClassifierCV(linear_model.LogisticRegression(), cv=3),
    "every scaler": PIPELINE(
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler(),
        preprocessing.MaxAbsScaler(),
        ensemble.RandomForestClassifier(5, random_state=0),
    ),
}


@pytest.fixture(scope="module")
def fitted():
    x, y = patients(200)
    return {name: model.fit(x, y) for name, model in MODELS.items()}


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_are_the_library_s(fitted, name):
    model = fitted[name]
    predictor, center, scale = predictor_of(model)
    x, _ = patients(1000, seed=1)
    found = again(predictor, 5)
    assert (found.kind, found.warnings) == ("scikit-learn", ())
    assert np.abs(found.output((x - center) / scale) - model.predict_proba(x)[:, 1]).max() < 1e-9
    assert found.parts()[1] == predictor.parts()[1]


@pytest.mark.filterwarnings("ignore:.*probability.*:FutureWarning")
def test_support_vectors_are_known_as_rows_of_the_training(fitted):
    holding = {name for name in MODELS if again(predictor_of(fitted[name])[0], 5).holds_training_rows}
    assert holding == {"calibrated svm", "scaled svms"}


def test_a_support_vector_machine_with_its_own_probability():
    x, y = patients(150)
    model = PIPELINE(preprocessing.StandardScaler(), svm.SVC(probability=True, random_state=0))
    if not hasattr(model.fit(x, y), "predict_proba"):
        pytest.skip("this scikit-learn has no SVC(probability=True)")
    test, _ = patients(1000, seed=1)
    predictor = again(predictor_of(model)[0], 5)
    assert np.abs(predictor.output(test) - model.predict_proba(test)[:, 1]).max() < 1e-9


def expectation(nodes, x, known, node=0):
    """A tree's mean output where only the `known` inputs are: both branches, weighted by the training data."""
    if nodes.children_left[node] < 0:
        return nodes.value[node, 0, 1]
    left, right = nodes.children_left[node], nodes.children_right[node]
    feature = nodes.feature[node]
    if feature in known:
        return expectation(nodes, x, known, left if np.float32(x[feature]) <= nodes.threshold[node] else right)
    weights = nodes.weighted_n_node_samples
    parts = [weights[child] * expectation(nodes, x, known, child) for child in (left, right)]
    return sum(parts) / weights[node]


def brute_force(nodes, x):
    inputs = range(x.size)
    amounts = np.zeros(x.size)
    for i in inputs:
        others = [j for j in inputs if j != i]
        for size in range(x.size):
            share = factorial(size) * factorial(x.size - size - 1) / factorial(x.size)
            for known in combinations(others, size):
                amounts[i] += share * (expectation(nodes, x, {*known, i}) - expectation(nodes, x, set(known)))
    return amounts


@pytest.mark.parametrize("name", ["tree", "forest", "extra trees"])
def test_contributions_of_forests_are_shapley_values_of_the_trees(fitted, name):
    pytest.importorskip("xgboost")
    model = fitted[name]
    predictor = predictor_of(model)[0]
    members = [m.tree_ for m in getattr(model, "estimators_", [model])]
    x, _ = patients(3, seed=4)
    for row in x:
        found = predictor.contributions(row, np.zeros(5))
        expected = np.mean([brute_force(nodes, row) for nodes in members], axis=0)
        assert found.amounts == pytest.approx(expected, abs=2e-6)
        assert found.base == pytest.approx(np.mean([expectation(nodes, row, set()) for nodes in members]), abs=2e-6)
        assert found.base + found.amounts.sum() == pytest.approx(model.predict_proba(row[None])[0, 1], abs=1e-12)
    assert (found.scale, found.method) == ("probability", "TreeSHAP")


def test_the_trees_for_tree_shap_go_the_same_way_at_their_thresholds(fitted):
    pytest.importorskip("xgboost")
    model = fitted["forest"]
    thresholds = [np.unique(np.concatenate([m.tree_.threshold[m.tree_.feature == i] for m in model.estimators_]))
                  for i in range(5)]  # fmt: skip
    random = np.random.default_rng(0)
    at = np.column_stack([random.choice(t, 1000) for t in thresholds])
    x = np.where(random.random(at.shape) < 0.5, at, np.nextafter(at.astype(np.float32), np.float32(np.inf)))
    predictor = predictor_of(model)[0]
    assert np.abs(predictor._forest.output(x) - model.predict_proba(x)[:, 1]).max() < 1e-6


def test_the_smallest_float32_above():
    one = np.float64(1.0)
    next_one = np.nextafter(np.float32(1), np.float32(2))
    found = float32_above(np.array([one, np.nextafter(one, 2), np.nextafter(one, 0), -one, 0.1]))
    expected = [next_one, next_one, np.float32(1), np.nextafter(np.float32(-1), np.float32(0)), np.float32(0.1)]
    assert found.tolist() == [float(value) for value in expected]


def test_without_xgboost_the_typical_patient_is_the_reference(fitted, monkeypatch):
    monkeypatch.setattr(scikit, "find_spec", lambda name: None)  # noqa: ARG005
    predictor = predictor_of(fitted["forest"])[0]
    x, _ = patients(2)
    found = predictor.contributions(x[0], x[1])
    assert found.method == "Shapley values against the typical patient"
    assert found.base == pytest.approx(fitted["forest"].predict_proba(x[1:])[0, 1], abs=1e-12)
    assert found.base + found.amounts.sum() == pytest.approx(fitted["forest"].predict_proba(x[:1])[0, 1], abs=1e-12)


def other_version(data: bytes, version: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                old, new = (json.dumps(json.dumps(v)).encode() for v in (sklearn.__version__, version))
                assert old in content
                content = content.replace(old, new)
            target.writestr(name, content)
    return out.getvalue()


def test_another_version_is_told(fitted):
    spec, parts = predictor_of(fitted["tree"])[0].parts()
    found = predictor_from({**spec, "version": "1.6.1"}, {PART: other_version(parts[PART], "1.6.1")}, 5)
    assert len(found.warnings) == 1
    assert "trained with scikit-learn 1.6.1" in found.warnings[0]
    assert sklearn.__version__ in found.warnings[0]


def test_another_version_that_does_not_load_is_refused_by_its_name(fitted):
    spec, parts = predictor_of(fitted["tree"])[0].parts()
    with pytest.raises(UserError, match=r"scikit-learn 0\.24\.2 trained it") as refusal:
        predictor_from({**spec, "version": "0.24.2"}, {PART: parts[PART][:-100]}, 5)
    assert "Install scikit-learn 0.24.2" in refusal.value.what_to_do


@pytest.mark.parametrize("version", [None, 1.9, "", "newest", "1.9.1\nx", "1." + "9" * 100])
def test_a_wrong_version_is_refused(fitted, version):
    spec, parts = predictor_of(fitted["tree"])[0].parts()
    with pytest.raises(UserError, match="version"):
        predictor_from({**spec, "version": version}, parts, 5)


def test_other_inputs_are_refused(fitted):
    for name in ("tree", "forest", "boosting", "histogram", "calibrated svm", "every scaler"):
        spec, parts = predictor_of(fitted[name])[0].parts()
        for inputs in (4, 6):
            with pytest.raises(UserError):
                predictor_from(spec, parts, inputs)
