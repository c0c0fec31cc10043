"""`ovfrisk study`: from a template to a report and to the score of one patient."""

import csv
import json

import pytest
from typer.testing import CliRunner

pytest.importorskip("sklearn")
pytest.importorskip("imblearn")

from OVFRiskLib.cli import app
from OVFRiskLib.errors import UserError

from .small_study import write_small_study


def run(*words):
    """Run a command in this process; a UserError comes out as it is."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folders of a small study's tables and of its result, without resampling."""
    folder = tmp_path_factory.mktemp("command")
    design = write_small_study(folder / "in", patients=120, resampled=False)
    output = run("study", "run", design, folder / "out", "--jobs", 1)
    return folder / "in", folder / "out", output


def test_a_template_becomes_a_file_that_is_not_overwritten(tmp_path):
    run("study", "new", tmp_path / "design.toml", "--template", "vbq")
    text = (tmp_path / "design.toml").read_text()
    assert 'name = "vbq"' in text
    with pytest.raises(UserError, match="exists"):
        run("study", "new", tmp_path / "design.toml", "--template", "fracture-risk")
    assert (tmp_path / "design.toml").read_text() == text
    with pytest.raises(UserError, match="no template 'seng'"):
        run("study", "new", tmp_path / "other.toml", "--template", "seng")


def test_a_run_leaves_everything_it_promises(finished):
    _, out, output = finished
    assert "SYNTHETIC patients" in output
    for name in ("study.html", "methods_and_results.md", "checklist_tripod_ai.csv", "design.toml", "models", "figures"):
        assert (out / name).exists(), name
    assert (out / "figures" / "roc_test.svg").stat().st_size > 1000
    rows = list(csv.DictReader((out / "tables" / "performance.csv").open()))
    assert {row["on"] for row in rows} == {"training", "cross-validation", "test"}
    assert list(out.glob("models/*.ovfrisk"))


def test_the_report_is_made_again_from_the_run_alone(finished):
    _, out, _ = finished
    before = (out / "tables" / "performance.csv").read_bytes()
    page = (out / "study.html").read_bytes()
    (out / "study.html").unlink()
    run("study", "report", out, "--jobs", 1)
    assert (out / "tables" / "performance.csv").read_bytes() == before
    assert (out / "study.html").read_bytes() == page


def test_no_report_without_a_run(tmp_path):
    with pytest.raises(UserError, match="holds no study"):
        run("study", "report", tmp_path)


@pytest.mark.parametrize("name", ["vbq", "malignant-fracture"])
def test_a_synthetic_cohort_comes_with_its_design_and_truth(name, tmp_path):
    run("study", "synthetic", tmp_path / "in", "--template", name, "--seed", 4, "--patients", 40, "--examples", 1)
    truth = json.loads((tmp_path / "in" / "truth.json").read_text())
    rows = list(csv.DictReader((tmp_path / "in" / "clinical.csv").open()))
    assert len(rows) == len(truth["patients"]) == 40
    assert all(row["synthetic"].startswith("SYNTHETIC") for row in rows)
    assert len(list((tmp_path / "in" / "patients").iterdir())) == 1
    assert (tmp_path / "in" / "design.toml").exists()


def test_a_bundle_scores_a_patient_as_the_study_predicted(tmp_path):
    """The whole way: synthetic tables, a study, its bundle, `ovfrisk score` on one patient's own tables."""
    run("study", "synthetic", tmp_path / "in", "--template", "vbq", "--patients", 60, "--events", 30)
    design = tmp_path / "in" / "design.toml"
    text = design.read_text().replace("bootstraps = 200", "bootstraps = 0").replace("folds = 10", "folds = 0")
    design.write_text(text.replace("sensitivity = 0.9", "sensitivity = 0.9\nreplicates = 100"))
    run("study", "run", design, tmp_path / "out", "--jobs", 1)
    subject = sorted(path.name for path in (tmp_path / "in" / "patients").iterdir())[0]
    bundle = tmp_path / "out" / "models" / "vbq-t2-logistic-unpenalised.ovfrisk"
    patient = tmp_path / "in" / "patients" / subject
    run("score", tmp_path / "score", "--model", bundle, "--measurements", patient / "measurements.csv")
    score = next(csv.DictReader((tmp_path / "score" / "scores.csv").open()))
    rows = csv.DictReader((tmp_path / "out" / "tables" / "predictions.csv").open())
    mine = next(
        row
        for row in rows
        if (row["subject"], row["way"], row["variant"], row["on"]) == (subject, "leak-free", "t2", "training")
    )
    assert float(score["value"]) == pytest.approx(float(mine["probability"]), abs=1e-7)
    assert "synthetic" in json.dumps(score).lower()
