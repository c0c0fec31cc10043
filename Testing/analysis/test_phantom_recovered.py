"""Every value that was set in the phantom patient is measured again, from files to table."""

import csv
import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Structure, VertebralLevel
from OVFRiskLib.files.tables import read_measurements

LEVELS = VertebralLevel.span("T11-L5")


@pytest.fixture(scope="module")
def pairs(phantom_folder, phantom_result):
    """Return (set, measured) of a name for every level."""
    truth = read_measurements(phantom_folder / "truth.csv")
    found = read_measurements(phantom_result / "measurements.csv")

    def of(set_name, measured_name, part):
        where = [{"level": level, "compartment": part} for level in LEVELS]
        return [(truth.value(name=set_name, **w), found.value(name=measured_name, **w)) for w in where]

    return of


@pytest.fixture(scope="module")
def patient_values(phantom_folder, phantom_result):
    """Return (set, measured) of a name of the whole patient."""
    tables = [read_measurements(p) for p in (phantom_folder / "truth.csv", phantom_result / "measurements.csv")]

    def of(name, part=None):
        return tuple(table.value(name=name, level=None, compartment=part) for table in tables)

    return of


def test_attenuation(pairs):
    for was_set, measured in pairs("trabecular_attenuation", "trabecular_attenuation", Compartment.CANCELLOUS):
        assert measured == pytest.approx(was_set, abs=3)


def test_heights(pairs):
    """Within 0.5 mm, but for the odd one whose end plate lies along the slices: a mask of 1 mm knows it no better."""
    names = ("anterior_height", "middle_height", "posterior_height")
    both = [pair for name in names for pair in pairs(name, name, Compartment.BODY)]
    errors = np.array([measured - was_set for was_set, measured in both])
    assert errors.size == 3 * len(LEVELS)
    assert np.sqrt(np.mean(errors**2)) < 0.35
    assert np.count_nonzero(np.abs(errors) > 0.5) <= 3
    assert np.max(np.abs(errors)) < 0.75


def test_grades_and_types(pairs):
    for name in ("genant_grade", "genant_type"):
        assert [was_set for was_set, _ in pairs(name, name, Compartment.BODY)] == [
            measured for _, measured in pairs(name, name, Compartment.BODY)
        ]


def test_fractures_of_the_patient(patient_values):
    for name in ("fractured_levels", "worst_genant_grade", "spinal_deformity_index"):
        was_set, measured = patient_values(name)
        assert measured == was_set


def test_density_by_rods(pairs):
    for was_set, measured in pairs("vbmd", "vbmd", Compartment.CANCELLOUS):
        assert measured == pytest.approx(was_set, abs=2)


@pytest.mark.parametrize("muscle", [Structure.ERECTOR_SPINAE, Structure.PSOAS])
def test_muscle(patient_values, muscle):
    was_set, measured = patient_values("muscle_volume", muscle)
    assert measured == pytest.approx(was_set, rel=0.03)
    was_set, measured = patient_values("fat_infiltrated_fraction", muscle)
    assert measured == pytest.approx(was_set, abs=0.02)


def test_attenuation_of_the_levels_that_are_not_fractured(phantom_folder, phantom_result):
    truth = read_measurements(phantom_folder / "truth.csv").where(name="trabecular_attenuation")
    mean = np.mean([truth.value(level=level) for level in VertebralLevel.span("L2-L5")])  # L1 is fractured
    row = read_measurements(phantom_result / "measurements.csv").where(name="trabecular_attenuation_non_fractured")
    assert row.rows[0].value == pytest.approx(mean, abs=3)
    assert "without L1" in row.rows[0].note


def test_the_table_of_the_multiparametric_model_is_complete(phantom_result):
    with (phantom_result / "multiparametric.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["missing"] == "age: not given; sex_male: not given"
    assert row["outcome_fractured_levels"] == "1"
    assert float(row["trabecular_attenuation_L3"]) > 0


def test_body_volume(pairs):
    for was_set, measured in pairs("volume", "volume", Compartment.BODY):
        assert measured == pytest.approx(was_set, rel=0.03)


@pytest.mark.parametrize("score", ["vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir"])
def test_vbq(phantom_folder, phantom_result, score):
    truth = read_measurements(phantom_folder / "truth.csv").value(name=score)
    assert read_measurements(phantom_result / "measurements.csv").value(name=score) == pytest.approx(truth, rel=0.02)


def test_what_is_simulated_says_so(phantom_folder, phantom_result):
    assert "SYNTHETIC" in (phantom_folder / "phantom.json").read_text().upper()
    assert json.loads((phantom_result / "run.json").read_text())["patient"]["synthetic"] is True
    assert "SYNTHETIC" in (phantom_result / "report.html").read_text()


def test_features_are_complete(phantom_result):
    with (phantom_result / "features.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name.startswith("original_")]
    assert len(names) == 107
    assert len(rows) == 7 * 3
    assert all(float(row[name]) == float(row[name]) for row in rows for name in names)


def test_published_cutoffs_are_applied(phantom_folder, phantom_result):
    """Classes by the truth's own values, the papers' cut-offs beside them; no bound is near."""
    truth = read_measurements(phantom_folder / "truth.csv")
    with (phantom_result / "scores.csv").open(encoding="utf-8", newline="") as file:
        found = {row["model"].split()[0]: row for row in csv.DictReader(file)}
    for name, cut in (("vbq_t2", 0.555), ("vbq_t2_stir", 0.805)):
        row = found[f"{name.replace('_', '-')}-huang-2025"]
        above = truth.value(name=name) > cut
        assert row["class"] == f"{'' if above else 'not '}above the published cut-off"
        assert float(row["value"]) == pytest.approx(truth.value(name=name), rel=0.02)
        assert "SYNTHETIC" in row["warnings"]
    report = (phantom_result / "report.html").read_text("utf-8")
    assert "10.1177/21925682251339995" in report
    assert "ACR–SPR–SSR" in report
