"""What a column of a cohort's table holds, so that a model trained on it can say which measurement it needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

import numpy as np
import pandas as pd

from ...anatomy import Compartment, Structure, VertebralLevel
from ...errors import UserError
from ...files.tables import Cell
from ...models.card import Input, Statistic, Summary

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
Place = tuple[str, str]
"""Key of the patient and title of the column."""


@dataclass(frozen=True)
class Column:
    """One column of a cohort's table.

    Parameters
    ----------
    title : str
        Of the column, e.g. ``cancellous_L1_original_glcm_Idmn``.
    name : str
        Of the measurement or feature; of a clinical column its title.
    unit : str
        UCUM; ``1`` for ratios, counts and codes; empty for text.
    compartment : Compartment, Structure or None
    levels : tuple of VertebralLevel
        Empty: the patient's own value.
    statistic : Statistic or None
        How several levels became one number.
    least : int
        How many of the levels had to have a value.
    protocol_id : str
        Empty where there is none or it is not known.
    """

    title: str
    name: str
    unit: str = ""
    compartment: Compartment | Structure | None = None
    levels: tuple[VertebralLevel, ...] = ()
    statistic: Statistic | None = None
    least: int = 1
    protocol_id: str = ""

    def input(self, training: pd.Series | None = None, **changes: object) -> Input:
        """Return the column as the input of a model card.

        Parameters
        ----------
        training : pandas.Series, optional
            The training patients' values, of which only a summary is kept.
        **changes
            Further fields of the input: ``center``, ``scale``, ``impute``, another ``title``.

        Raises
        ------
        UserError
            When the column holds text, or `training` has no value.
        """
        if not self.unit:
            raise UserError(
                f"Column '{self.title}' has no unit, so no model can take it.",
                "Give its unit when the table is read; text has to become a number first.",
            )
        fields: dict[str, object] = {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "compartment": self.compartment,
            "levels": self.levels,
            "statistic": self.statistic,
            "least": self.least,
            "protocol_id": self.protocol_id,
            "training": None if training is None else summary(training),
        }
        return Input(**fields | changes)


def summary(values: pd.Series) -> Summary:
    """Return what is kept of the training values: range, mean, SD (n - 1) and quantiles.

    Raises
    ------
    UserError
        When fewer than two patients have a value.
    """
    known = values.dropna().to_numpy(float)
    if len(known) < 2:
        raise UserError(f"Column '{values.name}' has {len(known)} values.", "A summary needs at least two patients.")
    quantiles = dict(zip(QUANTILES, map(float, np.quantile(known, QUANTILES))))
    numbers = known.min(), known.max(), known.mean(), known.std(ddof=1)
    return Summary(*map(float, numbers), quantiles=quantiles)


@dataclass(frozen=True)
class Cohort:
    """A table of one row a patient, and what is known of its columns.

    Parameters
    ----------
    table : pandas.DataFrame
        Index: the patients' keys (text, each once), named ``subject``. Numbers are float64, missing ones NaN; text is
        object, missing cells None or NaN.
    columns : mapping of str to Column
        By title: one for each column of `table`.
    absent : mapping of (key, title) to str
        Why a value is missing, where that is known.
    flagged : mapping of (key, title) to str
        What to keep in mind of a value.
    left_out : mapping of str to str
        Patients who are not in the table, by key: why.
    """

    table: pd.DataFrame
    columns: Mapping[str, Column]
    absent: Mapping[Place, str] = field(default_factory=dict)
    flagged: Mapping[Place, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if list(self.table.columns) != list(self.columns):
            raise ValueError("the table's columns are not those described")
        if not self.table.index.is_unique:
            raise ValueError("a patient has two rows")
        for name in ("columns", "absent", "flagged", "left_out"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __len__(self) -> int:
        return len(self.table)

    def reason(self, key: str, title: str) -> str:
        """Return why a patient has no value in a column."""
        return self.absent.get((key, title), "not given")

    def only(self, keys: list[str] | pd.Index, why: str) -> "Cohort":
        """Return the cohort of the patients `keys`, in that order; the others are left out because of `why`."""
        kept = set(keys)
        gone = {key: why for key in self.table.index if key not in kept}
        return Cohort(
            self.table.loc[list(keys)],
            self.columns,
            {place: text for place, text in self.absent.items() if place[0] in kept},
            {place: text for place, text in self.flagged.items() if place[0] in kept},
            {**self.left_out, **gone},
        )


def titles_like(cohort: Cohort, patterns: Iterable[str], outcome: str) -> list[str]:
    """Return the titles of the columns of numbers that a pattern names (``*``: anything), in the table's order.

    The outcome is none of them.
    """
    patterns = tuple(patterns)
    return [
        title
        for title, column in cohort.columns.items()
        if column.unit and title != outcome and any(fnmatchcase(title, one) for one in patterns)
    ]


def cells(frame: pd.DataFrame) -> dict[str, list[Cell]]:
    """Return a table without its index as columns for `files.tables.write_csv`; a missing value is None."""
    return {str(title): [_cell(value) for value in frame[title]] for title in frame}


def _cell(value: object) -> Cell:
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return None
    if isinstance(value, int | float | np.integer | np.floating | np.bool_):
        return float(value)
    return str(value)


def need(frame: pd.DataFrame, titles: list[str] | tuple[str, ...]) -> None:
    """Raise a UserError where `frame` lacks one of the columns `titles`."""
    lacking = [title for title in titles if title not in frame]
    if lacking:
        raise UserError(f"The table has no column '{lacking[0]}'.", f"Its columns are: {listed(frame.columns)}.")


def listed(items: object, most: int = 5) -> str:
    """Return the first of `items` as text, and how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
