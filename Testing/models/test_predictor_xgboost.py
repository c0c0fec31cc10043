"""Boosted trees against XGBoost itself, and against files that would make it read foreign memory."""

import copy
import json

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.predictors import predictor_from

from .trained import FUZZ, again, in_new_process, patients

xgboost = pytest.importorskip("xgboost")
PART = "predictor.json"


def trained(**settings):
    x, y = patients(300)
    return xgboost.XGBClassifier(**{"n_estimators": 20, "max_depth": 4, "n_jobs": 1, **settings}).fit(x, y)


def raw(model) -> bytes:
    return bytes(model.get_booster().save_raw("json"))


def read(data: bytes, inputs: int = 5):
    return predictor_from({"kind": "xgboost"}, {PART: data}, inputs)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"base_score": 0.123456789, "gamma": 1.0},
        {"num_parallel_tree": 3, "subsample": 0.5, "n_estimators": 5},
        {"tree_method": "exact", "max_depth": 9},
        {"scale_pos_weight": 7.0, "max_leaves": 5, "grow_policy": "lossguide", "max_depth": 0},
    ],
)
def test_probabilities_are_the_library_s_to_the_last_digit(settings):
    model = trained(**settings)
    x, _ = patients(1000, seed=1)
    predictor = again(read(raw(model)), 5)
    assert np.array_equal(predictor.output(x), model.predict_proba(x)[:, 1].astype(np.float64))


def test_contributions_are_the_library_s_tree_shap():
    model = trained()
    x, _ = patients(50, seed=2)
    predictor = read(raw(model))
    expected = model.get_booster().predict(xgboost.DMatrix(x), pred_contribs=True)
    margins = model.predict(x, output_margin=True)
    for row, reference, margin in zip(x, expected, margins):
        found = predictor.contributions(row, np.zeros(5))
        assert found.amounts == pytest.approx(reference[:-1], abs=1e-5)
        assert found.base == pytest.approx(reference[-1], abs=1e-4)
        assert found.amounts.sum() + found.base == pytest.approx(float(margin), abs=1e-12)
    assert (found.scale, found.method) == ("log-odds", "TreeSHAP")


def test_what_the_library_gets_holds_nothing_foreign():
    model = json.loads(raw(trained()))
    model["learner"]["attributes"] = {"patient": "Jane Roe"}
    model["learner"]["feature_names"] = ["a", "b", "c", "d", "e"]
    model["surprise"] = 1
    kept = read(json.dumps(model).encode()).parts()[1][PART]
    assert b"Jane" not in kept
    assert json.loads(kept)["learner"]["feature_names"] == []
    assert "surprise" not in json.loads(kept)


def test_nodes_that_were_pruned_are_left_out():
    model = json.loads(raw(trained(n_estimators=1, max_depth=2)))
    tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
    before = read(json.dumps(model).encode())
    for key, value in {**dict.fromkeys(tree, 0), "left_children": -1, "right_children": -1}.items():
        if isinstance(tree[key], list) and not key.startswith("categories"):
            tree[key].append(value)
    tree["tree_param"]["num_nodes"] = str(len(tree["left_children"]))
    x, _ = patients(200)
    assert np.array_equal(read(json.dumps(model).encode()).output(x), before.output(x))


def _tree(model):
    return model["learner"]["gradient_booster"]["model"]["trees"][0]


def _set(*path_and_value):
    *path, value = path_and_value

    def change(model):
        place = _tree(model)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def _learner(*path_and_value):
    *path, value = path_and_value

    def change(model):
        place = model["learner"]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


