"""What came out, in the past tense: the numbers are those of the run and its judgement, and what is absent is named."""

import pandas as pd

from ..design.design import Way
from ..judgement.judged import Judged, Judgement, Optimism
from ..judgement.performance import title_of
from ..judging.estimate import Estimate
from ..running.results import ModelResult, StudyRun
from .methods_judging import SETS, at, best_of
from .words import Nameless, counted, joined, p_of, said, share

_METRICS = {
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1",
    "kappa": "kappa",
    "mcc": "MCC",
}


def patients(run: StudyRun) -> str:
    """Return how many took part, and how many had the event."""
    keys = run.cohort.table.index
    events = int(run.outcome.loc[keys].sum())
    return f"{counted(len(keys), 'patient')} took part: {share(events, len(keys))} had the event."


def matched(run: StudyRun) -> str:
    """Return what matching gave: sets, and balance before and after."""
    if run.matching is None:
        return ""
    pairs, design = run.matching.pairs, run.matching.design
    had = pairs["case"].value_counts()
    cases = int(run.matching.is_case.sum())
    text = (
        f"{counted(pairs['control'].nunique(), 'control')} were matched to {share(len(had), cases)} patients with the "
        f"event; {cases - len(had)} had no control, {int((had < design.ratio).sum())} fewer than {design.ratio}."
    )
    return text + _balanced(run)


def _balanced(run: StudyRun) -> str:
    if run.balance is None:
        return ""
    table = run.balance.table.iloc[1:]  # the first row is the score itself
    largest = [table[f"smd {when}"].abs().max() for when in ("before", "after")]
    if any(pd.isna(largest)):
        return " The standardised differences cannot be computed."
    return (
        f" The largest absolute standardised difference of a covariate was {largest[0]:.3f} before and "
        f"{largest[1]:.3f} after matching."
    )


def trained(run: StudyRun) -> str:
    """Return how many models there are, and which failed."""
    failed = [model for model in run.models if model.failed]
    text = f"{counted(len(run.models) - len(failed), 'model')} were trained."
    nameless = Nameless(run)
    for model in failed:
        text += f" {title_of(run.design, model)} ({model.way}) failed: {nameless(model.failed)}"
    return text


def selection(run: StudyRun, judgement: Judgement) -> str:
    """Return how many columns each step of the best model let through."""
    model = model_of(run, judgement)
    if model is None:
        return ""
    found = []
    for group in dict.fromkeys(record.group for record in model.steps if record.group):
        records = [record for record in model.steps if record.group == group]
        counts = [records[0].columns_in, *(record.columns_out for record in records)]
        names = [record.step for record in records]
        way = " → ".join([f"{counts[0]:,}", *(f"{name} {n:,}" for name, n in zip(names, counts[1:]))])
        found.append(f"{run.design.group(group).title} ({way})")
    chosen = f"It took {counted(len(model.inputs), 'input')}"
    return f"Columns in the best model, step by step: {joined(found)}. {chosen}." if found else f"{chosen}."


def model_of(run: StudyRun, judgement: Judgement) -> ModelResult | None:
    """Return the best model of the run."""
    return next((one for one in run.models if (one.way, one.variant, one.learner) == judgement.best), None)


def performance(judgement: Judgement) -> str:
    """Return the best model's figures on the primary set, and all other leak-free models' AUC."""
    best = best_of(judgement)
    if best is None:
        return f"No leak-free model was judged {at(judgement.primary)}."
    others = [one for one in judgement.on(judgement.primary) if one is not best]
    text = _in_full(best) + chosen_there(judgement)
    if others:
        text += f" AUC of the others there: {'; '.join(f'{one.title} {said(one.auc)}' for one in others)}."
    return text


def chosen_there(judgement: Judgement) -> str:
    """Return a sentence where the patients who judge the best model have also chosen it."""
    rivals = len(judgement.on("cross-validation"))
    if judgement.primary != "cross-validation" or rivals < 2:
        return ""
    return f" The same patients chose it among {rivals} models: its figures are too high by an unknown amount."


def _in_full(one: Judged) -> str:
    fit = one.calibration
    text = (
        f"The model chosen in cross-validation, {one.title}, had {at(one.on)} ({counted(one.n, 'patient')}, "
        f"{one.events} with the event) these figures: AUC {said(one.auc)}; calibration slope "
        f"{said(fit.slope)}; intercept {said(fit.intercept)}; Brier score {said(fit.brier)}."
    )
    for rule, found in one.confusion.items():
        if found.cutoff.value is None:
            text += f" There was no cut-off by {rule}: {found.cutoff.reason}."
            continue
        listed = "; ".join(f"{title} {said(getattr(found, name))}" for name, title in _METRICS.items())
        text += f" At the cut-off {found.cutoff.value:.3f} ({rule}): {listed}."
    return text


