"""Table 1: the patients by group, with the fitting test, P value and standardised difference of each variable."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from ...errors import UserError
from ...files.tables import Cell
from .columns import cells, need
from .group_tests import (
    Normality,
    Test,
    Variances,
    association,
    difference,
    normality,
    standardised_difference,
    standardised_shares,
    two_groups,
)
from .missing import groups_of


class Kind(StrEnum):
    """How a variable is described."""

    MEAN = "mean ± SD"
    MEDIAN = "median (IQR)"
    SHARE = "n (%)"


@dataclass(frozen=True)
class Summary:
    """A variable in one group.

    Parameters
    ----------
    n : int
        How many have a value.
    missing : int
    mean, sd, median, q1, q3 : float or None
        Of numbers; quartiles by linear interpolation.
    counts : tuple of int
        Of categories, in the row's order.
    """

    n: int
    missing: int
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Row:
    """One variable.

    Parameters
    ----------
    variable : str
    kind : Kind
    categories : tuple of str
    overall : Summary
    groups : tuple of Summary
        As the table's groups.
    test : Test
    smd : float or None
        Standardised difference, first group minus second; None where nothing varies or there is one group.
    normality : Normality or None
    """

    variable: str
    kind: Kind
    categories: tuple[str, ...]
    overall: Summary
    groups: tuple[Summary, ...]
    test: Test
    smd: float | None
    normality: Normality | None


@dataclass(frozen=True)
class TableOne:
    """Table 1.

    Parameters
    ----------
    group : str
        The column of the groups.
    names : tuple of str
        Of the two groups, in order.
    sizes : tuple of int
    rows : tuple of Row
    """

    group: str
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    rows: tuple[Row, ...]

    def frame(self) -> pd.DataFrame:
        """Return the table as text to print; a category stands in a row of its own below its variable."""
        heads = [f"{name} (n = {size})" for name, size in zip(self.names, self.sizes)]
        overall = f"all (n = {sum(self.sizes)})"
        titles = ["variable", "category", overall, *heads, "missing", "standardised difference", "P", "test", "note"]
        return pd.DataFrame([line for row in self.rows for line in _lines(row)], columns=titles)

    def columns(self) -> dict[str, list[Cell]]:
        """Return `frame` as columns for `files.tables.write_csv`."""
        return cells(self.frame())


def table_one(
    frame: pd.DataFrame,
    group: str,
    variables: Sequence[str] | None = None,
    categorical: Collection[str] = (),
    shapes: dict[str, bool] | None = None,
    variances: Variances = Variances.EQUAL,
    alpha: float = 0.05,
    yates: bool = False,
) -> TableOne:
    """Compare two groups of patients.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a patient.
    group : str
        Column of two values.
    variables : sequence of str, optional
        All other columns where it is not given.
    categorical : collection of str
        Numbers to be counted rather than averaged (grades); text and numbers of at most two values are, anyway.
    shapes : dict of str to bool, optional
        Which variables to take as normal or not, whatever Shapiro–Wilk says.
    variances : Variances
    alpha : float
        Of the Shapiro–Wilk test.
    yates : bool
        Whether chi-square of 2 × 2 tables is corrected for continuity.

    Raises
    ------
    UserError
        When a column is missing, there are not two groups, or a patient has none.
    """
    labels = groups_of(frame, group)
    names = two_groups(sorted(labels.unique()))
    variables = [title for title in frame if title != group] if variables is None else list(variables)
    need(frame, variables)
    if group in variables:
        raise UserError(f"'{group}' is the groups' column.", "Take it out of the variables.")
    masks = tuple((labels == name).to_numpy() for name in names)
    rows = []
    for title in variables:
        values = frame[title]
        if title in categorical or _is_categorical(values):
            rows.append(_shares(values, masks, yates))
        else:
            forced = (shapes or {}).get(title)
            rows.append(_numbers(values, masks, forced, variances, alpha))
    return TableOne(group, tuple(_text(name) for name in names), tuple(int(m.sum()) for m in masks), tuple(rows))


def _is_categorical(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values) or values.nunique() <= 2


def _numbers(
    values: pd.Series, masks: tuple[np.ndarray, ...], forced: bool | None, variances: Variances, alpha: float
) -> Row:
    numbers = values.to_numpy(float)
    if np.isinf(numbers).any():
        raise UserError(f"Column '{values.name}' holds a number that is infinite.", "Correct the table.")
    parts = tuple(numbers[mask & ~np.isnan(numbers)] for mask in masks)
    shape = normality(parts, alpha) if forced is None else Normality(forced, (None,) * len(parts), "shape as given")
    test = difference(*parts, shape.normal, variances)
    averaged = shape.normal and (test.p is None or "t test" in test.name)
    groups = tuple(_summary(part, int(mask.sum()) - len(part)) for part, mask in zip(parts, masks))
    overall = _summary(np.concatenate(parts), sum(one.missing for one in groups))
    kind = Kind.MEAN if averaged else Kind.MEDIAN
    return Row(str(values.name), kind, (), overall, groups, test, standardised_difference(*parts), shape)


def _summary(values: np.ndarray, missing: int) -> Summary:
    if not len(values):
        return Summary(0, missing)
    q1, median, q3 = map(float, np.quantile(values, (0.25, 0.5, 0.75)))
    sd = float(values.std(ddof=1)) if len(values) > 1 else None
    return Summary(len(values), missing, float(values.mean()), sd, median, q1, q3)


def _shares(values: pd.Series, masks: tuple[np.ndarray, ...], yates: bool) -> Row:
    known = values.notna().to_numpy()
    names = sorted(values[known].unique())
    counts = np.array([[int(((values == name).to_numpy() & mask).sum()) for mask in masks] for name in names])
    counts = counts.reshape(len(names), len(masks))
    totals = [(int((mask & known).sum()), int((mask & ~known).sum())) for mask in masks]
    groups = tuple(Summary(n, gone, counts=tuple(map(int, column))) for (n, gone), column in zip(totals, counts.T))
    overall = Summary(int(known.sum()), int((~known).sum()), counts=tuple(map(int, counts.sum(axis=1))))
    test, smd = association(counts, yates), standardised_shares(counts)
    return Row(str(values.name), Kind.SHARE, tuple(map(_text, names)), overall, groups, test, smd, None)


def _lines(row: Row) -> list[list[str]]:
    everyone = (row.overall, *row.groups)
    missing = str(row.overall.missing or "")
    smd = "" if row.smd is None else f"{row.smd:.3f}"
    notes = "; ".join(text for text in (row.test.note, row.normality.note if row.normality else "") if text)
    tail = [missing, smd, p_text(row.test.p), row.test.name, notes]
    if row.kind is not Kind.SHARE:
        return [[row.variable, row.kind, *(_described(row.kind, one) for one in everyone), *tail]]
    lines = [[row.variable, row.kind, *[""] * len(everyone), *tail]]
    for n, name in enumerate(row.categories):
        shares = [f"{one.counts[n]} ({one.counts[n] / one.n:.1%})" if one.n else "" for one in everyone]
        lines.append([row.variable, name, *(text.replace("%", " %") for text in shares), *[""] * len(tail)])
    return lines


def _described(kind: Kind, one: Summary) -> str:
    if one.n == 0:
        return "no value"
    if kind is Kind.MEAN:
        digits = _digits(one.sd)
        return f"{one.mean:.{digits}f} ± {one.sd:.{digits}f}" if one.sd is not None else f"{one.mean:g}"
    digits = _digits(one.q3 - one.q1)
    return f"{one.median:.{digits}f} ({one.q1:.{digits}f}–{one.q3:.{digits}f})"


def _digits(spread: float | None) -> int:
    """Return how many decimals show two figures of the spread, at least one."""
    return max(1, 1 - math.floor(math.log10(spread))) if spread else 2


def p_text(p: float | None) -> str:
    """Return a P value as printed: three decimals, ``<0.001``; nothing where there is none."""
    if p is None:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
