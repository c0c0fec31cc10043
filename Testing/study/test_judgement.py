"""A study judged: every figure against scikit-learn or by hand; cut-offs and best model without the test set."""

from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.cohort import Cohort
from OVFRiskLib.study.design.design import JudgingPlan, MatchingPlan, StepDesign, Way
from OVFRiskLib.study.judgement.ablation import ablation
from OVFRiskLib.study.judgement.comparisons import comparisons, reclassification
from OVFRiskLib.study.judgement.judge import judge
from OVFRiskLib.study.judgement.judged import Judged, Judgement
from OVFRiskLib.study.judgement.learning import learning_curve
from OVFRiskLib.study.judgement.optimism import optimism
from OVFRiskLib.study.judgement.resampled import validated
from OVFRiskLib.study.judgement.subgroups import subgroups
from OVFRiskLib.study.judgement.warnings import inputs_of, warnings_of
from OVFRiskLib.study.judging.estimate import Estimate, SignificanceTest
from OVFRiskLib.study.running.results import ModelResult, StudyRun
from OVFRiskLib.study.seeds import seed_of
from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score, roc_curve

from .study_run_data import small_run

COMBINED = (Way.LEAK_FREE, "combined", "logistic")


@cache
def run() -> StudyRun:
    """The small study, with few bootstrap replicates."""
    found = small_run(Path())
    judging = replace(found.design.judging, replicates=20)
    return replace(found, design=replace(found.design, judging=judging))


@cache
def judgement() -> Judgement:
    """The small study judged."""
    return judge(run())


def model(found: StudyRun, key: tuple = COMBINED) -> ModelResult:
    """A model by its key."""
    return next(one for one in found.models if (one.way, one.variant, one.learner) == key)


def changed(found: StudyRun, key: tuple, **changes: object) -> StudyRun:
    """The study with one model changed."""
    old = model(found, key)
    models = tuple(replace(one, **changes) if one is old else one for one in found.models)
    return replace(found, models=models)


def judged(key: tuple = COMBINED, on: str = "test") -> Judged:
    """A model on a set."""
    return next(one for one in judgement().judged if one.key == key and one.on == on)


def test_every_model_is_judged_on_every_set_it_predicted():
    expected = {((m.way, m.variant, m.learner), on) for m in run().models for on in m.predictions}
    assert {(one.key, one.on) for one in judgement().judged} == expected
    assert len(judgement().judged) == len(expected) == 24
    for one in judgement().judged:
        p = model(run(), one.key).predictions[one.on]
        assert one.auc.value == pytest.approx(roc_auc_score(run().outcome[p.index], p))
    assert judgement().primary == "test"
    assert {one.on for one in judgement().on("test")} == {"test"}


def test_cutoffs_are_chosen_in_cross_validation_and_applied_elsewhere():
    found = model(run())
    y, inside, outside = run().outcome, found.predictions["cross-validation"], found.predictions["test"]
    false, true, at = roc_curve(y[inside.index], inside, drop_intermediate=False)
    youden = judged().confusion["Youden"]
    next_lower = inside[inside < at[np.argmax(true - false)]].max()
    assert next_lower < youden.cutoff.value <= at[np.argmax(true - false)]
    assert "cross-validation of the training" in youden.cutoff.rule
    matrix = confusion_matrix(y[outside.index], outside >= youden.cutoff.value).ravel().tolist()
    assert [youden.true_negatives, youden.false_positives, youden.false_negatives, youden.true_positives] == matrix
    sensitive = judged(on="cross-validation").confusion["sensitivity 0.9"]
    assert sensitive.sensitivity.value >= 0.9
    assert {one.confusion["Youden"].cutoff.value for one in (judged(), judged(on="training"))} == {youden.cutoff.value}


def test_without_cross_validation_there_is_no_cutoff():
    found = model(run())
    only = changed(run(), COMBINED, predictions={"test": found.predictions["test"]})
    only = replace(only, models=(model(only),), resampled=())
    (one,) = judge(only).judged
    assert one.confusion["Youden"].sensitivity.value is None
    assert "no cross-validation" in one.confusion["Youden"].sensitivity.reason
    assert judge(only).best is None


