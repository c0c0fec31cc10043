"""Whether acting on a model does more good than harm: decision curve, clinical impact, interventions avoided.

At a threshold pt a harm of treating in vain weighs pt / (1 - pt) of the benefit of treating in time (Vickers & Elkin).
Point values are those of the package dcurves; the intervals are ours, by a bootstrap that dcurves does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...errors import UserError
from .outcomes import checked, one_class
from .resampling import draws, percentiles, stratified_draws

THRESHOLDS = tuple(percent / 100 for percent in range(1, 100))


@dataclass(frozen=True)
class Band:
    """A curve over the thresholds with its pointwise 95 % interval."""

    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit over the threshold probability; a prediction at the threshold is treated.

    Parameters
    ----------
    thresholds : tuple of float
    net_benefit, treat_all : Band
        True positives a patient, less the weighted false positives; of treating none it is 0.
    net_reduction : Band
        Interventions avoided in 100 patients against treating all, without missing more events.
    gain : Band
        Net benefit above the better of treating all and treating none.
    prevalence : float
        Share of events that the curve holds for.
    n, events : int
    method : str
    reason : str or None
        Why there is no curve; then all curves are empty.
    """

    thresholds: tuple[float, ...]
    net_benefit: Band
    treat_all: Band
    net_reduction: Band
    gain: Band
    prevalence: float | None
    n: int
    events: int
    method: str
    reason: str | None = None


@dataclass(frozen=True)
class ClinicalImpact:
    """Of `population` patients, how many are at or above the threshold, and how many of these have the event.

    The other parameters are those of `DecisionCurve`.
    """

    thresholds: tuple[float, ...]
    population: int
    high_risk: Band
    with_event: Band
    prevalence: float | None
    n: int
    events: int
    method: str
    reason: str | None = None


@dataclass(frozen=True)
class _Rates:
    """True and false positives a patient at the thresholds, row 0 of the patients, the others of the resamples."""

    true: np.ndarray
    false: np.ndarray
    share: np.ndarray  # of events, shape (replicates + 1, 1)


def decision_curve(
    outcome: ArrayLike,
    probability: ArrayLike,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    seed: int,
    prevalence: float | None = None,
    replicates: int = 1000,
) -> DecisionCurve:
    """Return the decision curve.

    Parameters
    ----------
    outcome : array_like of 0 and 1, shape (n,)
    probability : array_like of float, shape (n,)
        For a given prevalence they must be calibrated to that prevalence, not to the cases and controls.
    thresholds : sequence of float
        Increasing, between 0 and 1.
    seed, replicates : int
        Of the bootstrap: of all patients, or of cases and controls apart where the prevalence is given.
    prevalence : float, optional
        Of the patients meant, where these ones are cases and controls chosen by outcome.
    """
    events, probability, pt = _checked(outcome, probability, thresholds, prevalence)
    n, cases, method = len(events), int(events.sum()), _method(prevalence, replicates, seed)
    reason = one_class(events)
    if reason:
        return DecisionCurve(tuple(pt.tolist()), *(Band((), (), ()),) * 4, None, n, cases, method, reason)
    rates = _rates(events, probability, pt, prevalence, replicates, seed)
    weight = pt / (1 - pt)
    benefit = rates.true - weight * rates.false
    treat_all = rates.share - weight * (1 - rates.share)
    reduction = 100 * (benefit - treat_all) / weight
    curves = (benefit, treat_all, reduction, benefit - np.maximum(treat_all, 0))
    return DecisionCurve(tuple(pt.tolist()), *map(_band, curves), float(rates.share[0, 0]), n, cases, method)


def clinical_impact(
    outcome: ArrayLike,
    probability: ArrayLike,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    seed: int,
    prevalence: float | None = None,
    population: int = 1000,
    replicates: int = 1000,
) -> ClinicalImpact:
    """Return the clinical impact curve, the parameters are those of `decision_curve`."""
    events, probability, pt = _checked(outcome, probability, thresholds, prevalence)
    n, cases, method = len(events), int(events.sum()), _method(prevalence, replicates, seed)
    reason = one_class(events)
    if reason:
        none = Band((), (), ())
        return ClinicalImpact(tuple(pt.tolist()), population, none, none, None, n, cases, method, reason)
    rates = _rates(events, probability, pt, prevalence, replicates, seed)
    high, true = _band(population * (rates.true + rates.false)), _band(population * rates.true)
    return ClinicalImpact(tuple(pt.tolist()), population, high, true, float(rates.share[0, 0]), n, cases, method)


def _checked(
    outcome: ArrayLike, probability: ArrayLike, thresholds: Sequence[float], prevalence: float | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    events, probability = checked(outcome, probability, probabilities=True)
    pt = np.asarray(thresholds, dtype=float)
    if pt.ndim != 1 or not len(pt) or not np.all((pt > 0) & (pt < 1)) or np.any(np.diff(pt) <= 0):
        raise UserError("The thresholds do not increase between 0 and 1.", "Give e.g. 0.01, 0.02 … 0.5.")
    if prevalence is not None and not 0 < prevalence < 1:
        raise UserError(f"The prevalence {prevalence} does not lie between 0 and 1.", "Give a share, e.g. 0.12.")
    return events, probability, pt


def _method(prevalence: float | None, replicates: int, seed: int) -> str:
    of = "cases and controls apart" if prevalence is not None else "all patients"
    to = f"weighted to the given prevalence {prevalence:g}" if prevalence is not None else "at these patients' share"
    return f"net benefit {to}; pointwise 95 % CI by {replicates} bootstrap resamples of {of} (seed {seed})"


def _rates(
    events: np.ndarray,
    probability: np.ndarray,
    pt: np.ndarray,
    prevalence: float | None,
    replicates: int,
    seed: int,
) -> _Rates:
    """Count the patients between neighbouring thresholds, and draw these counts."""
    place, size = np.searchsorted(pt, probability, side="right"), len(pt) + 1
    with_event, without = (np.bincount(place[chosen], minlength=size) for chosen in (events, ~events))
    if prevalence is None:
        drawn = np.split(draws(np.concatenate([with_event, without]), replicates, seed), 2, axis=1)
        sizes = (len(events), len(events))
    else:
        drawn = stratified_draws(with_event, without, replicates, seed)
        sizes = (events.sum() / prevalence, np.sum(~events) / (1 - prevalence))
    counts = [np.vstack([own, others]) for own, others in zip((with_event, without), drawn)]
    true, false = (_at_or_above(count) / size for count, size in zip(counts, sizes))
    return _Rates(true, false, counts[0].sum(axis=1, keepdims=True) / sizes[0])


def _at_or_above(counts: np.ndarray) -> np.ndarray:
    """Return how many patients lie at or above each threshold; column 0 of `counts` lies under the first."""
    return np.cumsum(counts[:, :0:-1], axis=1)[:, ::-1]


def _band(rows: np.ndarray) -> Band:
    low, high = percentiles(rows[1:])
    return Band(tuple(rows[0].tolist()), tuple(low.tolist()), tuple(high.tolist()))
