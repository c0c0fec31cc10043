"""Outcomes and predictions as they are judged: checked, in one order, without gaps."""

import numpy as np
from numpy.typing import ArrayLike

from ...errors import UserError


def checked(outcome: ArrayLike, *predictions: ArrayLike, probabilities: bool = False) -> tuple[np.ndarray, ...]:
    """Return the outcome as booleans and the predictions as floats.

    Parameters
    ----------
    outcome : array_like, shape (n,)
        1 or True where the event happened, else 0 or False.
    predictions : array_like, shape (n,)
        Of the same patients in the same order; larger means more likely.
    probabilities : bool
        Whether the predictions have to lie in 0 to 1.

    Raises
    ------
    UserError
        When something is missing, not 0 or 1, no probability, of another length, or of other or reordered rows.
    """
    same_rows(outcome, *predictions)
    events = _events(outcome)
    return events, *(_prediction(prediction, len(events), probabilities) for prediction in predictions)


def one_class(events: np.ndarray) -> str | None:
    """Return the reason why nothing can be judged here, or None where both outcomes are there."""
    if not len(events):
        return "there is no patient"
    if events.all() or not events.any():
        return f"{'all' if events.any() else 'none'} of the {len(events)} patients had the event"
    return None


def same_rows(*columns: object) -> None:
    """Refuse columns of pandas whose row names differ: they would be judged in the wrong order."""
    names = [list(column.index) for column in columns if hasattr(column, "iloc")]
    if any(other != names[0] for other in names[1:]):
        raise UserError(
            "The outcome and the predictions are of other patients, or in another order: their row names differ.",
            "Select the same rows of both, e.g. prediction.loc[outcome.index].",
        )


def _numbers(column: ArrayLike, what: str) -> np.ndarray:
    try:
        values = np.asarray(column, dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"The {what} is not a column of numbers ({error}).", "Give one number a patient.") from error
    if values.ndim != 1:
        raise UserError(f"The {what} has the shape {values.shape}.", "Give one number a patient.")
    missing = int(np.sum(~np.isfinite(values)))
    if missing:
        raise UserError(
            f"The {what} is missing or not finite in {missing} of {len(values)} patients.",
            "Leave these patients out, or complete their rows, before judging.",
        )
    return values


def _events(outcome: ArrayLike) -> np.ndarray:
    values = _numbers(outcome, "outcome")
    others = sorted({float(value) for value in values} - {0.0, 1.0})
    if others:
        raise UserError(f"The outcome has the value {others[0]:g}.", "Code it as 1 (event) and 0 (no event).")
    return values == 1


def _prediction(prediction: ArrayLike, n: int, probability: bool) -> np.ndarray:
    values = _numbers(prediction, "prediction")
    if len(values) != n:
        raise UserError(f"There are {len(values)} predictions for {n} outcomes.", "Give both of the same patients.")
    if probability and len(values) and (values.min() < 0 or values.max() > 1):
        raise UserError(
            f"The predictions reach from {values.min():g} to {values.max():g}: these are no probabilities.",
            "Give probabilities between 0 and 1; a score without a scale can only be judged by its ROC curve.",
        )
    return values
