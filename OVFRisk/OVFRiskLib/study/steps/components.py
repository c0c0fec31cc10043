"""Principal components as a check of how much features say the same; nothing is changed."""

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from .base import features_of, names_of, varies


class ComponentCheck(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Lets the table through, and keeps the principal components of its z-scores (of features that vary).

    Fitted attributes
    -----------------
    table_ : DataFrame
        A row a component: ``explained`` and ``cumulative`` share of the variance, 0-1.
    loadings_ : DataFrame
        Components by features; unit length, the largest entry positive.
    """

    PARAMETERS: ClassVar = ()

    def fit(self, x: pd.DataFrame | np.ndarray, y: object = None) -> "ComponentCheck":  # noqa: ARG002
        """Find the components of the training rows."""
        values = features_of(self, x, fitting=True)
        moving = varies(values)
        scaled = (values[:, moving] - values[:, moving].mean(axis=0)) / values[:, moving].std(axis=0)
        found = PCA(svd_solver="full").fit(scaled)
        names = pd.RangeIndex(1, found.n_components_ + 1, name="component")
        explained = found.explained_variance_ratio_
        self.table_ = pd.DataFrame({"explained": explained, "cumulative": explained.cumsum()}, index=names)
        rows = found.components_
        largest = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
        self.loadings_ = pd.DataFrame(rows * np.sign(largest)[:, None], index=names, columns=names_of(self)[moving])
        return self

    def transform(self, x: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the table as it is."""
        check_is_fitted(self, "table_")
        return features_of(self, x)
