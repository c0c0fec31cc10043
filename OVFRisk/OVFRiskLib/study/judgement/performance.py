"""One model judged on one set of patients."""

from collections.abc import Mapping

import pandas as pd

from ..design.design import Design
from ..judging.calibration import calibration
from ..judging.calibration_curve import hosmer_lemeshow, risk_groups
from ..judging.confusion import confusion
from ..judging.cutoff import Cutoff
from ..judging.decisions import clinical_impact, decision_curve
from ..judging.roc import auc
from ..judging.roc_curve import roc_curve_with_band
from ..running.results import ModelResult
from ..seeds import seed_of
from .judged import Judged

_ROUNDING = 1e-9  # of the highest threshold


def title_of(design: Design, model: ModelResult) -> str:
    """Return what figures and tables call a model: its variant, and its learner where there are several."""
    title = design.variant(model.variant).title
    return title if len(design.learners) == 1 else f"{title}, {model.learner_title}"


def thresholds_of(design: Design) -> tuple[float, ...]:
    """Return the thresholds of the decision curves: 0.01, 0.02 … the design's highest."""
    highest = min(design.judging.highest_threshold, 0.99)
    return tuple(percent / 100 for percent in range(1, 100) if percent / 100 <= highest + _ROUNDING)


def judged_on(design: Design, model: ModelResult, on: str, outcome: pd.Series, cutoffs: Mapping[str, Cutoff]) -> Judged:
    """Judge a model on one of its sets of predictions.

    Parameters
    ----------
    design : Design
    model : ModelResult
    on : str
        Key of the model's predictions.
    outcome : Series of int
        By patient, of everybody.
    cutoffs : mapping of str to Cutoff
        By rule, see `cutoffs_of`.
    """
    plan, probability = design.judging, model.predictions[on]
    y = outcome.loc[probability.index]
    seed = seed_of(design.seed, model.way, model.variant, model.learner, on, "judging")
    drawn = {"seed": seed, "replicates": plan.replicates}
    weighed = {"thresholds": thresholds_of(design), "prevalence": plan.prevalence, **drawn}
    return Judged(
        way=model.way,
        variant=model.variant,
        learner=model.learner,
        title=title_of(design, model),
        on=on,
        n=len(y),
        events=int(y.sum()),
        auc=auc(y, probability),
        roc=roc_curve_with_band(y, probability, **drawn),
        calibration=calibration(y, probability, **drawn),
        risk_groups=risk_groups(y, probability),
        hosmer_lemeshow=hosmer_lemeshow(y, probability, fitted_here=on == "training"),
        confusion={rule: confusion(y, probability, cutoff, **drawn) for rule, cutoff in cutoffs.items()},
        decision=decision_curve(y, probability, **weighed),
        impact=clinical_impact(y, probability, **weighed),
    )