def elsewhere(judgement: Judgement) -> str:
    """Return the best model's AUC on the other sets."""
    found = [best_of(judgement, on) for on in SETS if on != judgement.primary]
    texts = [f"{said(one.auc)} {at(one.on)}" for one in found if one is not None]
    return f"Its AUC was {joined(texts)}." if texts else ""


def compared(judgement: Judgement) -> str:
    """Return DeLong's tests of the best model against the others on the primary set."""
    best = best_of(judgement)
    if best is None:
        return ""
    found = []
    for (way, on, a, b), test in judgement.comparisons.items():
        if way is Way.LEAK_FREE and on == judgement.primary and best.title in (a, b):
            found.append(f"{a} less {b} {said(test.difference)}, {p_of(test.test)}")
    return f"Differences of AUC (DeLong's paired test): {'; '.join(found)}." if found else ""


def reclassified(run: StudyRun, judgement: Judgement) -> str:
    """Return NRI and IDI on the primary set."""
    found = []
    for (variant, learner, on), values in judgement.reclassification.items():
        if on == judgement.primary:
            model = next(one for one in run.models if (one.variant, one.learner) == (variant, learner))
            title = title_of(run.design, model)
            figures = (f"{name} {said(one.total)}, {p_of(one.total.test)}" for name, one in values.items())
            found.append(f"{title}: {'; '.join(figures)}")
    reference = run.design.variant(run.design.judging.reference or run.design.variants[0].name).title
    return f"Against {reference}, by the same kind of model: {'. '.join(found)}." if found else ""


def optimism(judgement: Judgement) -> str:
    """Return as published, leak-free and the difference on the primary set, model by model."""
    found = [
        f"{one.title} {_value(one.as_published)} as published, {_value(one.leak_free)} leak-free, optimism "
        f"{said(one.optimism)}"
        for one in judgement.optimism
        if one.on == judgement.primary and not _is_same(one)
    ]
    if not found and any(one.on == judgement.primary for one in judgement.optimism):
        return "No step selects anything: the order of the publications gave the same predictions as the leak-free one."
    if not found:
        return "The order of the publications was not compared with the leak-free one there: no figure of its optimism."
    return f"AUC {at(judgement.primary)} by order: {'; '.join(found)}."


def _is_same(one: Optimism) -> bool:
    """Return whether both ways ordered all patients alike: there was nothing to select."""
    return one.optimism.value == 0 and one.optimism.low is None


def _value(one: Estimate) -> str:
    return f"absent ({one.reason})" if one.value is None else f"{one.value:.3f}"


def optimism_of_best(judgement: Judgement) -> str:
    """Return the optimism of the best model in one sentence."""
    if judgement.best is None:
        return ""
    mine = [one for one in judgement.optimism if (one.variant, one.learner) == judgement.best[1:]]
    chosen = next((one for one in mine if one.on == judgement.primary), mine[0] if mine else None)
    if chosen is None:
        return "The as-published order was not run for this model: its optimism is not known."
    if _is_same(chosen):
        return "No step selects anything for this model: the order of the publications gives the same predictions."
    return (
        f"In the order of the publications, where steps see all patients first, the same model had an AUC of "
        f"{_value(chosen.as_published)} {at(chosen.on)} instead of {_value(chosen.leak_free)}: an optimism "
        f"of {said(chosen.optimism)}."
    )


def validated(judgement: Judgement) -> str:
    """Return the AUCs by resampling, leak-free."""
    found = [
        f"{one.title} by {one.kind} {said(one.auc)}" + ("" if one.spread is None else f" (SD {one.spread:.3f})")
        for one in judgement.validated
        if one.way is Way.LEAK_FREE
    ]
    return f"AUC in resampling, leak-free: {'; '.join(found)}." if found else ""


def subgroups(judgement: Judgement) -> str:
    """Return the AUC of the best model in each subgroup of the primary set."""
    frame = judgement.subgroups
    if frame.empty or judgement.best is None:
        return ""
    _, variant, learner = judgement.best
    mine = frame[(frame["variant"] == variant) & (frame["learner"] == learner) & (frame["on"] == judgement.primary)]
    found = [_row(row) for row in mine.itertuples()]
    return f"AUC of the best model in subgroups: {'; '.join(found)}." if found else ""


def _row(row: object) -> str:
    if pd.isna(row.auc):
        return (
            f"absent in {row.subgroup} ({row.reason or 'no reason recorded'}; n = {row.n}, {row.events} with the event)"
        )
    span = "" if pd.isna(row.low) or pd.isna(row.high) else f", 95 % CI {row.low:.3f} to {row.high:.3f}"
    return f"{row.auc:.3f} in {row.subgroup} (n = {row.n}, {row.events} with the event{span})"


def limits(run: StudyRun, judgement: Judgement) -> str:
    """Return the warnings of the judgement."""
    found = " ".join(map(Nameless(run), judgement.warnings))
    return found and f"What limits these findings: {found}"
