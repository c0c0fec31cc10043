"""skops files made to harm: foreign types, hidden calls, members that are none."""

import io
import os
import pickle

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.predictors import skops_file

from .trained import FUZZ, in_new_process, patients

pytest.importorskip("sklearn")
pytest.importorskip("skops")

from .skops_files import node, npy, packed, plain, read, small_files, unpacked


@pytest.fixture(scope="module")
def files():
    return small_files()


def a_list(*items) -> dict:
    return node("ListNode", "builtins.list", content=list(items))


def a_tuple(*items) -> dict:
    return node("TupleNode", "builtins.tuple", content=list(items))


def a_dict(**items) -> dict:
    types = a_list(*[node("TypeNode", "builtins.str") for _ in items])
    return node("DictNode", "builtins.dict", content=items, key_types=types)


COMMAND = a_tuple(plain("touch harmed"))
REGRESSION = "sklearn.linear_model._logistic.LogisticRegression"
HARMFUL = {
    "a function": node("FunctionNode", "os.system"),
    "a known loader, a foreign function": node("TypeNode", "builtins.eval"),
    "an object of os": node("ObjectNode", "os.system", content=a_dict()),
    "an object of builtins": node("ObjectNode", "builtins.eval", content=a_dict()),
    "a constructor": node("ConstructorFromReduceNode", "os.system", content=COMMAND),
    "a trusted constructor": node("ConstructorFromReduceNode", REGRESSION, content=COMMAND),
    "CVE-2025-54412": node("OperatorFuncNode", f"{REGRESSION.rpartition('.')[0]}.call", attrs=COMMAND),
    "operator": node("OperatorFuncNode", "operator.methodcaller", attrs=COMMAND),
    "CVE-2025-54413": node("MethodNode", REGRESSION, content={"func": "fit", "obj": node("ObjectNode", "os.system")}),
    "a method": node("MethodNode", REGRESSION, content={"func": "__init__", "obj": node("ObjectNode", REGRESSION)}),
    "a partial": node("PartialNode", "functools.partial", content={}),
    "a reference": node("CachedNode", "builtins.dict", __id__=1),
    "bytes": node("BytesNode", "builtins.bytes", file="0.npy"),
    "a generator": node("RandomGeneratorNode", "numpy.random._generator.Generator", content={}),
    "a type that skops trusts": node(
        "ObjectNode", "sklearn.preprocessing._function_transformer.FunctionTransformer", content=a_dict()
    ),
    "a list of another type": node("ListNode", "os.system", content=[plain("touch harmed")]),
    "a dictionary of another type": node("DictNode", "os.environ", content={}, key_types=a_list()),
    "a loss that is none": node(
        "LossNode", "os.system", __reduce__={"args": COMMAND}, content=a_dict()
    ),
    "a loss with settings": node(
        "LossNode", "sklearn._loss._loss.CyHalfBinomialLoss", __reduce__={"args": COMMAND}, content=a_dict()
    ),
    "a tree of another type": node("TreeNode", "os.system", __reduce__={"args": COMMAND}, content=a_dict()),
    "an array of another type": node("NdArrayNode", "os.system", type="numpy", file="0.npy"),
    "an array outside": node("NdArrayNode", "numpy.ndarray", type="numpy", file="../../etc/passwd"),
    "an array of unknown kind": node("NdArrayNode", "numpy.ndarray", type="pickle", file="0.npy"),
    "attributes of Python's own": node("ObjectNode", REGRESSION, content=a_dict(__class__=plain("x"))),
    "a hidden method": node("ObjectNode", REGRESSION, content=a_dict(predict_proba=plain("x"))),
    "keys of another type": node(
        "DictNode", "builtins.dict", content={"a": plain(1)}, key_types=a_list(node("TypeNode", "builtins.eval"))
    ),
    "no keys' types": node("DictNode", "builtins.dict", content={"a": plain(1)}, key_types=a_list()),
    "an unknown key": {**plain(1), "surprise": 1},
    "no JSON": node("JsonNode", "builtins.str", content="__import__('os')", is_json=True),
    "a list as plain value": plain([1, 2]),
    "a huge number": plain(10**30),
    "no node": "os.system",
    "no loader": {"__class__": "str", "__module__": "builtins"},
    "a list as loader": {**plain(1), "__loader__": ["JsonNode"]},
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_node_is_refused_before_skops_sees_it(files, name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    schema, members = unpacked(files["tree"])
    schema["content"]["content"]["criterion"] = HARMFUL[name]
    with pytest.raises(UserError) as refusal:
        read(packed(schema, members))
    assert len(refusal.value.what.splitlines()) == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a function", "an object of os", "a trusted constructor"])
def test_a_harmful_file_as_a_whole_is_refused(name):
    with pytest.raises(UserError):
        read(packed({**HARMFUL[name], "protocol": 2}, {}))


@pytest.mark.parametrize("protocol", [0, 1, 3, True, "2", None, 2.0])
def test_other_protocols_are_refused(files, protocol):
    """An older protocol would choose older code of skops."""
    schema, members = unpacked(files["tree"])
    with pytest.raises(UserError, match="protocol 2"):
        read(packed({**schema, "protocol": protocol}, members))


def test_an_id_cannot_put_one_node_in_the_place_of_another(files):
    """skops takes the first node of an id for all: here a tuple of other length for the tree's own arguments."""
    schema, members = unpacked(files["tree"])
    content = schema["content"]["content"]
    content["tree_"]["__reduce__"]["args"]["__id__"] = 77
    content["criterion"] = {**a_tuple(plain(5), plain(5), plain(10**9)), "__id__": 77}
    x, _ = patients(20)
    assert np.array_equal(read(packed(schema, members)).output(x), read(files["tree"]).output(x))


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


def test_a_pickle_is_not_unpickled(monkeypatch, tmp_path):
    """CVE-2025-54886: what was no zip file was given to joblib."""
    monkeypatch.chdir(tmp_path)
    array = io.BytesIO()
    np.save(array, np.array([Harm()], dtype=object), allow_pickle=True)
    schema = {**node("NdArrayNode", "numpy.ndarray", type="numpy", file="0.npy"), "protocol": 2}
    for data in (pickle.dumps(Harm()), packed(schema, {"0.npy": array.getvalue()})):
        with pytest.raises(UserError):
            read(data)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["../0.npy", "/0.npy", "x.npy", "0.npy/", "schema.JSON", "0.bin"])
def test_strange_members_are_refused(files, name):
    schema, members = unpacked(files["tree"])
    with pytest.raises(UserError, match="strange member"):
        read(packed(schema, {**members, name: b"x"}))


def test_a_bomb_is_not_unpacked(files, monkeypatch):
    monkeypatch.setattr(skops_file, "_LARGEST", 1_000_000)
    schema, members = unpacked(files["tree"])
    with pytest.raises(UserError, match="more than 1000000 bytes"):
        read(packed(schema, {**members, "99.npy": b"0" * 2_000_000}))
    shared = npy(np.zeros(50_000))
    schema["content"]["content"]["criterion"] = a_list(
        *[node("NdArrayNode", "numpy.ndarray", type="numpy", file="99.npy") for _ in range(4)]
    )
    with pytest.raises(UserError, match="arrays of its skops file have more than"):
        read(packed(schema, {**members, "99.npy": shared}))


SCRIPT = """
import io, zipfile
from pathlib import Path
spec = {"kind": "scikit-learn", "version": "1.9.1"}

def used(schema, members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for n, c in members.items():
            z.writestr(n, c)
        z.writestr("schema.json", json.dumps(schema))
    tried(spec, {"predictor.skops": out.getvalue()}, 5)

for path in sorted(Path().iterdir()):
    data = path.read_bytes()
    with zipfile.ZipFile(path) as z:
        members = {n: z.read(n) for n in z.namelist()}
    schema = json.loads(members.pop("schema.json"))
    for s in mutations(schema, COUNT):
        used(s, members)
    for n in members:
        for d in flipped(members[n], COUNT // 40):
            used(schema, {**members, n: d})
    for d in flipped(data, COUNT // 2):
        tried(spec, {"predictor.skops": d}, 5)
print(refusals, uses)
"""


def test_nothing_crashes_on_changed_files(files, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    refusals, uses = map(int, in_new_process(FUZZ + SCRIPT.replace("COUNT", "40"), tmp_path).split())
    assert refusals > 300
    assert uses > 30
