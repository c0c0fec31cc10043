"""What the tests of the report share: the small study, judged once a session, and a variant with all there can be."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from OVFRiskLib.study.cohort import Cohort, MatchingDesign, balance, match
from OVFRiskLib.study.design.design import StepDesign
from OVFRiskLib.study.judgement.judge import judge
from OVFRiskLib.study.judgement.judged import Judgement
from OVFRiskLib.study.running.results import StepRecord, StudyRun

from .study_run_data import OUTCOME, small_run


@cache
def _judged() -> tuple[StudyRun, Judgement]:
    run = small_run(Path("study"))
    return run, judge(run)


@pytest.fixture(name="run", scope="module")
def the_run():
    return _judged()[0]


@pytest.fixture(name="judgement", scope="module")
def the_judgement():
    return _judged()[1]


def larger(run: StudyRun) -> StudyRun:
    """Return the study with matching, an external set, who was left out and a failed model, all naming patients."""
    table, keys = run.cohort.table, list(run.cohort.table.index)
    matching = match(table, OUTCOME, 1.0, MatchingDesign(("age",), ratio=1, caliper=0.05))
    external = Cohort(table.iloc[:20].set_axis([f"ext-{n}" for n in range(20)]), run.cohort.columns)
    gone = {"gone-1": "has no 'age'", "gone-2": "has no 'age'", "gone-3": f"is a twin of {keys[3]}"}
    cohort = Cohort(table, run.cohort.columns, run.cohort.absent, {}, gone)
    failed = replace(run.models[0], failed=f"Column 'age' is empty for {keys[0]}, {keys[1]}.")
    evened = StepRecord(
        "", "adasyn", 14, 14, pd.DataFrame(), {"before": {"0": 49, "1": 35}, "after": {"0": 49, "1": 48}}
    )
    sampled = replace(run.models[2], steps=(*run.models[2].steps, evened))
    design = replace(run.design, sampling=(StepDesign("adasyn", {"neighbours": 4}),))
    outcome = pd.concat([run.outcome, external.table[OUTCOME].astype(int)])
    facts = {**run.facts, "files": {f"results/{keys[2]}/features.csv": "0" * 64}}
    return replace(
        run,
        design=design,
        cohort=cohort,
        outcome=outcome,
        external=external,
        matching=matching,
        balance=balance(table, matching),
        models=(failed, run.models[1], sampled, *run.models[3:]),
        facts=facts,
    )
