"""What a new model changes in patients' predictions: net reclassification (NRI) and discrimination improvement (IDI).

As the R package Hmisc computes them (``improveProb``): the variance is that of the estimate, patients with and without
the event apart. On the data that fitted both models these tests are too optimistic when one model contains the other:
judge them on other data, and beside DeLong's test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...errors import UserError
from .estimate import Estimate, absent, of_normal
from .outcomes import checked, one_class

Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Reclassification:
    """The net improvement, and its parts; larger is better in all three.

    Parameters
    ----------
    total : Estimate
        events + non_events, -2 to 2 (NRI) or -1 to 1 (IDI).
    events, non_events : Estimate
        In patients with the event (predictions should rise), and without (predictions should fall).
    table_events, table_non_events : tuple of tuple of int
        Patients by category, rows by the old model, columns by the new one; empty without categories.
    cutoffs : tuple of float
        A prediction at a cut-off belongs to the category above it.
    """

    total: Estimate
    events: Estimate
    non_events: Estimate
    table_events: Table = ()
    table_non_events: Table = ()
    cutoffs: tuple[float, ...] = ()


def continuous_nri(outcome: ArrayLike, old: ArrayLike, new: ArrayLike) -> Reclassification:
    """Return the category-free net reclassification improvement: whose prediction rose, and whose fell, at all.

    Parameters
    ----------
    outcome : array_like of 0 and 1, shape (n,)
    old, new : array_like of float, shape (n,)
        Probabilities by the old and by the new model.
    """
    events, old, new = checked(outcome, old, new, probabilities=True)
    return _net(events, np.sign(new - old), 0, "category-free NRI")


def categorical_nri(outcome: ArrayLike, old: ArrayLike, new: ArrayLike, cutoffs: Sequence[float]) -> Reclassification:
    """Return the net reclassification improvement between risk categories.

    Parameters
    ----------
    outcome, old, new
        As of `continuous_nri`.
    cutoffs : sequence of float
        Increasing, between 0 and 1.
    """
    events, old, new = checked(outcome, old, new, probabilities=True)
    cutoffs = _increasing(cutoffs)
    before, after = np.digitize(old, cutoffs), np.digitize(new, cutoffs)
    found = _net(events, np.sign(after - before), 0, f"NRI of the categories cut at {', '.join(map(str, cutoffs))}")
    tables = (_table(before[chosen], after[chosen], len(cutoffs) + 1) for chosen in (events, ~events))
    return Reclassification(found.total, found.events, found.non_events, *tables, cutoffs)


def idi(outcome: ArrayLike, old: ArrayLike, new: ArrayLike) -> Reclassification:
    """Return the integrated discrimination improvement: how much further apart the mean predictions lie."""
    events, old, new = checked(outcome, old, new, probabilities=True)
    return _net(events, new - old, 1, "IDI")


def _net(events: np.ndarray, change: np.ndarray, ddof: int, name: str) -> Reclassification:
    n, cases = len(events), int(events.sum())
    method = f"{name}; 95 % CI and z test by the normal approximation, each outcome's variance apart"
    reason = one_class(events)
    if reason:
        return Reclassification(*(absent(n, cases, method, reason),) * 3)
    up, down = change[events], -change[~events]
    gains = float(up.mean()), float(down.mean())
    variances = _variance_of_mean(up, ddof), _variance_of_mean(down, ddof)
    total = of_normal(sum(gains), sum(variances), n, cases, method)
    of_events = of_normal(gains[0], variances[0], cases, cases, method)
    return Reclassification(total, of_events, of_normal(gains[1], variances[1], n - cases, 0, method))


def _variance_of_mean(values: np.ndarray, ddof: int) -> float:
    return float(values.var(ddof=ddof) / len(values)) if len(values) > 1 else float("nan")


def _increasing(cutoffs: Sequence[float]) -> tuple[float, ...]:
    cutoffs = tuple(float(cutoff) for cutoff in cutoffs)
    if not cutoffs or any(not 0 < cutoff < 1 for cutoff in cutoffs) or any(np.diff(cutoffs) <= 0):
        raise UserError(f"The cut-offs {cutoffs} do not increase between 0 and 1.", "Give e.g. 0.1, 0.3.")
    return cutoffs


def _table(before: np.ndarray, after: np.ndarray, size: int) -> Table:
    counts = np.bincount(before * size + after, minlength=size * size).reshape(size, size)
    return tuple(tuple(row) for row in counts.tolist())
