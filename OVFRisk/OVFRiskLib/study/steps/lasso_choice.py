"""The lasso's penalty by cross-validation, as cv.glmnet chooses it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

from ...errors import UserError
from .lasso_path import Path, lasso_path

_LEAST_P = 1e-5  # probabilities are cut there before their deviance, as in cv.glmnet


@dataclass(frozen=True, eq=False)
class Choice:
    """How well each penalty did in the folds.

    Parameters
    ----------
    measure : str
        ``deviance`` (mean -2 log-likelihood, lower is better) or ``auc``.
    mean, error : ndarray, shape (steps,)
        Mean over the folds, weighted by their rows, and its standard error.
    best, one_se : int
        The step of lambda.min (the best mean) and of lambda.1se (the largest penalty within its standard error).
    """

    measure: str
    mean: np.ndarray
    error: np.ndarray
    best: int
    one_se: int


def choose(x: np.ndarray, y: np.ndarray, path: Path, folds: np.ndarray, measure: str) -> Choice:
    """Cross-validate the penalties of `path`.

    Each fold is fitted at these very penalties, as by ``cv.glmnet(lambda = ...)``; without `lambda` cv.glmnet takes
    each fold's own penalties and interpolates, which differs by about 1e-4 of the mean deviance.

    Parameters
    ----------
    x : ndarray, shape (rows, features)
    y : ndarray of 0 and 1, shape (rows,)
    path : Path
        Of all the rows.
    folds : ndarray of int, shape (rows,)
        Which fold holds a row out; -1 for none.
    measure : str
    """
    numbers = np.unique(folds[folds >= 0])
    _check(y, folds, numbers, measure)
    score = _deviances if measure == "deviance" else _aucs
    scores = np.array([score(*_held_out(x, y, path, folds == number)) for number in numbers])
    sizes = np.array([(folds == number).sum() for number in numbers])
    mean = np.average(scores, axis=0, weights=sizes)
    error = np.sqrt(np.average((scores - mean) ** 2, axis=0, weights=sizes) / (len(numbers) - 1))
    loss = mean if measure == "deviance" else -mean
    best = int(np.argmin(loss))  # the first one: the largest penalty of equal ones
    one_se = int(np.argmax(loss <= loss[best] + error[best]))
    return Choice(measure, mean, error, best, one_se)


def _check(y: np.ndarray, folds: np.ndarray, numbers: np.ndarray, measure: str) -> None:
    if len(numbers) < 3:
        raise UserError(f"The lasso was given {len(numbers)} folds.", "Give at least three.")
    for number in numbers:
        held = folds == number
        inside = y[held] if measure == "auc" else np.array([0, 1])
        if len(set(y[~held])) < 2 or len(set(inside)) < 2:
            raise UserError(
                "A fold of the lasso's cross-validation has one outcome only.",
                "Use fewer folds, or stratify them by the outcome.",
            )


def _held_out(x: np.ndarray, y: np.ndarray, path: Path, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outcome of the rows held out and their log-odds, shape (steps, rows)."""
    fold = lasso_path(x[~held], y[~held], path.penalties, may_end=False)
    return y[held], fold.log_odds(x[held])


def _deviances(y: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    p = np.clip(expit(log_odds), _LEAST_P, 1 - _LEAST_P)
    return -2 * (y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=1)


def _aucs(y: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    events = int(y.sum())
    above = rankdata(log_odds, axis=1)[:, y == 1].sum(axis=1) - events * (events + 1) / 2
    return above / (events * (len(y) - events))
