"""Odds ratios of a logistic regression without penalty, and whether there are any."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from ...errors import UserError, import_optional

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """Maximum likelihood estimates, each array of shape (features,).

    Parameters
    ----------
    intercept : float
    coefficients, errors : ndarray
        Log-odds a unit of the feature, and their standard errors.
    p : ndarray
        Two-sided, of Wald's test.
    """

    intercept: float
    coefficients: np.ndarray
    errors: np.ndarray
    p: np.ndarray

    @property
    def odds_ratios(self) -> np.ndarray:
        """Odds ratios a unit with their 95 % Wald intervals, shape (features, 3): ratio, low, high."""
        half = _Z * self.errors
        with np.errstate(over="ignore"):  # 1e300 a unit where a unit is far beyond the range
            return np.exp(np.column_stack([self.coefficients, self.coefficients - half, self.coefficients + half]))


def fit_logistic(x: np.ndarray, y: np.ndarray) -> LogisticFit:
    """Fit P(y = 1) = expit(intercept + x · coefficients) by statsmodels.

    Parameters
    ----------
    x : ndarray, shape (rows, features)
    y : ndarray of 0 and 1, shape (rows,)

    Raises
    ------
    UserError
        Where features are linearly dependent, or the fit does not converge. Look with `is_separated` first.
    """
    statsmodels = import_optional("statsmodels.api", "Logistic screening")
    center, scale = x.mean(axis=0), x.std(axis=0)
    design = np.column_stack([np.ones(len(x)), (x - center) / scale])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise UserError(
            f"The {x.shape[1]} features of {len(x)} patients are linearly dependent: they have no odds ratios.",
            "Leave those out that follow from others (the correlation filter finds pairs).",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converging is looked at below
        fit = statsmodels.Logit(y, design).fit(disp=0, method="newton", maxiter=100, tol=1e-12)
    if not fit.mle_retvals["converged"] or not np.all(np.isfinite(fit.bse)):
        raise UserError("The logistic regression did not converge.", "Enter fewer features.")
    coefficients = fit.params[1:] / scale
    return LogisticFit(float(fit.params[0] - coefficients @ center), coefficients, fit.bse[1:] / scale, fit.pvalues[1:])


def is_separated(x: np.ndarray, y: np.ndarray) -> bool:
    """Return whether a plane separates the groups, touching or not: then the odds ratio is infinite.

    It does where some direction b has (2y - 1) (1, x) · b ≥ 0 in every row and > 0 in one: a linear programme.

    Parameters
    ----------
    x : ndarray, shape (rows, features)
    y : ndarray of 0 and 1, shape (rows,)
    """
    if x.shape[1] == 1:
        lower, upper = x[y == 0, 0], x[y == 1, 0]
        return bool(lower.max() <= upper.min() or upper.max() <= lower.min())
    sd = x.std(axis=0)
    signed = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / np.where(sd > 0, sd, 1.0)])
    signed *= (2 * y - 1)[:, None]
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(x)), bounds=(-1, 1), method="highs")
    if found.status != 0:
        raise RuntimeError(f"looking for a separation failed: {found.message}")
    return bool(-found.fun > 1e-6)
