"""DeLong's variance of the area under the ROC curve, by mid-ranks, in O(n log n).

DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837-845, as the R package pROC computes it.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata


class Placements(NamedTuple):
    """Of each patient with the event, the share of the others that lie under it; of each other, the share above.

    Ties count one half, so that the mean of either is the area under the curve.
    """

    events: np.ndarray
    others: np.ndarray

    @property
    def auc(self) -> float:
        """The area under the ROC curve."""
        return float(self.events.mean())

    @property
    def variance(self) -> float:
        """Of the mean; nan where either group has fewer than two patients."""
        if min(len(self.events), len(self.others)) < 2:
            return float("nan")
        return float(self.events.var(ddof=1) / len(self.events) + self.others.var(ddof=1) / len(self.others))

    def __sub__(self, other: "Placements") -> "Placements":
        """Return the differences of two scores of the same patients; their variance includes the covariance."""
        return Placements(self.events - other.events, self.others - other.others)


def placements(events: np.ndarray, score: np.ndarray) -> Placements:
    """Return the placement values of a score.

    Parameters
    ----------
    events : ndarray of bool, shape (n,)
        Both outcomes are there.
    score : ndarray of float, shape (n,)
    """
    ranks = rankdata(score)
    above = (ranks[events] - rankdata(score[events])) / np.sum(~events)
    below = (ranks[~events] - rankdata(score[~events])) / np.sum(events)
    return Placements(above, 1 - below)
