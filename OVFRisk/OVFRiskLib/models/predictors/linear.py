"""Logistic regression: numbers only, no training library."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Contributions
from .reading import check_keys, check_parts, expit, number, numbers, refused, row_of, rows_of

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_ROUNDING = 1e-9  # of the largest eigenvalue


@dataclass(frozen=True, eq=False)
class LogisticPredictor:
    """expit(intercept + coefficients · x).

    Parameters
    ----------
    intercept : float
    coefficients : ndarray, shape (inputs,)
        Of the scaled inputs, log-odds.
    covariance : ndarray, shape (1 + inputs, 1 + inputs), or None
        Of intercept and coefficients, the intercept first.
    """

    intercept: float
    coefficients: np.ndarray
    covariance: np.ndarray | None = None
    kind: ClassVar[str] = "logistic"
    warnings: ClassVar[tuple[str, ...]] = ()

    def output(self, x: np.ndarray) -> np.ndarray:
        """Return the probabilities, shape (rows,)."""
        return expit(self._log_odds(rows_of(x, self.coefficients.size)))

    def interval(self, x: np.ndarray) -> tuple[float, float] | None:
        """Return the 95 % Wald interval of one row's probability, found on the log-odds; None without `covariance`."""
        if self.covariance is None:
            return None
        x = row_of(x, self.coefficients.size)
        design = np.concatenate([[1.0], x])
        half = _Z * np.sqrt(max(float(design @ self.covariance @ design), 0.0))
        middle = self._log_odds(x)
        low, high = expit(np.array([middle - half, middle + half]))
        return float(low), float(high)

    def contributions(self, x: np.ndarray, typical: np.ndarray) -> Contributions:
        """Return coefficient × (x - typical), log-odds."""
        x, typical = row_of(x, self.coefficients.size), row_of(typical, self.coefficients.size)
        amounts = self.coefficients * (x - typical)
        return Contributions(amounts, float(self._log_odds(typical)), "log-odds", "exact (linear)")

    def parts(self) -> tuple[dict[str, object], Mapping[str, bytes]]:
        """Return the JSON object, and no weight files."""
        spec = {"kind": self.kind, "intercept": self.intercept, "coefficients": self.coefficients.tolist()}
        if self.covariance is not None:
            spec["covariance"] = self.covariance.tolist()
        return spec, {}

    def _log_odds(self, x: np.ndarray) -> np.ndarray:
        return self.intercept + x @ self.coefficients


def read(spec: Mapping, parts: Mapping[str, bytes], inputs: int) -> LogisticPredictor:
    """Return the predictor of a checked `spec`."""
    check_keys(spec, ("kind", "intercept", "coefficients"), ("covariance",))
    check_parts(parts, ())
    intercept = number(spec["intercept"], "intercept")
    coefficients = numbers(spec["coefficients"], "coefficients", inputs)
    covariance = _covariance(spec["covariance"], 1 + inputs) if "covariance" in spec else None
    return LogisticPredictor(intercept, coefficients, covariance)


def _covariance(rows: object, size: int) -> np.ndarray:
    if not isinstance(rows, list) or len(rows) != size:
        raise refused(f"covariance must have {size} rows, the intercept's first")
    covariance = np.array([numbers(row, f"covariance[{n}]", size) for n, row in enumerate(rows)])
    if not np.array_equal(covariance, covariance.T):
        raise refused("covariance is not symmetric")
    eigenvalues = np.linalg.eigvalsh(covariance)
    if eigenvalues[0] < -_ROUNDING * max(eigenvalues[-1], 0.0):
        raise refused("covariance has a negative eigenvalue")
    return covariance
