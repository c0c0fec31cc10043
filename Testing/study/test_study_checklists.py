"""The checklists of a study, and what its steps are said to have done."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.resources import resource
from OVFRiskLib.study.design.design import How, SplitPlan, StepDesign
from OVFRiskLib.study.report.checklists import Item, State, checklists, score
from OVFRiskLib.study.report.step_words import set_of, step_words
from OVFRiskLib.study.report.words import joined
from OVFRiskLib.study.report.writing import write_report
from OVFRiskLib.study.steps import STEPS

from .study_report_data import larger, the_judgement, the_run  # noqa: F401 - fixtures


@pytest.mark.parametrize(("name", "count", "numbers"), [("tripod_ai", 27, 52), ("clear", 58, 58), ("metrics", 30, 30)])
def test_checklists_are_complete(run, judgement, tmp_path, name, count, numbers):
    content = json.loads(resource("Study", f"checklist_{name}.json").read_text("utf-8"))
    assert content["checked"]
    assert content["not_checked"]
    assert content["source"]
    made = next(one for one in checklists(run, judgement) if one.key == name)
    whole = dict.fromkeys(item.number.rstrip("abcdefg") for item in made.items)
    assert list(whole) == [str(n) for n in range(1, count + 1)]
    assert made.count == count
    assert len(made.items) == len({item.number for item in made.items}) == numbers
    assert all(bool(item.answer) is (item.state is not State.AUTHORS) for item in made.items)
    assert all(item.item and item.section for item in made.items)
    assert min(made.tally().values()) >= (0 if name == "clear" else 1)
    write_report(tmp_path, run, judgement, ())
    rows = list(csv.DictReader((tmp_path / f"checklist_{name}.csv").open(encoding="utf-8", newline="")))
    assert [(row["item"], row["state"], row["answer"]) for row in rows] == [
        (item.number, item.state, item.answer) for item in made.items
    ]


def test_checklists_follow_the_run(run, judgement):
    def answer(made, key, number):
        found = next(one for one in checklists(made, judgement) if one.key == key)
        return next(item for item in found.items if item.number == number)

    assert answer(run, "metrics", "27").fulfilled is False
    assert answer(larger(run), "metrics", "27").fulfilled is None  # whether of another centre is for the authors
    assert "20 patients" in answer(larger(run), "tripod_ai", "12a").answer
    assert answer(run, "metrics", "26").fulfilled is True
    assert answer(replace(run, split=None), "metrics", "26").fulfilled is False
    assert answer(run, "metrics", "17").state is State.NOT_APPLICABLE
    by_centre = replace(run.design, split=SplitPlan(How.CENTRE, column="centre", centres=("B",)))
    assert answer(replace(run, design=by_centre), "metrics", "4").fulfilled is True
    assert answer(run, "metrics", "4").state is State.AUTHORS


def test_score_needs_every_answer():
    def item(number, weight, fulfilled, state=State.RUN):
        return Item(number, "", "", state, "said", "", weight, fulfilled)

    known = [item("1", 0.2, True), item("2", 0.3, False), item("3", 0.5, None, State.NOT_APPLICABLE)]
    assert score(known)[0] == pytest.approx(40.0)  # 0.2 of 0.5
    value, why = score([*known, item("4", 0.1, None)])
    assert value is None
    assert "1 of 3" in why


def test_weights_of_metrics_are_the_tools(run, judgement):
    made = next(one for one in checklists(run, judgement) if one.key == "metrics")
    # https://metricsscore.github.io: 9 categories, weights of three decimals that add up to 0.998
    assert len({item.section for item in made.items}) == 9
    assert np.sum([item.weight for item in made.items]) == pytest.approx(0.998)


UNTOLD = {"seed", "name"}  # the seed of the study is told once; the radscore's column stands in its table


def _other(parameter, value):
    """Another value that the parameter may have."""
    if parameter.choices:
        return next(one for one in parameter.choices if one != value)
    if parameter.kind is bool:
        return not value
    if parameter.kind is str:
        return "another"
    return (value or 1) + 1 if parameter.kind is int else (value or 0.2) / 2


@pytest.mark.parametrize("name", STEPS)
def test_each_setting_of_a_step_is_told(name):
    usual = step_words(StepDesign(name))
    for parameter in STEPS[name].PARAMETERS:
        if parameter.kind is object or parameter.name in UNTOLD:
            continue
        other = _other(parameter, set_of(StepDesign(name))[parameter.name])
        assert step_words(StepDesign(name, {parameter.name: other})) != usual, parameter.name


def test_lists_in_sentences():
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert joined([]) == ""
    assert joined(["a, b", "c"]) == "a, b; c"
