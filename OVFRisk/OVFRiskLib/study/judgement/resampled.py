"""A model's AUC by the ways of resampling."""

from collections.abc import Iterator

import pandas as pd

from ..judging.estimate import Estimate
from ..running.results import ModelResult, Resampled, StudyRun
from .bootstrap import bootstrap_estimates, bootstrapped
from .judged import Validated
from .performance import title_of
from .repeats import counts, each_auc, pooled, pooled_auc, spread_of

NESTED, HOLD_OUT, BOOTSTRAP = "nested cross-validation", "repeated hold-out", "bootstrap"


def model_of(run: StudyRun, one: Resampled) -> ModelResult | None:
    """Return the final model that a resampling belongs to."""
    key = (one.way, one.variant, one.learner)
    return next((model for model in run.models if (model.way, model.variant, model.learner) == key), None)


def resampled_title(run: StudyRun, one: Resampled) -> str:
    """Return what figures and tables call the resampled model."""
    model = model_of(run, one)
    return title_of(run.design, model) if model else f"{run.design.variant(one.variant).title}, {one.learner}"


def validated(run: StudyRun) -> tuple[Validated, ...]:
    """Return the AUC by nested cross-validation, repeated hold-out and bootstrap, of every model that has it."""
    return tuple(found for one in run.resampled for found in _validated(run, one))


def _validated(run: StudyRun, one: Resampled) -> Iterator[Validated]:
    ways = {NESTED: _nested, HOLD_OUT: _hold_out, BOOTSTRAP: _bootstrap}
    if one.kind not in ways or one.rows.empty:
        return
    title = resampled_title(run, one)
    for kind, auc, spread, repeats, note in ways[one.kind](run, one):
        notes = "; ".join(text for text in (one.note, note) if text)
        yield Validated(one.way, one.variant, one.learner, title, kind, auc, spread, repeats, notes)


Found = Iterator[tuple[str, Estimate, float | None, int, str]]


def _nested(run: StudyRun, one: Resampled) -> Found:
    found = pooled(one.rows, run.outcome)
    auc = pooled_auc(found, one.rows, run.outcome)
    if isinstance(found, str):
        yield NESTED, auc, None, 0, ""
        return
    folds = _folds(one.rows, run.outcome) if len(found.each) == 1 else pd.Series(found.each)
    of = "folds" if len(found.each) == 1 else "repeats"
    lost = f"; {found.incomplete} incomplete repeats left out" if found.incomplete else ""
    yield NESTED, auc, _sd(folds), len(found.each), f"{of}: mean AUC {folds.mean():.3f}, SD beside it{lost}"


def _folds(rows: pd.DataFrame, outcome: pd.Series) -> pd.Series:
    return each_auc(rows.assign(repeat=rows["fold"]), outcome)


def _hold_out(run: StudyRun, one: Resampled) -> Found:
    each = each_auc(one.rows, run.outcome)
    auc = spread_of(each, *counts(one.rows, run.outcome), "AUC of random test sets")
    yield HOLD_OUT, auc, _sd(each), len(each), "the splits share patients: their spread is no confidence interval"


def _bootstrap(run: StudyRun, one: Resampled) -> Found:
    model = model_of(run, one)
    training = model.predictions.get("training") if model else None
    found = bootstrapped(one.rows, run.outcome, training)
    number = 0 if isinstance(found, str) else len(found.own)
    sd = {} if isinstance(found, str) else {"bootstrap .632+": _sd(pd.Series(found.others))}
    told = "" if isinstance(found, str) else f"apparent AUC {found.apparent:.3f}"
    for kind, auc in bootstrap_estimates(found, one.rows, run.outcome).items():
        yield kind, auc, sd.get(kind), number, told


def _sd(values: pd.Series) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None
