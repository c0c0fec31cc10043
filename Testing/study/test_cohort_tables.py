"""Tables are read and joined by key, and what does not fit together is refused with its place."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.tables import write_csv, write_measurements
from OVFRiskLib.measurement import MeasurementTable
from OVFRiskLib.multiparametric import multiparametric_table
from OVFRiskLib.study.cohort import (
    Cohort,
    cells,
    join,
    missing_report,
    one_row_a_patient,
    read_clinical,
    read_multiparametric,
    read_patients,
)

from .cohort_patients import CANCELLOUS, HU, IDMN, L2, rows, table


def folders(tmp_path):
    """Two result folders as the analysis writes them."""
    for name in ("p1", "p2"):
        (tmp_path / name).mkdir()
        mine = [one for one in rows() if one.subject == name]
        write_measurements(tmp_path / name / "measurements.csv", MeasurementTable(mine))
        features = {"subject": [name], "region": ["L1 cancellous"], "level": ["L1"], "compartment": ["cancellous"]}
        features |= {"protocol_id": ["che-1"], IDMN: [0.9 + len(name) / 100], "note": [""]}
        write_csv(tmp_path / name / "features.csv", features)
    return [tmp_path / "p1", tmp_path / "p2"]


def test_result_folders_become_one_table(tmp_path):
    found = one_row_a_patient(read_patients(folders(tmp_path)))
    assert found.table[f"cancellous_L1_{IDMN}"].to_list() == [0.92, 0.92]
    assert found.columns[f"cancellous_L1_{IDMN}"].protocol_id == "che-1"
    assert found.table["cancellous_L1_trabecular_attenuation"].to_list() == [100, 90]


def test_a_patient_of_two_tables_and_rows_out_of_date_are_refused(tmp_path):
    both = folders(tmp_path)
    with pytest.raises(UserError, match="Patient p1 stands in"):
        list(read_patients([*both, tmp_path / "p1" / "measurements.csv", *_copied(tmp_path)]))
    path = tmp_path / "p2" / "measurements.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0] + ",state", lines[1] + ",stale", lines[2] + ",current"]))
    with pytest.raises(UserError, match="out of date"):
        list(read_patients(both))
    with pytest.raises(UserError, match="holds no table"):
        list(read_patients([tmp_path]))
    with pytest.raises(UserError, match="no table of measurements or features"):
        list(read_patients([tmp_path / "cohort.csv"]))


def _copied(tmp_path):
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "measurements.csv").write_bytes((tmp_path / "p1" / "measurements.csv").read_bytes())
    return [tmp_path / "again"]


def test_multiparametric_tables_keep_reasons(tmp_path):
    write_csv(tmp_path / "multiparametric.csv", multiparametric_table(table()[0]).columns())
    found = read_multiparametric(tmp_path / "multiparametric.csv", {"trabecular_attenuation_L2": "ct-1"})
    column = found.columns["trabecular_attenuation_L2"]
    assert (column.name, column.levels, column.unit) == ("trabecular_attenuation", (L2,), HU)
    assert (column.compartment, column.protocol_id) == (CANCELLOUS, "ct-1")
    assert found.reason("p2", "trabecular_attenuation_L2") == "cement"
    assert found.flagged["p1", "trabecular_attenuation_L3"] == "metal near"
    assert found.table.loc["p3", "age"] == 61


CLINICAL = "subject,age,sex,group,CA125,visit\np1,71,F,1,10.5,20200101\np2,64,M,0,,20210101\np3,,F,1,NA,20220101\n"


def clinical(tmp_path, content=CLINICAL, **options):
    (tmp_path / "clinical.csv").write_text(content, encoding="utf-8-sig")
    return read_clinical(tmp_path / "clinical.csv", **options)


def test_clinical_columns(tmp_path):
    found = clinical(tmp_path, units={"CA125": "[U]/mL"}, text=["visit"])
    assert list(found.table.index) == ["p1", "p2", "p3"]
    assert found.table["age"].fillna(-1).to_list() == [71, 64, -1]
    assert found.table["visit"].to_list() == ["20200101", "20210101", "20220101"]
    units = {title: column.unit for title, column in found.columns.items()}
    assert units == {"age": "a", "sex": "", "group": "1", "CA125": "[U]/mL", "visit": ""}
    with pytest.raises(UserError, match="'sex' has no unit"):
        found.columns["sex"].input()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (("p3,,F", "p1,,F"), {}, "Patient p1 has two rows in .*: 2 and 4"),
        (("p3,,F", ",,F"), {}, "Row 4 of .* has no 'subject'"),
        (("71", "71y"), {}, "Row 2 of .*, column 'age': '71y' is no number"),
        (("10.5", "<10"), {"units": {"CA125": "[U]/mL"}}, "column 'CA125': '<10' is no number"),
        (("71", "inf"), {}, "'inf' is no number"),
        (("CA125,visit", "age,visit"), {}, "column 'age' twice"),
        (("subject,", "code,"), {}, "no column 'subject'"),
        (("71,F", "71"), {}, "Row 2 of .* has 5 cells instead of 6"),
    ],
)
def test_wrong_clinical_tables_name_the_place(tmp_path, change, options, message):
    with pytest.raises(UserError, match=message):
        clinical(tmp_path, CLINICAL.replace(*change), **options)


def test_a_column_called_state_is_a_clinical_one(tmp_path):
    found = clinical(tmp_path, "subject,age,state\np1,60,stale\np2,61,Bavaria\n")
    assert found.table["state"].to_list() == ["stale", "Bavaria"]


def test_keys_stay_text(tmp_path):
    assert list(clinical(tmp_path, "subject,age\n007,60\n7,70\n").table.index) == ["007", "7"]


def measured():
    found = one_row_a_patient(table())
    return Cohort(found.table.drop(columns="age"), {k: v for k, v in found.columns.items() if k != "age"}, found.absent)


def test_tables_are_joined_by_key(tmp_path):
    found = join([clinical(tmp_path, text=["visit"]), measured()], ["clinical.csv", "measurements"])
    assert found.table.loc["p2", "sex"] == "M"
    assert found.table.loc["p2", "cancellous_L1_trabecular_attenuation"] == 90
    assert found.reason("p2", "cancellous_L2_trabecular_attenuation") == "cement"
    assert found.columns["age"].unit == "a"


def test_a_patient_whom_a_table_lacks_is_said_left_out_or_kept(tmp_path):
    pair = [clinical(tmp_path, CLINICAL.replace("p3", "p4")), measured()]
    names = ["clinical.csv", "measurements"]
    with pytest.raises(UserError, match=r"2 of 4 patients are not in all tables: p4 \(not in measurements\), p3"):
        join(pair, names)
    less = join(pair, names, "leave out")
    assert list(less.table.index) == ["p1", "p2"]
    assert less.left_out == {"p4": "not in measurements", "p3": "not in clinical.csv"}
    more = join(pair, names, "keep")
    assert list(more.table.index) == ["p1", "p2", "p4", "p3"]
    assert more.reason("p3", "age") == "not in clinical.csv"
    with pytest.raises(UserError, match="No patient is in all of"):
        join([clinical(tmp_path, CLINICAL.replace(",", ",").replace("\np", "\nq")), measured()], names)
    with pytest.raises(UserError, match="The column 'age' is in a and in b"):
        join([clinical(tmp_path), clinical(tmp_path)], ["a", "b"])


def test_what_is_missing_is_reported(tmp_path):
    found = missing_report(join([clinical(tmp_path), measured()], ["clinical.csv", "measurements"]), "sex")
    columns = found.columns.set_index("column")
    at = columns.loc["cancellous_L2_trabecular_attenuation"]
    assert (at["n"], at["missing"], at["share in F"], at["share in M"]) == (1, 2, 0.5, 1.0)
    assert at["share"] == pytest.approx(2 / 3)
    assert at["reasons"] == "cement (1); not measured (1)"
    assert at["P"] == 1.0  # Fisher: both tables with these margins that are possible are no likelier
    assert columns.loc["CA125", "reasons"] == "not given (2)"
    assert columns.loc["group", "missing"] == 0
    assert found.patients["subject"].to_list() == ["p3", "p2", "p1"]
    assert found.complete == 1
    assert found.patterns["patients"].sum() == 3
    json.dumps(cells(found.columns), allow_nan=False)  # nothing is NaN when written


def test_the_others_are_left_out():
    found = one_row_a_patient(table())
    less = found.only(["p3", "p1"], "not matched")
    assert list(less.table.index) == ["p3", "p1"]
    assert less.left_out == {"p2": "not matched"}
    assert all(key != "p2" for key, _ in less.absent)
    assert isinstance(replace(less, left_out={}), Cohort)


def test_cells_hold_what_csv_can():
    frame = pd.DataFrame({"a": [1, 2], "b": [np.nan, 0.5], "c": ["x", None], "d": [np.inf, 1.0]})
    assert cells(frame) == {"a": [1.0, 2.0], "b": [None, 0.5], "c": ["x", None], "d": [None, 1.0]}
