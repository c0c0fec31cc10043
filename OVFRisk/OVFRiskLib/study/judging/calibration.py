"""Whether predicted probabilities come true: logistic recalibration, Brier score, distance of the smooth curve.

Slope, intercept, Brier score, Eavg, E90, Emax, the test of unreliability and Spiegelhalter's z are those of
``val.prob`` of the R package rms.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from scipy.stats import chi2

from .calibration_curve import SmoothCurve, distances, smooth_curve
from .estimate import Estimate, SignificanceTest, absent, z_test
from .logistic import fitted, separated
from .outcomes import checked, one_class
from .resampling import of_replicates

_WALD = "95 % CI by Wald"
_TOO_FEW_DISTINCT = "fewer than two distinct predictions between 0 and 1"
_SMOOTH_NAMES = {
    "average_error": "mean distance of the smooth curve (Eavg, ICI)",
    "median_error": "median distance of the smooth curve (E50)",
    "e90": "90th percentile of the distance of the smooth curve (E90)",
    "emax": "largest distance of the smooth curve (Emax)",
    "eci": "mean squared distance of the smooth curve (ECI)",
}


@dataclass(frozen=True)
class Calibration:
    """How probabilities and outcomes agree.

    Parameters
    ----------
    slope, intercept : Estimate
        Of the logistic regression of the outcome on the logit of the prediction; ideal 1 and 0.
    in_the_large : Estimate
        Intercept with the slope fixed at 1; ideal 0, positive where the predictions are too low.
    brier : Estimate
        Mean squared error, 0 is perfect.
    scaled_brier : Estimate
        1 - Brier / that of the share of events for everybody; 1 is perfect, 0 no better than the share.
    average_error, median_error, e90, emax, eci : Estimate
        Distance of the smooth curve from the diagonal at the patients' predictions. A resample's curve is rougher and
        lies further off, so that these intervals are shifted upwards, and may even leave the value below them.
    unreliability : SignificanceTest
        Likelihood ratio test of intercept 0 and slope 1 together.
    spiegelhalter : SignificanceTest
    smooth : SmoothCurve
    """

    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate
    brier: Estimate
    scaled_brier: Estimate
    average_error: Estimate
    median_error: Estimate
    e90: Estimate
    emax: Estimate
    eci: Estimate
    unreliability: SignificanceTest
    spiegelhalter: SignificanceTest
    smooth: SmoothCurve


def calibration(outcome: ArrayLike, probability: ArrayLike, *, seed: int, replicates: int = 1000) -> Calibration:
    """Return how well the probabilities are calibrated in these patients, who must not have fitted the model.

    Predictions of exactly 0 or 1 have no logit: recalibration leaves these patients out, as rms does, and says so.

    Parameters
    ----------
    outcome : array_like of 0 and 1, shape (n,)
    probability : array_like of float, shape (n,)
    seed, replicates : int
        Of the bootstrap that gives the intervals of the Brier scores and of the smooth curve.
    """
    events, probability = checked(outcome, probability, probabilities=True)
    slope, intercept, large, unreliability = _recalibration(events, probability)
    samples = _resamples(len(events), replicates, seed)
    brier = _brier_scores(events, probability, samples, seed)
    smooth, drawn = smooth_curve(events, probability, samples, seed)
    errors = _errors(smooth, drawn, seed)
    spiegelhalter = _spiegelhalter(events, probability)
    return Calibration(slope, intercept, large, *brier, *errors, unreliability, spiegelhalter, smooth)


def _resamples(n: int, replicates: int, seed: int) -> np.ndarray:
    """Return the rows of each resample, shape (replicates, n)."""
    return np.random.default_rng(seed).integers(0, max(n, 1), (replicates, n))


def _recalibration(
    events: np.ndarray, probability: np.ndarray
) -> tuple[Estimate, Estimate, Estimate, SignificanceTest]:
    inside = (probability > 0) & (probability < 1)
    used, outside = events[inside], int(np.sum(~inside))
    left_out = f", without {outside} of {len(events)} patients whose prediction is exactly 0 or 1" if outside else ""
    x = logit(probability[inside])
    none = partial(absent, len(used), int(used.sum()))
    names = [f"{name}{left_out}; {_WALD}" for name in ("calibration slope", "intercept", "calibration in the large")]
    reason = one_class(used)
    large = none(names[2], reason) if reason else _in_the_large(used, x, names[2])
    reason = reason or (_TOO_FEW_DISTINCT if len(np.unique(x)) < 2 else separated(used, x))
    name = f"unreliability (likelihood ratio){left_out}"
    if reason:
        return *(none(name, reason) for name in names[:2]), large, SignificanceTest(name, None, None, None, reason)
    fit = fitted(used, np.column_stack([np.ones_like(x), x]))
    intercept, slope = (fit.estimate(column, method) for column, method in ((0, names[1]), (1, names[0])))
    return slope, intercept, large, _unreliability(used, x, fit.log_likelihood, name)


def _in_the_large(events: np.ndarray, x: np.ndarray, method: str) -> Estimate:
    return fitted(events, np.ones((len(x), 1)), offset=x).estimate(0, method)


def _unreliability(events: np.ndarray, x: np.ndarray, log_likelihood: float, name: str) -> SignificanceTest:
    as_predicted = float(np.sum(np.where(events, x, 0) - np.logaddexp(0, x)))
    statistic = max(2 * (log_likelihood - as_predicted), 0.0)
    return SignificanceTest(name, statistic, float(chi2.sf(statistic, 2)), 2)


def _brier_scores(
    events: np.ndarray, probability: np.ndarray, samples: np.ndarray, seed: int
) -> tuple[Estimate, Estimate]:
    n, cases = len(events), int(events.sum())
    names = f"Brier score (seed {seed})", f"scaled Brier score (seed {seed})"
    if not n:
        return tuple(absent(0, 0, name, str(one_class(events))) for name in names)
    error = (probability - events) ** 2
    drawn = error[samples].mean(axis=1)
    brier = of_replicates(float(error.mean()), drawn, n, cases, names[0])
    reason = one_class(events)
    if reason:
        return brier, absent(n, cases, names[1], reason)
    share = events[samples].mean(axis=1)
    spread = share * (1 - share)
    scaled = 1 - np.divide(drawn, spread, out=np.full(len(drawn), np.nan), where=spread > 0)
    value = 1 - error.mean() / (events.mean() * (1 - events.mean()))
    return brier, of_replicates(float(value), scaled, n, cases, names[1])


def _errors(smooth: SmoothCurve, drawn: np.ndarray, seed: int) -> tuple[Estimate, ...]:
    """Return the distances of the smooth curve, from its own and from `drawn` ones, shape (replicates, 5)."""
    n, cases = smooth.n, smooth.events
    names = [f"{name}, interval shifted upwards (seed {seed})" for name in _SMOOTH_NAMES.values()]
    if smooth.reason:
        return tuple(absent(n, cases, name, smooth.reason) for name in names)
    values = distances(np.array(smooth.patient_predicted), np.array(smooth.patient_observed))
    return tuple(
        of_replicates(float(value), column, n, cases, name) for value, column, name in zip(values, drawn.T, names)
    )


def _spiegelhalter(events: np.ndarray, probability: np.ndarray) -> SignificanceTest:
    """Return Spiegelhalter's test, that the Brier score is what the predictions promise."""
    name, away = "Spiegelhalter's z", 1 - 2 * probability
    variance = float(np.sum(away**2 * probability * (1 - probability)))
    if not variance > 0:
        return SignificanceTest(name, None, None, None, "all predictions are 0, 0.5 or 1")
    return z_test(float(np.sum((events - probability) * away)) / variance**0.5, name)
