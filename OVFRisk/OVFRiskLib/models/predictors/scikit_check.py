"""What a loaded scikit-learn model must be like, so that asking it cannot crash or mislead.

The file's types are known ones by now (see `skops_file`); here each is looked at as to whether its arrays fit together.
"""

from collections.abc import Callable, Iterator

import numpy as np

from .reading import refused
from .skops_file import CLASSIFIERS, PIPELINE, SCALERS, TREE
from .skops_trees import check_histogram_nodes

_KERNELS = ("linear", "poly", "rbf", "sigmoid")
_FOREST_TREES = {"RandomForestClassifier": "DecisionTreeClassifier", "ExtraTreesClassifier": "ExtraTreeClassifier"}
_LOSSES = ("HalfBinomialLoss", "ExponentialLoss")
_CALIBRATORS = ("_SigmoidCalibration", "IsotonicRegression")
_OF_EVERY_INPUT = ("mean_", "scale_", "center_", "min_", "max_abs_")


def type_name(value: object) -> str:
    """Return the full name of the type of `value`."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


def check_model(model: object, inputs: int) -> None:
    """Refuse a model that is no binary classifier of `inputs` inputs, or whose parts do not fit together."""
    _check_is(type_name(model) in CLASSIFIERS | {PIPELINE}, f"a {type(model).__name__} is no known classifier")
    if type_name(model) == PIPELINE:
        _check_pipeline(model)
    for part in objects_of(model):
        _check_object(part, inputs)


def objects_of(value: object) -> Iterator[object]:
    """Yield `value` and all objects of scikit-learn within it; at most as many as its file had nodes."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist() if value.dtype == object else ()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from objects_of(item)
    elif type(value).__module__.startswith("sklearn."):
        yield value
        yield from objects_of(getattr(value, "__dict__", {}))


def _check_object(part: object, inputs: int) -> None:
    attributes = getattr(part, "__dict__", {})
    name = type(part).__name__
    hidden = attributes.keys() & set(dir(type(part)))
    _check_is(not hidden, f"its {name} hides {sorted(hidden)[:1]}")
    if "n_features_in_" in attributes:
        _check_is(_is(part.n_features_in_, inputs), f"its {name} has other inputs than the model")
    for key in ("classes_", "classes"):
        if key in attributes and name != "LabelEncoder":
            _check_is(_classes(attributes[key]), f"its {name} has other classes than 0 and 1")
    if type_name(part) in SCALERS:
        _check_scaler(attributes, inputs)
    if name in _CHECKS:
        _CHECKS[name](part, inputs)
    if "n_jobs" in attributes:
        part.n_jobs = None
    if "verbose" in attributes:
        part.verbose = 0


def _check_pipeline(model: object) -> None:
    steps = model.steps
    pairs = isinstance(steps, list) and steps and all(isinstance(s, tuple) and len(s) == 2 for s in steps)
    _check_is(pairs and all(isinstance(name, str) for name, _ in steps), "its pipeline has no steps")
    _check_is(all(type_name(step) in SCALERS for _, step in steps[:-1]), "its pipeline does more than scaling")
    _check_is(type_name(steps[-1][1]) in CLASSIFIERS, "its pipeline does not end with a known classifier")
    _check_is(model.memory is None, "its pipeline has a cache")


def _check_scaler(attributes: dict, inputs: int) -> None:
    for key in _OF_EVERY_INPUT:
        value = attributes.get(key)
        _check_is(value is None or _array(value, np.float64, (inputs,)), f"its scaler has an unusable {key}")
    scale = attributes.get("scale_")
    _check_is(scale is None or (scale != 0).all(), "its scaler divides by 0")


def _check_logistic(part: object, inputs: int) -> None:
    _check_is(_array(part.coef_, np.float64, (1, inputs)), "its regression has not one coefficient an input")
    _check_is(_array(part.intercept_, np.float64, (1,)), "its regression has not one intercept")


def _check_tree(part: object, inputs: int) -> None:  # noqa: ARG001
    if "tree_" not in vars(part):
        return  # the pattern of a forest's trees; asked for a probability, it fails in Python
    outputs = 1 if type(part).__name__ == "DecisionTreeRegressor" else 2
    _check_is(type_name(part.tree_) == TREE, "its tree has no nodes")
    _check_is(part.n_outputs_ == 1 and type(part.n_outputs_) is int, "its tree has more than one output")
    _check_is(part.tree_.value.shape[1:] == (1, outputs), "its tree gives something else than a probability")
    _check_is(outputs == 1 or _is(part.n_classes_, 2), "its tree has not two classes")


def _check_forest(part: object, inputs: int) -> None:  # noqa: ARG001
    trees, kind = part.estimators_, _FOREST_TREES[type(part).__name__]
    known = isinstance(trees, list) and trees and all(type(tree).__name__ == kind for tree in trees)
    _check_is(known, "its forest has unknown trees")
    _check_is(_is(part.n_classes_, 2) and _is(part.n_outputs_, 1), "its forest gives something else than a probability")


