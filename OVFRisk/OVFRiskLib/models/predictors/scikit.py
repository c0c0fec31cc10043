"""Models of scikit-learn: forests, boosted trees, support vector machines, calibrated and scaled ones."""

import re
import warnings as python_warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import ClassVar

import numpy as np

from ...errors import UserError, import_optional
from .base import Contributions
from .reading import check_keys, check_parts, probabilities, refused, row_of, rows_of, shown
from .scikit_check import check_model, objects_of, type_name
from .shapley import shapley
from .skops_file import OBJECTS, TREE, rewritten
from .skops_trees import sklearn_tree
from .trees import Booster, Tree, checked_tree, covers_add_up, model_text

PART = "predictor.skops"
_FEATURE = "Scoring with a model of scikit-learn"
_VERSION = re.compile(r"\d{1,4}(\.\w{1,20}){1,4}")
_FORESTS = ("RandomForestClassifier", "ExtraTreesClassifier")


@dataclass(frozen=True, eq=False)
class ScikitPredictor:
    """A checked model of scikit-learn with the classes 0 and 1.

    Parameters
    ----------
    data : bytes
        As `skops_file.rewritten` gives it.
    model : object
        What it loads as.
    inputs : int
    version : str
        Of the scikit-learn that trained it.
    warnings : tuple of str
    """

    data: bytes
    model: object
    inputs: int
    version: str
    warnings: tuple[str, ...] = ()
    kind: ClassVar[str] = "scikit-learn"

    def output(self, x: np.ndarray) -> np.ndarray:
        """Return the probabilities of class 1, shape (rows,)."""
        x = rows_of(x, self.inputs)
        return probabilities(self.model.predict_proba(x)[:, 1], len(x))

    def interval(self, x: np.ndarray) -> None:
        """Return None: these models know none."""

    def contributions(self, x: np.ndarray, typical: np.ndarray) -> Contributions:
        """Return TreeSHAP values of a forest where XGBoost is installed, else Shapley values against `typical`."""
        x = row_of(x, self.inputs)
        if self._forest is not None:
            amounts, _ = self._forest.tree_shap(x)
            base = float(self.output(x[np.newaxis])[0] - amounts.sum())
            return Contributions(amounts, base, "probability", "TreeSHAP")
        return shapley(self.output, x, row_of(typical, self.inputs))

    def parts(self) -> tuple[dict[str, object], Mapping[str, bytes]]:
        """Return the JSON object and the skops file."""
        return {"kind": self.kind, "version": self.version}, {PART: self.data}

    @property
    def holds_training_rows(self) -> bool:
        """Whether the file holds patients of the training: a support vector is one's scaled values."""
        return any(type_name(part).endswith(".SVC") for part in objects_of(self.model))

    @cached_property
    def _forest(self) -> Booster | None:
        """The forest as a model of XGBoost's that gives the same probability, for its TreeSHAP."""
        if find_spec("xgboost") is None:
            return None
        trees = forest_trees(self.model, self.inputs)
        if not trees or not all(map(covers_add_up, trees)):
            return None
        return Booster(model_text(trees, self.inputs, "reg:squarederror", 0.0))


def forest_trees(model: object, inputs: int) -> list[Tree]:
    """Return the trees of a forest or a decision tree, whose values sum up to the probability; empty for others."""
    name = type(model).__name__
    members = model.estimators_ if name in _FORESTS else [model] if name == "DecisionTreeClassifier" else []
    trees = [sklearn_tree(m.tree_.__getstate__()["nodes"], m.tree_.value[:, 0, 1] / len(members)) for m in members]
    return [checked_tree(tree, inputs, "a tree") for tree in trees]


def read(spec: Mapping, parts: Mapping[str, bytes], inputs: int) -> ScikitPredictor:
    """Return the predictor of a checked `spec` and a checked skops file."""
    check_keys(spec, ("kind", "version"))
    check_parts(parts, (PART,))
    version = spec["version"]
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise refused(f"version is {shown(version)}, not one of scikit-learn")
    here = import_optional("sklearn", _FEATURE).__version__
    skops = import_optional("skops.io", _FEATURE)
    try:
        data = rewritten(parts[PART], inputs)
        return _checked(data, _loaded(skops, data), inputs, version)
    except UserError as error:
        if version == here:
            raise
        what = f"{error.what.removesuffix('.')}; scikit-learn {version} trained it, {here} is installed."
        raise UserError(what, f"Install scikit-learn {version}, or train and export the model again.") from error


def _loaded(skops: object, data: bytes) -> tuple[object, tuple[str, ...]]:
    """Return the model and what to know of its version; whatever else fails is the file's fault."""
    from sklearn.exceptions import InconsistentVersionWarning

    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        try:
            model = skops.loads(data, trusted=[*sorted(OBJECTS), TREE])
        except Exception as error:  # skops and scikit-learn fail in any way on what somebody has changed
            raise refused(f"its skops file does not load ({type(error).__name__}: {shown(str(error))})") from error
    found = [w.message for w in caught if issubclass(w.category, InconsistentVersionWarning)]
    return model, tuple({m.original_sklearn_version: m.current_sklearn_version for m in found}.items())


def _checked(data: bytes, loaded: tuple[object, tuple], inputs: int, version: str) -> ScikitPredictor:
    model, versions = loaded
    notes = tuple(
        f"This model was trained with scikit-learn {old if _VERSION.fullmatch(str(old)) else version}; "
        f"{new} is installed, so its results may differ."
        for old, new in versions
    )
    predictor = ScikitPredictor(data, model, inputs, version)
    try:
        check_model(model, inputs)
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            predictor.output(np.stack([np.zeros(inputs), np.ones(inputs)]))
    except UserError:
        raise
    except Exception as error:  # an attribute is missing, or is no array
        raise refused(f"its parts do not fit together ({type(error).__name__}: {shown(str(error))})") from error
    return replace(predictor, warnings=notes)
