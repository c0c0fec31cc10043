"""Gradient-boosted trees of XGBoost.

XGBoost's own reader trusts a model file: a child out of range makes it read foreign memory. So the file is read and
checked here, and XGBoost gets a model that is written again from the checked numbers alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Contributions
from .reading import check_keys, check_parts, json_of, probabilities, refused, row_of, rows_of, shown
from .shapley import shapley
from .trees import MOST_TREES, Booster, Tree, checked_tree, covers_add_up, model_text

PART = "predictor.json"
_LARGEST = 2**26
_LOWEST_SCORE = 1e-6
_LISTS = {
    "left": ("left_children", "iu"),
    "right": ("right_children", "iu"),
    "feature": ("split_indices", "iu"),
    "value": ("split_conditions", "iuf"),
    "cover": ("sum_hessian", "iuf"),
    "default_left": ("default_left", "iub"),
}


@dataclass(frozen=True, eq=False)
class XgboostPredictor:
    """Boosted trees with the objective ``binary:logistic``.

    Parameters
    ----------
    text : bytes
        As `trees.model_text` wrote it.
    inputs : int
    booster : Booster
    has_covers : bool
        Whether the trees tell how much training data came by, as TreeSHAP needs it.
    """

    text: bytes
    inputs: int
    booster: Booster
    has_covers: bool
    kind: ClassVar[str] = "xgboost"
    warnings: ClassVar[tuple[str, ...]] = ()

    def output(self, x: np.ndarray) -> np.ndarray:
        """Return the probabilities, shape (rows,); XGBoost computes in float32."""
        x = rows_of(x, self.inputs)
        return probabilities(self.booster.output(x), len(x))

    def interval(self, x: np.ndarray) -> None:
        """Return None: boosted trees know none."""

    def contributions(self, x: np.ndarray, typical: np.ndarray) -> Contributions:
        """Return TreeSHAP values, log-odds; Shapley values against `typical` where the trees have no usable covers."""
        x = row_of(x, self.inputs)
        if not self.has_covers:
            return shapley(self.booster.margin, x, row_of(typical, self.inputs), "log-odds")
        amounts, base = self.booster.tree_shap(x)
        return Contributions(amounts, base, "log-odds", "TreeSHAP")

    def parts(self) -> tuple[dict[str, object], Mapping[str, bytes]]:
        """Return the JSON object and the trees."""
        return {"kind": self.kind}, {PART: self.text}


def read(spec: Mapping, parts: Mapping[str, bytes], inputs: int) -> XgboostPredictor:
    """Return the predictor of a checked `spec` and a checked model in XGBoost's JSON."""
    check_keys(spec, ("kind",))
    check_parts(parts, (PART,))
    model = json_of(parts[PART], PART, _LARGEST)
    trees, base_score = _trees(model, inputs)
    text = model_text(trees, inputs, "binary:logistic", base_score)
    predictor = XgboostPredictor(text, inputs, Booster(text), all(map(covers_add_up, trees)))
    predictor.output(np.zeros((1, inputs)))
    return predictor


def _trees(model: object, inputs: int) -> tuple[list[Tree], float]:
    learner = _member(model, "learner", dict)
    objective = _member(learner, "objective", dict).get("name")
    booster = _member(learner, "gradient_booster", dict)
    if objective != "binary:logistic":
        raise refused(f"its objective is {shown(objective)}; only 'binary:logistic' gives a probability")
    if booster.get("name") != "gbtree":
        raise refused(f"its booster is {shown(booster.get('name'))}; only 'gbtree' can be used")
    base_score = _base_score(_member(learner, "learner_model_param", dict), inputs)
    content = _member(booster, "model", dict)
    trees = _member(content, "trees", list)
    tree_info = _list(content, "tree_info", "iu")
    if not 1 <= len(trees) <= MOST_TREES or len(tree_info) != len(trees) or tree_info.any():
        raise refused(f"{PART} must have 1 to {MOST_TREES} trees, all of one output")
    if _param(_member(content, "gbtree_model_param", dict), "num_trees") != len(trees):
        raise refused(f"{PART} does not have the number of trees that it states")
    return [_tree(tree, inputs, f"tree {n} of {PART}") for n, tree in enumerate(trees)], base_score


def _base_score(params: dict, inputs: int) -> float:
    if _param(params, "num_feature") != inputs:
        raise refused(f"{PART} is for {shown(params.get('num_feature'))} inputs, the model has {inputs}")
    if _param(params, "num_class", "0") not in (0, 1) or _param(params, "num_target", "1") != 1:
        raise refused(f"{PART} gives more than one probability")
    score = _param(params, "base_score")
    if not _LOWEST_SCORE <= score <= 1 - _LOWEST_SCORE:
        raise refused(f"base_score is {score:g}, not between 0 and 1")
    return score


def _tree(tree: object, inputs: int, what: str) -> Tree:
    params = _member(tree, "tree_param", dict)
    lists = {name: _list(tree, key, kinds) for name, (key, kinds) in _LISTS.items()}
    if _list(tree, "split_type", "iu").any() or _member(tree, "categories", list):
        raise refused(f"{what} splits by categories, which no input has")
    if _param(params, "size_leaf_vector", "1") not in (0, 1):
        raise refused(f"{what} gives more than one value")
    if _param(params, "num_nodes") != lists["left"].size:
        raise refused(f"{what} does not have the number of nodes that it states")
    numbers = {n: lists[n].astype(np.float64 if n in ("value", "cover") else np.int64) for n in lists}
    return checked_tree(Tree(**numbers), inputs, what)


def _member(values: object, key: str, kind: type) -> dict | list:
    found = values.get(key) if isinstance(values, dict) else None
    if not isinstance(found, kind):
        raise refused(f"{PART} has no usable '{key}'")
    return found


def _list(values: object, key: str, kinds: str) -> np.ndarray:
    found = _member(values, key, list)
    try:
        array = np.array(found) if found else np.zeros(0, np.int64)
    except ValueError as error:
        raise refused(f"{PART} has lists within '{key}'") from error
    if array.ndim != 1 or array.dtype.kind not in kinds or (array.dtype == np.uint64):
        raise refused(f"'{key}' in {PART} is no list of usable numbers")
    return array


def _param(values: dict, key: str, default: str | None = None) -> float:
    """Return a number that XGBoost writes as text; since version 3 perhaps in brackets."""
    text = values.get(key, default)
    try:
        if not isinstance(text, str) or len(text) > 40 or not text.isascii():
            raise ValueError("no text")
        return float(text.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise refused(f"'{key}' in {PART} is {shown(text)}, not a number") from error
