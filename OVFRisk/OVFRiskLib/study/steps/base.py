"""What the steps share: checked tables, a binary outcome, filters that remember why."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ...errors import UserError


class NothingKeptError(UserError):
    """A filter keeps no column: what is left tells nothing of the outcome."""


def features_of(step: BaseEstimator, x: pd.DataFrame | np.ndarray, *, fitting: bool = False) -> np.ndarray:
    """Return the table's values, shape (rows, features), and have `step` learn or compare its columns.

    Raises
    ------
    UserError
        Where something is missing or not a number, or the columns are not those of the training.
    """
    try:
        values = validate_data(step, x, reset=fitting, dtype=float, ensure_all_finite=False)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{type(step).__name__}: {error}", "Give a table of numbers with the columns that the step was fitted on."
        ) from error
    bad = ~np.isfinite(values)
    if bad.any():
        raise UserError(
            f"{type(step).__name__}: missing or infinite values in {listed(names_of(step)[bad.any(axis=0)])}.",
            "Leave the patients or the columns out, or put an imputer before this step.",
        )
    return values


def names_of(step: BaseEstimator) -> np.ndarray:
    """Return the names of the columns that `step` was fitted on; ``x0``, ``x1`` … for an array."""
    names = [f"x{column}" for column in range(step.n_features_in_)]
    return np.asarray(getattr(step, "feature_names_in_", names), dtype=object)


def outcome_of(y: object, rows: int) -> np.ndarray:
    """Return the outcome as 0 and 1, shape (rows,), or raise a UserError where it is anything else."""
    values = np.asarray(y)
    if values.shape != (rows,):
        raise UserError(
            f"The outcome has the shape {values.shape}, the table has {rows} rows.", "Give one outcome a row."
        )
    if set(pd.unique(values)) != {0, 1}:
        raise UserError(
            f"The outcome holds {listed(pd.unique(values))}; it must hold both 0 (no event) and 1 (event).",
            "Code the outcome as 0 and 1, and look whether this part of the patients has both.",
        )
    return values.astype(float)


def listed(names: object, most: int = 5) -> str:
    """Return the first names, and how many more there are."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def check_options(step: BaseEstimator) -> None:
    """Raise a UserError where a parameter is not one that the step's `PARAMETERS` allow."""
    for parameter in step.PARAMETERS:
        parameter.check(getattr(step, parameter.name), type(step).__name__)


class Filter(SelectorMixin, BaseEstimator):
    """A step that keeps some of the columns.

    Fitted attributes
    -----------------
    table_ : DataFrame
        One row a column of the training table, in its order: what was found, ``kept`` and a ``note``.
    support_ : ndarray of bool, shape (features,)
    """

    PARAMETERS = ()

    def fit(self, x: pd.DataFrame | np.ndarray, y: object = None) -> "Filter":
        """Decide which columns stay, by the training rows `x` and their outcome `y`."""
        check_options(self)
        values = features_of(self, x, fitting=True)
        table = self._judge(values, y)
        self.table_ = table.set_axis(pd.Index(names_of(self), name="feature"))
        self.support_ = table["kept"].to_numpy(bool)
        if not self.support_.any():
            raise NothingKeptError(
                f"{type(self).__name__} keeps none of the {len(table)} features.",
                "Loosen its limit, or take it that these features do not tell the groups apart.",
            )
        return self

    def transform(self, x: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the columns that stay."""
        check_is_fitted(self, "support_")
        return features_of(self, x)[:, self.support_]

    def _judge(self, x: np.ndarray, y: object) -> pd.DataFrame:
        """Return `table_`, in the order of the columns."""
        raise NotImplementedError

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "support_")
        return self.support_


def varies(x: np.ndarray) -> np.ndarray:
    """Return which columns are more than one value and its rounding, shape (features,)."""
    return np.ptp(x, axis=0) > 1e-12 * np.abs(x).max(axis=0)
