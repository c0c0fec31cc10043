"""Logistic regression, penalised with a search, or plain with confidence intervals."""

import numpy as np
from scipy.stats import loguniform
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .search import Learner, Parameters, Phase


def _penalised(parameters: Parameters, seed: int) -> BaseEstimator:
    """Return a regression on standardised inputs, so that one penalty means the same to all of them."""
    model = LogisticRegression(solver="saga", max_iter=5000, random_state=seed, **parameters)
    return make_pipeline(StandardScaler(), model)


def _plain(parameters: Parameters, seed: int) -> BaseEstimator:  # noqa: ARG001 - nothing in it is random
    return make_pipeline(StandardScaler(), LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10))


LOGISTIC = Learner(
    name="logistic",
    title="Logistic regression",
    source=(
        "Ge et al. 2025 searched regularization strength and penalty type, without saying over which values. Here: C "
        "log-uniform in 0.001-100; L2, L1 or half of each, on standardised inputs."
    ),
    build=_penalised,
    phases=(Phase("all", {"C": loguniform(1e-3, 1e2), "l1_ratio": [0.0, 0.5, 1.0]}),),
)
UNPENALISED = Learner(
    name="logistic-unpenalised",
    title="Logistic regression, unpenalised",
    source="Che et al., Liu et al. 2026 and Huang et al. 2025: maximum likelihood. Nothing is searched.",
    build=_plain,
    phases=(Phase("none", {}),),
)
