"""The ROC curve with a band."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .outcomes import checked, one_class
from .resampling import percentiles, stratified_draws

_ROUNDING = 1e-12  # of 1 - specificity, so that a rate that is met exactly is met


@dataclass(frozen=True)
class RocBand:
    """Sensitivity at fixed specificities with its pointwise 95 % interval."""

    specificity: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class RocCurve:
    """A ROC curve from (specificity 1, sensitivity 0) to (0, 1), a corner a distinct score.

    Parameters
    ----------
    threshold, sensitivity, specificity : tuple of float
        Patients whose score is at least the threshold count as positive; the first threshold is infinite.
    n, events : int
    method : str
    band : RocBand or None
    reason : str or None
        Why there is no curve.
    """

    threshold: tuple[float, ...]
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]
    n: int
    events: int
    method: str
    band: RocBand | None = None
    reason: str | None = None


def roc_curve(outcome: ArrayLike, score: ArrayLike) -> RocCurve:
    """Return the empirical ROC curve, with every corner."""
    events, score = checked(outcome, score)
    n, cases, method = len(events), int(events.sum()), "empirical ROC curve"
    reason = one_class(events)
    if reason:
        return RocCurve((), (), (), n, cases, method, None, reason)
    thresholds, positive, false = counts_by_score(events, score)
    thresholds = (np.inf, *thresholds.tolist())
    sensitivity, specificity = _from_above(positive), 1 - _from_above(false)
    return RocCurve(thresholds, tuple(sensitivity.tolist()), tuple(specificity.tolist()), n, cases, method)


def sensitivity_at(curve: RocCurve, specificity: ArrayLike) -> np.ndarray:
    """Return the sensitivity of a curve at specificities, on the straight line between corners (pROC's ``coords``)."""
    if curve.reason:
        raise ValueError(f"there is no curve: {curve.reason}")
    asked = 1 - np.atleast_1d(np.asarray(specificity, dtype=float))
    return _read(1 - np.array(curve.specificity), np.array(curve.sensitivity), asked)


def roc_curve_with_band(outcome: ArrayLike, score: ArrayLike, *, seed: int, replicates: int = 2000) -> RocCurve:
    """Return the ROC curve with a pointwise 95 % band of the sensitivity (pROC's ``ci.se``).

    Patients with and without the event are drawn separately, with replacement; each resampled curve is read at
    specificities 0, 0.01 … 1, on the straight line between corners.
    """
    curve = roc_curve(outcome, score)
    if curve.reason:
        return curve
    _, positive, false = counts_by_score(*checked(outcome, score))
    asked = np.linspace(0, 1, 101)
    drawn = zip(*stratified_draws(positive, false, replicates, seed))
    read = np.array([_read(_from_above(false), _from_above(positive), 1 - asked) for positive, false in drawn])
    low, high = percentiles(read)
    band = RocBand(tuple(asked.tolist()), tuple(low.tolist()), tuple(high.tolist()))
    method = f"{curve.method}; pointwise 95 % band by {replicates} stratified bootstrap resamples (seed {seed})"
    return RocCurve(curve.threshold, curve.sensitivity, curve.specificity, curve.n, curve.events, method, band)


def counts_by_score(events: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct scores, largest first, and how many patients with and without the event have each."""
    distinct, place = np.unique(score, return_inverse=True)
    size = len(distinct)
    with_event, without = (np.bincount(place[chosen], minlength=size) for chosen in (events, ~events))
    return distinct[::-1], with_event[::-1], without[::-1]


def _from_above(counts: np.ndarray) -> np.ndarray:
    """Return the share of patients at or above each score, 0 first."""
    return np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])


def _read(false: np.ndarray, positive: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the sensitivity at false-positive rates; the upper end where the curve is vertical."""
    asked = asked + _ROUNDING
    left = np.minimum(np.searchsorted(false, asked, side="right") - 1, len(false) - 2)
    width = false[left + 1] - false[left]
    share = np.divide(asked - false[left], width, out=np.ones(len(asked)), where=width > 0)
    return positive[left] + np.clip(share, 0, 1) * (positive[left + 1] - positive[left])
