"""Making the predictor of a bundle out of a trained model."""

import copy
import math
import warnings
from collections.abc import Callable

import numpy as np

from ..errors import UserError, import_optional
from .predictors import Predictor, predictor_from
from .predictors.linear import LogisticPredictor
from .predictors.reading import RefusedError
from .predictors.scikit_check import objects_of, type_name
from .predictors.skops_file import CLASSIFIERS, PIPELINE, SCALERS
from .predictors.tabnet import REAL, WHOLE, predictor_of_network

POSSIBLE = (
    "Possible are scikit-learn's logistic regression, decision trees, random forests, extra trees, gradient boosting, "
    "histogram gradient boosting and support vector machines (these calibrated by CalibratedClassifierCV), also behind "
    "scalers in a pipeline, XGBoost's XGBClassifier and TabNetClassifier, all with the classes 0 and 1."
)
_FORGOTTEN = ("feature_names_in_", "oob_decision_function_", "oob_prediction_", "oob_improvement_", "oob_scores_")
_NOT_NEEDED = (
    "random_state",
    "_rng",
    "_feature_subsample_rng",
    "_random_seed",
    "_scorer",
    "cv",
    "n_jobs",
    "estimator_",
)
_ROWS = 50
_LOGISTIC = "sklearn.linear_model._logistic.LogisticRegression"


def predictor_of(estimator: object) -> tuple[Predictor, np.ndarray, np.ndarray]:
    """Return the predictor of a trained binary classifier, and how its inputs are to be scaled.

    Scalers before a logistic regression, an XGBoost or a TabNet model become `center` and `scale`; those before other
    models stay within the predictor. Patients' names, out-of-bag results and the like are left out; a support vector
    machine still holds the training rows that are its support vectors.

    Parameters
    ----------
    estimator : object
        Of scikit-learn, XGBoost (also a Booster) or pytorch-tabnet.

    Returns
    -------
    predictor : Predictor
    center, scale : ndarray, shape (inputs,)
        The predictor sees (value - center) / scale.

    Raises
    ------
    UserError
        Where no bundle can hold such a model, or what it would hold gives other probabilities.
    """
    scalers, last = _split(estimator)
    make = _MAKERS.get(type_name(last))
    if make is None and type_name(last) not in CLASSIFIERS:
        raise UserError(f"A {type_name(last)} cannot be put in a bundle.", POSSIBLE)
    try:
        predictor, inputs = _scikit(estimator) if make is None else make(last)
    except RefusedError as error:
        raise UserError(f"This {type(last).__name__} cannot be put in a bundle. {error.what}", POSSIBLE) from error
    center, scale = _scaling([] if make is None else scalers, inputs)
    _check_same(estimator, predictor, center, scale)
    return predictor, center, scale


def _split(estimator: object) -> tuple[list[object], object]:
    """Return the scalers of a pipeline and its last step; no scalers where there is no pipeline."""
    if type_name(estimator) != PIPELINE:
        return [], estimator
    steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    other = [step for step in steps[:-1] if type_name(step) not in SCALERS]
    if other or not steps:
        what = type_name(other[0]) if other else "pipeline without a classifier"
        raise UserError(f"A pipeline with a {what} cannot be put in a bundle.", POSSIBLE)
    return steps[:-1], steps[-1]