def test_the_best_model_is_never_chosen_on_the_test_set():
    areas = {one.key: one.auc.value for one in judgement().on("cross-validation")}
    assert judgement().best == max(areas, key=areas.get) == COMBINED
    other = (Way.LEAK_FREE, "clinical", "logistic")
    p = model(run(), other).predictions
    perfect = p | {"test": run().outcome[p["test"].index].astype(float)}
    found = judge(replace(changed(run(), other, predictions=perfect), resampled=()))
    assert found.best == COMBINED
    assert next(one for one in found.judged if one.key == other and one.on == "test").auc.value == 1


def test_optimism_is_as_published_less_leak_free():
    found = {(one.variant, one.learner, one.on): one for one in optimism(run())}
    one = found["combined", "logistic", "test"]
    areas = [
        roc_auc_score(run().outcome[p.index], p)
        for way in (Way.AS_PUBLISHED, Way.LEAK_FREE)
        for p in [model(run(), (way, "combined", "logistic")).predictions["test"]]
    ]
    assert [one.as_published.value, one.leak_free.value] == pytest.approx(areas)
    assert one.optimism.value == pytest.approx(areas[0] - areas[1])
    assert one.optimism.low < one.optimism.value < one.optimism.high
    same = found["clinical", "logistic-unpenalised", "test"]  # nothing is selected: both ways are one
    assert same.optimism.value == 0
    assert same.optimism.low is None
    assert {on for _, _, on in found} == {"test", "cross-validation", "nested cross-validation", "repeated hold-out"}
    split = found["combined", "logistic", "repeated hold-out"]
    assert split.optimism.value == pytest.approx(split.as_published.value - split.leak_free.value)


def test_validated_equals_the_rows():
    found = {(one.way, one.variant, one.kind): one for one in validated(run())}
    rows = {(one.way, one.variant, one.kind): one.rows for one in run().resampled}
    for way in Way:
        held = rows[way, "combined", "repeated hold-out"].groupby("repeat")
        areas = [roc_auc_score(run().outcome[part["subject"]], part["probability"]) for _, part in held]
        one = found[way, "combined", "repeated hold-out"]
        assert (one.auc.value, one.spread) == pytest.approx((np.mean(areas), np.std(areas, ddof=1)))
        nested = rows[way, "combined", "nested cross-validation"]
        one = found[way, "combined", "nested cross-validation"]
        assert one.auc.value == pytest.approx(roc_auc_score(run().outcome[nested["subject"]], nested["probability"]))
        assert one.repeats == 1
    assert len(found) == 2 * 2 * 4


def test_ablation_equals_scikit_learn():
    frame = ablation(run()).query("variant == 'combined'").set_index("left_out")
    rows = next(one.rows for one in run().resampled if one.kind == "ablation" and one.variant == "combined")
    cutoff = judged().confusion["Youden"].cutoff.value
    positive = int((model(run()).predictions["test"] >= cutoff).sum())
    for name, part in rows.groupby("left_out"):
        y = run().outcome[part["subject"]]
        assert frame.loc[name, "auc"] == pytest.approx(roc_auc_score(y, part["probability"]))
        called = part["probability"].rank(ascending=False) <= positive
        assert frame.loc[name, "f1"] == pytest.approx(f1_score(y, called))
    whole = frame.loc[""]
    assert np.isnan(whole["difference"])
    assert frame.loc["all radiomics", "difference"] == pytest.approx(frame.loc["all radiomics", "auc"] - whole["auc"])
    assert whole["f1"] == pytest.approx(judged().confusion["Youden"].f1.value)


def test_learning_curve_is_the_mean_of_the_repeats():
    frame = learning_curve(run())
    rows = next(one.rows for one in run().resampled if one.kind == "learning curve" and one.variant == "combined")
    half = rows[rows["share"] == 0.5]
    areas = [roc_auc_score(run().outcome[part["subject"]], part["probability"]) for _, part in half.groupby("repeat")]
    one = frame.query("variant == 'combined' and share == 0.5").iloc[0]
    assert one["auc"] == pytest.approx(np.mean(areas))
    assert one["events_per_variable"] == pytest.approx(one["events"] / half.drop_duplicates("repeat")["inputs"].mean())
    assert one["repeats"] == 2


