"""Which patients train and which test: by chance, by patient, by date, by centre.

Splits by chance sort the patients by key first, so that a seed gives the same split however the table is ordered.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from ...errors import UserError
from .columns import listed, need


@dataclass(frozen=True)
class Split:
    """Who trains and who tests.

    Parameters
    ----------
    train, test : tuple
        Keys, in the table's order.
    how : str
        In words, for the methods paragraph.
    seed : int or None
        None where nothing was left to chance.
    """

    train: tuple
    test: tuple
    how: str
    seed: int | None = None

    def positions(self, index: pd.Index) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of `index` that train and that test (what scikit-learn's ``cv`` takes).

        Raises
        ------
        UserError
            When `index` lacks a patient of the split.
        """
        both = [index.get_indexer(list(keys)) for keys in (self.train, self.test)]
        if any((rows < 0).any() for rows in both):
            raise UserError("The table lacks patients of the split.", "Split the table that is used.")
        return both[0], both[1]


def split_by_chance(
    frame: pd.DataFrame, outcome: str, test: float | int, seed: int, groups: str | None = None
) -> Split:
    """Split stratified by the outcome.

    Parameters
    ----------
    frame : pandas.DataFrame
        Indexed by key.
    outcome : str
        Column of classes.
    test : float or int
        The test part: a share (below 1, rounded up) or a number of rows; with `groups` of groups.
    seed : int
    groups : str, optional
        Column of patients, where they have several rows: all of them go to one part. Stratified by the highest class
        that a patient has.

    Raises
    ------
    UserError
        When a column is missing or has empty cells, a part lacks a class or is too small.
    """
    classes = _complete(frame, outcome)
    owner = pd.Series(frame.index, index=frame.index) if groups is None else _complete(frame, groups)
    highest = classes.groupby(owner, sort=True).max()
    try:
        parts = train_test_split(list(highest.index), test_size=test, random_state=seed, stratify=highest)
    except ValueError as error:
        raise UserError(
            f"The {len(highest)} patients cannot be split: {error}", "Choose another size, or check the outcome."
        ) from error
    by = "" if groups is None else f", all rows of a '{groups}' in one part"
    return _checked(frame, classes, owner.isin(set(parts[1])), f"stratified by '{outcome}'{by}", seed)


def split_by_date(frame: pd.DataFrame, outcome: str, date: str, first_test_day: str) -> Split:
    """Split by time: who comes on `first_test_day` or later tests.

    Parameters
    ----------
    frame : pandas.DataFrame
    outcome : str
        Of which both parts need every class.
    date : str
        Column of dates, ``2024-07-31``.
    first_test_day : str
        As the column.

    Raises
    ------
    UserError
        As `split_by_chance`, or when a cell is no date; names the patient.
    """
    days = _dates(_complete(frame, date))
    start = _dates(pd.Series([first_test_day], index=["the first test day"], name=date)).iloc[0]
    how = f"temporal: '{date}' from {start.date().isoformat()} tests"
    return _checked(frame, _complete(frame, outcome), days >= start, how)


def split_by_centre(frame: pd.DataFrame, outcome: str, centre: str, test: Collection[object]) -> Split:
    """Split by centre: the centres `test` test, the others train.

    Raises
    ------
    UserError
        As `split_by_chance`, or when there is no such centre or none is left to train.
    """
    where = _complete(frame, centre)
    unknown = [one for one in test if one not in set(where)]
    if unknown or not test:
        what = f"No patient is of centre {listed(unknown)}." if unknown else "No centre is named to test."
        raise UserError(what, f"The centres are: {listed(sorted(where.unique()), 12)}.")
    names = listed(sorted(test), 12)
    return _checked(frame, _complete(frame, outcome), where.isin(list(test)), f"centre-wise: {names} tests")


def leave_one_centre_out(frame: pd.DataFrame, outcome: str, centre: str) -> Iterator[Split]:
    """Return a split a centre, in which that centre tests; see `split_by_centre`."""
    for name in sorted(_complete(frame, centre).unique()):
        yield split_by_centre(frame, outcome, centre, [name])


def folds(frame: pd.DataFrame, outcome: str, n: int, seed: int, groups: str | None = None) -> tuple[Split, ...]:
    """Return `n` folds of cross-validation, stratified by the outcome; each patient tests once.

    Every model of a study takes these same folds. With `groups` all rows of a patient are in one fold.

    Raises
    ------
    UserError
        As `split_by_chance`.
    """
    classes = _complete(frame, outcome)
    order = frame.index[np.argsort(frame.index.to_numpy(), kind="stable")]
    owner = None if groups is None else _complete(frame, groups)[order]
    fewest = int(classes.value_counts().min()) if groups is None else int(owner.groupby(classes[order]).nunique().min())
    if not 2 <= n <= fewest:
        raise UserError(
            f"{fewest} patients of the rarest class do not fill {n} folds.", f"Ask for 2 to {fewest} folds."
        )
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    found = kind(n, shuffle=True, random_state=seed).split(order, classes[order], owner)
    how = f"{n}-fold cross-validation stratified by '{outcome}'" + (f", grouped by '{groups}'" if groups else "")
    return tuple(
        _checked(frame, classes, pd.Series(frame.index.isin(order[test]), index=frame.index), f"{how}, fold {k}", seed)
        for k, (_, test) in enumerate(found, start=1)
    )


def _complete(frame: pd.DataFrame, title: str) -> pd.Series:
    need(frame, [title])
    if not frame.index.is_unique:
        raise UserError("Two rows of the table have the same key.", "Give each row a key of its own.")
    values = frame[title]
    if values.isna().any():
        who = listed(frame.index[values.isna()])
        raise UserError(f"Column '{title}' is empty for {who}.", "Complete it, or leave these patients out.")
    return values


def _checked(frame: pd.DataFrame, classes: pd.Series, tests: pd.Series, how: str, seed: int | None = None) -> Split:
    everything = set(classes)
    if len(everything) < 2:
        raise UserError(f"The outcome '{classes.name}' has one class only.", "Choose another outcome.")
    for name, part in (("training", ~tests), ("test", tests)):
        lacking = everything - set(classes[part])
        if lacking:
            what = f"The {name} part ({how}) has no patient with outcome {listed(sorted(lacking))}."
            raise UserError(what, "Split otherwise: nothing could be learned or judged there.")
    return Split(tuple(frame.index[~tests]), tuple(frame.index[tests]), how, seed)


def _dates(values: pd.Series) -> pd.Series:
    days = pd.to_datetime(values, format="%Y-%m-%d", errors="coerce")
    if days.isna().any():
        key = days.index[days.isna()][0]
        raise UserError(
            f"Column '{values.name}' of {key}: '{values[key]}' is no date.",
            "Write dates as 2024-07-31 (year-month-day).",
        )
    return days
