"""The calibration curve: smoothed, in groups of equal size, and the Hosmer–Lemeshow test of these.

The smooth curve is that of ``val.prob`` and ``calibrate`` of the R package rms: ``lowess(p, y, iter = 0)``.
Like theirs it is not cut to 0 to 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, chi2

from ...errors import UserError, import_optional
from .estimate import LEVEL, SignificanceTest
from .outcomes import checked, one_class
from .resampling import percentiles

_SPAN = 2 / 3  # R's default
_GRID = 101


@dataclass(frozen=True)
class SmoothCurve:
    """The smoothed share of events over the predicted probability.

    Parameters
    ----------
    predicted, observed, low, high : tuple of float
        101 places from the smallest to the largest prediction; the band is pointwise, 95 %.
    patient_predicted, patient_observed : tuple of float
        At the prediction of each patient.
    n, events : int
    method : str
    reason : str or None
        Why there is no curve.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    patient_predicted: tuple[float, ...]
    patient_observed: tuple[float, ...]
    n: int
    events: int
    method: str
    reason: str | None = None


@dataclass(frozen=True)
class RiskGroup:
    """Patients of similar predictions: their mean, the share that had the event, and Wilson's 95 % interval of it."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int
    events: int


def smooth_curve(
    events: np.ndarray, probability: np.ndarray, samples: np.ndarray, seed: int
) -> tuple[SmoothCurve, np.ndarray]:
    """Return the curve, and the distances (see `distances`) of its bootstrap replicates.

    Parameters
    ----------
    events : ndarray of bool, shape (n,)
    probability : ndarray of float, shape (n,)
    samples : ndarray of int, shape (replicates, n)
        Rows of each resample.
    seed : int
        That drew them.
    """
    n, cases = len(events), int(events.sum())
    method = f"lowess, span 2/3, not robust; pointwise 95 % band by {len(samples)} bootstrap resamples (seed {seed})"
    reason = one_class(events)
    at_patients = np.empty(0) if reason else _smoothed(events, probability, probability)
    if not reason and not np.all(np.isfinite(at_patients)):
        reason = "too few distinct predictions to smooth"
    if reason:
        return SmoothCurve((), (), (), (), (), (), n, cases, method, reason), np.empty((len(samples), 5))
    grid = np.linspace(probability.min(), probability.max(), _GRID)
    curves, errors = _replicates(events, probability, samples, grid)
    columns = (grid, _smoothed(events, probability, grid), *percentiles(curves), probability, at_patients)
    return SmoothCurve(*(tuple(column.tolist()) for column in columns), n, cases, method), errors


def _replicates(
    events: np.ndarray, probability: np.ndarray, samples: np.ndarray, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    curves, errors = np.full((len(samples), len(grid)), np.nan), np.full((len(samples), 5), np.nan)
    for row, chosen in enumerate(samples):
        drawn = _smoothed(events[chosen], probability[chosen], np.concatenate([probability[chosen], grid]))
        curves[row] = drawn[len(chosen) :]
        errors[row] = distances(probability[chosen], drawn[: len(chosen)])
    return curves, errors


def _smoothed(events: np.ndarray, probability: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the lowess curve at `places`; nan outside the predictions, and where it is undefined."""
    width = float(np.ptp(probability))
    if width == 0:
        return np.full(len(places), np.nan)
    smoother = import_optional("statsmodels.nonparametric.smoothers_lowess", "The calibration curve").lowess
    with np.errstate(invalid="ignore"):  # where all neighbours are tied the curve is nan, and said to be undefined
        curve = smoother(events.astype(float), probability, frac=_SPAN, it=0, delta=0.01 * width)
    x, first = np.unique(curve[:, 0], return_index=True)
    return np.interp(places, x, curve[first, 1], left=np.nan, right=np.nan)


def distances(predicted: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return Eavg, E50, E90, Emax and ECI: mean, median, 90th percentile, maximum and mean square of |p - c|.

    ECI as the R package pmcalibration describes it; a program that reports it in percent has 100 times as much.
    """
    away = np.abs(predicted - observed)
    return np.array([away.mean(), *np.quantile(away, [0.5, 0.9, 1]), np.mean(away**2)])


def risk_groups(outcome: ArrayLike, probability: ArrayLike, groups: int = 10) -> tuple[RiskGroup, ...]:
    """Return patients in groups cut at the quantiles of the predictions; fewer groups where predictions are tied.

    Parameters
    ----------
    outcome : array_like of 0 and 1, shape (n,)
    probability : array_like of float, shape (n,)
    groups : int
    """
    events, probability = checked(outcome, probability, probabilities=True)
    if groups < 2:
        raise UserError(f"{groups} groups cannot be compared.", "Ask for at least 2, usually 10.")
    if not len(events):
        return ()
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, groups + 1)))
    group = np.searchsorted(edges[1:-1], probability)  # R's cut: an edge belongs to the group below it
    return tuple(_group(events[group == one], probability[group == one]) for one in np.unique(group))


def _group(events: np.ndarray, probability: np.ndarray) -> RiskGroup:
    cases, n = int(events.sum()), len(events)
    interval = binomtest(cases, n).proportion_ci(LEVEL, "wilson")
    return RiskGroup(float(probability.mean()), cases / n, float(interval.low), float(interval.high), n, cases)


def hosmer_lemeshow(
    outcome: ArrayLike, probability: ArrayLike, *, fitted_here: bool, groups: int = 10
) -> SignificanceTest:
    """Return the Hosmer–Lemeshow test, for a footnote: it depends on the groups, and on n above all.

    Parameters
    ----------
    outcome, probability, groups
        As of `risk_groups`.
    fitted_here : bool
        Whether these patients fitted the model: groups - 2 degrees of freedom, else as many as groups.
    """
    found = risk_groups(outcome, probability, groups)
    name = f"Hosmer–Lemeshow test, {len(found)} groups"
    degrees = len(found) - 2 if fitted_here else len(found)
    if len(found) < 3:
        return SignificanceTest(name, None, None, None, "the predictions make fewer than three groups")
    n, events, expected = np.array([(one.n, one.events, one.n * one.predicted) for one in found]).T
    spread = expected * (1 - expected / n)
    if np.any(spread <= 0):
        return SignificanceTest(name, None, None, None, "a group has predictions of 0 or 1 only")
    statistic = float(np.sum((events - expected) ** 2 / spread))
    return SignificanceTest(name, statistic, float(chi2.sf(statistic, degrees)), degrees)