def test_subgroups_are_parts_of_the_set():
    frame = subgroups(run()).query("variant == 'combined' and learner == 'logistic' and on == 'test'")
    assert frame.groupby("column")["n"].sum().to_dict() == {"age": 36, "centre": 36, "sex_male": 36}
    p, table = model(run()).predictions["test"], run().cohort.table
    women = p[table.loc[p.index, "sex_male"] == 0]
    one = frame.set_index("subgroup").loc["sex_male: 0"]
    assert one["auc"] == pytest.approx(roc_auc_score(run().outcome[women.index], women))
    middle = table["age"].median()
    older = frame[frame["subgroup"] == f"age above {middle:.4g}"].iloc[0]
    assert older["n"] == (table.loc[p.index, "age"] > middle).sum()


def test_a_subgroup_of_one_outcome_is_absent_with_a_reason():
    table = run().cohort.table.assign(ward=np.where(run().outcome == 1, "cancer", "other"))
    table.loc[table.index[:3], "ward"] = None
    columns = {**run().cohort.columns, "ward": replace(run().cohort.columns["centre"], title="ward")}
    cohort = replace(run().cohort, table=table, columns=columns)
    found = subgroups(replace(by("ward"), cohort=cohort))
    assert found["auc"].isna().all()
    assert found["reason"].str.contains("patients had the event").all()
    assert "ward: not given" in set(found["subgroup"])
    assert found.groupby(["title", "on"])["n"].sum().isin([84, 36]).all()
    with pytest.raises(UserError, match="no column 'scaner'"):
        subgroups(by("scaner"))


def by(column: str) -> StudyRun:
    """The study with the subgroups of a column."""
    return replace(run(), design=replace(run().design, judging=JudgingPlan(subgroups=(column,))))


def test_models_are_compared_and_reclassified():
    pairs = comparisons(run(), judgement().judged)
    assert len(pairs) == 2 * 3 * 6  # ways, sets, pairs of four models
    old, new = (model(run(), (Way.LEAK_FREE, v, "logistic")).predictions["test"] for v in ("clinical", "combined"))
    y = run().outcome[new.index]
    rose = np.sign(new - old)
    expected = rose[y == 1].mean() - rose[y == 0].mean()
    found = reclassification(run())
    assert set(found) == {("combined", "logistic", on) for on in ("training", "cross-validation", "test")}
    assert found["combined", "logistic", "test"]["NRI"].total.value == pytest.approx(expected)
    change = new - old
    idi = found["combined", "logistic", "test"]["IDI"].total.value
    assert idi == pytest.approx(change[y == 1].mean() - change[y == 0].mean())


def told(study: StudyRun) -> str:
    """The warnings of a study."""
    return "\n".join(warnings_of(study, judgement().judged, judgement().subgroups))


def test_warnings_say_what_matters():
    text = told(run())
    assert text.startswith("The patients are synthetic")
    assert "35 patients with the rarer outcome (malignant) for 46 candidate columns, 0.8 a column" in text
    assert f"for the {inputs_of(model(run()))} columns that the selection kept, 2.5 a column" in text
    assert "The test set has 36 patients, 15 of them with the event" in text
    assert "cea (6 of 120 patients)" in text
    assert "synthetic" not in told(replace(run(), synthetic=False))


def test_matched_balanced_failed_and_leaking_studies_say_so():
    text = told(replace(run(), design=replace(run().design, matching=MatchingPlan(("age",)))))
    assert "the 42 % of events among these patients" in text
    assert "give judging.prevalence" in text
    assert "balanced (smote)" in told(replace(run(), design=replace(run().design, sampling=(StepDesign("smote"),))))
    failed = changed(run(), COMBINED, failed="it did not converge", predictions={})
    assert "(leak-free) could not be trained: it did not converge" in told(failed)
    assert "No model is leak-free" in told(replace(run(), models=run().of(Way.AS_PUBLISHED)))


