"""From a trained estimator of a study to what a model bundle holds."""

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .tabnet_classifier import TabNetHoldOut


def exportable(estimator: BaseEstimator) -> BaseEstimator:
    """Return `estimator` as `models.export.predictor_of` takes it: the libraries' own classes only.

    Parameters
    ----------
    estimator : BaseEstimator
        Trained, e.g. of a `Searched`.
    """
    if isinstance(estimator, TabNetHoldOut):
        return estimator.model_
    if isinstance(estimator, Pipeline) and isinstance(estimator.steps[-1][1], TabNetHoldOut):
        name, last = estimator.steps[-1]
        return Pipeline([*estimator.steps[:-1], (name, last.model_)])
    return estimator
