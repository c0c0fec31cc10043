"""What a search is given: checked once, cut into folds once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import UserError

Data = pd.DataFrame | np.ndarray


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold, ready for training.

    Parameters
    ----------
    x, y : inputs and outcomes of the training part
    test_x, test_y : of the test part
    """

    x: Data
    y: np.ndarray
    test_x: Data
    test_y: np.ndarray


def checked(x: Data, y: np.ndarray) -> tuple[Data, np.ndarray]:
    """Return inputs as 64-bit numbers and outcomes as 0 and 1.

    Raises
    ------
    UserError
        Names the first column with a gap or text, or says what the outcomes are.
    """
    try:
        x = x.astype(np.float64) if isinstance(x, pd.DataFrame) else np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"A model's inputs must be numbers ({error}).", "Code categories as 0 and 1.") from error
    if x.ndim != 2 or 0 in x.shape:
        raise UserError("There are no inputs to train on.", "Let the selection keep at least one column.")
    gaps = ~np.isfinite(np.asarray(x)).all(axis=0)
    if gaps.any():
        name = x.columns[gaps][0] if isinstance(x, pd.DataFrame) else f"number {int(np.argmax(gaps)) + 1}"
        raise UserError(f"The input {name} has missing values.", "Impute it in the design, or leave it out.")
    y = np.asarray(y)
    if y.shape != (len(x),):
        raise UserError(f"There are {len(x)} patients and {y.size} outcomes.", "Give one outcome a patient.")
    if set(np.unique(y).tolist()) != {0, 1}:
        raise UserError("The outcome does not have the two values 0 and 1.", "Code it: 1 with the event, 0 without.")
    return x, y.astype(np.int64)


def folds_of(
    x: Data, y: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]], prepare: Callable | None
) -> list[Fold]:
    """Return the prepared folds.

    Raises
    ------
    UserError
        When there is none, one shares rows between its parts, or a part has only one outcome.
    """
    if not folds:
        raise UserError("The search has no folds.", "Give at least two, e.g. of StratifiedKFold.")
    return [_fold(x, y, *parts, number, prepare) for number, parts in enumerate(folds, start=1)]


def _fold(
    x: Data, y: np.ndarray, training: np.ndarray, test: np.ndarray, number: int, prepare: Callable | None
) -> Fold:
    training, test = np.asarray(training), np.asarray(test)
    if np.intersect1d(training, test).size:
        raise UserError(f"Fold {number} trains on patients that it tests on.", "Give disjoint rows.")
    if len(np.unique(y[training])) < 2 or len(np.unique(y[test])) < 2:
        raise UserError(f"Fold {number} has patients of one outcome only.", "Use fewer, or stratified, folds.")
    x_training, y_training, x_test = rows(x, training), y[training], rows(x, test)
    if prepare is not None:
        x_training, y_training, x_test = prepare(x_training, y_training, x_test)
    return Fold(x_training, np.asarray(y_training), x_test, y[test])


def rows(x: Data, which: np.ndarray) -> Data:
    """Return rows by position."""
    return x.iloc[which] if isinstance(x, pd.DataFrame) else x[which]
