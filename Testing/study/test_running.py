"""A whole study on disk: the same numbers on one core or two, after a kill, and by its bundles."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("imblearn")

from OVFRiskLib.errors import UserError
from OVFRiskLib.models.model import Model
from OVFRiskLib.study.design.design import Way
from OVFRiskLib.study.judging.roc import auc
from OVFRiskLib.study.running.bundles import outputs
from OVFRiskLib.study.running.run import load_run, run_study

from .small_study import write_small_study


def _quiet(_share: float, _what: str) -> None:
    pass


def values(out: Path) -> dict[str, object]:
    """Return what the tasks left, without their times."""
    return {path.name: json.loads(path.read_text())["values"] for path in sorted((out / "work").glob("*_*.json"))}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    design = write_small_study(folder / "in")
    return design, folder / "out", run_study(design, folder / "out", 1, _quiet)


def test_every_part_of_the_design_is_there(study):
    _, _, run = study
    assert {(m.way, m.variant) for m in run.models} == {
        (way, name) for way in Way for name in ("clinical", "radiomics", "combined")
    }
    assert not [m.failed for m in run.models if m.failed]
    kinds = {(one.way, one.kind) for one in run.resampled}
    always = {"nested cross-validation", "repeated hold-out", "bootstrap"}
    assert kinds == {(way, kind) for way in Way for kind in always} | {
        (Way.LEAK_FREE, "learning curve"),
        (Way.LEAK_FREE, "ablation"),
    }
    assert run.synthetic
    assert len(run.split.train) + len(run.split.test) == len(run.cohort) == 90


def test_leak_free_steps_see_the_training_patients_only(study):
    """The limits of z-scores are those of whoever the steps were fitted on."""
    _, _, run = study
    table = run.cohort.table
    for way, who in ((Way.LEAK_FREE, list(run.split.train)), (Way.AS_PUBLISHED, list(table.index))):
        model = next(m for m in run.models if (m.way, m.variant) == (way, "radiomics"))
        scaling = next(step for step in model.steps if step.step == "adaptive-scaling").table
        mine = scaling[scaling["method"] == "z-score"].iloc[0]
        assert mine["center"] == pytest.approx(table.loc[who, mine.name].mean(), rel=1e-12)


def test_predictions_are_of_the_right_patients(study):
    _, _, run = study
    for model in run.models:
        assert list(model.predictions["test"].index) == list(run.split.test)
        for on in ("training", "cross-validation"):
            assert list(model.predictions[on].index) == list(run.split.train)
    nested = next(one for one in run.resampled if one.kind == "nested cross-validation")
    assert sorted(nested.rows["subject"]) == sorted(run.cohort.table.index)
    boot = next(one for one in run.resampled if one.kind == "bootstrap").rows
    assert set(boot.groupby("repeat")["drawn"].sum()) == {90}
    assert set(boot.loc[boot["repeat"] == 0, "drawn"]) == {1}


def test_bundles_give_the_predictions_of_the_test_patients(study):
    _, out, run = study
    bundles = [model for model in run.models if model.bundle]
    assert {model.variant for model in bundles} >= {"radiomics", "combined"}
    for model in bundles:
        loaded = Model.load(out / "models" / model.bundle)
        expected = model.predictions["test"]
        found = outputs(loaded, run.cohort.table.loc[expected.index])
        assert found == pytest.approx(expected.to_numpy(), abs=1e-9)
        assert loaded.card.synthetic
        assert loaded.card.thresholds
    for model in run.models:
        assert bool(model.bundle) != ("no bundle: " in model.note)


def test_two_cores_give_the_same(study, tmp_path):
    design, out, _ = study
    run_study(design, tmp_path / "two", 2, _quiet)
    assert values(tmp_path / "two") == values(out)


def test_a_killed_study_goes_on_to_the_same_numbers(study, tmp_path):
    design, out, _ = study
    command = [sys.executable, "-m", "OVFRiskLib.cli", "study", "run", str(design), str(tmp_path / "killed")]
    done, kills = len(values(out)), 0
    for at in (1, done // 3, 2 * done // 3):  # files that are there when the kill comes
        process = subprocess.Popen(
            [*command, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        while process.poll() is None and len(list((tmp_path / "killed" / "work").glob("*_*.json"))) < at:
            time.sleep(0.02)
        assert process.poll() is None, process.stderr.read().decode()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed" / "work").glob("*_*.json")}
    assert kills == 3
    assert 0 < len(before) < done
    run = run_study(design, tmp_path / "killed", 1, _quiet)
    assert values(tmp_path / "killed") == values(out)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed" / "work").glob("*_*.json")}
    assert {name: after[name] for name in before} == before  # what was there was not done again
    assert run.facts["sessions"] == 4


def test_a_finished_run_is_read_again(study):
    _, out, run = study
    again = load_run(out)
    for one, other in zip(run.models, again.models):
        assert one.predictions["test"].equals(other.predictions["test"])
        assert one.inputs == other.inputs


def test_another_design_or_other_tables_are_refused(study, tmp_path):
    design, out, _ = study
    other = write_small_study(tmp_path / "in", changes={"seed = 2025": "seed = 2026"})
    with pytest.raises(UserError, match="another design"):
        run_study(other, out, 1, _quiet)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="holds no study"):
        run_study(design, tmp_path / "full", 1, _quiet, overwrite=True)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"


def test_changed_tables_are_told_when_a_run_is_read(tmp_path):
    changes = {"seed = 2025": 'seed = 2025\nways = ["leak-free"]'}
    design = write_small_study(tmp_path / "in", patients=60, resampled=False, changes=changes)
    run_study(design, tmp_path / "out", 1, _quiet)
    path = tmp_path / "in" / "features.csv"
    path.write_text(f"{path.read_text().rstrip()}1\n")  # one more digit of the last number
    with pytest.raises(UserError, match="not those of the run"):
        load_run(tmp_path / "out")


def test_external_patients_are_predicted_once_by_the_bundles(tmp_path):
    write_small_study(tmp_path / "in" / "other", patients=40, seed=6)
    tables = """
