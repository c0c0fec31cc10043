"""The arrays of scikit-learn's trees, checked before compiled code follows them: it does not look where it steps."""

from collections.abc import Callable

import numpy as np

from .reading import refused
from .trees import Tree, checked_tree

TREE_NODE = np.dtype(
    {
        "names": [
            "left_child",
            "right_child",
            "feature",
            "threshold",
            "impurity",
            "n_node_samples",
            "weighted_n_node_samples",
            "missing_go_to_left",
        ],
        "formats": ["<i8", "<i8", "<i8", "<f8", "<f8", "<i8", "<f8", "u1"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
"""A node of sklearn.tree, as of scikit-learn 1.3 and later."""

HISTOGRAM_NODE = np.dtype(
    [
        ("value", "<f8"),
        ("count", "<u4"),
        ("feature_idx", "<i8"),
        ("num_threshold", "<f8"),
        ("missing_go_to_left", "u1"),
        ("left", "<u4"),
        ("right", "<u4"),
        ("gain", "<f8"),
        ("depth", "<u4"),
        ("is_leaf", "u1"),
        ("bin_threshold", "u1"),
        ("is_categorical", "u1"),
        ("bitset_idx", "<u4"),
    ]
)
"""A node of histogram gradient boosting, as of scikit-learn 1.9."""

NODE_TYPES = (TREE_NODE, HISTOGRAM_NODE)
_STATE = {"max_depth", "node_count", "nodes", "values"}
_LARGEST = 1e6


def check_tree_node(args: list, state: dict, value_of: Callable[[dict], object], inputs: int) -> None:
    """Refuse a Tree that scikit-learn could not be given safely.

    Parameters
    ----------
    args : list of node
        Of its constructor: inputs, classes of each output, outputs.
    state : dict of node
    value_of : callable
        Gives a node's array or plain value.
    inputs : int
    """
    values = [value_of(node) for node in args]
    if len(values) != 3 or not _is_int(values[0], inputs) or not _is_int(values[2], 1):
        raise refused("a tree of its skops file has other inputs or outputs than the model")
    classes = values[1]
    if not isinstance(classes, np.ndarray) or classes.dtype != np.int64 or classes.tolist() not in ([1], [2]):
        raise refused("a tree of its skops file has not one or two classes")
    if set(state) != _STATE:
        raise refused("a tree of its skops file is not built as known")
    found = {key: value_of(node) for key, node in state.items()}
    nodes, outputs = found["nodes"], found["values"]
    if not isinstance(nodes, np.ndarray) or nodes.dtype != TREE_NODE or nodes.ndim != 1:
        raise refused("a tree of its skops file has no nodes, or another version of scikit-learn's")
    if not _is_int(found["node_count"], nodes.size) or not _is_int(found["max_depth"]):
        raise refused("a tree of its skops file has not the number of nodes that it states")
    shape = (nodes.size, 1, int(classes[0]))
    if not isinstance(outputs, np.ndarray) or outputs.dtype != np.float64 or outputs.shape != shape:
        raise refused("a tree of its skops file has not one value a node")
    if shape[2] == 2 and not (np.abs(outputs.sum(axis=2) - 1) < 1e-6).all():
        raise refused("a tree of its skops file has shares that do not sum up to 1")
    checked_tree(sklearn_tree(nodes, outputs[:, 0, -1]), inputs, "a tree of its skops file")


def sklearn_tree(nodes: np.ndarray, values: np.ndarray) -> Tree:
    """Return nodes of scikit-learn as a Tree whose value is a leaf's `values`, shape (nodes,).

    scikit-learn goes left where float32(x) <= threshold, a Tree where float32(x) < condition: the condition is the
    smallest float32 above the threshold.
    """
    leaf = nodes["left_child"] == -1
    return Tree(
        left=nodes["left_child"].astype(np.int64),
        right=nodes["right_child"].astype(np.int64),
        feature=nodes["feature"].astype(np.int64),
        value=np.where(leaf, values, float32_above(nodes["threshold"])),
        cover=nodes["weighted_n_node_samples"].astype(np.float64),
        default_left=np.zeros(nodes.size, np.int64),
    )


def float32_above(thresholds: np.ndarray) -> np.ndarray:
    """Return the smallest float32 above each float64."""
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
        return np.where(near > thresholds, near, np.nextafter(near, np.float32(np.inf)))


def check_histogram_nodes(nodes: object, inputs: int) -> None:
    """Refuse nodes of histogram gradient boosting that could not be followed safely."""
    if not isinstance(nodes, np.ndarray) or nodes.dtype != HISTOGRAM_NODE or nodes.ndim != 1:
        raise refused("a tree of its skops file has no nodes, or another version of scikit-learn's")
    leaf = nodes["is_leaf"] == 1
    if not np.isin(nodes["is_leaf"], (0, 1)).all() or nodes["is_categorical"].any():
        raise refused("a tree of its skops file splits by categories, which no input has")
    threshold = np.clip(nodes["num_threshold"], -1e38, 1e38)  # infinite ones are possible
    tree = Tree(
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        feature=nodes["feature_idx"].astype(np.int64),
        value=np.where(leaf, nodes["value"], threshold),
        cover=nodes["count"].astype(np.float64),
        default_left=np.zeros(nodes.size, np.int64),
    )
    checked_tree(tree, inputs, "a tree of its skops file")


def _is_int(value: object, expected: int | None = None) -> bool:
    return type(value) is int and (value == expected or (expected is None and value >= 0))
