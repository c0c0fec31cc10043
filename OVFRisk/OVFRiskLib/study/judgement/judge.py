"""From the predictions of a run to everything that is judged of it."""

import pandas as pd
from sklearn.utils.parallel import Parallel, delayed

from ..design.design import Design, Way
from ..running.results import ModelResult, StudyRun
from .ablation import ablation
from .comparisons import comparisons, reclassification
from .cutoffs import cutoffs_of
from .judged import Judged, Judgement, Key
from .learning import learning_curve
from .optimism import optimism
from .performance import judged_on
from .resampled import validated
from .subgroups import subgroups
from .warnings import warnings_of


def judge(run: StudyRun, jobs: int = 1) -> Judgement:
    """Judge a finished study.

    Every random draw has the seed of its model and set, so that neither order nor `jobs` changes a figure.

    Parameters
    ----------
    run : StudyRun
    jobs : int
        Processes.

    Raises
    ------
    UserError
        When the patients lack a column of the subgroups.
    """
    models = [model for model in run.models if not model.failed]
    judged = tuple(one for found in Parallel(n_jobs=jobs)(_tasks(run, models)) for one in found)
    groups = subgroups(run)
    return Judgement(
        judged=judged,
        primary=_primary(models),
        best=_best(judged),
        comparisons=comparisons(run, judged),
        reclassification=reclassification(run),
        optimism=optimism(run),
        validated=validated(run),
        ablation=ablation(run),
        learning_curve=learning_curve(run),
        subgroups=groups,
        warnings=warnings_of(run, judged, groups),
    )


def _tasks(run: StudyRun, models: list[ModelResult]) -> list:
    return [delayed(_judged)(run.design, model, run.outcome) for model in models]


def _judged(design: Design, model: ModelResult, outcome: pd.Series) -> list[Judged]:
    cutoffs = cutoffs_of(design, model, outcome)
    return [judged_on(design, model, on, outcome, cutoffs) for on in model.predictions]


def _primary(models: list[ModelResult]) -> str:
    return "test" if any("test" in model.predictions for model in models) else "cross-validation"


def _best(judged: tuple[Judged, ...]) -> Key | None:
    """Return the leak-free model of the highest AUC in cross-validation; of equal ones the design's first."""
    areas = [
        (round(one.auc.value, 12), one.key)
        for one in judged
        if one.way is Way.LEAK_FREE and one.on == "cross-validation" and one.auc.value is not None
    ]
    return max(areas, key=lambda one: one[0])[1] if areas else None
