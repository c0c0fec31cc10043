"""All figures of a judged study, in reading order."""

from collections.abc import Iterator

import pandas as pd

from ...errors import import_optional
from ...files.figures.style import styled
from ..design.design import Way
from ..judgement.judged import Judgement, Key, Validated
from ..judgement.performance import title_of
from ..running.results import ModelResult, StepRecord, StudyRun
from .calibration import calibration, calibration_of_all
from .components import components
from .decision import decision, impact, reduction
from .distribution import distribution
from .forests import ablation, odds, subgroups, validated
from .importance import importance
from .lasso import lasso_coefficients, lasso_path
from .learning import learning
from .love import love
from .matrix import matrix
from .panels import Panel, best_of, panels_of
from .roc import roc
from .selection import selection
from .study_figure import Sketch, StudyFigure, finished
from .ways import ways

_LASSO = ("lasso", "radscore")
_MOST_ROWS = 24  # of one forest plot


def draw_figures(run: StudyRun, judgement: Judgement) -> tuple[StudyFigure, ...]:
    """Draw every figure that there are values for, the leak-free way; the best model where a figure shows one.

    Parameters
    ----------
    run : StudyRun
    judgement : Judgement

    Raises
    ------
    UserError
        When matplotlib is missing.
    """
    matplotlib = import_optional("matplotlib", "Drawing a study's figures")
    with styled(), matplotlib.rc_context({"text.parse_math": False}):  # a name with a $ is no formula
        return tuple(finished(sketch, run.synthetic) for sketch in _sketches(run, judgement) if sketch)


def _sketches(run: StudyRun, judgement: Judgement) -> Iterator[Sketch | None]:
    model = _model(run, judgement.best)
    yield from _discrimination(run, judgement)
    for where in dict.fromkeys((judgement.primary, "external")):
        yield from _on_a_set(run, judgement, where, model)
    if model is not None:
        yield from _of_the_best(run, judgement, model)
    yield learning(judgement.learning_curve, judgement.best)
    yield from _validation([one for one in judgement.validated if one.way is Way.LEAK_FREE])
    if run.balance is not None:
        yield love(run.balance)


def _validation(found: list[Validated]) -> Iterator[Sketch | None]:
    """Yield all ways of resampling in one figure, or each in its own where there are many models."""
    if len(found) <= _MOST_ROWS:
        yield validated(found, "validation")
        return
    for n, kind in enumerate(dict.fromkeys(one.kind for one in found), start=1):
        yield validated([one for one in found if one.kind == kind], f"validation_{n}")


def _discrimination(run: StudyRun, judgement: Judgement) -> Iterator[Sketch | None]:
    """Yield both ways beside each other: on the set that counts first."""
    sets = dict.fromkeys((judgement.primary, *(one.on for one in judgement.optimism)))
    apparent = {one.key: one for one in judgement.on("training")}
    yield roc(_panels(run, judgement, judgement.primary), apparent)
    yield from (ways([one for one in judgement.optimism if one.on == where]) for where in sets)


def _on_a_set(run: StudyRun, judgement: Judgement, where: str, model: ModelResult | None) -> Iterator[Sketch | None]:
    panels = _panels(run, judgement, where)
    if not panels:
        return
    if where != judgement.primary:
        yield roc(panels, {})
    best = best_of(panels)
    if best is not None:
        yield calibration(best.judged, best.color)
    yield calibration_of_all(panels)
    yield decision(panels)
    if best is None or model is None:
        return
    names = run.design.no_event, run.design.event
    yield impact(best.judged)
    yield reduction(best.judged)
    yield distribution(best.judged, model.predictions[where], run.outcome, names)
    yield matrix(best.judged, names)
    yield subgroups(_of(judgement.subgroups, judgement.best, where), best.judged)


def _of_the_best(run: StudyRun, judgement: Judgement, model: ModelResult) -> Iterator[Sketch | None]:
    title = title_of(run.design, model)
    yield importance(model.importance, title)
    yield ablation(_of(judgement.ablation, judgement.best))
    groups = {group.name: group.title for group in run.design.groups}
    selecting = _with_steps(run, model)
    yield selection(selecting, groups, title_of(run.design, selecting))
    for record in _distinct(run, model):
        yield lasso_path(record, groups.get(record.group, record.group))
        yield lasso_coefficients(record, groups.get(record.group, record.group))
    checks = [record for record in selecting.steps if record.step == "components"]
    for place, record in enumerate(checks, start=1):
        yield components(record, place, groups.get(record.group, record.group))
    for one in run.of(Way.LEAK_FREE):
        if one.odds is not None:
            yield odds(one.odds, f"{one.variant}_{one.learner}", title_of(run.design, one))


def _panels(run: StudyRun, judgement: Judgement, where: str) -> tuple[Panel, ...]:
    learners = {model.learner: model.learner_title for model in run.models if model.learner_title}
    return panels_of(judgement.on(where), run.design, learners, judgement.best)


def _model(run: StudyRun, key: Key | None) -> ModelResult | None:
    return next((one for one in run.models if (one.way, one.variant, one.learner) == key), None)


def _of(frame: pd.DataFrame, key: Key | None, where: str = "") -> pd.DataFrame:
    """Return the rows of one model, on one set."""
    if frame.empty or key is None:
        return frame
    chosen = (frame["variant"] == key[1]) & (frame["learner"] == key[2])
    return frame[chosen & (frame["on"] == where)] if where else frame[chosen]


def _with_steps(run: StudyRun, model: ModelResult) -> ModelResult:
    """Return the best model, or the first other one where the best model's inputs were not selected."""
    selected = [one for one in (model, *run.of(Way.LEAK_FREE)) if any(r.columns_in != r.columns_out for r in one.steps)]
    return selected[0] if selected else model


def _distinct(run: StudyRun, model: ModelResult) -> list[StepRecord]:
    """Return the lasso of each group: that of the best model, else of the first that has one."""
    found: dict[str, StepRecord] = {}
    for one in (model, *run.of(Way.LEAK_FREE)):
        for record in one.steps:
            if record.step in _LASSO:
                found.setdefault(record.group, record)
    return list(found.values())
