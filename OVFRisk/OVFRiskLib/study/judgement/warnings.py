"""What a reader of a study has to know before its figures, in plain sentences."""

from collections.abc import Iterator

import pandas as pd

from ..cohort.columns import listed, titles_like
from ..design.design import Variant, Way
from ..running.results import ModelResult, StudyRun
from .comparisons import MOST
from .judged import Judged
from .performance import title_of

FEW, MORE = 10, 20
"""Events a variable: under the first a model is hardly to be trusted, under the second it still hangs on the sample."""
TEST_EVENTS = 100
FAR = 0.1
"""Of an AUC."""
SUBGROUP = 10


def warnings_of(run: StudyRun, judged: tuple[Judged, ...], subgroups: pd.DataFrame) -> tuple[str, ...]:
    """Return the warnings, the gravest first."""
    found = (
        *_synthetic(run),
        *_failed(run),
        *_not_leak_free(run),
        *_events_a_variable(run),
        *_few_test_events(judged),
        *_far_apart(judged),
        *_matched(run),
        *_sampled(run),
        *_external(run),
        *_imputed(run),
        *_subgroups(subgroups),
        *_compared(run),
    )
    return tuple(dict.fromkeys(found))


def _synthetic(run: StudyRun) -> Iterator[str]:
    if run.synthetic:
        yield "The patients are synthetic: these figures test the software and are evidence of nothing else."


def _failed(run: StudyRun) -> Iterator[str]:
    for model in run.models:
        if model.failed:
            yield f"{title_of(run.design, model)} ({model.way}) could not be trained: {model.failed}"


def _not_leak_free(run: StudyRun) -> Iterator[str]:
    if not run.of(Way.LEAK_FREE):
        yield (
            "No model is leak-free: steps saw the patients that judge the models, so that every figure is too high by "
            "an unknown amount."
        )


def _events_a_variable(run: StudyRun) -> Iterator[str]:
    train = run.cohort.table.index if run.split is None else pd.Index(run.split.train)
    events = int(run.outcome.loc[train].sum())
    rarer = min(events, len(train) - events)
    for variant in run.design.variants:
        columns = columns_of(run, variant)
        if columns and rarer < MORE * len(columns):
            yield (
                f"{variant.title}: {_a_variable(run, rarer, events)} for {len(columns)} candidate columns, "
                f"{rarer / len(columns):.1f} a column before anything is selected ({_judgement(rarer / len(columns))})."
            )
    kept: dict[tuple[str, int], list[str]] = {}
    for model in run.of(Way.LEAK_FREE):
        variant = run.design.variant(model.variant)
        if 0 < inputs_of(model) < len(columns_of(run, variant)):
            kept.setdefault((variant.title, inputs_of(model)), []).append(model.learner_title)
    for (title, used), learners in kept.items():
        if rarer < FEW * used:
            yield (
                f"{title} ({listed(learners)}): {_a_variable(run, rarer, events)} for the {used} columns that the "
                f"selection kept, {rarer / used:.1f} a column ({_judgement(rarer / used)})."
            )


def _a_variable(run: StudyRun, rarer: int, events: int) -> str:
    name = run.design.event if rarer == events else run.design.no_event
    return f"the training has {rarer} patients with the rarer outcome ({name})"


def _judgement(share: float) -> str:
    return f"fewer than {FEW}: expect overfitting" if share < FEW else f"fewer than {MORE}"


def columns_of(run: StudyRun, variant: Variant) -> list[str]:
    """Return the titles of the columns that enter a variant, in the table's order."""
    patterns = [pattern for name in variant.groups for pattern in run.design.group(name).columns]
    return titles_like(run.cohort, patterns, run.design.outcome)


def inputs_of(model: ModelResult) -> int:
    """Return how many columns a model takes after selection; those behind a radscore count, too."""
    inside = [len(step.table) for step in model.steps if step.step == "radscore"]
    return len(model.inputs) - len(inside) + sum(inside)


