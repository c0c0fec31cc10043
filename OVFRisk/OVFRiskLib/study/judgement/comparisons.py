"""Models against each other: DeLong's tests, and what a variant changes in the patients' predictions."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from ..design.design import Way
from ..judging.reclassification import Reclassification, continuous_nri, idi
from ..judging.roc import AucComparison, compare
from ..running.results import ModelResult, StudyRun
from .judged import Judged
from .performance import title_of

MOST = 15
"""Models of one way that are compared on one set, the best in cross-validation of the training: 105 pairs."""


def comparisons(run: StudyRun, judged: tuple[Judged, ...]) -> dict[tuple[Way, str, str, str], AucComparison]:
    """Return DeLong's paired tests between the models of one way on one set; P is not adjusted for their number."""
    found = {}
    for way in run.design.ways:
        models = _compared(run.of(way), judged)
        for on in dict.fromkeys(on for model in models for on in model.predictions):
            here = [model for model in models if on in model.predictions]
            for a, b in combinations(here, 2):
                pair = title_of(run.design, a), title_of(run.design, b)
                found[way, on, *pair] = _compare(run, a, b, on)
    return found


def _compare(run: StudyRun, a: ModelResult, b: ModelResult, on: str) -> AucComparison:
    both = a.predictions[on].index.intersection(b.predictions[on].index, sort=False)
    return compare(run.outcome.loc[both], a.predictions[on].loc[both], b.predictions[on].loc[both])


def _compared(models: tuple[ModelResult, ...], judged: tuple[Judged, ...]) -> list[ModelResult]:
    if len(models) <= MOST:
        return list(models)
    areas = {one.key: one.auc.value or 0.0 for one in judged if one.on == "cross-validation"}
    order = sorted(models, key=lambda model: -areas.get((model.way, model.variant, model.learner), 0.0))
    kept = {id(model) for model in order[:MOST]}
    return [model for model in models if id(model) in kept]


def reclassification(run: StudyRun) -> dict[tuple[str, str, str], Mapping[str, Reclassification]]:
    """Return NRI (without categories) and IDI of each leak-free variant against the reference of the same learner."""
    reference = run.design.judging.reference or run.design.variants[0].name
    old = {model.learner: model for model in run.of(Way.LEAK_FREE) if model.variant == reference}
    return {
        (model.variant, model.learner, on): found
        for model in run.of(Way.LEAK_FREE)
        if model.variant != reference and model.learner in old
        for on, found in _reclassified(run, old[model.learner], model)
    }


def _reclassified(
    run: StudyRun, old: ModelResult, new: ModelResult
) -> Iterator[tuple[str, Mapping[str, Reclassification]]]:
    for on in new.predictions:
        if on in old.predictions:
            both = new.predictions[on].index.intersection(old.predictions[on].index, sort=False)
            three = run.outcome.loc[both], old.predictions[on].loc[both], new.predictions[on].loc[both]
            yield on, {"NRI": continuous_nri(*three), "IDI": idi(*three)}
