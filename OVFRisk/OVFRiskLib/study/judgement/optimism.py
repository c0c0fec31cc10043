"""How much higher the AUC is in the order of the publications than leak-free."""

from collections.abc import Iterator

import pandas as pd

from ..design.design import Way
from ..judging.estimate import Estimate, absent, of_normal
from ..judging.roc import compare
from ..running.results import ModelResult, Resampled, StudyRun
from .judged import Optimism
from .performance import title_of
from .repeats import Pooled, counts, each_auc, pooled, pooled_auc, spread_of
from .resampled import HOLD_OUT, NESTED, resampled_title

_PAIRED = "as published - leak-free, mean of the repeats; 95 % CI by DeLong's covariance of the averaged placements"
_OTHERS = "the two ways were judged on other patients"


def optimism(run: StudyRun) -> tuple[Optimism, ...]:
    """Return each model that was trained both ways, on every set that both have and by each way of resampling."""
    published = {(model.variant, model.learner): model for model in run.of(Way.AS_PUBLISHED)}
    found = [
        one
        for model in run.of(Way.LEAK_FREE)
        if (model.variant, model.learner) in published
        for one in _on_sets(run, published[model.variant, model.learner], model)
    ]
    return (*found, *_by_resampling(run))


def _on_sets(run: StudyRun, published: ModelResult, free: ModelResult) -> Iterator[Optimism]:
    for on in free.predictions:
        if on == "training" or on not in published.predictions:
            continue  # apparent figures are optimistic both ways
        a, b = published.predictions[on], free.predictions[on]
        both = a.index.intersection(b.index, sort=False)
        found = compare(run.outcome.loc[both], a.loc[both], b.loc[both])
        yield Optimism(free.variant, free.learner, title_of(run.design, free), on, found.a, found.b, found.difference)


def _by_resampling(run: StudyRun) -> Iterator[Optimism]:
    ways = {NESTED: _nested, HOLD_OUT: _hold_out}
    published = {_which(one): one for one in run.resampled if one.way is Way.AS_PUBLISHED}
    for free in run.resampled:
        other = published.get(_which(free))
        if free.way is Way.LEAK_FREE and free.kind in ways and other is not None:
            estimates = ways[free.kind](other.rows, free.rows, run.outcome)
            yield Optimism(free.variant, free.learner, resampled_title(run, free), free.kind, *estimates)


def _which(one: Resampled) -> tuple[str, str, str]:
    return one.variant, one.learner, one.kind


def _nested(a: pd.DataFrame, b: pd.DataFrame, outcome: pd.Series) -> tuple[Estimate, Estimate, Estimate]:
    found = pooled(a, outcome), pooled(b, outcome)
    areas = (pooled_auc(one, rows, outcome) for one, rows in zip(found, (a, b)))
    return *areas, _difference(*found, *counts(b, outcome))


def _difference(a: Pooled | str, b: Pooled | str, n: int, events: int) -> Estimate:
    if isinstance(a, str) or isinstance(b, str):
        return absent(n, events, _PAIRED, a if isinstance(a, str) else str(b))
    if not a.subjects.equals(b.subjects):
        return absent(n, events, _PAIRED, _OTHERS)
    variance = (a.placements - b.placements).variance
    return of_normal(a.placements.auc - b.placements.auc, variance, n, events, _PAIRED)


def _hold_out(a: pd.DataFrame, b: pd.DataFrame, outcome: pd.Series) -> tuple[Estimate, Estimate, Estimate]:
    each, name = [each_auc(rows, outcome) for rows in (a, b)], "AUC of random test sets"
    areas = (spread_of(one, *counts(rows, outcome), name) for one, rows in zip(each, (a, b)))
    differences = (each[0] - each[1]).dropna()  # paired by repeat
    return *areas, spread_of(differences, *counts(b, outcome), "as published - leak-free, split by split")
