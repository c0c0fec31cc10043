"""Random forest."""

from scipy.stats import randint
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier

from .search import Learner, Parameters, Phase


def _forest(parameters: Parameters, seed: int) -> BaseEstimator:
    return RandomForestClassifier(random_state=seed, n_jobs=1, **parameters)


FOREST = Learner(
    name="random-forest",
    title="Random forest",
    source=(
        "Ge et al. 2025 searched tree depth, number of trees and the least samples of a leaf, without saying over "
        "which values. Here: depth 2-16, 100-300 trees, leaves of 1-20 patients."
    ),
    build=_forest,
    phases=(
        Phase(
            "all",
            {"max_depth": randint(2, 17), "n_estimators": randint(100, 301), "min_samples_leaf": randint(1, 21)},
        ),
    ),
)
