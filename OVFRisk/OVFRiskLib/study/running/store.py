"""What tasks leave on disk, so that a study that was stopped goes on: JSON, whole or not at all."""

import json
import os
import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import UserError
from ..design.design import Way
from .results import ModelResult, StepRecord

_FRAMES = ("candidates", "importance", "odds")
Values = dict[str, object]


def write_json(path: Path, values: object) -> None:
    """Write JSON by way of another name: a kill leaves the file whole, or none.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    try:
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(values, file, default=_plain)
        os.replace(partial, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def read_json(path: Path) -> Values:
    """Return what `write_json` wrote.

    Raises
    ------
    UserError
        When the file cannot be read.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {error}.", "Remove it: the study makes it again.") from error


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def of_frame(frame: pd.DataFrame) -> Values:
    """Return a table as JSON values."""
    return {
        "index": None if isinstance(frame.index, pd.RangeIndex) else frame.index.tolist(),
        "name": frame.index.name,
        "columns": {str(title): frame[title].tolist() for title in frame},
    }


def to_frame(values: Values) -> pd.DataFrame:
    """Return the table of `of_frame`."""
    index = None if values["index"] is None else pd.Index(values["index"], name=values["name"])
    return pd.DataFrame(values["columns"], index)


def of_model(model: ModelResult) -> Values:
    """Return a model's results as JSON values."""
    found = {one.name: getattr(model, one.name) for one in fields(model)}
    for name in _FRAMES:
        found[name] = None if found[name] is None else of_frame(found[name])
    found["steps"] = [{**vars(step), "table": of_frame(step.table)} for step in model.steps]
    found["predictions"] = {on: of_frame(series.to_frame("probability")) for on, series in model.predictions.items()}
    return found


def to_model(values: Values) -> ModelResult:
    """Return the model's results of `of_model`."""
    found = dict(values) | {"way": Way(values["way"]), "inputs": tuple(values["inputs"])}
    for name in _FRAMES:
        found[name] = None if found[name] is None else to_frame(found[name])
    found["steps"] = tuple(StepRecord(**{**step, "table": to_frame(step["table"])}) for step in values["steps"])
    found["predictions"] = {on: to_frame(one)["probability"] for on, one in values["predictions"].items()}
    return ModelResult(**found)