def _scaling(scalers: list[object], inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return center and scale of one scaler after the other."""
    center, scale = np.zeros(inputs), np.ones(inputs)
    for scaler in scalers:
        own_center, own_scale = _own_scaling(scaler, inputs)
        center, scale = center + scale * own_center, scale * own_scale
    return center, scale


def _own_scaling(scaler: object, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    zero, one = np.zeros(inputs), np.ones(inputs)
    if getattr(scaler, "clip", False):
        raise UserError(
            "A scaler that clips cannot be put in a bundle.",
            "Train again with clip=False: out of range is told anyway.",
        )
    if type(scaler).__name__ == "MinMaxScaler":
        return -scaler.min_ / scaler.scale_, 1 / scaler.scale_
    center = getattr(scaler, "mean_", None) if type(scaler).__name__ == "StandardScaler" else None
    if type(scaler).__name__ == "StandardScaler" and not scaler.with_mean:
        center = None
    if type(scaler).__name__ == "RobustScaler":
        center = scaler.center_
    scale = getattr(scaler, "scale_", None)
    return zero if center is None else center, one if scale is None else scale


def _logistic(model: object) -> tuple[Predictor, int]:
    _check_binary(model)
    coefficients = np.array(model.coef_[0], dtype=np.float64)
    return LogisticPredictor(float(model.intercept_[0]), coefficients), coefficients.size


def _scikit(model: object) -> tuple[Predictor, int]:
    _check_binary(model)
    if not hasattr(model, "predict_proba"):
        raise UserError(
            f"This {type(_split(model)[1]).__name__} gives no probability, so it cannot be put in a bundle.",
            "Train CalibratedClassifierCV(SVC(), ensemble=False) instead; scikit-learn gives up SVC(probability=True).",
        )
    skops = import_optional("skops.io", "Exporting a model of scikit-learn")
    sklearn = import_optional("sklearn", "Exporting a model of scikit-learn")
    inputs = int(model.n_features_in_)
    spec = {"kind": "scikit-learn", "version": sklearn.__version__}
    return predictor_from(spec, {"predictor.skops": skops.dumps(_pruned(model))}, inputs), inputs


def _pruned(model: object) -> object:
    """Return a copy without what only training needed, and without what it kept of the patients."""
    model = copy.deepcopy(model)
    for part in objects_of(model):
        attributes = getattr(part, "__dict__", {})
        for name in _FORGOTTEN:
            attributes.pop(name, None)
        for name in _NOT_NEEDED:
            if name in attributes:
                attributes[name] = None
        if type(part).__name__ == "CalibratedClassifierCV":  # what was copied for training; in a forest it is needed
            part.estimator = None
        if type(part).__name__ == "_BinMapper":
            part.bin_thresholds_ = []
    return model


def _xgboost(model: object) -> tuple[Predictor, int]:
    booster = model
    if type(model).__name__ != "Booster":
        _check_binary(model)
        if np.isfinite(model.missing):
            raise UserError("This XGBoost model takes a number for a missing value.", "Train it with missing=nan.")
        booster = model.get_booster()
        best = booster.attr("best_iteration")  # where training stopped early, the model uses no later trees
        booster = booster if best is None else booster[: int(best) + 1]
    inputs = int(booster.num_features())
    data = {"predictor.json": bytes(booster.save_raw("json"))}
    return predictor_from({"kind": "xgboost"}, data, inputs), inputs


def _tabnet(model: object) -> tuple[Predictor, int]:
    _check_binary(model)
    if model.cat_idxs or model.cat_dims:
        raise UserError("This TabNet model has categorical inputs.", "Train it on numbers: a category as 0 and 1.")
    network = {name: int(getattr(model, name)) for name in WHOLE} | {name: float(getattr(model, name)) for name in REAL}
    groups = [[int(i) for i in group] for group in model.grouped_features or []]
    network |= {"mask_type": model.mask_type, "groups": groups}
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in model.network.state_dict().items()}
    return predictor_of_network(network, int(model.input_dim), weights), int(model.input_dim)


_MAKERS: dict[str, Callable[[object], tuple[Predictor, int]]] = {
    _LOGISTIC: _logistic,
    "xgboost.sklearn.XGBClassifier": _xgboost,
    "xgboost.core.Booster": _xgboost,
    "pytorch_tabnet.tab_model.TabNetClassifier": _tabnet,
}


def _check_binary(model: object) -> None:
    classes = getattr(model, "classes_", None)
    if classes is None:
        raise UserError(f"This {type(model).__name__} has not been trained.", "Call its fit first.")
    if np.asarray(classes).dtype.kind not in "biuf" or np.asarray(classes).tolist() != [0, 1]:
        raise UserError(f"This {type(model).__name__} has other classes than 0 and 1.", POSSIBLE)


def _check_same(estimator: object, predictor: Predictor, center: np.ndarray, scale: np.ndarray) -> None:
    """Refuse where predictor and model disagree: a setting that is not understood must not pass unseen."""
    if type(estimator).__name__ == "Booster":
        return
    x = center + 2 * scale * np.random.default_rng(0).standard_normal((_ROWS, center.size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the columns have no names here
        expected = estimator.predict_proba(x)[:, 1]
    difference = float(np.abs(predictor.output((x - center) / scale) - expected).max())
    if not math.isfinite(difference) or difference > 1e-5:
        raise UserError(f"The exported model would differ by {difference:.2g} from the trained one.", POSSIBLE)
