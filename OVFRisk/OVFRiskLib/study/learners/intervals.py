"""Odds ratios and confidence intervals of an unpenalised logistic regression, by statsmodels."""

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from ...errors import UserError, import_optional
from ...models.export import predictor_of
from ...models.predictors.linear import LogisticPredictor
from .data import Data, checked
from .search import one_thread

_SAME = 1e-4  # of the largest standard error: two solvers at one optimum
_RUNAWAY = 100.0  # standard error for one SD of an input: the outcomes are separated, completely or nearly


def predictor_with_intervals(
    estimator: BaseEstimator, x: Data, y: np.ndarray
) -> tuple[LogisticPredictor, np.ndarray, np.ndarray]:
    """Return the bundle's predictor with its covariance (inverse observed information), and how inputs are scaled.

    Parameters
    ----------
    estimator : BaseEstimator
        Unpenalised logistic regression, alone or behind scalers, trained on `x` and `y`.
    x : DataFrame or ndarray, shape (patients, inputs)
    y : ndarray, shape (patients,)

    Raises
    ------
    UserError
        When it is penalised, of another kind, the outcomes are separated, or it was trained on other data.
    """
    _check_unpenalised(estimator)
    x, y = checked(x, y)
    predictor, center, scale = predictor_of(estimator)
    covariance = _covariance(predictor, (np.asarray(x) - center) / scale, y)
    return LogisticPredictor(predictor.intercept, predictor.coefficients, covariance), center, scale


def odds_ratios(estimator: BaseEstimator, x: Data, y: np.ndarray) -> pd.DataFrame:
    """Return coefficient, standard error, odds ratio with 95 % Wald interval and P value, by input.

    All are for one unit of the input as `x` has it, not for a standard deviation.

    Raises
    ------
    UserError
        As `predictor_with_intervals`.
    """
    predictor, _, scale = predictor_with_intervals(estimator, x, y)
    names = list(x.columns) if isinstance(x, pd.DataFrame) else [f"input {n + 1}" for n in range(x.shape[1])]
    b, error = predictor.coefficients / scale, np.sqrt(np.diag(predictor.covariance)[1:]) / scale
    half = norm.ppf(0.975) * error
    columns = {
        "coefficient": b,
        "se": error,
        "odds_ratio": np.exp(b),
        "low": np.exp(b - half),
        "high": np.exp(b + half),
    }
    return pd.DataFrame({**columns, "p": 2 * norm.sf(np.abs(b / error))}, index=pd.Index(names, name="input"))


def _check_unpenalised(estimator: BaseEstimator) -> None:
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, LogisticRegression) or np.isfinite(last.C):
        raise UserError(
            f"A {type(last).__name__} with a penalty, or of another kind, has no Wald intervals.",
            "Use the learner 'logistic-unpenalised'.",
        )


def _covariance(predictor: LogisticPredictor, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    api = import_optional("statsmodels.api", "Confidence intervals of a logistic regression")
    start = np.concatenate([[predictor.intercept], predictor.coefficients])
    model = api.Logit(y, np.column_stack([np.ones(len(z)), z]))
    try:
        with one_thread():
            covariance = np.linalg.inv(-model.hessian(start))
            error = np.sqrt(np.diag(covariance))
            step = covariance @ model.score(start)  # Newton's next step: none at the optimum
    except np.linalg.LinAlgError as reason:
        raise _separated() from reason
    if not np.isfinite(error).all() or error.max() > _RUNAWAY:
        raise _separated()
    if np.abs(step).max() > _SAME * error.max():
        raise UserError("The regression was trained on other patients.", "Give the patients it was trained on.")
    return (covariance + covariance.T) / 2


def _separated() -> UserError:
    return UserError(
        "The inputs repeat each other, or separate the outcomes: without a penalty they have no coefficients.",
        "Leave some out, or use the learner 'logistic'.",
    )
