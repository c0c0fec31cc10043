"""Gradient boosting by XGBoost."""

from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator

from ...errors import import_optional
from .search import Learner, Parameters, Phase


def _boosting(parameters: Parameters, seed: int) -> BaseEstimator:
    xgboost = import_optional("xgboost", "Training with XGBoost")
    return xgboost.XGBClassifier(random_state=seed, n_jobs=1, tree_method="hist", **parameters)


BOOSTING = Learner(
    name="xgboost",
    title="XGBoost",
    source=(
        "Ge et al. 2025 searched learning rate, maximum depth and number of trees, without saying over which values. "
        "Here: rate log-uniform in 0.01-0.3, depth 2-8, 50-300 trees."
    ),
    build=_boosting,
    phases=(
        Phase(
            "all",
            {"learning_rate": loguniform(1e-2, 3e-1), "max_depth": randint(2, 9), "n_estimators": randint(50, 301)},
        ),
    ),
)
