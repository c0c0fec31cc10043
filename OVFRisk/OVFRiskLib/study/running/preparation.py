"""From a table's columns to a model's inputs: each group's steps, fitted one after the other on whoever trains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.utils.validation import check_is_fitted

from ..design.design import Design, Group, StepDesign, Variant
from ..seeds import seed_of
from ..steps import STEPS, make_step
from ..steps.base import NothingKeptError
from .data import Patients

NOTHING = "nothing kept"
"""The one column, of zeros, where the steps keep none: everybody then gets the same probability."""


@dataclass(frozen=True, eq=False)
class GroupSteps:
    """What becomes of a group's columns.

    Parameters
    ----------
    name : str
    columns : tuple of str
    steps : tuple of (str, estimator)
    """

    name: str
    columns: tuple[str, ...]
    steps: tuple[tuple[str, BaseEstimator], ...]


class Preparation(TransformerMixin, BaseEstimator):
    """The groups of a variant beside each other, as a transformer of DataFrames.

    Parameters
    ----------
    groups : sequence of GroupSteps
        Their estimators are copied, not fitted themselves.
    memory : dict or None
        Keeps fitted groups by name and training patients, for variants and learners that share them: all must be of
        one table.

    Fitted attributes
    -----------------
    fitted_ : list of (GroupSteps, list of int)
        Fitted estimators, and how many columns went into each of them and came out of the last. The steps end where one
        keeps nothing.
    notes_ : dict of str to str
        By group, why it gives no column.
    columns_ : list of str
        The inputs.
    """

    def __init__(self, groups: Sequence[GroupSteps] = (), memory: dict[tuple, object] | None = None) -> None:
        self.groups = groups
        self.memory = memory

    def fit(self, x: pd.DataFrame, y: np.ndarray) -> "Preparation":
        """Fit the steps on the training patients `x` with their outcomes `y`."""
        self.fit_transform(x, y)
        return self

    def fit_transform(self, x: pd.DataFrame, y: np.ndarray) -> pd.DataFrame:
        """Fit, and return the training patients' inputs."""
        memory = {} if self.memory is None else self.memory
        self.fitted_, self.notes_, found = [], {}, []
        for group in self.groups:
            key = group.name, tuple(x.index), np.asarray(y).tobytes()
            if key not in memory:
                memory[key] = _fitted(group, x, y)
            fitted, counts, note, frame = memory[key]
            self.fitted_.append((fitted, counts))
            self.notes_ |= {group.name: note} if note else {}
            found.append(frame)
        self.columns_ = [title for frame in found for title in frame] or [NOTHING]
        return self._joined(found, x)

    def transform(self, x: pd.DataFrame) -> pd.DataFrame:
        """Return the inputs of patients."""
        check_is_fitted(self, "fitted_")
        found = []
        for group, _ in self.fitted_:
            frame = x[list(group.columns)]
            if group.name not in self.notes_:
                for _, step in group.steps:
                    frame = step.transform(frame)
                found.append(frame)
        return self._joined(found, x)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:  # noqa: ARG002
        """Return the inputs' titles."""
        check_is_fitted(self, "columns_")
        return np.asarray(self.columns_, dtype=object)

    def _joined(self, frames: Sequence[pd.DataFrame], x: pd.DataFrame) -> pd.DataFrame:
        frames = [frame for frame in frames if frame.shape[1]]
        return pd.concat(frames, axis=1) if frames else pd.DataFrame({NOTHING: np.zeros(len(x))}, x.index)


def _fitted(group: GroupSteps, x: pd.DataFrame, y: np.ndarray) -> tuple[GroupSteps, list[int], str, pd.DataFrame]:
    """Return a group's fitted steps, the numbers of columns, why there is none left, and what becomes of `x`."""
    frame, steps, counts = x[list(group.columns)], [], [len(group.columns)]
    for name, step in group.steps:
        made = _copy(step)
        try:
            frame = made.fit(frame, y).transform(frame)
        except NothingKeptError as error:
            return replace(group, steps=tuple(steps)), counts, f"{name}: {error.what}", frame.iloc[:, :0]
        steps.append((name, made))
        counts.append(frame.shape[1])
    return replace(group, steps=tuple(steps)), counts, "", frame


def _copy(step: BaseEstimator) -> BaseEstimator:
    """Return an unfitted estimator of the same settings; tables among them are shared."""
    return type(step)(**step.get_params(deep=False)).set_output(transform="pandas")


def preparation_of(
    design: Design, variant: Variant, patients: Patients, memory: dict[tuple, object] | None = None
) -> Preparation:
    """Return the steps of a variant, not fitted."""
    return Preparation([_group(design, design.group(name), patients) for name in variant.groups], memory)


def _group(design: Design, group: Group, patients: Patients) -> GroupSteps:
    columns = patients.columns[group.name]
    steps: list[tuple[str, BaseEstimator]] = [("impute", SimpleImputer(strategy="median"))] if group.impute else []
    steps += [(step.name, step_of(design, step, group.name, patients)) for step in group.steps]
    return GroupSteps(group.name, tuple(columns), tuple(steps))


def step_of(design: Design, step: StepDesign, where: str, patients: Patients) -> BaseEstimator:
    """Return a step with what the run gives it: a seed, repeated readings, scanners."""
    known = {parameter.name for parameter in STEPS[step.name].PARAMETERS}
    given: dict[str, object] = {}
    if "seed" in known:
        given["seed"] = seed_of(design.seed, "step", where, step.name)
    if step.name == "radscore":
        given["name"] = f"{where}_radscore"
    if "repeats" in known:
        given["repeats"] = patients.repeats[where]
    if "batches" in known:
        given["batches"] = _batches(step, patients)
    made = make_step(step.name, **step.set)
    return made.set_params(**{name: value for name, value in given.items() if name not in step.set})


def _batches(step: StepDesign, patients: Patients) -> pd.Series:
    column = step.set.get("column", "scanner")
    parts = [one.table[column] for one in (patients.cohort, patients.external) if one is not None]
    return pd.concat(parts)
