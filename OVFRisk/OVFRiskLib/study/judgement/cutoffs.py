"""A model's cut-offs: chosen once, where folds of the training patients predicted each other, and kept."""

from collections.abc import Mapping

import pandas as pd

from ..design.design import Design
from ..judging.cutoff import Cutoff, at_sensitivity, youden
from ..running.results import ModelResult

YOUDEN = "Youden"
_CHOSEN = "chosen in cross-validation of the training patients"
_NOWHERE = "there is no cross-validation of the training patients to choose it in"


def sensitivity_rule(design: Design) -> str:
    """Return what the second cut-off is called: ``sensitivity 0.9``."""
    return f"sensitivity {design.judging.sensitivity:g}"


def cutoffs_of(design: Design, model: ModelResult, outcome: pd.Series) -> Mapping[str, Cutoff]:
    """Return a model's cut-offs by rule: Youden's, and that of the design's sensitivity.

    Parameters
    ----------
    design : Design
    model : ModelResult
    outcome : Series of int
        By patient.
    """
    rules = (YOUDEN, sensitivity_rule(design))
    probability = model.predictions.get("cross-validation")
    if probability is None:
        return {rule: Cutoff(None, f"{rule}, {_CHOSEN}", reason=_NOWHERE) for rule in rules}
    y = outcome.loc[probability.index]
    found = youden(y, probability), at_sensitivity(y, probability, design.judging.sensitivity)
    return {rule: _told(cutoff) for rule, cutoff in zip(rules, found)}


def _told(cutoff: Cutoff) -> Cutoff:
    return Cutoff(cutoff.value, f"{cutoff.rule}, {_CHOSEN}", cutoff.n, cutoff.events, cutoff.reason)
