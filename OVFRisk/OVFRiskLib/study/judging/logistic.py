"""Logistic regression with its intervals, by statsmodels."""

from dataclasses import dataclass

import numpy as np

from ...errors import import_optional
from .estimate import Estimate, of_normal


@dataclass(frozen=True)
class Fit:
    """A fit by maximum likelihood.

    Parameters
    ----------
    coefficients, variances : tuple of float
        A column of the design each.
    log_likelihood : float
    n, events : int
    """

    coefficients: tuple[float, ...]
    variances: tuple[float, ...]
    log_likelihood: float
    n: int
    events: int

    def estimate(self, column: int, method: str) -> Estimate:
        """Return a coefficient with Wald's interval and test of 0."""
        return of_normal(self.coefficients[column], self.variances[column], self.n, self.events, method)


def fitted(events: np.ndarray, design: np.ndarray, offset: np.ndarray | None = None) -> Fit:
    """Return the logistic regression of `events` on the columns of `design`, unpenalised.

    Parameters
    ----------
    events : ndarray of bool, shape (n,)
        Not separated by the design: then there is no finite fit (see `separated`).
    design : ndarray, shape (n, k)
    offset : ndarray, shape (n,), optional
        Added to the linear predictor with the coefficient 1.
    """
    models = import_optional("statsmodels.api", "Calibration")
    model = models.GLM(events.astype(float), design, family=models.families.Binomial(), offset=offset)
    found = model.fit(tol=1e-12, maxiter=200)
    variances = np.diag(found.cov_params()).tolist()
    return Fit(tuple(found.params.tolist()), tuple(variances), float(found.llf), len(events), int(events.sum()))


def separated(events: np.ndarray, x: np.ndarray) -> str | None:
    """Return why there is no finite slope on `x`, or None where there is one; both outcomes are there."""
    with_event, without = x[events], x[~events]
    if with_event.min() >= without.max() or with_event.max() <= without.min():
        return "the predictions separate the outcomes completely: the slope has no finite value"
    return None
