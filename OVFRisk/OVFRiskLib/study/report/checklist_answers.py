"""What the run knows that checklists ask for: one answer a subject, whichever checklist asks."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..design.design import How, Way
from ..judgement.judged import Judgement
from ..running.results import StudyRun
from . import findings, methods, methods_judging
from .words import counted, joined

SCALING = ("adaptive-scaling", "combat")
REDUNDANT = ("correlation", "mrmr", "lasso", "radscore")
_CLASSICAL = ("logistic", "logistic-unpenalised")


@dataclass(frozen=True)
class Answer:
    """What the run says to an item.

    Parameters
    ----------
    text : str
        Empty: the run does not know.
    fulfilled : bool or None
        For a score: yes, no, or for the authors to judge.
    applies : bool
        False: the item does not apply, and `text` says why.
    """

    text: str
    fulfilled: bool | None = None
    applies: bool = True


def answers(run: StudyRun, judgement: Judgement) -> Mapping[str, Answer]:
    """Return the answers by subject (``fact`` in the checklists' files)."""
    texts = {**_of_study(run), **_of_methods(run, judgement), **_of_results(run, judgement)}
    return {**{name: Answer(text) for name, text in texts.items()}, **_judged(run, judgement)}


def _of_study(run: StudyRun) -> dict[str, str]:
    return {
        "title": f"The run is called '{run.design.title}'.",
        "objective": methods.objective(run),
        "outcome": methods.objective(run),
        "use": methods.card(run.design),
        "tables": methods.tables(run),
        "dates": _dates(run),
        "left-out": f"{findings.patients(run)} {methods.left_out(run)}",
        "predictors": methods.predictors(run),
        "protocols": methods.protocols(run),
        "feature-count": methods.predictors(run),
        "sample-size": _sample_size(run),
        "missing": methods.missing(run),
        "preparation": f"{methods.tables(run)} {methods.missing(run)}",
        "described": "Table 1 (by outcome) of the report"
        + (", and the same by training and test set." if run.table_split else "."),
        "counts": f"{findings.patients(run)} {methods.split(run)} {methods.external(run)}".strip(),
        "differences": "The table by training and test set of the report." if run.table_split else "",
    }


def _of_methods(run: StudyRun, judgement: Judgement) -> dict[str, str]:
    return {
        "split": f"{methods.split(run)} {methods.external(run)} {methods.order(run)}",
        "steps": methods.steps(run) or "No feature was left out by a step.",
        "scaling": methods.steps_called(run, *SCALING),
        "reproducibility": methods.steps_called(run, "reproducibility"),
        "sampling": methods.sampling(run),
        "learners": methods.learners(run),
        "tuning": methods.tuning(run),
        "building": f"{methods.learners(run)} {methods.tuning(run)} {methods.validation(run)}",
        "variants": methods.variants(run),
        "choice": methods_judging.choice(judgement),
        "evaluation": methods_judging.evaluation(run, judgement),
        "comparison-methods": methods_judging.comparison(judgement),
        "output": methods_judging.output(judgement),
        "subgroup-methods": methods_judging.subgroups(run),
        "testing": f"{methods.split(run)} {methods.external(run) or 'There was no external set.'}",
        "software": methods.software(run),
    }


def _of_results(run: StudyRun, judgement: Judgement) -> dict[str, str]:
    bundles = [model.bundle for model in run.models if model.bundle]
    return {
        "performance": f"{findings.performance(judgement)} {findings.elsewhere(judgement)}",
        "selected": findings.selection(run, judgement),
        "comparison-results": f"{findings.compared(judgement)} {findings.reclassified(run, judgement)}".strip(),
        "subgroup-results": findings.subgroups(judgement),
        "explanation": _explanation(run, judgement),
        "specification": f"{counted(len(bundles), 'model bundle')} hold the models in full: {joined(bundles)}."
        if bundles
        else "",
        "warnings": findings.limits(run, judgement),
    }


def _judged(run: StudyRun, judgement: Judgement) -> dict[str, Answer]:
    """Return the answers that count in a score, and those on what does not apply."""
    leak_free = Way.LEAK_FREE in run.design.ways
    used = {step.name for group in run.design.groups for step in group.steps}
    classical = [one for one in run.design.learners if one in _CLASSICAL]
    return {
        "updating": Answer("No earlier model was updated: models were developed.", applies=False),
        "end-to-end": Answer("The models take tables of features, not images.", applies=False),
        "guidelines": Answer("TRIPOD+AI, CLEAR and METRICS are filled in beside this report."),
        "centres": _centres(run),
        "robust": Answer(
            methods.steps_called(run, "reproducibility") or "No step removed features that are not robust.",
            "reproducibility" in used,
        ),
        "redundant": Answer(
            methods.steps_called(run, *REDUNDANT) or "No step removed redundant features.", bool(used & set(REDUNDANT))
        ),
        "dimensionality": Answer(_sample_size(run)),
        "partition": Answer(f"{methods.split(run)} {methods.order(run)}", leak_free and run.split is not None),
        "confounders": Answer(methods.matching(run)),
        "measures": Answer(methods_judging.evaluation(run, judgement), bool(judgement.judged)),
        "uncertainty": Answer(methods_judging.uncertainty(run), bool(judgement.judged)),
        "calibration": Answer("Calibration slope, intercept, Brier score and curve.", bool(judgement.judged)),
        "classical": Answer(
            methods.learners(run) if classical else "No simple or classical model was among the models.",
            bool(classical) and len(run.design.learners) > 1 and bool(judgement.comparisons),
        ),
        "internal-test": Answer(methods.split(run), run.split is not None),
        "external-test": Answer("There was no external set.", False)
        if run.external is None
        else Answer(methods.external(run)),
    }


def _centres(run: StudyRun) -> Answer:
    """Return the number of centres where patients were split by centre; else the authors know."""
    plan = run.design.split
    if plan.how is not How.CENTRE or plan.column not in run.cohort.table:
        return Answer("")
    names = run.cohort.table[plan.column].dropna().nunique()
    return Answer(f"Patients came from {counted(names, 'centre')} (column '{plan.column}').", names > 1)


def _dates(run: StudyRun) -> str:
    plan = run.design.split
    if plan.how is not How.DATE or plan.column not in run.cohort.table:
        return ""
    days = run.cohort.table[plan.column].dropna().astype(str)
    return f"Column '{plan.column}' reaches from {days.min()} to {days.max()}."


def _sample_size(run: StudyRun) -> str:
    titles = {title for group in run.design.groups for title in methods.columns_of(run, group)}
    keys = run.cohort.table.index if run.split is None else list(run.split.train)
    events = int(run.outcome.loc[keys].sum())
    fewer = min(events, len(keys) - events)
    return (
        f"{counted(len(keys), 'training patient')}, {events} with the event, for {counted(len(titles), 'candidate')}: "
        f"{fewer / max(1, len(titles)):.2f} patients of the rarer outcome a candidate. The run made no calculation of "
        "the sample size."
    )


def _explanation(run: StudyRun, judgement: Judgement) -> str:
    model = findings.model_of(run, judgement)
    if model is None or model.importance.empty:
        return ""
    top = model.importance.head(5)
    listed = joined(f"{name} ({row.importance:.3f})" for name, row in zip(top.index, top.itertuples()))
    return f"Importance as the mean loss of AUC when an input is shuffled, largest first: {listed}."
