"""Arrays of skops files that NumPy would not survive, or that scikit-learn's compiled code would leave."""

import io
import json

import numpy as np
import pytest
from OVFRiskLib.errors import UserError

pytest.importorskip("sklearn")
pytest.importorskip("skops")

from .skops_files import node, npy, packed, plain, read, small_files, unpacked


@pytest.fixture(scope="module")
def files():
    return small_files()


def header(text: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        npy(np.array(["a"])),
        npy(np.array([1 + 2j])),
        npy(np.array([1.0], dtype=">f8")),
        npy(np.array([np.nan])),
        npy(np.array([np.inf])),
        npy(np.array(["2024"], dtype="M8[Y]")),
        npy(np.zeros(2, dtype=[("a", "f8")])),
        npy(np.zeros((1, 1, 1, 1))),
        npy(np.zeros(4))[:-1],
        npy(np.zeros(4)) + b"x",
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", b"12345678"),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"12345678"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': ('a',)}", b"12345678"),
        header("__import__('os').mkdir('harmed')"),
        header("(" * 5000),
    ],
)
def test_a_wrong_array_is_refused(files, data):
    schema, members = unpacked(files["tree"])
    schema["content"]["content"]["criterion"] = node("NdArrayNode", "numpy.ndarray", type="numpy", file="99.npy")
    with pytest.raises(UserError):
        read(packed(schema, {**members, "99.npy": data}))


def changed(data: bytes, key: str, change) -> bytes:
    """Return `data` with the first array, or value, under `key` changed."""
    schema, members = unpacked(data)

    def search(place) -> bool:
        if isinstance(place, dict) and isinstance(place.get(key), dict) and "__loader__" in place[key]:
            found = place[key]
            if found["__loader__"] == "JsonNode":
                place[key] = plain(change(json.loads(found["content"])))
            else:
                array = np.load(io.BytesIO(members[found["file"]]))
                members["9999.npy"] = npy(change(array))
                found["file"] = "9999.npy"
            return True
        return any(map(search, place.values() if isinstance(place, dict) else place if isinstance(place, list) else ()))

    assert search(schema)
    return packed(schema, members)


def field(name: str, value, at: int = 0):
    def change(nodes):
        nodes[name][at] = value
        return nodes

    return change


TREE = {
    "left child out of range": ("nodes", field("left_child", 10**9)),
    "left child below range": ("nodes", field("left_child", -5)),
    "circle": ("nodes", field("right_child", 0)),
    "one child": ("nodes", field("right_child", -1)),
    "input out of range": ("nodes", field("feature", 10**9)),
    "input below range": ("nodes", field("feature", -3)),
    "threshold": ("nodes", field("threshold", np.nan)),
    "fewer nodes": ("nodes", lambda nodes: nodes[:-1]),
    "no nodes": ("nodes", lambda nodes: nodes[:0]),
    "other nodes": ("nodes", lambda nodes: np.zeros(len(nodes))),
    "fewer values": ("values", lambda values: values[:-1]),
    "values of another shape": ("values", lambda values: values[:, :, :1]),
    "values above 1": ("values", lambda values: values * 3),
    "node count": ("node_count", lambda n: n + 1000),
    "classes": ("n_classes_", lambda n: n + 1),
    "outputs": ("n_outputs_", lambda n: n + 1),
    "other classes": ("classes_", lambda c: c + 1),
    "one class": ("classes_", lambda c: c[:1]),
}
HISTOGRAM = {
    "left out of range": ("nodes", field("left", 10**9)),
    "circle": ("nodes", field("right", 0)),
    "input out of range": ("nodes", field("feature_idx", 10**9)),
    "input below range": ("nodes", field("feature_idx", -3)),
    "a category": ("nodes", field("is_categorical", 1)),
    "no leaf": ("nodes", lambda nodes: field("is_leaf", 0, len(nodes) - 1)(nodes)),
    "an endless value": ("nodes", lambda nodes: field("value", np.inf, len(nodes) - 1)(nodes)),
    "trees an iteration": ("n_trees_per_iteration_", lambda n: n + 1),
    "baseline": ("_baseline_prediction", lambda b: b[:, :0]),
    "categorical inputs": ("is_categorical_", lambda c: (c + 1).astype(np.uint8) if c is not None else [1]),
}
SVM = {
    "fewer vectors": ("support_vectors_", lambda v: v[:-1]),
    "narrower vectors": ("support_vectors_", lambda v: v[:, :-1]),
    "counts": ("_n_support", lambda n: n + 1000),
    "negative counts": ("_n_support", lambda n: np.array([n.sum() + 5, -5], n.dtype)),
    "one count": ("_n_support", lambda n: n[:1]),
    "three classes": ("_n_support", lambda n: np.array([*n, 0], n.dtype)),
    "coefficients": ("_dual_coef_", lambda c: c[:, :-1]),
    "intercept": ("_intercept_", lambda c: c[:0]),
    "support": ("support_", lambda s: s[:-1]),
    "probA": ("_probA", lambda a: np.zeros(1)),  # noqa: ARG005
    "kernel": ("kernel", lambda k: "precomputed"),  # noqa: ARG005
    "degree": ("degree", lambda d: -(2**31)),  # noqa: ARG005
    "sparse": ("_sparse", lambda s: True),  # noqa: ARG005
}
BOOSTING = {
    "outputs": ("n_trees_per_iteration_", lambda n: 0),  # noqa: ARG005
    "prior": ("class_prior_", lambda p: p[:0]),
    "nodes": ("nodes", field("left_child", 10**9)),
    "input": ("nodes", field("feature", 10**9)),
}
CASES = [
    (model, name) for model, group in
    (("tree", TREE), ("forest", TREE), ("histogram", HISTOGRAM), ("svm", SVM), ("boosting", BOOSTING)) for name in group
]  # fmt: skip
GROUPS = {"tree": TREE, "forest": TREE, "histogram": HISTOGRAM, "svm": SVM, "boosting": BOOSTING}


@pytest.mark.parametrize(("model", "name"), CASES)
def test_arrays_that_compiled_code_would_leave_are_refused(files, model, name):
    key, change = GROUPS[model][name]
    data = changed(files[model], key, change)
    with pytest.raises(UserError) as refusal:
        read(data)
    assert len(refusal.value.what.splitlines()) == 1
