"""The table of predictors: what stands in it, what is missing, and that it never mixes protocols."""

import csv
from dataclasses import replace

import pytest
from OVFRiskLib.anatomy import Compartment, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.multiparametric import COLUMNS, OUTCOMES, PREDICTORS, Person, Role, multiparametric_table, write
from OVFRiskLib.muscle.rows import ASYMMETRIES, UNITS

HU = "[hnsf'U]"
LUMBAR = VertebralLevel.span("L1-L5")
CANCELLOUS = Compartment.CANCELLOUS


def row(name, value, unit, level=None, part=None, note="", subject="a"):
    quality = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
    return Measurement(subject, level, part, name, value, unit, "p-1", quality=quality, note=note)


def patient(subject="a"):
    """Rows as the measuring parts write them, among others that are no predictors."""
    rows = [row("trabecular_attenuation", 100.0 + n, HU, v, CANCELLOUS) for n, v in enumerate(LUMBAR)]
    rows += [row("trabecular_attenuation_median", 1.0, HU, v, CANCELLOUS) for v in LUMBAR]
    rows += [row("trabecular_attenuation", 1.0, HU, VertebralLevel.T12, CANCELLOUS)]
    rows += [row("trabecular_attenuation_non_fractured", 102.0, HU, None, CANCELLOUS, "L1, L2, L3, L4, L5")]
    for n, muscle in enumerate((Structure.ERECTOR_SPINAE, Structure.PSOAS)):
        rows += [
            row("muscle_volume", 300.0 + n, "cm3", None, muscle),
            row("mean_attenuation", 40.0 + n, HU, None, muscle),
        ]
        rows += [row("muscle_volume", 60.0, "cm3", VertebralLevel.L3, muscle)]
    rows += [row("muscle_volume", 150.0, "cm3", None, Structure.PSOAS_LEFT)]
    rows += [row("fractured_levels", 2.0, "1"), row("worst_genant_grade", 3.0, "1")]
    return [replace(r, subject=subject) for r in rows]


def test_predictors_and_outcomes_are_picked_by_name():
    table = multiparametric_table(MeasurementTable(patient()), {"a": Person(71, "F")})
    assert len(table.patients) == 1
    assert table.patients[0].values == {
        "trabecular_attenuation_non_fractured": 102.0,
        **{f"trabecular_attenuation_{v}": 100.0 + n for n, v in enumerate(LUMBAR)},
        "erector_spinae_volume": 300.0,
        "erector_spinae_attenuation": 40.0,
        "psoas_volume": 301.0,
        "psoas_attenuation": 41.0,
        "age": 71,
        "sex_male": 0.0,
        "outcome_fractured_levels": 2.0,
        "outcome_worst_genant_grade": 3.0,
    }
    assert table.patients[0].missing == {}
    assert table.complete() == table.patients
    assert table.columns()["flagged"] == ["trabecular_attenuation_non_fractured: L1, L2, L3, L4, L5"]


def test_outcomes_are_told_from_predictors():
    assert {column.role for column in OUTCOMES} == {Role.OUTCOME}
    assert {column.role for column in PREDICTORS} == {Role.PREDICTOR}
    assert all(c.title.startswith("outcome_") == (c.role is Role.OUTCOME) for c in COLUMNS)
    assert len({column.title for column in COLUMNS}) == len(COLUMNS)
    assert not {c.name for c in OUTCOMES} & {c.name for c in PREDICTORS}


def test_muscle_columns_have_the_names_and_units_that_are_measured():
    for column in PREDICTORS:
        if isinstance(column.part, Structure):
            assert column.name not in ASYMMETRIES
            assert UNITS[column.name] == column.unit


def test_what_is_missing_says_why():
    rows = [r for r in patient() if r.name not in ("fractured_levels", "trabecular_attenuation")]
    rows += [row("trabecular_attenuation", None, HU, VertebralLevel.L2, CANCELLOUS, "cut off by the border")]
    found = multiparametric_table(MeasurementTable(rows)).patients[0]
    assert found.missing == {
        **{f"trabecular_attenuation_{v}": "not measured" for v in LUMBAR},
        "trabecular_attenuation_L2": "cut off by the border",
        "age": "not given",
        "sex_male": "not given",
        "outcome_fractured_levels": "not measured",
    }
    assert multiparametric_table(MeasurementTable(rows)).complete() == ()


def test_age_and_sex_may_stand_among_the_measurements():
    rows = [*patient(), row("age", 80.0, "a"), row("sex_male", 1.0, "1")]
    values = multiparametric_table(MeasurementTable(rows)).patients[0].values
    assert (values["age"], values["sex_male"]) == (80.0, 1.0)
    given = multiparametric_table(MeasurementTable(rows), {"a": Person(age=79)}).patients[0].values
    assert (given["age"], given["sex_male"]) == (79, 1.0)
    with pytest.raises(UserError, match="sex 'x'"):
        Person(sex="x")


def test_protocols_never_mix():
    other = [replace(r, protocol_id="p-2") for r in patient("b")]
    with pytest.raises(UserError, match="of b was measured by another protocol"):
        multiparametric_table(MeasurementTable(patient() + other))
    twice = [*patient(), replace(patient()[0], protocol_id="p-2")]
    with pytest.raises(UserError, match="trabecular_attenuation_L1 of a was measured by 2 protocols"):
        multiparametric_table(MeasurementTable(twice))


def test_a_wrong_unit_is_a_bug():
    with pytest.raises(ValueError, match="psoas_volume is in mm3"):
        multiparametric_table(MeasurementTable([row("muscle_volume", 1.0, "mm3", None, Structure.PSOAS)]))


def test_one_row_a_patient_in_the_file(tmp_path):
    rows = patient() + [r for r in patient("b") if r.level != "L1"]
    table = multiparametric_table(MeasurementTable(rows), {"b": Person(64.5, "M")})
    write(tmp_path / "predictors.csv", table)
    with (tmp_path / "predictors.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert list(first) == ["subject", *(column.title for column in COLUMNS), "missing", "flagged"]
    assert (first["subject"], first["age"], first["trabecular_attenuation_L1"]) == ("a", "", "100")
    assert (second["age"], second["sex_male"], second["trabecular_attenuation_L1"]) == ("64.5", "1", "")
    assert second["missing"] == "trabecular_attenuation_L1: not measured"
    assert table.protocols["psoas_volume"] == "p-1"
