"""Cut-offs of a score: Youden's, and that of a fixed sensitivity.

Between two neighbouring scores the cut-off lies half-way, as in pROC, so that rounding it does not move a patient.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...errors import UserError
from .outcomes import checked, one_class
from .roc_curve import counts_by_score


@dataclass(frozen=True)
class Cutoff:
    """A cut-off: a score of at least `value` is positive.

    Parameters
    ----------
    value : float or None
    rule : str
        How it was chosen.
    n, events : int or None
        Of the patients who chose it; None where it was given.
    reason : str or None
        Why there is none.
    """

    value: float | None
    rule: str
    n: int | None = None
    events: int | None = None
    reason: str | None = None


def fixed(value: float) -> Cutoff:
    """Return a cut-off that was chosen beforehand."""
    if not np.isfinite(value):
        raise UserError(f"The cut-off {value} is not a finite number.", "Give a number on the scale of the score.")
    return Cutoff(float(value), "given")


def youden(outcome: ArrayLike, score: ArrayLike) -> Cutoff:
    """Return the cut-off of the largest sensitivity + specificity - 1; of several, the most sensitive one."""
    events, score = checked(outcome, score)
    rule, n, cases = "largest Youden index", len(events), int(events.sum())
    reason = one_class(events)
    if reason:
        return Cutoff(None, rule, n, cases, reason)
    distinct, with_event, without = counts_by_score(events, score)
    # As integers, so that equal indices are equal.
    index = np.cumsum(with_event) * (n - cases) - np.cumsum(without) * cases
    best = len(index) - 1 - int(np.argmax(index[::-1]))
    if index[best] <= 0:
        return Cutoff(None, rule, n, cases, "no cut-off is better than chance")
    return Cutoff(_half_way(distinct, best), rule, n, cases)


def at_sensitivity(outcome: ArrayLike, score: ArrayLike, sensitivity: float) -> Cutoff:
    """Return the highest cut-off, hence the most specific one, of at least this sensitivity (above 0, to 1)."""
    events, score = checked(outcome, score)
    if not 0 < sensitivity <= 1:
        raise UserError(f"A sensitivity of {sensitivity} cannot be asked for.", "Give a number above 0, up to 1.")
    rule, n, cases = f"sensitivity of at least {sensitivity:g}", len(events), int(events.sum())
    reason = one_class(events)
    if reason:
        return Cutoff(None, rule, n, cases, reason)
    distinct, with_event, _ = counts_by_score(events, score)
    enough = np.cumsum(with_event) / cases >= sensitivity - 1e-12  # 0.9 of 10 is 9, whatever the rounding
    return Cutoff(_half_way(distinct, int(np.argmax(enough))), rule, n, cases)


def _half_way(distinct: np.ndarray, place: int) -> float:
    """Return the middle between the score at `place`, which is positive, and the next lower one."""
    score = float(distinct[place])
    if place + 1 == len(distinct):
        return score
    lower = float(distinct[place + 1])
    middle = lower + (score - lower) / 2
    return middle if middle > lower else score
