"""Data-driven steps between a table and a model, each a scikit-learn transformer or a sampler of imbalanced-learn.

All are fitted on the training rows of a pipeline only, give the same for the same seed, and remember what they decided.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ...errors import UserError
from .combat import Combat
from .components import ComponentCheck
from .correlation import CorrelationFilter
from .lasso import LassoSelector, Radscore
from .logistic_screening import MultivariateLogistic, UnivariateLogistic
from .mrmr import MRMR
from .parameter import Parameter, schema_of
from .radscore_input import radscore_input
from .rank_sum import RankSumFilter
from .reproducibility import ReproducibilityFilter
from .sampling import Adasyn, Smote, TomekLinks, pipeline_of
from .scaling import AdaptiveScaler

STEPS: Mapping[str, type] = MappingProxyType(
    {
        "combat": Combat,
        "adaptive-scaling": AdaptiveScaler,
        "reproducibility": ReproducibilityFilter,
        "rank-sum": RankSumFilter,
        "univariate-logistic": UnivariateLogistic,
        "multivariate-logistic": MultivariateLogistic,
        "correlation": CorrelationFilter,
        "mrmr": MRMR,
        "lasso": LassoSelector,
        "radscore": Radscore,
        "components": ComponentCheck,
        "adasyn": Adasyn,
        "smote": Smote,
        "tomek-links": TomekLinks,
    }
)
"""The steps by their names in a design file; the class's `PARAMETERS` (see `schema_of`) are what it may set."""


def make_step(name: str, **parameters: object) -> object:
    """Return the step called `name`, not fitted yet.

    Raises
    ------
    UserError
        Where there is no such step or parameter, or a value is of another type or outside its limits.
    """
    if name not in STEPS:
        raise UserError(f"There is no step '{name}'.", f"Possible are {', '.join(STEPS)}.")
    known = {parameter.name: parameter for parameter in STEPS[name].PARAMETERS}
    for key, value in parameters.items():
        if key not in known:
            raise UserError(f"The step '{name}' has no {key}.", f"It has {', '.join(known) or 'no parameters'}.")
        known[key].check(value, name)
    return STEPS[name](**parameters)


__all__ = [
    "MRMR",
    "STEPS",
    "AdaptiveScaler",
    "Adasyn",
    "Combat",
    "ComponentCheck",
    "CorrelationFilter",
    "LassoSelector",
    "MultivariateLogistic",
    "Parameter",
    "Radscore",
    "RankSumFilter",
    "ReproducibilityFilter",
    "Smote",
    "TomekLinks",
    "UnivariateLogistic",
    "make_step",
    "pipeline_of",
    "radscore_input",
    "schema_of",
]