def _few_test_events(judged: tuple[Judged, ...]) -> Iterator[str]:
    for on in ("test", "external"):
        sizes = {(one.n, one.events) for one in judged if one.on == on}
        for n, events in sorted(sizes):
            if min(events, n - events) < TEST_EVENTS:
                yield (
                    f"The {on} set has {n} patients, {events} of them with the event: at least {TEST_EVENTS} with and "
                    f"{TEST_EVENTS} without are advised, so look at the intervals."
                )


def _far_apart(judged: tuple[Judged, ...]) -> Iterator[str]:
    """Yield leak-free models that did far better in cross-validation than on patients set aside."""
    inside = {one.key: one for one in judged if one.on == "cross-validation" and one.way is Way.LEAK_FREE}
    for other in judged:
        one = inside.get(other.key)
        if one is None or other.on not in ("test", "external") or None in (one.auc.value, other.auc.value):
            continue
        if one.auc.value - other.auc.value > FAR:
            yield (
                f"{one.title}: the AUC is {one.auc.value:.3f} in cross-validation and {other.auc.value:.3f} on the "
                f"{other.on} set: by chance, by a search that adapted to the training patients, or by other patients."
            )


def _matched(run: StudyRun) -> Iterator[str]:
    if run.design.matching is None:
        return
    share, prevalence = float(run.outcome.loc[run.cohort.table.index].mean()), run.design.judging.prevalence
    yield (
        f"Controls were matched: probabilities, calibration, PPV and NPV hold for the {share:.0%} of events among "
        f"these patients, not where the model is to be used; and what was matched on cannot predict.".replace("%", " %")
    )
    if prevalence is None:
        yield "The decision curves hold for the matched share of events: give judging.prevalence for other patients."
    else:
        yield (
            f"The decision curves are weighted to a prevalence of {prevalence:g}; the probabilities are still those of "
            "matched patients."
        )


def _sampled(run: StudyRun) -> Iterator[str]:
    if run.design.recalibrate and run.of(Way.LEAK_FREE):
        yield (
            "The leak-free probabilities were recalibrated on the cross-validation of the training patients: their "
            "calibration there says nothing, that of the test set does."
        )
    if run.design.sampling and run.models:
        names = listed(step.name for step in run.design.sampling)
        which = "as published, " if run.design.recalibrate else ""
        yield (
            f"The training rows were balanced ({names}): {which}the probabilities are those of balanced patients, not "
            "of the patients that there are."
        )


def _external(run: StudyRun) -> Iterator[str]:
    uses = list(run.facts.get("external_uses", ()))
    if len(uses) > 1:
        yield f"The external set was looked at {len(uses)} times: from the second time on it is external no more."


def _imputed(run: StudyRun) -> Iterator[str]:
    variants = run.design.variants
    groups = {name for variant in variants for name in variant.groups if run.design.group(name).impute}
    patterns = [pattern for name in groups for pattern in run.design.group(name).columns]
    titles = titles_like(run.cohort, patterns, run.design.outcome)
    gaps = run.cohort.table[titles].isna().sum()
    gaps = gaps[gaps > 0].sort_values(ascending=False, kind="stable")
    if len(gaps):
        named = listed(f"{title} ({count} of {len(run.cohort)} patients)" for title, count in gaps.items())
        yield f"Missing values were replaced by the training patients' median: {named}."


def _subgroups(frame: pd.DataFrame) -> Iterator[str]:
    small = frame[(frame["events"] < SUBGROUP) | (frame["n"] - frame["events"] < SUBGROUP)]
    if len(small):
        names = listed(dict.fromkeys(f"{name} ({on})" for name, on in zip(small["subgroup"], small["on"])))
        yield f"Subgroups of fewer than {SUBGROUP} patients with or without the event say little: {names}."


def _compared(run: StudyRun) -> Iterator[str]:
    for way in run.design.ways:
        if len(run.of(way)) > MOST:
            yield f"Of {len(run.of(way))} models ({way}) the {MOST} best in cross-validation were compared in pairs."
