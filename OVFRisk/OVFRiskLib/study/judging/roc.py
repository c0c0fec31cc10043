"""How well a score tells patients with the event from the others: ROC curve, its area, and DeLong's tests.

A larger score always means more likely, also where the area is then below 0.5 (pROC: ``direction = "<"``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from .delong import Placements, placements
from .estimate import NO_VARIANCE, ROUNDING, TOO_FEW, Estimate, SignificanceTest, absent, of_normal
from .outcomes import checked, one_class

_AREA = "area under the ROC curve, ties count one half; 95 % CI by DeLong's variance, normal"
_PAIRED = "difference of the areas of two scores of the same patients, by DeLong's covariance"
_UNPAIRED = "difference of the areas in two groups of patients, by DeLong's variances"
_ALIKE = "both scores order the patients alike, or the variance of the difference is zero"


@dataclass(frozen=True)
class AucComparison:
    """Two areas under the curve, and a - b with its interval and test."""

    a: Estimate
    b: Estimate
    difference: Estimate

    @property
    def test(self) -> SignificanceTest | None:
        """DeLong's test of the difference; None where there is no difference to test."""
        return self.difference.test


def auc(outcome: ArrayLike, score: ArrayLike) -> Estimate:
    """Return the area under the ROC curve with DeLong's interval, cut to 0 to 1 (pROC's ``ci.auc``).

    Parameters
    ----------
    outcome : array_like of 0 and 1, shape (n,)
    score : array_like of float, shape (n,)
        Need not be a probability.

    Raises
    ------
    UserError
        When a column cannot be judged (see `outcomes.checked`).
    """
    events, score = checked(outcome, score)
    reason = one_class(events)
    if reason:
        return absent(len(events), int(events.sum()), _AREA, reason)
    return _area(placements(events, score))


def compare(outcome: ArrayLike, a: ArrayLike, b: ArrayLike) -> AucComparison:
    """Return DeLong's test of two scores of the same patients (pROC's ``roc.test(paired = TRUE)``).

    Parameters
    ----------
    outcome : array_like of 0 and 1, shape (n,)
    a, b : array_like of float, shape (n,)
    """
    events, a, b = checked(outcome, a, b)
    n, cases = len(events), int(events.sum())
    reason = one_class(events)
    if reason:
        none = absent(n, cases, _AREA, reason)
        return AucComparison(none, none, replace(none, method=_PAIRED))
    first, second = placements(events, a), placements(events, b)
    difference = of_normal(first.auc - second.auc, (first - second).variance, n, cases, _PAIRED)
    return AucComparison(_area(first), _area(second), _named(difference, "DeLong's test, paired"))


def compare_all(outcome: ArrayLike, scores: Mapping[str, ArrayLike]) -> dict[tuple[str, str], AucComparison]:
    """Return DeLong's paired test of every pair of named scores; the P values are not adjusted for their number."""
    return {(a, b): compare(outcome, scores[a], scores[b]) for a, b in combinations(scores, 2)}


def compare_unpaired(
    outcome_a: ArrayLike, score_a: ArrayLike, outcome_b: ArrayLike, score_b: ArrayLike
) -> AucComparison:
    """Return DeLong's test of the areas in two groups of different patients (pROC's ``roc.test(paired = FALSE)``).

    Welch's t, with Satterthwaite's degrees of freedom, as pROC has it; the interval uses the same t.
    """
    a, b = checked(outcome_a, score_a), checked(outcome_b, score_b)
    n, cases = len(a[0]) + len(b[0]), int(a[0].sum() + b[0].sum())
    areas = auc(*a), auc(*b)
    reason = one_class(a[0]) or one_class(b[0])
    if reason:
        return AucComparison(*areas, absent(n, cases, _UNPAIRED, reason))
    first, second = placements(*a), placements(*b)
    return AucComparison(*areas, _welch(first, second, n, cases))


def _area(found: Placements) -> Estimate:
    cases = len(found.events)
    area = of_normal(found.auc, found.variance, cases + len(found.others), cases, _AREA)
    if area.low is None or area.high is None:
        return replace(area, test=None)
    return replace(area, low=max(area.low, 0.0), high=min(area.high, 1.0), test=None)


def _named(difference: Estimate, name: str) -> Estimate:
    test = replace(difference.test, name=name)
    if difference.reason != NO_VARIANCE:
        return replace(difference, test=test)
    return replace(difference, reason=_ALIKE, test=replace(test, reason=_ALIKE))


def _welch(a: Placements, b: Placements, n: int, cases: int) -> Estimate:
    name = "DeLong's test, unpaired"
    difference, variance = a.auc - b.auc, a.variance + b.variance
    if not variance > ROUNDING:
        reason = TOO_FEW if np.isnan(variance) else NO_VARIANCE
        test = SignificanceTest(name, None, None, None, reason)
        return Estimate(difference, None, None, n, cases, _UNPAIRED, reason, test)
    shares = [one.variance**2 / (len(one.events) + len(one.others) - 1) for one in (a, b)]
    degrees, error = variance**2 / sum(shares), variance**0.5
    width = float(t.ppf(0.975, degrees)) * error
    test = SignificanceTest(name, difference / error, float(2 * t.sf(abs(difference) / error, degrees)), degrees)
    return Estimate(difference, difference - width, difference + width, n, cases, _UNPAIRED, None, test)
