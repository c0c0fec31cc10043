"""The models of the studies, each with its randomized search: all are given the same folds."""

from collections.abc import Mapping
from types import MappingProxyType

from .boosting import BOOSTING
from .exporting import exportable
from .forest import FOREST
from .logistic import LOGISTIC, UNPENALISED
from .search import Learner, Phase, Searched
from .support_vectors import SUPPORT_VECTORS
from .tabnet import TABNET

LEARNERS: Mapping[str, Learner] = MappingProxyType(
    {learner.name: learner for learner in (LOGISTIC, UNPENALISED, FOREST, SUPPORT_VECTORS, BOOSTING, TABNET)}
)
"""By the names that a study's design uses."""

__all__ = ["LEARNERS", "Learner", "Phase", "Searched", "exportable"]
