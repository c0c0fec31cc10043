"""What a yes or no at a cut-off is worth: the confusion matrix and its metrics, each with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from .cutoff import Cutoff, fixed
from .estimate import LEVEL, Estimate, absent
from .outcomes import checked, one_class
from .resampling import draws, of_replicates

_WILSON = "95 % CI by Wilson's score interval"


@dataclass(frozen=True)
class Confusion:
    """The confusion matrix at a cut-off; a score at the cut-off counts as positive.

    The intervals hold for this cut-off. Where the same patients chose it, the metrics are too optimistic: choose it on
    the training set and judge it on the test set.
    """

    cutoff: Cutoff
    true_positives: int | None
    false_positives: int | None
    false_negatives: int | None
    true_negatives: int | None
    accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    f1: Estimate
    kappa: Estimate
    mcc: Estimate


def confusion(
    outcome: ArrayLike, score: ArrayLike, cutoff: Cutoff | float, *, seed: int, replicates: int = 2000
) -> Confusion:
    """Return the confusion matrix and its metrics.

    The shares have Wilson's interval; F1, Cohen's kappa and Matthews' correlation that of a bootstrap of the patients.
    PPV and NPV hold for the share of events in these patients, not for another.

    Parameters
    ----------
    outcome : array_like of 0 and 1, shape (n,)
    score : array_like of float, shape (n,)
    cutoff : Cutoff or float
    seed, replicates : int
        Of the bootstrap.
    """
    events, score = checked(outcome, score)
    cutoff = cutoff if isinstance(cutoff, Cutoff) else fixed(cutoff)
    reason = cutoff.reason if cutoff.value is None else ("there is no patient" if not len(events) else None)
    if reason:
        none = absent(len(events), int(events.sum()), _WILSON, str(reason))
        return Confusion(cutoff, *(None,) * 4, *(none,) * 8)
    positive = score >= cutoff.value
    pairs = ((positive, events), (positive, ~events), (~positive, events), (~positive, ~events))
    counts = np.array([int(np.sum(said & true)) for said, true in pairs])
    balanced = _balanced(counts, one_class(events), seed, replicates)
    return Confusion(cutoff, *counts.tolist(), *_shares(*counts.tolist()), *balanced)


def _shares(tp: int, fp: int, fn: int, tn: int) -> tuple[Estimate, ...]:
    def wilson(part: int, whole: int, events: int, name: str, of: str) -> Estimate:
        method = f"{name}; {_WILSON}"
        if not whole:
            return absent(0, 0, method, f"there is no {of}")
        interval = binomtest(part, whole).proportion_ci(LEVEL, "wilson")
        return Estimate(part / whole, float(interval.low), float(interval.high), whole, events, method)

    return (
        wilson(tp + tn, tp + fp + fn + tn, tp + fn, "accuracy", "patient"),
        wilson(tp, tp + fn, tp + fn, "sensitivity", "patient with the event"),
        wilson(tn, tn + fp, 0, "specificity", "patient without the event"),
        wilson(tp, tp + fp, tp, "positive predictive value", "patient above the cut-off"),
        wilson(tn, tn + fn, fn, "negative predictive value", "patient below the cut-off"),
    )


_METRICS = {
    "F1": "nobody is above the cut-off or has the event",
    "Cohen's kappa": "prediction and outcome agree by chance alone: all patients are in one cell",
    "Matthews' correlation": "all predictions, or all outcomes, are the same",
}


def _balanced(counts: np.ndarray, one: str | None, seed: int, replicates: int) -> tuple[Estimate, ...]:
    n, events = int(counts.sum()), int(counts[0] + counts[2])
    if one:
        return tuple(absent(n, events, name, one) for name in _METRICS)
    values = _f1_kappa_mcc(counts[None])[:, 0]
    drawn = _f1_kappa_mcc(draws(counts, replicates, seed))
    return tuple(
        of_replicates(float(value), replicate, n, events, f"{name} (seed {seed})")
        if np.isfinite(value)
        else absent(n, events, name, reason)
        for (name, reason), value, replicate in zip(_METRICS.items(), values, drawn)
    )


def _f1_kappa_mcc(counts: np.ndarray) -> np.ndarray:
    """Return F1, Cohen's kappa and Matthews' correlation, shape (3, m), of counts TP, FP, FN, TN, shape (m, 4).

    nan where a denominator is zero.
    """
    tp, fp, fn, tn = counts.T.astype(float)
    n = counts.sum(axis=1)
    agreed = tp * tn - fp * fn
    by_chance = (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)
    spread = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    pairs = ((2 * tp, 2 * tp + fp + fn), (2 * agreed, by_chance), (agreed, spread))
    empty = np.full(len(n), np.nan)
    return np.array([np.divide(over, under, out=empty.copy(), where=under > 0) for over, under in pairs])
