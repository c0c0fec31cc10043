"""Keeping predictors by their odds ratios, one by one or together."""

from typing import ClassVar

import numpy as np
import pandas as pd

from ...errors import UserError
from .base import Filter, listed, names_of, outcome_of, varies
from .logistic_fit import fit_logistic, is_separated
from .parameter import Parameter

COLUMNS = ("coefficient", "error", "odds_ratio", "low", "high", "p")
SEPARATED = "separates the groups: no finite odds ratio; look whether it is a consequence of the outcome"
_SEPARATED = Parameter("separated", str, "keep", "ours", choices=("keep", "drop"))


class UnivariateLogistic(Filter):
    """Keeps predictors with a small P in a logistic regression of their own.

    Parameters
    ----------
    alpha : float
        What has a P (Wald, two-sided) below it stays.
    separated : str
        ``keep`` or ``drop`` what tells the groups apart without an overlap, so that there is no odds ratio.

    Fitted attributes
    -----------------
    table_ : DataFrame
        ``coefficient`` and ``error`` (log-odds a unit), ``odds_ratio``, ``low``, ``high`` (95 %, Wald), ``p``,
        ``kept``, ``note``; NaN, with a note, where there is none.
    rows_, events_ : int
    """

    PARAMETERS: ClassVar = (Parameter("alpha", float, 0.1, "Ge 2025", 0.0, 1.0), _SEPARATED)

    def __init__(self, alpha: float = 0.1, separated: str = "keep") -> None:
        self.alpha = alpha
        self.separated = separated

    def _judge(self, x: np.ndarray, y: object) -> pd.DataFrame:
        y = outcome_of(y, len(x))
        self.rows_, self.events_ = len(y), int(y.sum())
        moving = varies(x)
        rows = [self._row(x[:, [n]], y) if moves else _absent("has one value") for n, moves in enumerate(moving)]
        return pd.DataFrame(rows)

    def _row(self, x: np.ndarray, y: np.ndarray) -> dict[str, object]:
        if is_separated(x, y):
            return _absent(SEPARATED, kept=self.separated == "keep")
        fit = fit_logistic(x, y)
        values = (fit.coefficients[0], fit.errors[0], *fit.odds_ratios[0], fit.p[0])
        return dict(zip(COLUMNS, values)) | {"kept": fit.p[0] < self.alpha, "note": ""}


class MultivariateLogistic(Filter):
    """Keeps predictors with a small P in one logistic regression of all of them.

    Parameters
    ----------
    alpha : float
        What has a P (Wald, two-sided) below it stays.
    separated : str
        ``keep`` all or refuse (``drop``) where the predictors together separate the groups, so that there is no fit.

    Fitted attributes
    -----------------
    table_ : DataFrame
        As of `UnivariateLogistic`.
    intercept_ : float
        Absent (NaN) where the groups are separated.
    events_per_variable_ : float
        Of the rarer outcome.
    """

    PARAMETERS: ClassVar = (
        Parameter("alpha", float, 0.05, "usual; Liu 2025 is read as an abstract", 0.0, 1.0),
        _SEPARATED,
    )

    def __init__(self, alpha: float = 0.05, separated: str = "keep") -> None:
        self.alpha = alpha
        self.separated = separated

    def _judge(self, x: np.ndarray, y: object) -> pd.DataFrame:
        y = outcome_of(y, len(x))
        self.events_per_variable_ = float(min(y.sum(), len(y) - y.sum()) / x.shape[1])
        constant = names_of(self)[~varies(x)]
        if len(constant):
            raise UserError(f"{listed(constant)} has one value in these patients.", "Leave it out.")
        if is_separated(x, y):
            return self._separated(x.shape[1])
        fit = fit_logistic(x, y)
        self.intercept_ = fit.intercept
        table = pd.DataFrame(np.column_stack([fit.coefficients, fit.errors, fit.odds_ratios, fit.p]), columns=COLUMNS)
        return table.assign(kept=fit.p < self.alpha, note="")

    def _separated(self, features: int) -> pd.DataFrame:
        if self.separated == "drop":
            raise UserError(
                f"The {features} predictors together separate the groups: there are no finite odds ratios.",
                "Enter fewer, or ones that are known before the outcome.",
            )
        self.intercept_ = np.nan
        return pd.DataFrame(
            [_absent("the predictors together separate the groups: no finite odds ratios", kept=True)] * features
        )


def _absent(note: str, *, kept: bool = False) -> dict[str, object]:
    return dict.fromkeys(COLUMNS, np.nan) | {"kept": kept, "note": note}
