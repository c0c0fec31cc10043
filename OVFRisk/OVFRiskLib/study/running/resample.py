"""The whole procedure on other patients: nested folds, hold-outs, bootstrap samples, fewer patients."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..cohort import split_by_chance
from ..cohort.splits import Split
from ..learners.search import Parameters
from ..seeds import seed_of
from ..steps import Radscore
from .preparation import Preparation
from .procedure import Procedure, Rows

_HELD_OUT = 0.3  # of hold-outs where the design has no test set


def nested(procedure: Procedure, parameters: Parameters, repeat: int, fold: int) -> pd.DataFrame:
    """Return the predictions of one outer fold by a procedure that saw the others only."""
    who = procedure.patients.cohort.table.index
    ours, held = procedure.folds(who, procedure.design.validation.folds, f"nested {repeat}")[fold]
    found = _other(procedure, parameters, who[ours], who[held])
    return _rows(found, repeat=repeat, fold=fold)


def hold_out(procedure: Procedure, parameters: Parameters, repeat: int) -> pd.DataFrame:
    """Return the predictions of one more random split's test patients."""
    patients, outcome = procedure.patients, procedure.design.outcome
    size = len(patients.test) or _HELD_OUT
    seed = seed_of(procedure.design.seed, "hold-out", repeat)
    split: Split = split_by_chance(patients.cohort.table, outcome, size, seed)
    found = _other(procedure, parameters, pd.Index(split.train), pd.Index(split.test))
    return _rows(found, repeat=repeat)


def _other(procedure: Procedure, parameters: Parameters, train: Rows, held: Rows) -> pd.Series:
    candidates = procedure.design.validation.candidates
    if candidates and procedure.learner.is_searched and not procedure.variant.parameters_of:
        parameters = procedure.search(train, candidates).parameters
    return procedure.trained(train, parameters).predict(held)


def bootstrap(procedure: Procedure, parameters: Parameters, repeat: int) -> pd.DataFrame:
    """Return all patients' predictions by the procedure trained on a bootstrap sample of them; in repeat 0 on them."""
    who = procedure.patients.cohort.table.index
    y = procedure.outcome(who)
    generator = np.random.default_rng(seed_of(procedure.design.seed, "bootstrap", repeat))
    parts = [np.flatnonzero(y == value) for value in (0, 1)]
    drawn = np.sort(np.concatenate([generator.choice(part, len(part)) for part in parts]))
    drawn = np.arange(len(who)) if repeat == 0 else drawn
    found = procedure.trained(who[drawn], parameters).predict(who)
    return _rows(found, repeat=repeat, drawn=np.bincount(drawn, minlength=len(who)))


def fewer(procedure: Procedure, parameters: Parameters, share: float, repeat: int) -> pd.DataFrame:
    """Return the test patients' predictions by the procedure trained on a share of the training patients."""
    train, test = procedure.patients.train, procedure.patients.test
    if not len(test):
        ours, held = procedure.folds(train, procedure.design.folds, "search")[repeat % procedure.design.folds]
        train, test = train[ours], train[held]
    if share < 1:
        seed = seed_of(procedure.design.seed, "learning curve", repeat)
        frame = pd.DataFrame({procedure.design.outcome: procedure.outcome(train)}, train)
        train = pd.Index(split_by_chance(frame, procedure.design.outcome, 1 - share, seed).train)
    made = procedure.trained(train, parameters)
    events = int(procedure.outcome(train).sum())
    facts = {"share": share, "patients": len(train), "events": events, "repeat": repeat}
    return _rows(made.predict(test), **facts, inputs=_inputs(made.preparation))


def _inputs(preparation: Preparation) -> int:
    """Return how many columns as measured a model takes; those behind a radscore count, not the radscore."""
    steps = [step for group, _ in preparation.fitted_ for _, step in group.steps if isinstance(step, Radscore)]
    return len(preparation.columns_) + sum(len(step.terms_) - 1 for step in steps)


def _rows(found: pd.Series, **facts: object) -> pd.DataFrame:
    columns: Mapping[str, object] = {"subject": found.index, "probability": found.to_numpy()}
    return pd.DataFrame({**facts, **columns})
