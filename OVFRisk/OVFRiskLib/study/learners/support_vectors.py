"""Support vector machine with calibrated probabilities."""

from scipy.stats import loguniform
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .search import Learner, Parameters, Phase

_CALIBRATION_FOLDS = 5


def _margin(parameters: Parameters, seed: int) -> BaseEstimator:  # noqa: ARG001 - nothing in it is random
    """Return the machine alone: its margin orders patients as the calibrated probability does."""
    return make_pipeline(StandardScaler(), SVC(**parameters))


def _calibrated(parameters: Parameters, seed: int) -> BaseEstimator:
    """Return what scikit-learn 1.9 recommends in place of SVC(probability=True); the folds are the seed's."""
    folds = StratifiedKFold(_CALIBRATION_FOLDS, shuffle=True, random_state=seed)
    return make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(**parameters), ensemble=False, cv=folds))


_CURVED = {"kernel": ["rbf", "sigmoid"], "C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-4, 1e0)}
SUPPORT_VECTORS = Learner(
    name="svm",
    title="Support vector machine",
    source=(
        "Ge et al. 2025 searched the kernel, the regularization parameter and the kernel coefficient, without saying "
        "over which values. Here, on standardised inputs: linear with C log-uniform in 0.001-10; radial or sigmoid "
        "with C in 0.01-100 and gamma in 0.0001-1. Probabilities by Platt's method on five folds."
    ),
    build=_margin,
    finish=_calibrated,
    phases=(Phase("all", [{"kernel": ["linear"], "C": loguniform(1e-3, 1e1)}, _CURVED]),),
)