def test_a_failed_model_is_judged_nowhere():
    failed = changed(run(), COMBINED, failed="it did not converge", predictions={}, inputs=(), steps=())
    found = judge(failed)
    assert COMBINED not in {one.key for one in found.judged}
    assert found.best is not None
    assert ("combined", "logistic", "test") not in {(o.variant, o.learner, o.on) for o in found.optimism}


def test_an_external_set_is_judged_and_grouped_by_the_studys_median():
    old = model(run()).predictions["test"]
    names = {key: f"external-{key}" for key in old.index}
    outcome = pd.concat([run().outcome, run().outcome[old.index].rename(index=names)])
    table = run().cohort.table.loc[old.index].rename(index=names).assign(age=99.0)
    found = changed(run(), COMBINED, predictions={"external": old.rename(index=names)})
    found = replace(found, models=(model(found),), outcome=outcome, external=Cohort(table, run().cohort.columns))
    found = judge(replace(found, resampled=(), facts={"external_uses": ["first", "again"]}))
    assert [one.on for one in found.judged] == ["external"]
    assert found.judged[0].auc.value == pytest.approx(judged().auc.value)
    ages = found.subgroups.query("column == 'age'")
    assert ages["subgroup"].tolist() == [f"age above {run().cohort.table['age'].median():.4g}"]
    assert ages["reason"].tolist() == ["no test of interaction: not two groups, but 1"]
    assert any("looked at 2 times" in text for text in found.warnings)


def test_seeds_are_those_of_sha_256():
    # printf '3\nbootstrap\n7' | sha256sum starts with f110955749c9c606; its first 16 digits, modulo 2**31
    assert seed_of(3, "bootstrap", 7) == 0xF110955749C9C606 % 2**31
    assert seed_of(3, Way.LEAK_FREE, "a") == seed_of(3, "leak-free", "a")
    assert len({seed_of(3, "a", "b"), seed_of(3, "b", "a"), seed_of(3, "ab"), seed_of(4, "a", "b")}) == 4


def figures(found: object) -> int:
    """Look into everything judged: intervals are whole or have a reason; return how many figures there are."""
    if isinstance(found, Estimate):
        assert (found.low is None) == (found.high is None) == (found.reason is not None), found
        assert found.value is not None or found.low is None
    if isinstance(found, SignificanceTest):
        assert (found.p is None) == (found.statistic is None) == (found.reason is not None), found
    if isinstance(found, pd.DataFrame):
        assert (found["auc"].notna() | (found["reason"] != "")).all()
        return found["auc"].notna().sum()
    if isinstance(found, float):
        assert not np.isnan(found)
        return 1
    if isinstance(found, dict):
        return sum(map(figures, found.values()))
    inside = [getattr(found, field.name) for field in fields(found)] if is_dataclass(found) else found
    return sum(map(figures, inside)) if isinstance(inside, list | tuple) else 0


@pytest.mark.parametrize("kind", ["whole", "eight events", "perfect", "one outcome", "all the same"])
def test_no_figure_is_nan(kind):
    small = run() if kind == "whole" else degenerate(kind)
    found = judgement() if kind == "whole" else judge(small)
    assert figures(found) > 100


def degenerate(kind: str) -> StudyRun:
    """The study with a test set of few patients, or strange predictions."""
    old = model(run()).predictions
    y = run().outcome[old["test"].index]
    few = pd.concat([old["test"][y == 1].iloc[:8], old["test"][y == 0].iloc[:12]])
    test = {
        "eight events": few,
        "perfect": y.astype(float) * 0.8 + 0.1,
        "one outcome": old["test"][y == 0],
        "all the same": old["test"] * 0 + 0.4,
    }[kind]
    found = changed(run(), COMBINED, predictions=old | {"test": test})
    return replace(found, models=(model(found),), resampled=())


def test_the_same_study_gives_the_same_judgement():
    one = replace(run(), models=run().models[:1], resampled=())
    first, second = judge(one), judge(one)
    assert [repr(a) for a in first.judged] == [repr(b) for b in second.judged]
    other = judge(replace(one, design=replace(one.design, seed=4)))
    assert [repr(a) for a in first.judged] != [repr(b) for b in other.judged]
