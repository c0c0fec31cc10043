"""Tables: the same bytes each time, safe in a spreadsheet, and read back with every fault named."""

from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.tables import read_measurements, write_features, write_measurements
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality

L1, L2 = VertebralLevel.L1, VertebralLevel.L2


@pytest.fixture
def table():
    note = "=HYPERLINK(\"x\"); 'quoted', with comma\nand a new line; käse"
    return MeasurementTable(
        (
            Measurement("-P'01", L1, Compartment.CANCELLOUS, "trabecular_attenuation", -123.456, "[hnsf'U]", "t-1"),
            Measurement(
                "-P'01", L1, Compartment.BODY, "volume", 1e-7 / 3, "cm3", "t-1", quality=Quality.FLAGGED, note=note
            ),
            Measurement(
                "-P'01", L2, Compartment.BODY, "volume", None, "cm3", "t-1", quality=Quality.ABSENT, note="'cut off"
            ),
            Measurement("-P'01", None, Structure.CSF, "t1_signal_intensity", 2.0, "1", "vbq-1"),
        )
    )


@pytest.fixture
def features():
    def of(values, absent=None, warnings=()):
        return SimpleNamespace(values=values, absent=absent or {}, warnings=warnings, protocol_id="p-1")

    return {
        Region(Compartment.CORTICAL, L2): of({"b_Mean": -1.5, "a_Sum": 2 / 3}),
        Region(Compartment.CANCELLOUS, L1): of({"a_Sum": 3.0}, {"b_Mean": "too few voxels"}, ("resampled",)),
    }


def lines(path):
    return path.read_bytes().decode("utf-8").split("\n")


def test_measurements_come_back(table, tmp_path):
    write_measurements(tmp_path / "m.csv", table)
    for given, back in zip(table, read_measurements(tmp_path / "m.csv"), strict=True):
        assert back.value == (None if given.value is None else pytest.approx(given.value, rel=1e-9))
        for name in ("subject", "level", "compartment", "name", "unit", "protocol_id", "quality", "note"):
            assert getattr(back, name) == getattr(given, name)


def test_an_absent_value_is_an_empty_cell_with_its_reason(table, tmp_path):
    write_measurements(tmp_path / "m.csv", table)
    assert "'-P'01,L2,body,volume,,cm3,t-1,absent,''cut off" in lines(tmp_path / "m.csv")


def test_no_cell_can_run_as_a_formula(table, tmp_path):
    import csv

    write_measurements(tmp_path / "m.csv", table)
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == ["-123.456"]


def test_the_same_values_give_the_same_bytes(table, features, tmp_path):
    for name in ("a", "b"):
        write_measurements(tmp_path / f"m-{name}.csv", table)
    write_features(tmp_path / "f-a.csv", "P", features)
    write_features(tmp_path / "f-b.csv", "P", dict(reversed(features.items())))
    assert (tmp_path / "m-a.csv").read_bytes() == (tmp_path / "m-b.csv").read_bytes()
    assert (tmp_path / "f-a.csv").read_bytes() == (tmp_path / "f-b.csv").read_bytes()
    assert b"\r" not in (tmp_path / "m-a.csv").read_bytes()


def test_features_are_one_row_a_region(features, tmp_path):
    write_features(tmp_path / "f.csv", "P", features)
    assert lines(tmp_path / "f.csv") == [
        "subject,region,level,compartment,protocol_id,a_Sum,b_Mean,note",
        'P,L1 cancellous,L1,cancellous,p-1,3,,"resampled; absent, too few voxels: b_Mean"',
        "P,L2 cortical,L2,cortical,p-1,0.6666666667,-1.5,",
        "",
    ]


def test_no_features_leave_a_table_with_its_header(tmp_path):
    write_features(tmp_path / "f.csv", "P", {})
    assert lines(tmp_path / "f.csv") == ["subject,region,level,compartment,protocol_id,note", ""]


def test_a_feature_is_never_written_as_nan(features, tmp_path):
    next(iter(features.values())).values["b_Mean"] = np.nan
    with pytest.raises(ValueError, match="absent"):
        write_features(tmp_path / "f.csv", "P", features)


HEADER = "subject,level,compartment,name,value,unit,protocol_id,quality,note\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "other columns"),
        ("subject,level\n", "other columns"),
        (HEADER + "P,L1,body,volume,1,cm3,t\n", "Row 2 .* has 7 cells"),
        (HEADER + "P,X9,body,volume,1,cm3,t,ok,\n", "Row 2 .*'X9' is no level"),
        (HEADER + "P,L1,toe,volume,1,cm3,t,ok,\n", "'toe' is no compartment"),
        (HEADER + "P,L1,body,volume,one,cm3,t,ok,\n", "'one' is no value"),
        (HEADER + "P,L1,body,volume,nan,cm3,t,ok,\n", "Row 2 .*nan is no measurement"),
        (HEADER + "P,L1,body,volume,1,cm3,t,fine,\n", "'fine' is no quality"),
        (HEADER + "P,L1,body,volume,,cm3,t,ok,\n", "Row 2 .*absent"),
        (HEADER + "P,L1,body,volume,1,cm3,t,,\n", "Row 2 .*'' is no quality"),
        (HEADER + "P,L1,body,volume,1,cm3,t,ok,\n" * 2, "two rows for one value"),
    ],
)
def test_a_faulty_table_is_refused_by_row_and_column(text, fault, tmp_path):
    (tmp_path / "m.csv").write_text(text, "utf-8")
    with pytest.raises(UserError, match=fault):
        read_measurements(tmp_path / "m.csv")


def test_a_missing_table_and_a_missing_folder_are_named(table, tmp_path):
    with pytest.raises(UserError, match=r"none\.csv cannot be read"):
        read_measurements(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be written"):
        write_measurements(tmp_path / "none" / "m.csv", table)