PARAMS = "learner_model_param"
BOOSTER = "gradient_booster"
WRONG = {
    "child out of range": (_set("left_children", 0, 10**6), "does not have"),
    "child below range": (_set("left_children", 0, -7), "does not have"),
    "circle": (_set("left_children", 1, 0), "twice"),
    "one node twice": (_set("left_children", 0, 2), "twice"),
    "one child": (_set("left_children", 0, -1), "one child"),
    "input out of range": (_set("split_indices", 0, 5), "input"),
    "input below range": (_set("split_indices", 0, -1), "input"),
    "input no whole number": (_set("split_indices", 0, 1.5), "split_indices"),
    "infinite condition": (_set("split_conditions", 0, 1e300), "no usable number"),
    "text as condition": (_set("split_conditions", 0, "1"), "split_conditions"),
    "lists in a list": (_set("split_conditions", 0, [1, 2]), "split_conditions"),
    "negative cover": (_set("sum_hessian", 0, -1.0), "statistics"),
    "shorter list": (_set("split_indices", [0]), "lengths"),
    "categorical split": (_set("split_type", 0, 1), "categories"),
    "categories": (_set("categories", [1]), "categories"),
    "vector leaves": (_set("tree_param", "size_leaf_vector", "3"), "more than one value"),
    "wrong node count": (_set("tree_param", "num_nodes", "3"), "number of nodes"),
    "no list": (_set("left_children", None), "left_children"),
    "other objective": (_learner("objective", "name", "multi:softprob"), "objective"),
    "regression": (_learner("objective", "name", "reg:squarederror"), "objective"),
    "linear booster": (_learner(BOOSTER, "name", "gblinear"), "booster"),
    "dart": (_learner(BOOSTER, "name", "dart"), "booster"),
    "more inputs": (_learner(PARAMS, "num_feature", "6"), "inputs"),
    "classes": (_learner(PARAMS, "num_class", "3"), "more than one probability"),
    "targets": (_learner(PARAMS, "num_target", "2"), "more than one probability"),
    "base score": (_learner(PARAMS, "base_score", "1.0"), "base_score"),
    "base score nan": (_learner(PARAMS, "base_score", "nan"), "base_score"),
    "two base scores": (_learner(PARAMS, "base_score", "[0.5,0.5]"), "base_score"),
    "no trees": (_learner(BOOSTER, "model", "trees", []), "trees"),
    "tree of another class": (_learner(BOOSTER, "model", "tree_info", 0, 1), "one output"),
    "tree count": (_learner(BOOSTER, "model", "gbtree_model_param", "num_trees", "3"), "number of trees"),
}


@pytest.fixture(scope="module")
def good():
    return json.loads(raw(trained(n_estimators=2, max_depth=3)))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_model_is_refused(good, name):
    change, says = WRONG[name]
    model = copy.deepcopy(good)
    change(model)
    with pytest.raises(UserError, match=says) as refusal:
        read(json.dumps(model).encode())
    assert len(refusal.value.what.splitlines()) == 1


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"NaN", b"\xff\xfe", b"[" * 100_000, b'{"learner": 1}', b"1" * 5000, b"UBJ{L"]
)
def test_other_data_is_refused(data):
    with pytest.raises(UserError):
        read(data)


def chain(model: dict, depth: int) -> bytes:
    """Return `model` with a tree of which every right child is split again."""
    n = 2 * depth + 1
    inner = np.arange(0, n - 1, 2)
    left, right = np.full(n, -1), np.full(n, -1)
    left[inner], right[inner] = inner + 1, inner + 2
    zeros = [0] * n
    model = copy.deepcopy(model)
    _tree(model).update(left_children=left.tolist(), right_children=right.tolist(), sum_hessian=[1.0] * n)
    _tree(model).update(dict.fromkeys(("split_indices", "split_type", "split_conditions", "default_left"), zeros))
    _tree(model)["tree_param"]["num_nodes"] = str(n)
    return json.dumps(model).encode()


def test_too_deep_a_tree_is_refused(good):
    read(chain(good, 200))
    with pytest.raises(UserError, match="deeper than 200"):
        read(chain(good, 201))


def test_nothing_crashes_on_changed_models(good, tmp_path):
    (tmp_path / PART).write_text(json.dumps(good))
    script = FUZZ + (
        f"model = json.loads(open('{PART}').read())\n"
        "spec = {'kind': 'xgboost'}\n"
        "for m in mutations(model, 800):\n    tried(spec, {'predictor.json': json.dumps(m).encode()}, 5)\n"
        "for d in flipped(json.dumps(model).encode(), 200):\n    tried(spec, {'predictor.json': d}, 5)\n"
        "print(refusals, uses)"
    )
    refusals, uses = map(int, in_new_process(script, tmp_path).split())
    assert refusals > 500
    assert uses > 20


def test_without_usable_covers_the_typical_patient_is_the_reference(good):
    model = copy.deepcopy(good)
    _tree(model)["sum_hessian"] = [0.0] * len(_tree(model)["sum_hessian"])
    x, _ = patients(2)
    predictor = read(json.dumps(model).encode())
    found = predictor.contributions(x[0], x[1])
    assert found.method.startswith("Shapley values against the typical patient")
    probability = predictor.output(x)
    assert found.base == pytest.approx(np.log(probability[1] / (1 - probability[1])), abs=1e-5)
    assert found.base + found.amounts.sum() == pytest.approx(np.log(probability[0] / (1 - probability[0])), abs=1e-5)
