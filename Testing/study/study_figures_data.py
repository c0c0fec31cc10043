"""Small studies for the tests of figures: predictions without training, judged for real."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from OVFRiskLib.study.cohort import Cohort, Split
from OVFRiskLib.study.design.design import JudgingPlan, Variant, Way
from OVFRiskLib.study.judgement.judge import judge
from OVFRiskLib.study.judgement.judged import Judgement
from OVFRiskLib.study.running.results import ModelResult, StudyRun

from .study_run_data import design

LEARNERS = {"logistic": "Logistic regression", "svm": "Support vector machine", "tabnet": "TabNet"}


def study(
    models: tuple[ModelResult, ...], outcome: pd.Series, variants: Mapping[str, str], **changes: object
) -> StudyRun:
    """Return a run with these models; what no figure needs is not there."""
    plan = replace(
        design(),
        variants=tuple(Variant(name, title, ("clinical",)) for name, title in variants.items()),
        learners=tuple(dict.fromkeys(model.learner for model in models)),
        judging=JudgingPlan(replicates=20),
        event="event",
        no_event="no event",
    )
    training = models[0].predictions["cross-validation"].index
    split = Split(tuple(training), tuple(outcome.index.difference(training)), "given")
    names = ("external", "table_one", "table_split", "missing", "matching", "balance")
    rest = dict.fromkeys(names) | {"cohort": Cohort(pd.DataFrame(index=outcome.index), {}), "split": split}
    rest |= {"resampled": (), "facts": {}, "folder": Path(), "synthetic": False} | changes
    return StudyRun(design=plan, outcome=outcome, models=models, **rest)


@cache
def diabetes() -> tuple[StudyRun, Judgement]:
    """Return two models of the diabetes table: every second patient tests, the others are the training."""
    rows = pd.read_csv(Path(__file__).with_name("judging_diabetes.csv"))
    outcome = rows["y"].set_axis([f"p{n}" for n in range(len(rows))])
    models = []
    for name in ("old", "new"):
        score = rows[name].set_axis(outcome.index)
        parts = {"training": score[::2], "cross-validation": score[::2], "test": score[1::2]}
        models.append(ModelResult(Way.LEAK_FREE, name, "logistic", LEARNERS["logistic"], predictions=parts))
    run = study(tuple(models), outcome, {"old": "Old", "new": "New"})
    return run, judge(run)


def drawn(outcome: np.ndarray, strength: float, seed: int) -> np.ndarray:
    """Return probabilities that tell the outcomes apart the better the larger `strength` is."""
    noise = np.random.default_rng(seed).normal(size=len(outcome))
    return 1 / (1 + np.exp(1 - strength * outcome - noise))


@cache
def fifteen_and_more() -> tuple[StudyRun, Judgement]:
    """Return nine models of each way, of three variants with long titles."""
    run = many(60, 20, 1.0, variants=3)
    return run, judge(run)


def many(n: int, events: int, strength: float, variants: int) -> StudyRun:
    """Return a run of three learners a variant, on `n` patients who test and as many who train."""
    half = np.repeat((1, 0), (events, n - events))
    outcome = pd.Series(np.concatenate([half, half]), [f"p{k}" for k in range(2 * n)])
    models = []
    for way in Way:
        for variant in range(variants):
            for place, (learner, title) in enumerate(LEARNERS.items()):
                at = strength + 0.3 * place + (0.5 if way is Way.AS_PUBLISHED else 0)
                parts = {
                    on: pd.Series(drawn(half, at, seed + 7 * place + variant), outcome.index[rows])
                    for seed, (on, rows) in enumerate(
                        (("training", slice(n, None)), ("cross-validation", slice(n, None)), ("test", slice(n)))
                    )
                }
                models.append(ModelResult(way, f"v{variant}", learner, title, predictions=parts))
    titles = {f"v{n}": f"Clinical and radiomics of the whole vertebral body, {n}" for n in range(variants)}
    return study(tuple(models), outcome, titles)
