"""A scikit-learn model from a skops file that somebody else wrote.

skops' own audit had to be mended (CVE-2025-54412: a node that names one type and calls another; CVE-2025-54413: methods
of trusted objects), it trusts far more types than a risk model needs, and it does not look into arrays. So nothing of a
foreign file reaches it: the file is read here, node by node, against a list of what the known models are made of, and
skops is given a file that is written again from what was recognised. Object ids, by which a node can stand for another,
are left out. What the arrays of trees may hold is checked before scikit-learn's compiled code sees them.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from .reading import json_of, refused, shown
from .skops_arrays import npy_array, npy_file
from .skops_trees import check_tree_node

PROTOCOL = 2
_LARGEST = 2**27  # bytes, of the members and of all arrays
_MOST_MEMBERS = 200_000
_MOST_NODES = 2_000_000
_DEEPEST = 60
_LONGEST_TEXT = 1000
_MEMBER = re.compile(r"schema\.json|\d{1,20}\.npy")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_EPOCH = (1980, 1, 1, 0, 0, 0)

TREE = "sklearn.tree._tree.Tree"
CLASSIFIERS = frozenset(
    {
        "sklearn.calibration.CalibratedClassifierCV",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.ensemble._gb.GradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.svm._classes.SVC",
        "sklearn.tree._classes.DecisionTreeClassifier",
    }
)
SCALERS = frozenset(
    f"sklearn.preprocessing._data.{name}" for name in ("MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler")
)
PIPELINE = "sklearn.pipeline.Pipeline"
OBJECTS = (
    CLASSIFIERS
    | SCALERS
    | {
        PIPELINE,
        "sklearn._loss.link.HalfLogitLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.ExponentialLoss",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.dummy.DummyClassifier",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.isotonic.IsotonicRegression",
        "sklearn.preprocessing._label.LabelEncoder",
        "sklearn.tree._classes.DecisionTreeRegressor",
        "sklearn.tree._classes.ExtraTreeClassifier",
    }
)
_LOSSES = frozenset({"sklearn._loss._loss.CyExponentialLoss", "sklearn._loss._loss.CyHalfBinomialLoss"})
_ARRAYS = frozenset(f"numpy.{name}" for name in ("ndarray", "bool", "float32", "float64", "int32", "int64", "uint64"))
_KEYS = frozenset({"builtins.str", "builtins.int"})
_LOADERS = {
    "DictNode": ({"builtins.dict"}, {"content", "key_types"}),
    "JsonNode": ({"builtins.str"}, {"content", "is_json"}),
    "ListNode": ({"builtins.list"}, {"content"}),
    "LossNode": (_LOSSES, {"content", "__reduce__"}),
    "NdArrayNode": (_ARRAYS, {"type", "file", "content", "shape"}),
    "ObjectNode": (OBJECTS, {"content"}),
    "TreeNode": ({TREE}, {"content", "__reduce__"}),
    "TupleNode": ({"builtins.tuple"}, {"content"}),
    "TypeNode": (_KEYS, set()),
}
_OF_EVERY_NODE = {"__class__", "__module__", "__loader__", "__id__"}


def rewritten(data: bytes, inputs: int) -> bytes:
    """Return the model in the skops file `data` as a new, deterministic skops file.

    Raises
    ------
    UserError
        Names the loader, the type or the array that no known model has.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            members = _members(source)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError) as error:
        raise refused(f"its skops file cannot be read ({shown(str(error))})") from error
    except Exception as error:  # zlib.error, struct.error: whatever a broken file makes of the decoder
        raise refused(f"its skops file is damaged ({type(error).__name__})") from error
    return _Writer(members, inputs).file()


def _members(source: zipfile.ZipFile) -> dict[str, bytes]:
    infos = source.infolist()
    if len(infos) > _MOST_MEMBERS or len({info.filename for info in infos}) < len(infos):
        raise ValueError("too many members, or two of one name")
    strange = [info.filename for info in infos if not _MEMBER.fullmatch(info.filename)]
    if strange or "schema.json" not in source.namelist():
        raise ValueError(f"strange member {shown(strange[0])}" if strange else "no schema.json")
    left, members = _LARGEST, {}
    for info in infos:
        with source.open(info) as member:
            members[info.filename] = member.read(left + 1)
        left -= len(members[info.filename])
        if left < 0:
            raise ValueError(f"more than {_LARGEST} bytes")
    return members


