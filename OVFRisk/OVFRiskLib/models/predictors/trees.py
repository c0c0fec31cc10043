"""Decision trees as checked numbers, and as a model of XGBoost's that is written from nothing else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import import_optional
from .reading import refused

DEEPEST = 200
MOST_TREES = 20_000
_NO_NODE = -1
_NO_PARENT = 2**31 - 1
_LARGEST_LEAF = 1e6


@dataclass(frozen=True)
class Tree:
    """One tree, its root first, shape (nodes,) each; make one with `checked_tree`.

    Parameters
    ----------
    left, right : ndarray of int
        Children; -1 in leaves.
    feature : ndarray of int
        Which input an inner node looks at.
    value : ndarray of float
        An inner node's condition (less goes left), a leaf's value.
    cover : ndarray of float
        How much of the training data came by.
    default_left : ndarray of int
        Where a missing input would go, 0 or 1.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    value: np.ndarray
    cover: np.ndarray
    default_left: np.ndarray


def checked_tree(tree: Tree, inputs: int, what: str) -> Tree:
    """Return `tree` without unreachable nodes, its nodes numbered level by level.

    Raises
    ------
    UserError
        Where following it could leave the arrays, run in a circle, or give something else than finite numbers.
    """
    nodes = tree.left.size
    if nodes == 0 or any(array.shape != (nodes,) for array in vars(tree).values()):
        raise refused(f"{what} has lists of different lengths, or no node")
    order = _reachable(tree.left, tree.right, what)
    place = np.full(nodes, _NO_NODE)
    place[order] = np.arange(order.size)
    inner = tree.left[order] != _NO_NODE
    kept = {name: array[order] for name, array in vars(tree).items()}
    kept["left"] = np.where(inner, place[kept["left"]], _NO_NODE)
    kept["right"] = np.where(inner, place[kept["right"]], _NO_NODE)
    kept["feature"] = np.where(inner, kept["feature"], 0)
    _check_numbers(Tree(**kept), inner, inputs, what)
    return Tree(**kept)


def _reachable(left: np.ndarray, right: np.ndarray, what: str) -> np.ndarray:
    if not np.array_equal(left == _NO_NODE, right == _NO_NODE):
        raise refused(f"{what} has a node with one child")
    seen = np.zeros(left.size, bool)
    levels, level = [], np.array([0])
    while level.size:
        if len(levels) > DEEPEST:
            raise refused(f"{what} is deeper than {DEEPEST}")
        if seen[level].any() or np.unique(level).size < level.size:
            raise refused(f"{what} reaches a node twice")
        seen[level] = True
        levels.append(level)
        parents = level[left[level] != _NO_NODE]
        level = np.column_stack([left[parents], right[parents]]).ravel()
        if not ((level >= 0) & (level < left.size)).all():
            raise refused(f"{what} names a node that it does not have")
    return np.concatenate(levels)


def _check_numbers(tree: Tree, inner: np.ndarray, inputs: int, what: str) -> None:
    if not ((tree.feature >= 0) & (tree.feature < inputs)).all():
        raise refused(f"{what} looks at an input that the model does not have")
    with np.errstate(over="ignore"):
        value, cover = tree.value.astype(np.float32), tree.cover.astype(np.float32)
    if not np.isfinite(value).all() or not (np.abs(value[~inner]) <= _LARGEST_LEAF).all():
        raise refused(f"{what} has a condition or a leaf that is no usable number")
    if not (np.isfinite(cover) & (cover >= 0)).all() or not np.isin(tree.default_left, (0, 1)).all():
        raise refused(f"{what} has unusable node statistics")


def covers_add_up(tree: Tree) -> bool:
    """Whether all data of a node came by one of its children: else TreeSHAP's weights mean nothing, or divide by 0."""
    inner = tree.left != _NO_NODE
    below = tree.cover[tree.left[inner]] + tree.cover[tree.right[inner]]
    return bool((tree.cover > 0).all() and np.allclose(below, tree.cover[inner], rtol=0.01))


def model_text(trees: Sequence[Tree], inputs: int, objective: str, base_score: float) -> bytes:
    """Return a model in XGBoost's JSON (its documented schema, as of versions 1.7 to 3).

    Parameters
    ----------
    trees : sequence of Tree
    inputs : int
    objective : str
        ``binary:logistic`` or ``reg:squarederror``.
    base_score : float
    """
    count = str(len(trees))
    model = {
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": count},
        "iteration_indptr": list(range(len(trees) + 1)),
        "tree_info": [0] * len(trees),
        "trees": [_tree_json(tree, n, inputs) for n, tree in enumerate(trees)],
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": model, "name": "gbtree"},
        "learner_model_param": {
            "base_score": repr(base_score),
            "boost_from_average": "1",
            "num_class": "0",
            "num_feature": str(inputs),
            "num_target": "1",
        },
        "objective": {"name": objective, "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    return json.dumps({"learner": learner, "version": [2, 0, 0]}, separators=(",", ":"), allow_nan=False).encode()


def _tree_json(tree: Tree, number: int, inputs: int) -> dict[str, object]:
    nodes = tree.left.size
    parents = np.full(nodes, _NO_PARENT)
    inner = np.flatnonzero(tree.left != _NO_NODE)
    parents[tree.left[inner]] = inner
    parents[tree.right[inner]] = inner
    values = _float32(tree.value)
    return {
        "base_weights": values,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": tree.default_left.tolist(),
        "id": number,
        "left_children": tree.left.tolist(),
        "loss_changes": [0.0] * nodes,
        "parents": parents.tolist(),
        "right_children": tree.right.tolist(),
        "split_conditions": values,
        "split_indices": tree.feature.tolist(),
        "split_type": [0] * nodes,
        "sum_hessian": _float32(tree.cover),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(inputs),
            "num_nodes": str(nodes),
            "size_leaf_vector": "1",
        },
    }


def _float32(values: np.ndarray) -> list[float]:
    """Return the fewest digits that give the same float32 again."""
    return [float(str(value)) for value in values.astype(np.float32)]


class Booster:
    """XGBoost's predictor of a model that `model_text` wrote; one thread.

    Parameters
    ----------
    text : bytes
    """

    def __init__(self, text: bytes) -> None:
        self._xgboost = import_optional("xgboost", "Scoring with boosted trees")
        self._booster = self._xgboost.Booster({"nthread": 1})
        self._booster.load_model(bytearray(text))
        self._booster.set_param({"nthread": 1})

    def output(self, x: np.ndarray) -> np.ndarray:
        """Return the output in float32, shape (rows,)."""
        return self._booster.predict(self._matrix(x))

    def margin(self, x: np.ndarray) -> np.ndarray:
        """Return the output before the objective's link, float32, shape (rows,)."""
        return self._booster.predict(self._matrix(x), output_margin=True)

    def tree_shap(self, x: np.ndarray) -> tuple[np.ndarray, float]:
        """Return TreeSHAP's amounts of one row, shape (inputs,), and the base that makes the sum the exact margin."""
        row = x[np.newaxis]
        amounts = self._booster.predict(self._matrix(row), pred_contribs=True)[0, :-1].astype(np.float64)
        return amounts, float(self.margin(row)[0]) - float(amounts.sum())

    def _matrix(self, x: np.ndarray) -> object:
        return self._xgboost.DMatrix(x, nthread=1)
