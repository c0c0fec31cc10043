"""Predictors by kind."""

import re
from collections.abc import Mapping
from importlib import import_module

from .base import Contributions, Predictor
from .reading import refused, shown

__all__ = ["MOST_INPUTS", "Contributions", "Predictor", "predictor_from"]

MOST_INPUTS = 10_000
_MODULES = {
    "threshold": "threshold",
    "logistic": "linear",
    "xgboost": "xgboost_trees",
    "scikit-learn": "scikit",
    "tabnet": "tabnet",
}
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def predictor_from(spec: Mapping, parts: Mapping[str, bytes], inputs: int) -> Predictor:
    """Return the predictor that a bundle describes; only its own library is loaded.

    Parameters
    ----------
    spec : mapping
        The JSON object ``predictor`` of model.json, from outside: nothing in it is trusted.
    parts : mapping of str to bytes
        The weight files by name, as little trusted.
    inputs : int
        How many inputs the model card has.

    Raises
    ------
    UserError
        Says what is wrong with it, or which package it needs.
    """
    if not isinstance(spec, Mapping):
        raise refused(f"it is {shown(spec)}, not a JSON object")
    kind = spec.get("kind")
    if not isinstance(kind, str) or kind not in _MODULES:
        raise refused(f"its kind is {shown(kind)}; known are {', '.join(_MODULES)}")
    if not 1 <= inputs <= MOST_INPUTS:
        raise refused(f"the model has {inputs} inputs, not 1 to {MOST_INPUTS}")
    if not all(isinstance(name, str) and _PART.fullmatch(name) for name in parts):
        raise refused("a weight file has no plain name")
    return import_module(f".{_MODULES[kind]}", __name__).read(spec, parts, inputs)
