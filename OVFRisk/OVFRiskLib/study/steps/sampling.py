"""Evening out the groups of a training set: more events, or fewer that lie among the others.

Only fitting changes rows: in a pipeline of imbalanced-learn (`pipeline_of`) the rows that are predicted stay as they
are. Scale before: neighbours are found by distance.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ...errors import UserError, import_optional
from .base import check_options, features_of, outcome_of
from .parameter import Parameter

_SHARE = Parameter("share", float, 1.0, "imbalanced-learn: as many of either", 0.01, 1.0)
_NEIGHBOURS = Parameter("neighbours", int, 5, "imbalanced-learn; Ge 2025 does not say", 1)
_SEED = Parameter("seed", int, None, "must be given", 0)


class Sampler(BaseEstimator):
    """A step that changes the rows it is fitted on.

    Fitted attributes
    -----------------
    counts_before_, counts_after_ : dict of int to int
        Rows of each outcome.
    note_ : str
        Why nothing was changed, where nothing was.
    """

    PARAMETERS: ClassVar = ()

    def fit(self, x: pd.DataFrame | np.ndarray, y: object) -> "Sampler":
        """Check the parameters and the table."""
        check_options(self)
        outcome_of(y, len(features_of(self, x, fitting=True)))
        return self

    def fit_resample(self, x: pd.DataFrame | np.ndarray, y: object) -> tuple[object, object]:
        """Return other rows of the table and their outcome, as the kind of table that was given."""
        self.fit(x, y)
        self.counts_before_, self.note_ = _counts(y), ""
        if isinstance(self, _Oversampler) and self._is_even():
            self.note_, self.counts_after_ = "the groups are even already", self.counts_before_
            return x, y
        try:
            new_x, new_y = self._sampler().fit_resample(x, y)
        except (RuntimeError, ValueError) as error:  # imbalanced-learn's words for groups that are too small or apart
            raise UserError(
                f"{type(self).__name__}: {error}",
                "Use fewer neighbours or another sampler, or leave the groups uneven.",
            ) from error
        self.counts_after_ = _counts(new_y)
        return new_x, new_y

    def _sampler(self) -> object:
        """Return imbalanced-learn's sampler."""
        raise NotImplementedError


class _Oversampler(Sampler):
    """Adds made-up rows of the rarer outcome, until they are `share` of the other's.

    A column of 0 and 1 gets values in between in the rows that are made up.

    Parameters
    ----------
    neighbours : int
    share : float
        Wanted ratio of the rarer outcome to the other, 0-1.
    seed : int
    """

    PARAMETERS: ClassVar = (_NEIGHBOURS, _SHARE, _SEED)

    def __init__(self, neighbours: int = 5, share: float = 1.0, seed: int | None = None) -> None:
        self.neighbours = neighbours
        self.share = share
        self.seed = seed

    def _is_even(self) -> bool:
        few, many = sorted(self.counts_before_.values())
        return few >= self.share * many


class Adasyn(_Oversampler):
    """ADASYN: more made-up rows where the rarer outcome lies among the other (imbalanced-learn)."""

    def _sampler(self) -> object:
        module = import_optional("imblearn.over_sampling", "ADASYN")
        return module.ADASYN(sampling_strategy=self.share, n_neighbors=self.neighbours, random_state=self.seed)


class Smote(_Oversampler):
    """Synthetic minority oversampling: made-up rows between neighbours of the rarer outcome (imbalanced-learn)."""

    def _sampler(self) -> object:
        module = import_optional("imblearn.over_sampling", "SMOTE")
        return module.SMOTE(sampling_strategy=self.share, k_neighbors=self.neighbours, random_state=self.seed)


class TomekLinks(Sampler):
    """Removes rows of Tomek links: two rows of different outcome that are each other's nearest (imbalanced-learn).

    Parameters
    ----------
    remove : str
        Whose rows: ``controls`` (outcome 0), ``majority`` (the more frequent outcome) or ``both``.
    """

    PARAMETERS: ClassVar = (Parameter("remove", str, "controls", "Ge 2025", choices=("controls", "majority", "both")),)

    def __init__(self, remove: str = "controls") -> None:
        self.remove = remove

    def _sampler(self) -> object:
        module = import_optional("imblearn.under_sampling", "Removing Tomek links")
        whose = {"controls": [0], "majority": "majority", "both": "all"}
        return module.TomekLinks(sampling_strategy=whose[self.remove])


def pipeline_of(steps: Sequence[tuple[str, object]]) -> Pipeline:
    """Return a pipeline of the steps: imbalanced-learn's where one of them changes rows, else scikit-learn's."""
    if any(isinstance(step, Sampler) for _, step in steps):
        return import_optional("imblearn.pipeline", "A pipeline with a sampler").Pipeline(list(steps))
    return Pipeline(list(steps))


def _counts(y: object) -> dict[int, int]:
    values = np.asarray(y)
    return {outcome: int((values == outcome).sum()) for outcome in (0, 1)}
