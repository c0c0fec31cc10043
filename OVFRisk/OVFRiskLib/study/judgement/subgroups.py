"""Whether a model does as well in each subgroup of the patients."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..cohort.columns import need
from ..design.design import Way
from ..judging.roc import auc, compare_unpaired
from ..running.results import ModelResult, StudyRun
from .performance import title_of

COLUMNS = (
    "variant",
    "learner",
    "title",
    "on",
    "column",
    "subgroup",
    "n",
    "events",
    "auc",
    "low",
    "high",
    "p",
    "reason",
)
_NUMBERS = ["auc", "low", "high", "p"]


def subgroups(run: StudyRun) -> pd.DataFrame:
    """Return the AUC of the leak-free models by subgroup, on every set but the training patients' own predictions.

    Returns
    -------
    DataFrame
        See `Judgement.subgroups`; also the ``column`` that makes the groups. Patients without a value in it are a
        group of their own, which the test of interaction leaves out.

    Raises
    ------
    UserError
        When the patients have no such column.
    """
    rows = [
        row
        for model in run.of(Way.LEAK_FREE)
        for on, probability in model.predictions.items()
        if on != "training"
        for column in run.design.judging.subgroups
        for row in _rows(run, model, on, _groups(run, column).loc[probability.index], column)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(_NUMBERS, float))


def _groups(run: StudyRun, column: str) -> pd.Series:
    """Return each patient's group by a column, as it is called; None without a value."""
    tables = [one.table for one in (run.cohort, run.external) if one is not None]
    for table in tables:
        need(table, [column])
    values = pd.concat([table[column] for table in tables])
    known = tables[0][column].dropna()
    if not pd.api.types.is_numeric_dtype(values) or known.nunique() <= 2:
        return values.map(lambda value: _name(column, value), na_action="ignore")
    middle = float(known.median())  # of the study's patients, for external ones too
    low, high = f"{column} up to {middle:.4g}", f"{column} above {middle:.4g}"
    return pd.Series(np.where(values <= middle, low, high), values.index, dtype=object).where(values.notna(), None)


def _name(column: str, value: object) -> str:
    return f"{column}: {value:g}" if isinstance(value, float) else f"{column}: {value}"


def _rows(run: StudyRun, model: ModelResult, on: str, groups: pd.Series, column: str) -> Iterator[tuple]:
    probability = model.predictions[on]
    names = sorted(groups.dropna().unique(), key=lambda name: (" above " in name, name))
    parts = {name: groups.index[groups == name] for name in names}
    p, why = _interaction(run, probability, parts)
    lacking = groups.index[groups.isna()]
    for name, who in (*parts.items(), *([(f"{column}: not given", lacking)] if len(lacking) else [])):
        found, asked = auc(run.outcome.loc[who], probability.loc[who]), name in parts
        reasons = "; ".join(text for text in (found.reason, why if asked else None) if text)
        key = model.variant, model.learner, title_of(run.design, model), on, column, name
        yield *key, found.n, found.events, found.value, found.low, found.high, p if asked else None, reasons


def _interaction(run: StudyRun, probability: pd.Series, parts: dict[str, pd.Index]) -> tuple[float | None, str | None]:
    if len(parts) != 2:
        return None, f"no test of interaction: not two groups, but {len(parts)}"
    found = compare_unpaired(*(part for who in parts.values() for part in (run.outcome.loc[who], probability.loc[who])))
    return (found.test.p, None) if found.test and found.test.p is not None else (None, None)
