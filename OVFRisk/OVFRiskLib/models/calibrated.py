"""A predictor's probability as the model gives it."""

import math

import numpy as np

from .card import Calibration
from .predictors.reading import expit


def calibrated(probability: float, calibration: Calibration | None) -> float:
    """Return the recalibrated probability.

    Parameters
    ----------
    probability : float
        Of the predictor, 0-1.
    calibration : Calibration or None
        Logistic: expit(intercept + slope × logit(p)) (Cox, Biometrika 1958;45:562-565), at 0 and 1 its limit. Isotonic:
        linear between the points, constant beyond them.
    """
    if calibration is None:
        return probability
    if calibration.kind == "isotonic":
        return float(np.interp(probability, calibration.x, calibration.y))
    odds = calibration.intercept + (calibration.slope * _logit(probability) if calibration.slope else 0.0)
    return float(expit(np.array(odds)))


def _logit(p: float) -> float:
    if p in (0.0, 1.0):
        return math.inf if p else -math.inf
    return math.log(p) - math.log1p(-p)
