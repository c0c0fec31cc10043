"""The lasso as a filter, and as the radscore."""

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from ...errors import UserError
from .base import Filter, check_options, features_of, names_of, outcome_of, varies
from .lasso_choice import Choice, choose
from .lasso_path import Path, lasso_path, penalties_of
from .parameter import Parameter

PARAMETERS = (
    Parameter("choice", str, "min", "usual; the papers do not say", choices=("min", "1se")),
    Parameter("folds", int, 10, "glmnet; Liu 2025 has 5", 3),
    Parameter("splitter", object, None, "given by the code around the step"),
    Parameter("measure", str, "deviance", "glmnet", choices=("deviance", "auc")),
    Parameter("penalties", int, 100, "glmnet", 5, 1000),
    Parameter(
        "ratio", float, None, "glmnet: 1e-4, or 0.01 where there are fewer rows than features", 1e-6, 0.5, (), True
    ),
    Parameter("seed", int, None, "ours", 0, optional=True),
)


class _Lasso(BaseEstimator):
    """What `LassoSelector` and `Radscore` share."""

    PARAMETERS: ClassVar = PARAMETERS
    path_: Path
    choice_: Choice

    def __init__(
        self,
        choice: str = "min",
        folds: int = 10,
        splitter: object = None,
        measure: str = "deviance",
        penalties: int = 100,
        ratio: float | None = None,
        seed: int | None = None,
    ) -> None:
        self.choice = choice
        self.folds = folds
        self.splitter = splitter
        self.measure = measure
        self.penalties = penalties
        self.ratio = ratio
        self.seed = seed

    def _fit_lasso(self, x: np.ndarray, y: object) -> None:
        y = outcome_of(y, len(x))
        if not varies(x).any():
            raise UserError("No feature varies: there is nothing for the lasso.", "Look at the table.")
        self.folds_ = self._fold_of_rows(x, y)
        self.path_ = lasso_path(x, y, penalties_of(x, y, self.penalties, self.ratio))
        self.choice_ = choose(x, y, self.path_, self.folds_, self.measure)
        at = self.choice_.best if self.choice == "min" else self.choice_.one_se
        self.lambda_min_ = float(self.path_.penalties[self.choice_.best])
        self.lambda_1se_ = float(self.path_.penalties[self.choice_.one_se])
        self.lambda_ = float(self.path_.penalties[at])
        self.intercept_, self.coef_ = float(self.path_.intercepts[at]), self.path_.coefficients[at]

    def _fold_of_rows(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        splitter = self.splitter if self.splitter is not None else self._stratified(y)
        fold = np.full(len(y), -1)
        for number, (_, held) in enumerate(splitter.split(x, y)):
            fold[held] = number
        return fold

    def _stratified(self, y: np.ndarray) -> StratifiedKFold:
        fewest = int(min(y.sum(), len(y) - y.sum()))
        if not 3 <= self.folds <= fewest:
            raise UserError(
                f"The lasso is to have {self.folds} folds; the rarer outcome has {fewest} patients.",
                f"Set folds to 3 to {fewest}." if fewest >= 3 else "Give more patients.",
            )
        return StratifiedKFold(self.folds, shuffle=self.seed is not None, random_state=self.seed)


class LassoSelector(Filter, _Lasso):
    """Keeps the features to which L1-penalised logistic regression gives a coefficient.

    The penalty is chosen by cross-validation along glmnet's path.

    Parameters
    ----------
    choice : str
        ``min``: the penalty with the best mean of the folds (lambda.min); ``1se``: the largest one within a standard
        error of it (lambda.1se).
    folds : int
        How many, stratified by the outcome.
    splitter : splitter of scikit-learn or None
        Instead of `folds`; ``PredefinedSplit(fold of each row)`` for given ones.
    measure : str
        ``deviance`` or ``auc``.
    penalties : int
        How many.
    ratio : float or None
        Smallest to largest penalty.
    seed : int or None
        Shuffles the rows before they are dealt out to `folds`; None: they are dealt out in the order of the table.

    Fitted attributes
    -----------------
    path_ : Path
        All penalties with their coefficients (for the figure).
    choice_ : Choice
        All penalties in the cross-validation (for the figure).
    folds_ : ndarray of int, shape (rows,)
        The fold of each training row, -1 where none holds it out.
    lambda_min_, lambda_1se_, lambda_ : float
        ``lambda_`` is the one taken.
    intercept_ : float
    coef_ : ndarray, shape (features,)
        Log-odds a unit of the feature as given; 0 is left out.
    table_ : DataFrame
        ``coefficient``, ``kept``, ``note``.
    """

    PARAMETERS: ClassVar = PARAMETERS

    def _judge(self, x: np.ndarray, y: object) -> pd.DataFrame:
        self._fit_lasso(x, y)
        note = np.where(varies(x), "", "has one value")
        return pd.DataFrame({"coefficient": self.coef_, "kept": self.coef_ != 0, "note": note})


class Radscore(TransformerMixin, _Lasso):
    """One column: intercept + Σ coefficient × (feature - center) / scale, of the features that the lasso keeps.

    Where the lasso keeps none, the radscore is the intercept for everybody, and says so in `note_`.

    Parameters
    ----------
    choice, folds, splitter, measure, penalties, ratio, seed
        As of `LassoSelector`.
    name : str
        Of the column.

    Fitted attributes
    -----------------
    path_, choice_, folds_, lambda_min_, lambda_1se_, lambda_, intercept_, coef_
        As of `LassoSelector`.
    terms_ : DataFrame
        A row a feature kept: ``center`` and ``scale`` (training mean and SD of n), ``coefficient`` (of the scaled).
    scaled_intercept_ : float
        The one that belongs to ``terms_``.
    note_ : str
    """

    PARAMETERS: ClassVar = (*PARAMETERS, Parameter("name", str, "radscore", "ours"))

    def __init__(
        self,
        choice: str = "min",
        folds: int = 10,
        splitter: object = None,
        measure: str = "deviance",
        penalties: int = 100,
        ratio: float | None = None,
        seed: int | None = None,
        name: str = "radscore",
    ) -> None:
        super().__init__(choice, folds, splitter, measure, penalties, ratio, seed)
        self.name = name

    def fit(self, x: pd.DataFrame | np.ndarray, y: object) -> "Radscore":
        """Fit the lasso on the training rows."""
        check_options(self)
        values = features_of(self, x, fitting=True)
        self._fit_lasso(values, y)
        kept = np.flatnonzero(self.coef_)
        center, scale = values[:, kept].mean(axis=0), values[:, kept].std(axis=0)
        terms = {"center": center, "scale": scale, "coefficient": self.coef_[kept] * scale}
        self.terms_ = pd.DataFrame(terms, index=pd.Index(names_of(self)[kept], name="feature"))
        self.scaled_intercept_ = float(self.intercept_ + self.coef_[kept] @ center)
        self.note_ = "" if len(kept) else "the lasso keeps no feature: everybody has the same radscore"
        return self

    def transform(self, x: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the radscores, shape (rows, 1), log-odds."""
        check_is_fitted(self, "terms_")
        return (self.intercept_ + features_of(self, x) @ self.coef_)[:, None]

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:  # noqa: ARG002
        """Return the name of the one column."""
        return np.asarray([self.name], dtype=object)
