"""skops files of small trained models, taken apart and put together again."""

import io
import json
import zipfile

import numpy as np
from OVFRiskLib.models.export import predictor_of
from OVFRiskLib.models.predictors import Predictor, predictor_from
from sklearn import ensemble, linear_model, svm, tree
from sklearn.calibration import CalibratedClassifierCV

from .trained import patients

PART = "predictor.skops"
MODELS = {
    "tree": tree.DecisionTreeClassifier(max_depth=3, random_state=0),
    "forest": ensemble.RandomForestClassifier(2, max_depth=2, random_state=0),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0),
    "histogram": ensemble.HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4, random_state=0),
    "svm": CalibratedClassifierCV(svm.SVC(), ensemble=False, cv=3),
    "isotonic": CalibratedClassifierCV(linear_model.LogisticRegression(), method="isotonic", cv=2),
}


def small_files() -> dict[str, bytes]:
    """Return the skops files of small models."""
    x, y = patients(80)
    return {name: predictor_of(model.fit(x, y))[0].parts()[1][PART] for name, model in MODELS.items()}


def read(data: bytes) -> Predictor:
    """Return the predictor of a bundle with this skops file."""
    return predictor_from({"kind": "scikit-learn", "version": "1.9.1"}, {PART: data}, 5)


def unpacked(data: bytes) -> tuple[dict, dict]:
    """Return the schema and the other members of a skops file."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    return json.loads(members.pop("schema.json")), members


def packed(schema: object, members: dict) -> bytes:
    """Return the skops file of this content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
        target.writestr("schema.json", schema if isinstance(schema, str) else json.dumps(schema))
    return out.getvalue()


def node(loader: str, name: str, **more) -> dict:
    """Return a node of a schema."""
    module, _, cls = name.rpartition(".")
    return {"__class__": cls, "__module__": module, "__loader__": loader, **more}


def plain(value: object) -> dict:
    """Return the node of a plain value."""
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def npy(array: np.ndarray) -> bytes:
    """Return the .npy file of an array."""
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()
