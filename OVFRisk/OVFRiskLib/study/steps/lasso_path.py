"""The path of L1-penalised logistic regressions that glmnet takes."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from ...errors import UserError

_FEWEST = 5  # penalties before the path may end; this and the next two as glmnet.control()
_GAIN = 1e-5  # of the share of explained deviance, under which the path ends
_ENOUGH = 0.999  # share of explained deviance, over which the path ends
_GAP = 1e-11  # duality gap of the quadratic problem, relative to its sum of squares
_OFF = 1e-9  # of the penalty, by which the gradient of a solution may be off
_STEP = 1e-7  # change of a row's log-odds, relative to the largest, under which a fit is done
_STEPS = 60
_SETTLED = 1e-4  # such a change after the last step; only near-copies of a feature, whose shares drift, come so far
_SWEEPS = 2000  # of coordinate descent in one step
_LEAST_WEIGHT = 1e-10


@dataclass(frozen=True, eq=False)
class Path:
    """Logistic regressions along falling penalties.

    Parameters
    ----------
    penalties : ndarray, shape (steps,)
        λ of -log-likelihood / n + λ Σ |coefficient × SD|, falling.
    intercepts : ndarray, shape (steps,)
    coefficients : ndarray, shape (steps, features)
        Log-odds a unit of the feature as it was given.
    explained : ndarray, shape (steps,)
        1 - deviance / null deviance.
    """

    penalties: np.ndarray
    intercepts: np.ndarray
    coefficients: np.ndarray
    explained: np.ndarray

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Return what each step gives each row, shape (steps, rows)."""
        return self.intercepts[:, None] + self.coefficients @ x.T


def penalties_of(x: np.ndarray, y: np.ndarray, count: int, ratio: float | None) -> np.ndarray:
    """Return glmnet's penalties: from the smallest that leaves nothing, geometrically down to `ratio` of it.

    Parameters
    ----------
    x : ndarray, shape (rows, features)
    y : ndarray of 0 and 1, shape (rows,)
    count : int
    ratio : float or None
        None: 1e-4 where there are more rows than features, else 0.01.
    """
    rows, features = x.shape
    largest = np.abs(_standardised(x)[0].T @ (y - y.mean())).max() / rows
    lowest = ratio if ratio is not None else (1e-4 if rows > features else 1e-2)
    return largest * np.geomspace(1.0, lowest, count)


def lasso_path(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, *, may_end: bool = True) -> Path:
    """Fit one logistic regression a penalty, each from the one before; features are standardised (SD of n) inside.

    Newton's steps, each a weighted lasso by scikit-learn's coordinate descent on the features that the sequential
    strong rule lets through; those left out are checked (Karush-Kuhn-Tucker) and come in where they must. Friedman,
    Hastie and Tibshirani's algorithm in glmnet, to a tighter tolerance. How features that are copies of each other but
    for rounding share their coefficient is not determined; it is the same in each run.

    Parameters
    ----------
    x : ndarray, shape (rows, features)
    y : ndarray of 0 and 1, shape (rows,)
        Both have to be there.
    penalties : ndarray
        Falling.
    may_end : bool
        Whether the path ends where the deviance is nearly explained or no longer falls, as glmnet's own path does.

    A penalty under which the fit does not settle (outcomes that the features separate) ends the path; where it may not
    end, the last solution stands for the rest.
    """
    standard, mean, sd = _standardised(x)
    state = _State(standard, y)
    null, explained, fits = _deviance(y, np.full(len(y), state.intercept)), [], []
    before = penalties[0]
    for penalty in penalties:
        with config_context(skip_parameter_validation=True):  # it takes as long as the small fits
            settled = state.solve(penalty, before)
        if not settled:
            break
        before = penalty
        fits.append((state.intercept, *state.coefficients))
        explained.append(1 - _deviance(y, state.log_odds()) / null)
        if may_end and len(fits) >= _FEWEST and _has_ended(explained):
            break
    if not fits:
        raise UserError("The lasso does not settle at any penalty.", "Look for features that copy the outcome.")
    if not may_end:
        fits += fits[-1:] * (len(penalties) - len(fits))
        explained += explained[-1:] * (len(penalties) - len(explained))
    found = np.array(fits)
    slopes = found[:, 1:] / sd
    return Path(penalties[: len(fits)], found[:, 0] - slopes @ mean, slopes, np.array(explained))