def _check_boosting(part: object, inputs: int) -> None:
    trees = part.estimators_
    shaped = isinstance(trees, np.ndarray) and trees.dtype == object and trees.ndim == 2 and trees.shape[1] == 1
    _check_is(shaped and trees.size > 0, "its boosting has no trees")
    _check_is(all(type(tree).__name__ == "DecisionTreeRegressor" for tree in trees[:, 0]), "it has unknown trees")
    for tree in trees[:, 0]:
        _check_tree(tree, inputs)
    loss = part._loss
    _check_is(type(loss).__name__ in _LOSSES and _is(loss.n_classes, 2), "its boosting has an unknown loss")
    _check_is(_is(part.n_trees_per_iteration_, 1), "its boosting gives something else than a probability")
    start = part.init_
    _check_is(type(start).__name__ == "DummyClassifier" or start == "zero", "its boosting starts in an unknown way")


def _check_start(part: object, inputs: int) -> None:  # noqa: ARG001
    prior = _array(part.class_prior_, np.float64, (2,)) and part._strategy == "prior"
    _check_is(prior and _is(part.n_outputs_, 1) and _is(part.n_classes_, 2), "its boosting starts in an unknown way")


def _check_histogram(part: object, inputs: int) -> None:
    rounds = part._predictors
    known = isinstance(rounds, list) and rounds and all(isinstance(trees, list) and len(trees) == 1 for trees in rounds)
    _check_is(known and all(type(trees[0]).__name__ == "TreePredictor" for trees in rounds), "it has unknown trees")
    _check_is(_is(part.n_trees_per_iteration_, 1), "its boosting gives something else than a probability")
    _check_is(_array(part._baseline_prediction, np.float64, (1, 1)), "its boosting starts in an unknown way")
    _check_is(part.is_categorical_ is None and part._preprocessor is None, "its boosting has categories")
    mapper = part._bin_mapper
    _check_is(type(mapper).__name__ == "_BinMapper", "its boosting has no bins")
    categorical = mapper.is_categorical_
    _check_is(_array(categorical, np.uint8, (inputs,)) and not categorical.any(), "its boosting has categories")


def _check_histogram_tree(part: object, inputs: int) -> None:
    check_histogram_nodes(part.nodes, inputs)
    for key in ("binned_left_cat_bitsets", "raw_left_cat_bitsets"):
        _check_is(_array(getattr(part, key), np.uint32, (0, 8)), "its boosting has categories")


def _check_svm(part: object, inputs: int) -> None:
    """libsvm copies as many numbers as it expects, whatever there is."""
    n = len(part.support_vectors_) if isinstance(part.support_vectors_, np.ndarray) else 0
    fits = (
        n > 0
        and _array(part.support_vectors_, np.float64, (n, inputs))
        and _array(part.support_, np.int32, (n,))
        and _array(part._n_support, np.int32, (2,))
        and _array(part._dual_coef_, np.float64, (1, n))
        and _array(part.dual_coef_, np.float64, (1, n))
        and _array(part._intercept_, np.float64, (1,))
        and _array(part.intercept_, np.float64, (1,))
    )
    _check_is(fits, "the arrays of its support vector machine do not fit together")
    counts = part._n_support.astype(np.int64)
    _check_is((counts >= 0).all() and counts.sum() == n, "its support vectors are not counted right")
    for key in ("_probA", "_probB"):
        value = getattr(part, key)
        _check_is(_array(value, np.float64, (1,)) or _array(value, np.float64, (0,)), f"it has an unusable {key}")
    _check_is(part._probA.shape == part._probB.shape, "it has an unusable _probA")
    _check_is(part.kernel in _KERNELS, "its support vector machine has an unknown kernel")
    _check_is(type(part.degree) is int and 0 <= part.degree <= 100, "it has an unusable degree")
    _check_is(part._sparse is False and _finite(part._gamma) and _finite(part.coef0), "it has an unusable gamma")
    _check_is(_is(part.shape_fit_[1], inputs) and part.break_ties is False, "it has other inputs than the model")


def _check_calibrated(part: object, inputs: int) -> None:  # noqa: ARG001
    fits = part.calibrated_classifiers_
    known = isinstance(fits, list) and fits and all(type(fit).__name__ == "_CalibratedClassifier" for fit in fits)
    _check_is(known, "its calibration has no classifiers")
    for fit in fits:
        _check_is(type_name(fit.estimator) in CLASSIFIERS | {PIPELINE}, "it calibrates an unknown classifier")
        if type_name(fit.estimator) == PIPELINE:
            _check_pipeline(fit.estimator)
        lone = isinstance(fit.calibrators, list) and len(fit.calibrators) == 1
        _check_is(lone and type(fit.calibrators[0]).__name__ in _CALIBRATORS, "it calibrates in an unknown way")


_CHECKS: dict[str, Callable[[object, int], None]] = {
    "CalibratedClassifierCV": _check_calibrated,
    "DecisionTreeClassifier": _check_tree,
    "DecisionTreeRegressor": _check_tree,
    "DummyClassifier": _check_start,
    "ExtraTreeClassifier": _check_tree,
    "ExtraTreesClassifier": _check_forest,
    "GradientBoostingClassifier": _check_boosting,
    "HistGradientBoostingClassifier": _check_histogram,
    "LogisticRegression": _check_logistic,
    "RandomForestClassifier": _check_forest,
    "SVC": _check_svm,
    "TreePredictor": _check_histogram_tree,
}


def _check_is(condition: object, what: str) -> None:
    if not condition:
        raise refused(what)


def _array(value: object, dtype: type, shape: tuple[int, ...]) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == dtype and value.shape == shape


def _classes(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.tolist() == [0, 1]


def _is(value: object, expected: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value == expected


def _finite(value: object) -> bool:
    return isinstance(value, (int, float, np.floating)) and not isinstance(value, bool) and bool(np.isfinite(value))
