"""`ovfrisk models` and `ovfrisk score`, run as a user does."""

import csv
import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, VertebralLevel
from OVFRiskLib.files.tables import write_measurements
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.models.bundle import write_bundle
from OVFRiskLib.models.card import Combination, Input, Output, Rate, Summary, Threshold
from OVFRiskLib.models.predictors.linear import LogisticPredictor
from OVFRiskLib.resources import resource

from .cards import example_card

HU = "[hnsf'U]"
LEVELS = {VertebralLevel.L1: 120.0, VertebralLevel.L2: 95.0}


@pytest.fixture
def bundle(tmp_path):
    """A logistic model of each level's attenuation, in HU: log-odds 3 - 0.03 HU."""
    bone = Input(
        "trabecular_attenuation",
        "Trabecular attenuation",
        HU,
        Compartment.CANCELLOUS,
        center=100.0,
        scale=50.0,
        training=Summary(40.0, 200.0, 110.0, 30.0),
    )
    card = example_card(
        name="level-risk",
        inputs=(bone,),
        combination=Combination.LEVEL,
        output=Output.PROBABILITY,
        thresholds=(Threshold("Youden", 0.5, "lower", "higher", sensitivity=Rate(0.7), specificity=Rate(0.8)),),
        levels=tuple(LEVELS),
        calibration=None,
        protocols={},
        settings={},
    )
    path = tmp_path / "level-risk.ovfrisk"
    write_bundle(path, card, LogisticPredictor(0.0, np.array([-1.5])))
    return path


@pytest.fixture
def measurements(tmp_path):
    rows = [
        Measurement("p", at, Compartment.CANCELLOUS, "trabecular_attenuation", hu, HU, "t") for at, hu in LEVELS.items()
    ]
    why = "more than two fractured levels"
    rows.append(Measurement("p", None, None, "vbq_t2", None, "1", "v", quality=Quality.ABSENT, note=why))
    path = tmp_path / "measurements.csv"
    write_measurements(path, MeasurementTable(rows))
    return path


def test_list_tells_which_numbers_are_published(ovfrisk):
    printed = ovfrisk("models", "list").stdout
    assert "vbq-t2-huang-2025" in printed
    assert "not published" in printed


def test_show_tells_what_a_model_is_for_and_its_source(ovfrisk):
    printed = " ".join(ovfrisk("models", "show", "vbq-t2-huang-2025").stdout.split())
    for text in ("Not for a diagnosis", "0.555", "76%, 59%", "AUC 0.70 (0.62–0.78)", "10.1177/21925682251339995"):
        assert text in printed


def test_show_keeps_units_that_look_like_markup(ovfrisk, bundle):
    assert HU in ovfrisk("models", "show", bundle).stdout


def test_show_as_json_is_the_card(ovfrisk):
    card = json.loads(ovfrisk("models", "show", "vbmd-acr-2018", "--format", "json").stdout)
    assert [cut["value"] for cut in card["thresholds"]] == [80.0, 120.0]


def test_schema_is_the_bundled_file(ovfrisk):
    printed = ovfrisk("models", "schema").stdout
    assert json.loads(printed) == json.loads(resource("Schemas", "model.schema.json").read_text("utf-8"))


def test_check_says_that_a_bundle_is_sound(ovfrisk, bundle):
    done = ovfrisk("models", "check", bundle)
    assert done.returncode == 0
    assert done.stdout.startswith("level-risk.ovfrisk is sound: level-risk")


def test_check_explains_a_broken_bundle_in_one_line(ovfrisk, bundle):
    content = bytearray(bundle.read_bytes())
    at = content.index(b'"level-risk"')
    content[at + 1] ^= 1
    bundle.write_bytes(content)
    done = ovfrisk("models", "check", bundle)
    assert done.returncode == 2
    assert done.stdout == ""
    reason, help_text = done.stderr.splitlines()
    assert "level-risk.ovfrisk" in reason
    assert help_text


def test_check_of_no_file(ovfrisk, tmp_path):
    assert ovfrisk("models", "check", tmp_path / "none.ovfrisk").returncode == 2


def test_score_writes_one_row_a_model_and_level(ovfrisk, tmp_path, bundle, measurements):
    out = tmp_path / "out"
    named = ("--model", bundle, "--model", "vbq-t2-huang-2025", "--model", "fracture-risk-che")
    done = ovfrisk("score", out, "--measurements", measurements, *named)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((out / "scores.csv").open(encoding="utf-8")))
    assert [(row["model"].split()[0], row["level"]) for row in rows] == [
        ("level-risk", "L1"),
        ("level-risk", "L2"),
        ("vbq-t2-huang-2025", ""),
        ("fracture-risk-che", ""),
    ]
    for row, hu in zip(rows, LEVELS.values()):  # by hand: scaled by center 100 and scale 50
        assert float(row["value"]) == pytest.approx(1 / (1 + np.exp(1.5 * (hu - 100) / 50)), abs=1e-9)
    assert [row["class"] for row in rows] == ["lower", "higher", "", ""]
    assert "more than two fractured levels" in rows[2]["reason"]
    assert "not published" in rows[3]["reason"]
    assert {path.name for path in out.glob("nomogram-*")} == {
        "nomogram-level-risk-L1.png",
        "nomogram-level-risk-L2.png",
    }
    assert "more than two fractured levels" in done.stdout


def test_score_takes_the_patients_facts_from_the_run(ovfrisk, tmp_path, measurements):
    run = tmp_path / "run.json"
    run.write_text(json.dumps({"patient": {"age": 41, "sex": "F", "synthetic": True}, "images": {"T2": None}}))
    rows = [Measurement("p", None, Compartment.CANCELLOUS, "vbmd_non_fractured", 95.0, "mg/cm3", "d")]
    write_measurements(measurements, MeasurementTable(rows))
    given = ("--measurements", measurements, "--run", run, "--model", "vbmd-acr-2018")
    assert "50 or more" in ovfrisk("score", tmp_path / "a", *given).printed
    older = ovfrisk("score", tmp_path / "b", *given, "--age", "71").stdout
    assert "osteopenia" in older
    assert "SYNTHETIC" in older


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--model", "vbmd-acr-2018"), "nothing to score"),
        (("--measurements", "m.csv"), "No model"),
        (("--measurements", "m.csv", "--model", "vbmd-acr-2018"), "m.csv"),
        (("--measurements", "m.csv", "--model", "nothing"), "no model 'nothing'"),
    ],
)
def test_score_says_what_is_missing(ovfrisk, tmp_path, arguments, word):
    done = ovfrisk("score", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["[]", "{", "null", '"x"'])
def test_a_run_that_is_none_is_refused(ovfrisk, tmp_path, measurements, text):
    run = tmp_path / "run.json"
    run.write_text(text)
    done = ovfrisk("score", tmp_path / "o", "--measurements", measurements, "--run", run, "--model", "vbmd-acr-2018")
    assert done.returncode == 2
    assert "run.json" in done.stderr