def _has_ended(explained: list[float]) -> bool:
    return explained[-1] > _ENOUGH or explained[-1] - explained[-2] < _GAIN


def _standardised(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the standardised features, their mean and SD; constant ones become 0 and have SD 1."""
    mean, sd = x.mean(axis=0), x.std(axis=0)
    still = np.ptp(x, axis=0) <= 1e-12 * np.abs(x).max(axis=0)
    sd = np.where(still, 1.0, sd)
    return np.asfortranarray(np.where(still, 0.0, x - mean) / sd), mean, sd


def _deviance(y: np.ndarray, log_odds: np.ndarray) -> float:
    p = expit(log_odds)
    return float(-2 * (xlogy(y, p) + xlogy(1 - y, 1 - p)).sum())


def _same_signs(x: np.ndarray, y: np.ndarray, slopes: np.ndarray, penalty: float) -> np.ndarray | None:
    """Return the lasso's solution where it has the signs of `slopes`: it is linear then; None where it has others."""
    used = np.flatnonzero(slopes)
    if not 0 < used.size < len(x):
        return None
    signs, inside = np.sign(slopes[used]), x[:, used]
    try:
        kept = np.linalg.solve(inside.T @ inside, inside.T @ y - len(x) * penalty * signs)
    except np.linalg.LinAlgError:
        return None
    gradient = x.T @ (y - inside @ kept) / len(x)
    off = np.abs(gradient[used] - penalty * signs).max()  # rounding, where features are near-copies
    if off > _OFF * penalty or (np.sign(kept) != signs).any() or np.abs(gradient).max() > penalty * (1 + _OFF):
        return None
    found = np.zeros_like(slopes)
    found[used] = kept
    return found


class _State:
    """Where the path stands: intercept and coefficients of the standardised features."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = x, y
        self.intercept = float(np.log(y.mean() / (1 - y.mean())))
        self.coefficients = np.zeros(x.shape[1])

    def log_odds(self) -> np.ndarray:
        used = np.flatnonzero(self.coefficients)
        return self.intercept + self.x[:, used] @ self.coefficients[used]

    def solve(self, penalty: float, before: float) -> bool:
        """Move to the solution at `penalty`, from the one at the penalty `before`; return whether there is one."""
        gradient = self._gradient()
        wanted = (gradient >= 2 * penalty - before) | (self.coefficients != 0)
        while True:
            if not self._fit(np.flatnonzero(wanted), penalty):
                return False
            missed = (self._gradient() > penalty * (1 + 1e-7)) & ~wanted
            if not missed.any():
                return True
            wanted |= missed

    def _gradient(self) -> np.ndarray:
        return np.abs(self.x.T @ (self.y - expit(self.log_odds()))) / len(self.y)

    def _fit(self, used: np.ndarray, penalty: float) -> bool:
        x = self.x[:, used]
        before, change = self.log_odds(), np.inf
        for _ in range(_STEPS):
            self.intercept, self.coefficients[used] = self._newton(x, self.coefficients[used], penalty)
            after = self.intercept + x @ self.coefficients[used]
            change = np.abs(after - before).max() / max(1.0, np.abs(after).max())
            if change <= _STEP:
                return True
            before = after
        return change <= _SETTLED

    def _newton(self, x: np.ndarray, slopes: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
        """Return the next intercept and coefficients: a lasso of the working response, weighted."""
        log_odds = self.intercept + x @ slopes
        p = expit(log_odds)
        weights = np.maximum(p * (1 - p), _LEAST_WEIGHT)
        response = log_odds + (self.y - p) / weights
        share = weights / weights.sum()
        mean, middle, root = share @ x, share @ response, np.sqrt(weights)
        if not slopes.size:
            return float(middle), slopes
        scaled = np.asfortranarray((x - mean) * root[:, None])
        target = (response - middle) * root
        found = _same_signs(scaled, target, slopes, penalty)
        if found is not None:
            return float(middle - mean @ found), found
        products = {"precompute": scaled.T @ scaled, "Xy": scaled.T @ target, "check_input": False}
        start = {"coef_init": slopes.copy(), "tol": _GAP, "max_iter": _SWEEPS}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the next step goes on from where this one ends
            found = enet_path(scaled, target, l1_ratio=1.0, alphas=[penalty], **products, **start)[1][:, 0]
        return float(middle - mean @ found), found
