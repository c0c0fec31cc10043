"""The propensity score: the probability of being a case, given the covariates."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import UserError, import_optional
from .columns import listed, need

_CERTAIN = 1e-8  # closer to 0 or 1 the covariates tell the groups apart, and the score means nothing


@dataclass(frozen=True)
class Propensity:
    """A logistic regression of the group on the covariates, without a penalty.

    Parameters
    ----------
    logit : pandas.Series
        Log-odds of being a case, by patient.
    coefficients : pandas.Series
        By term, with the intercept first.
    """

    logit: pd.Series
    coefficients: pd.Series

    @property
    def probability(self) -> pd.Series:
        """The score itself, 0-1."""
        return 1 / (1 + np.exp(-self.logit))


def propensity(frame: pd.DataFrame, is_case: pd.Series, covariates: Sequence[str]) -> Propensity:
    """Fit the propensity score by maximum likelihood.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a patient.
    is_case : pandas.Series of bool
    covariates : sequence of str
        Numbers as they are; text as one indicator a category but the first.

    Raises
    ------
    UserError
        When a covariate is missing in the table or for a patient, does not vary, follows from the others, or all of
        them together tell the groups apart.
    """
    design = design_matrix(frame, covariates)
    models = import_optional("statsmodels.api", "Propensity scores")
    scale = design.std(ddof=0)
    scaled = models.add_constant(((design - design.mean()) / scale).to_numpy(), has_constant="add")
    if np.linalg.matrix_rank(scaled) < scaled.shape[1]:
        what = f"The covariates {listed(covariates)} say the same twice: one follows from the others."
        raise UserError(what, "Leave one of them out.")
    model = models.GLM(is_case.to_numpy(float), scaled, family=models.families.Binomial())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # separation is found below, in the fitted probabilities
        found = model.fit(maxiter=100, tol=1e-13)
    fitted = found.fittedvalues
    if not np.isfinite(found.params).all() or min(fitted.min(), 1 - fitted.max()) < _CERTAIN:
        raise UserError(
            f"The covariates {listed(covariates)} tell the groups apart: some patients' score is 0 or 1.",
            "Match on fewer covariates, or on coarser ones.",
        )
    if not found.converged:
        raise UserError(f"The propensity score of {listed(covariates)} does not converge.", "Take fewer covariates.")
    slopes = found.params[1:] / scale.to_numpy()
    intercept = found.params[0] - float(slopes @ design.mean().to_numpy())
    coefficients = pd.Series([intercept, *slopes], index=["intercept", *design.columns])
    return Propensity(pd.Series(scaled @ found.params, index=frame.index), coefficients)


def design_matrix(frame: pd.DataFrame, covariates: Sequence[str]) -> pd.DataFrame:
    """Return the covariates as numbers: text becomes one indicator a category but the first (``sex=M``).

    Raises
    ------
    UserError
        When a covariate is not there, has missing values or does not vary.
    """
    if not covariates:
        raise UserError("There is no covariate to match on.", "Name at least one, e.g. age.")
    need(frame, list(covariates))
    columns: dict[str, np.ndarray] = {}
    for title in covariates:
        values = frame[title]
        if values.isna().any():
            who = listed(values.index[values.isna()])
            raise UserError(f"Covariate '{title}' is missing for {who}.", "Complete it, or leave these patients out.")
        if values.nunique() < 2:
            raise UserError(f"Covariate '{title}' is the same for all patients.", "Leave it out.")
        if pd.api.types.is_numeric_dtype(values):
            columns[title] = values.to_numpy(float)
            if not np.isfinite(columns[title]).all():
                raise UserError(f"Covariate '{title}' holds a number that is infinite.", "Correct the table.")
        else:
            for name in sorted(values.unique())[1:]:
                columns[f"{title}={name}"] = (values == name).to_numpy(float)
    return pd.DataFrame(columns, index=frame.index)