[[external]]
name = "clinical"
kind = "clinical"
paths = ["other/clinical.csv"]

[[external]]
name = "features"
kind = "wide"
paths = ["other/features.csv"]
protocol = "malignant-fracture"

[split]"""
    changes = {r"\[split\]": tables}
    design = write_small_study(tmp_path / "in", patients=60, resampled=False, changes=changes)
    run = run_study(design, tmp_path / "out", 1, _quiet)
    assert run.facts["external_uses"] == ["judging the finished models"]
    model = next(m for m in run.of(Way.LEAK_FREE) if m.variant == "combined")
    found = model.predictions["external"]
    assert len(found) == 40
    assert not set(found.index) & set(run.cohort.table.index)
    assert np.isfinite(found).all()
    assert auc(run.outcome[found.index], found).n == 40
    stamp = (tmp_path / "out" / "work" / "external.json").stat().st_mtime_ns
    run_study(design, tmp_path / "out", 1, _quiet)
    assert (tmp_path / "out" / "work" / "external.json").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("pattern", "new", "words"),
    [
        ('outcome = "malignant"', 'outcome = "gender"', "has no column 'gender'"),
        ('outcome = "malignant"', 'outcome = "age"', "outcome 'age' holds"),
        (r'columns = \["whole_\*"\]', 'columns = ["hole_*"]', "no column of numbers is called"),
        (r'columns = \["whole_\*"\]', 'columns = ["whole_*", "malignant"]', "holds the outcome"),
        (r'paths = \["features.csv"\]', 'paths = ["feature.csv"]', "there is no"),
        ('level_column = "level"', 'level_column = "height"', "no column 'height'"),
    ],
)
def test_wrong_tables_are_told_before_anything_runs(pattern, new, words, tmp_path):
    design = write_small_study(tmp_path / "in", patients=40, changes={pattern: new})
    with pytest.raises(UserError) as error:
        run_study(design, tmp_path / "out", 1, _quiet)
    assert re.search(words, error.value.what)
    assert not (tmp_path / "out").exists()