class _Writer:
    """Recognises node by node, and writes again what it recognised."""

    def __init__(self, members: Mapping[str, bytes], inputs: int) -> None:
        self._members = members
        self._inputs = inputs
        self._names: dict[str, str] = {}
        self._arrays: dict[str, np.ndarray] = {}
        self._bytes = 0
        self._nodes = 0
        self._content: dict[str, Callable[[dict, int], dict]] = {
            "DictNode": self._dict,
            "JsonNode": self._json,
            "ListNode": self._list,
            "LossNode": self._loss,
            "NdArrayNode": self._array,
            "ObjectNode": self._object,
            "TreeNode": self._tree,
            "TupleNode": self._list,
            "TypeNode": lambda node, depth: {},  # noqa: ARG005
        }

    def file(self) -> bytes:
        schema = json_of(self._members["schema.json"], "schema.json", _LARGEST)
        if not isinstance(schema, dict) or type(schema.get("protocol")) is not int or schema["protocol"] != PROTOCOL:
            raise refused(f"its skops file is not of protocol {PROTOCOL}")
        root = {key: value for key, value in schema.items() if key not in ("protocol", "_skops_version")}
        root = {**self._node(root, 0), "protocol": PROTOCOL}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            for name, array in self._arrays.items():
                target.writestr(zipfile.ZipInfo(name, _EPOCH), npy_file(array))
            target.writestr(zipfile.ZipInfo("schema.json", _EPOCH), json.dumps(root, separators=(",", ":")))
        return out.getvalue()

    def _node(self, node: object, depth: int) -> dict:
        self._nodes += 1
        if depth > _DEEPEST or self._nodes > _MOST_NODES:
            raise refused("its skops file is nested too deeply or too large")
        if not isinstance(node, dict):
            raise refused(f"its skops file has {shown(node)} where a node belongs")
        loader, name = node.get("__loader__"), f"{node.get('__module__')}.{node.get('__class__')}"
        if not isinstance(loader, str) or loader not in _LOADERS:
            raise refused(f"its skops file uses the loader {shown(loader)}, which no known model needs")
        types, keys = _LOADERS[loader]
        if name not in types:
            raise refused(f"its skops file names {shown(name)} for {loader}, which no known model needs")
        unknown = node.keys() - keys - _OF_EVERY_NODE
        if unknown:
            raise refused(f"a {loader} of its skops file has {shown(min(unknown))}")
        kept = {"__class__": node["__class__"], "__module__": node["__module__"], "__loader__": loader}
        return kept | self._content[loader](node, depth + 1)

    def _json(self, node: dict, _: int) -> dict:
        content = node.get("content")
        if not isinstance(content, str) or len(content) > _LONGEST_TEXT:
            raise refused(f"its skops file has the text {shown(content)}")
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise refused(f"its skops file has the text {shown(content)}, which is not JSON") from error
        if isinstance(value, (list, dict)) or (isinstance(value, int) and abs(value) >= 2**63):
            raise refused(f"its skops file has {shown(value)} where a plain value belongs")
        return {"content": json.dumps(value), "is_json": True}

    def _list(self, node: dict, depth: int) -> dict:
        return {"content": [self._node(item, depth) for item in _of(node, "content", list)]}

    def _dict(self, node: dict, depth: int) -> dict:
        content = _of(node, "content", dict)
        types = self._node(node.get("key_types"), depth)
        if types["__loader__"] != "ListNode" or len(types["content"]) != len(content):
            raise refused("a dictionary of its skops file has not one type a key")
        if any(kind["__loader__"] != "TypeNode" for kind in types["content"]):
            raise refused("a dictionary of its skops file has a key without a type")
        return {"content": {key: self._node(value, depth) for key, value in content.items()}, "key_types": types}

    def _object(self, node: dict, depth: int) -> dict:
        content = self._node(node.get("content"), depth)
        if content["__loader__"] == "JsonNode" and content["content"] == "null":
            return {"content": content}
        if content["__loader__"] != "DictNode":
            raise refused(f"the {node['__class__']} of its skops file has no attributes")
        strange = [key for key in content["content"] if not _NAME.fullmatch(key) or key.startswith("__")]
        if strange or any(kind["__class__"] != "str" for kind in content["key_types"]["content"]):
            raise refused(f"the {node['__class__']} of its skops file has the attribute {shown(strange)}")
        return {"content": content}

    def _loss(self, node: dict, depth: int) -> dict:
        args, content = self._reduced(node, depth)
        if args["content"] or content["content"]:
            raise refused(f"the {node['__class__']} of its skops file has settings")
        return {"__reduce__": {"args": args}, "content": content}

    def _tree(self, node: dict, depth: int) -> dict:
        args, content = self._reduced(node, depth)
        check_tree_node(args["content"], content["content"], self._value, self._inputs)
        return {"__reduce__": {"args": args}, "content": content}

    def _reduced(self, node: dict, depth: int) -> tuple[dict, dict]:
        reduce = _of(node, "__reduce__", dict)
        args, content = self._node(reduce.get("args"), depth), self._node(node.get("content"), depth)
        if set(reduce) != {"args"} or args["__loader__"] != "TupleNode" or content["__loader__"] != "DictNode":
            raise refused(f"the {node['__class__']} of its skops file is not built as known")
        return args, content

    def _array(self, node: dict, depth: int) -> dict:
        if node.get("type") == "json" and node["__class__"] == "ndarray" and "file" not in node:
            shape = self._node(node.get("shape"), depth)
            if shape["__loader__"] != "TupleNode":
                raise refused("an array of its skops file has no shape")
            return {"type": "json", "shape": shape} | self._list(node, depth)
        if node.get("type") != "numpy" or not isinstance(node.get("file"), str) or "content" in node:
            raise refused("an array of its skops file is not built as known")
        name, array = self._file(node["file"])
        if (node["__class__"] == "ndarray") == (array.ndim == 0):
            raise refused("an array of its skops file is no number, or a number is an array")
        return {"type": "numpy", "file": name}

    def _file(self, name: str) -> tuple[str, np.ndarray]:
        """Return the new name and the array of a member; every use counts, for skops makes a copy of each."""
        if name not in self._members:
            raise refused(f"its skops file has no member {shown(name)}")
        new = self._names.setdefault(name, f"{len(self._names)}.npy")
        if new not in self._arrays:
            self._arrays[new] = npy_array(self._members[name])
        self._bytes += self._arrays[new].nbytes
        if self._bytes > _LARGEST:
            raise refused(f"the arrays of its skops file have more than {_LARGEST} bytes")
        return new, self._arrays[new]

    def _value(self, node: dict) -> object:
        """The array or plain value of a recognised node; None of any other."""
        if node["__loader__"] == "JsonNode":
            return json.loads(node["content"])
        if node["__loader__"] == "NdArrayNode" and node["type"] == "numpy":
            return self._arrays[node["file"]]
        return None


def _of(node: dict, key: str, kind: type) -> list | dict:
    found = node.get(key)
    if not isinstance(found, kind):
        raise refused(f"a {node['__loader__']} of its skops file has no usable '{key}'")
    return found
