"""What fitted steps decided, as plain values."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from .preparation import Preparation
from .results import StepRecord


def records_of(preparation: Preparation, samplers: Sequence[tuple[str, BaseEstimator, int]]) -> tuple[StepRecord, ...]:
    """Return a record a step, group by group, then the samplers (name, fitted, columns)."""
    found = []
    for group, counts in preparation.fitted_:
        for (name, step), before, after in zip(group.steps, counts, counts[1:]):
            found.append(_record(group.name, name, step, before, after))
        if group.name in preparation.notes_:
            name = preparation.notes_[group.name].partition(":")[0]
            note = {"note": preparation.notes_[group.name]}
            found.append(StepRecord(group.name, name, counts[-1], 0, pd.DataFrame(), note))
    for name, sampler, columns in samplers:
        counts = {"before": _texts(sampler.counts_before_), "after": _texts(sampler.counts_after_)}
        note = {"note": sampler.note_} if sampler.note_ else {}
        found.append(StepRecord("", name, columns, columns, pd.DataFrame(), counts | note))
    return tuple(found)


def _texts(counts: dict[int, int]) -> dict[str, int]:
    return {str(outcome): count for outcome, count in counts.items()}


def _record(group: str, name: str, step: BaseEstimator, before: int, after: int) -> StepRecord:
    facts: dict[str, object] = {}
    if getattr(step, "note_", ""):
        facts["note"] = step.note_
    curves: dict[str, list] = {}
    if hasattr(step, "path_"):
        facts |= {"lambda_min": step.lambda_min_, "lambda_1se": step.lambda_1se_, "lambda": step.lambda_}
        curves = _curves(step)
    table = getattr(step, "terms_", getattr(step, "table_", None))
    if name == "radscore":
        facts["intercept"] = step.scaled_intercept_
    if name == "impute":
        table = pd.DataFrame({"median": step.statistics_}, pd.Index(step.feature_names_in_, name="feature"))
    return StepRecord(group, name, before, after, pd.DataFrame() if table is None else table, facts, curves)


def _curves(step: BaseEstimator) -> dict[str, list]:
    path, choice = step.path_, step.choice_
    kept = np.flatnonzero((path.coefficients != 0).any(axis=0))
    return {
        "penalties": path.penalties.tolist(),
        "coefficients": path.coefficients[:, kept].tolist(),
        "names": [str(name) for name in step.feature_names_in_[kept]],
        "mean": choice.mean.tolist(),
        "se": choice.error.tolist(),
        "nonzero": (path.coefficients != 0).sum(axis=1).tolist(),
        "measure": [choice.measure],
    }
