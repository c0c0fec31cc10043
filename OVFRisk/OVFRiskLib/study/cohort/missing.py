"""What is missing in a cohort: by column, by patient, in which combinations and why."""

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from ...errors import UserError
from .columns import Cohort, listed
from .group_tests import association


@dataclass(frozen=True)
class MissingReport:
    """Missing values, as tables without an index.

    Parameters
    ----------
    columns : pandas.DataFrame
        A row a column: column, n, missing, share (0-1), reasons; with groups the share of each, P (whether values are
        missing more often in one group) and how it was tested. Most missing first.
    patients : pandas.DataFrame
        A row a patient: subject, missing, share. Most missing first.
    patterns : pandas.DataFrame
        A row a combination of missing columns: columns, patients. Most frequent first.
    complete : int
        How many patients have every value.
    """

    columns: pd.DataFrame
    patients: pd.DataFrame
    patterns: pd.DataFrame
    complete: int


def missing_report(cohort: Cohort, group: str | None = None) -> MissingReport:
    """Return what is missing in a cohort.

    Parameters
    ----------
    cohort : Cohort
    group : str, optional
        Column of the groups to compare; it must be complete.

    Raises
    ------
    UserError
        When there is no such column, or a patient has no group.
    """
    empty = cohort.table.isna()
    groups = None if group is None else groups_of(cohort.table, group)
    return MissingReport(
        _columns(cohort, empty.drop(columns=[group] if group else []), groups),
        _patients(empty),
        _patterns(empty),
        int((~empty.any(axis=1)).sum()),
    )


def groups_of(frame: pd.DataFrame, group: str) -> pd.Series:
    """Return each patient's group, which none may lack.

    Raises
    ------
    UserError
    """
    if group not in frame:
        raise UserError(f"The table has no column '{group}'.", f"Its columns are: {listed(frame.columns)}.")
    found = frame[group]
    if found.isna().any():
        who = listed(found.index[found.isna()])
        raise UserError(f"Column '{group}' is empty for {who}.", "Complete it, or leave these patients out.")
    return found


def _columns(cohort: Cohort, empty: pd.DataFrame, groups: pd.Series | None) -> pd.DataFrame:
    rows = []
    for title in empty:
        gone = empty[title]
        row = {"column": title, "n": int((~gone).sum()), "missing": int(gone.sum()), "share": float(gone.mean())}
        rows.append(
            row | (_by_group(gone, groups) if groups is not None else {}) | {"reasons": _why(cohort, title, gone)}
        )
    frame = pd.DataFrame(rows, columns=None if rows else ["column", "n", "missing", "share", "reasons"])
    return frame.sort_values("missing", ascending=False, kind="stable", ignore_index=True)


def _by_group(gone: pd.Series, groups: pd.Series) -> dict[str, object]:
    row: dict[str, object] = {
        f"share in {name}": float(gone[groups == name].mean()) for name in sorted(groups.unique())
    }
    counts = pd.crosstab(gone, groups).to_numpy()
    found = association(counts)
    return row | {"P": found.p, "test": found.name if found.p is not None else found.note}


def _why(cohort: Cohort, title: str, gone: pd.Series) -> str:
    reasons = Counter(cohort.reason(key, title) for key in gone.index[gone])
    return "; ".join(f"{why} ({n})" for why, n in sorted(reasons.items(), key=lambda one: (-one[1], one[0])))


def _patients(empty: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame({"subject": list(empty.index), "missing": empty.sum(axis=1).to_list()})
    frame["share"] = frame["missing"] / max(1, empty.shape[1])
    return frame.sort_values("missing", ascending=False, kind="stable", ignore_index=True)


def _patterns(empty: pd.DataFrame) -> pd.DataFrame:
    titles = list(empty.columns)
    found = Counter(tuple(t for t, gone in zip(titles, row) if gone) for row in empty.to_numpy())
    ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return pd.DataFrame([("; ".join(names), n) for names, n in ordered], columns=["columns", "patients"])
