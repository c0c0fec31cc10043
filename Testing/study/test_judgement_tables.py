"""A study's tables: what was judged, in files that say what their columns mean and why a cell is empty."""

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.judgement.judge import judge
from OVFRiskLib.study.judgement.judged import Judgement
from OVFRiskLib.study.judgement.table_columns import meaning_of
from OVFRiskLib.study.judgement.tables import write_tables
from OVFRiskLib.study.running.results import StudyRun

from .study_run_data import small_run


@cache
def study() -> tuple[StudyRun, Judgement]:
    """The small study and its judgement, with few replicates."""
    run = small_run(Path())
    run = replace(run, design=replace(run.design, judging=replace(run.design.judging, replicates=20)))
    return run, judge(run)


def read(path: Path) -> pd.DataFrame:
    """A table as it is written: every cell text, an empty one empty."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tables")
    names = write_tables(path, *study())
    assert sorted(names) == sorted(file.name for file in path.iterdir())
    return path


def test_there_is_a_table_for_each_subject(folder):
    expected = """
        ablation as_published_and_leak_free calibration_curve candidates columns comparisons decision_curve importance
        learning_curve missing models odds_ratios parameters performance predictions reclassification selection steps
        subgroups table_one table_split validation warnings
    """
    assert sorted(file.stem for file in folder.iterdir()) == expected.split()  # not matched: no balance, no pairs


def test_figures_are_those_of_the_judgement(folder):
    table = read(folder / "performance.csv")
    for one in study()[1].judged:
        rows = table.query("way == @one.way and title == @one.title and on == @one.on")
        auc = rows[rows["measure"] == "auc"].iloc[0]
        assert float(auc["value"]) == pytest.approx(one.auc.value, rel=1e-9)
        cut = rows[(rows["measure"] == "sensitivity") & (rows["cut_off"] == "Youden")].iloc[0]
        assert float(cut["low"]) == pytest.approx(one.confusion["Youden"].sensitivity.low, rel=1e-9)
        assert rows[(rows["measure"] == "true_positives")]["value"].astype(int).le(one.events).all()
    assert len(table) == 24 * (11 + 3 + 2 * 13)


def test_predictions_can_be_judged_again(folder):
    table, run = read(folder / "predictions.csv"), study()[0]
    model = run.models[2]
    rows = table.query("way == @model.way and variant == @model.variant and learner == @model.learner and on == 'test'")
    found = rows.set_index("subject")["probability"].astype(float)
    assert found.to_dict() == pytest.approx(model.predictions["test"].to_dict())
    assert rows.set_index("subject")["outcome"].astype(int).to_dict() == run.outcome[found.index].to_dict()


def test_an_empty_cell_has_a_reason(folder):
    table = read(folder / "performance.csv")
    tests = table["measure"].isin(["unreliability", "spiegelhalter", "hosmer_lemeshow"])
    assert ((table["value"] != "") | tests | (table["reason"] != "")).all()
    counts = table["measure"].str.contains("_positives|_negatives|cut_off")
    assert ((table["low"] != "") | tests | counts | (table["reason"] != "")).all()
    assert ((table["p"] != "") | ~tests | (table["reason"] != "")).all()
    perfect = table.query("title.str.contains('Random forest') and on == 'training' and measure == 'auc'")
    assert "the variance is zero" in set(perfect["reason"])
    same = read(folder / "as_published_and_leak_free.csv")
    assert same[same["optimism_low"] == ""]["reason"].str.contains("order the patients alike").all()


def test_no_cell_is_no_number(folder):
    for file in folder.iterdir():
        with file.open(encoding="utf-8", newline="") as lines:
            cells = {cell for row in csv.reader(lines) for cell in row}
        assert not cells & {"nan", "NaN", "None", "NaT", "inf", "-inf", "<NA>"}, file.name


def test_every_column_is_explained(folder):
    columns = read(folder / "columns.csv")
    for file in folder.iterdir():
        if file.name != "columns.csv":
            mine = columns[columns["table"] == file.name]
            assert list(mine["column"]) == list(read(file)), file.name
    assert (columns["meaning"].str.len() > 5).all()
    assert "share of events" in meaning_of("calibration_curve.csv", "observed")
    assert "of optimism;" in meaning_of("as_published_and_leak_free.csv", "optimism_low")
    with pytest.raises(KeyError):
        meaning_of("performance.csv", "mystery")


def test_selection_is_listed_once_for_the_learners_that_share_it(folder):
    selection, steps = read(folder / "selection.csv"), read(folder / "steps.csv")
    lasso = selection.query("step == 'lasso' and way == 'leak-free'")
    record = next(step for step in study()[0].models[2].steps if step.step == "lasso")
    assert set(lasso["learner"]) == {"logistic; random-forest"}
    assert lasso["coefficient"].astype(float).tolist() == pytest.approx(record.table["coefficient"].tolist(), rel=1e-9)
    first = steps.query("step == 'adaptive-scaling' and way == 'leak-free'").iloc[0]
    assert (first["columns_in"], first["columns_out"]) == ("40", "40")
    assert (
        f'"lambda": {record.facts["lambda"]}' in steps.query("step == 'lasso' and way == 'leak-free'")["facts"].iloc[0]
    )


def test_a_decision_curve_crosses_where_it_must(folder):
    table = read(folder / "decision_curve.csv").query("on == 'test' and threshold == '0.5'")
    one = study()[1].on("test")[0]
    mine = table.query("way == @one.way and title == @one.title").iloc[0]
    assert float(mine["treat_all"]) == pytest.approx(2 * one.events / one.n - 1)  # pt / (1 - pt) is 1
    assert float(mine["prevalence"]) == pytest.approx(one.events / one.n)
    assert set(read(folder / "decision_curve.csv")["threshold"]) >= {"0.01", "0.8"}
    assert "0.81" not in set(read(folder / "decision_curve.csv")["threshold"])


def test_the_same_study_gives_the_same_bytes(folder, tmp_path):
    for name in write_tables(tmp_path, *study()):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    with pytest.raises(UserError, match="cannot be written"):
        write_tables(tmp_path / "nowhere", *study())
