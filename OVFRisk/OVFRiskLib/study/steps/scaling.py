"""Scaling each feature by what its distribution allows."""

from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import kurtosis, skew
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .base import check_options, features_of, names_of, varies
from .parameter import Parameter

_GE = "Ge 2025"


class AdaptiveScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """z-scores for nearly normal features; median and interquartile range for skewed, heavy-tailed or outlying ones.

    Ge et al.: "skewness < 2, kurtosis < 7" are nearly normal, "non-normal distributions or substantial outliers
    (>10%)" are scaled robustly. The paper does not say three things; here the skewness counts without its sign, both
    moments are those of the sample without a correction for its size, and:

    Parameters
    ----------
    skewness : float
        Nearly normal is below it.
    kurtosis : float
        Nearly normal is below it.
    kurtosis_kind : str
        ``excess`` (0 for a normal distribution, as SciPy, pandas and SPSS give it) or ``pearson`` (3).
    outlier_share : float
        Above it the scaling is robust, 0-1.
    outlier_rule : str
        ``fences``: beyond the quartiles by more than 1.5 interquartile ranges; ``three-sd``: by more than three SDs
        from the mean, which no sample can be for more than 1/9 of its values.

    Fitted attributes
    -----------------
    table_ : DataFrame
        A row a feature: ``skewness``, ``kurtosis``, ``outliers`` (0-1), ``method`` (``z-score``, ``robust``, ``none``),
        ``center``, ``scale`` and ``note``. A feature with one value is centred only; one whose middle half is one
        value has no interquartile range and gets z-scores.
    center_, scale_ : ndarray, shape (features,)
        Mean and SD (of n), or median and interquartile range.
    """

    PARAMETERS: ClassVar = (
        Parameter("skewness", float, 2.0, _GE, 0.0),
        Parameter("kurtosis", float, 7.0, _GE, 0.0),
        Parameter("kurtosis_kind", str, "excess", "ours: the paper does not say", choices=("excess", "pearson")),
        Parameter("outlier_share", float, 0.1, _GE, 0.0, 1.0),
        Parameter("outlier_rule", str, "fences", "ours: the paper does not say", choices=("fences", "three-sd")),
    )

    def __init__(
        self,
        skewness: float = 2.0,
        kurtosis: float = 7.0,
        kurtosis_kind: str = "excess",
        outlier_share: float = 0.1,
        outlier_rule: str = "fences",
    ) -> None:
        self.skewness = skewness
        self.kurtosis = kurtosis
        self.kurtosis_kind = kurtosis_kind
        self.outlier_share = outlier_share
        self.outlier_rule = outlier_rule

    def fit(self, x: pd.DataFrame | np.ndarray, y: object = None) -> "AdaptiveScaler":  # noqa: ARG002
        """Choose each feature's scaling by the training rows."""
        check_options(self)
        values = features_of(self, x, fitting=True)
        low, middle, high = np.percentile(values, (25, 50, 75), axis=0)
        iqr, sd, moving = high - low, values.std(axis=0), varies(values)
        table = pd.DataFrame({"skewness": np.nan, "kurtosis": np.nan, "outliers": 0.0}, index=names_of(self))
        table.index.name = "feature"
        table.loc[moving, "skewness"] = skew(values[:, moving], axis=0)
        pearson = self.kurtosis_kind == "pearson"
        table.loc[moving, "kurtosis"] = kurtosis(values[:, moving], axis=0, fisher=not pearson)
        table["outliers"] = self._outliers(values, low, high)
        normal = (table["skewness"].abs() < self.skewness) & (table["kurtosis"] < self.kurtosis)
        wanted = ~(normal & (table["outliers"] <= self.outlier_share)).to_numpy() & moving
        robust = wanted & (iqr > 0)
        table["method"] = np.select([~moving, robust], ["none", "robust"], "z-score")
        table["center"] = self.center_ = np.where(robust, middle, values.mean(axis=0))
        table["scale"] = self.scale_ = np.select([~moving, robust], [1.0, iqr], sd)
        notes = ["has one value", "no interquartile range: z-score"]
        table["note"] = np.select([~moving, wanted & ~robust], notes, "")
        self.table_ = table
        return self

    def transform(self, x: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return (x - center) / scale."""
        check_is_fitted(self, "table_")
        return (features_of(self, x) - self.center_) / self.scale_

    def _outliers(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return the share of outliers of each feature, shape (features,)."""
        if self.outlier_rule == "fences":
            reach = 1.5 * (high - low)
            return ((x < low - reach) | (x > high + reach)).mean(axis=0)
        return (np.abs(x - x.mean(axis=0)) > 3 * x.std(axis=0)).mean(axis=0)
