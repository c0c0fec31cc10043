"""Tables of features read back: as what was extracted, or refused naming row and column."""

import csv

import pytest
from OVFRiskLib.anatomy import Compartment, Label, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_features import feature_measurements, read_features
from OVFRiskLib.files.tables import feature_columns, feature_rows, write_csv, write_parquet
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.radiomics import Features

L1, L2 = VertebralLevel.span("L1-L2")
BONE = Region(Compartment.CANCELLOUS, L1)
FEW = "The image type wavelet-LLH has 3 grey levels here: its texture features hardly tell regions apart."
GRID = "resampled onto the image's grid"
EXTRACTED = {
    BONE: Features(
        {"original_glcm_Idmn": 0.95, "wavelet-LLH_firstorder_Mean": -1.5e-7},
        {"original_glcm_MCC": "no second eigenvalue: one grey level", "original_shape_Flatness": "no volume"},
        {},
        (GRID, FEW),
        "risk-1",
    ),
    Region(Compartment.CORTICAL, L2): Features(
        {
            "original_glcm_Idmn": 0.9,
            "wavelet-LLH_firstorder_Mean": 2.0,
            "original_glcm_MCC": 1.0,
            "original_shape_Flatness": 0.5,
        },
        {},
        {},
        (),
        "risk-1",
    ),
}


def expected():
    """What the two regions above are as measurements, written by hand."""

    def of(level, part, name, value, note=""):
        quality = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
        return Measurement("p", level, part, name, value, "1", "risk-1", quality=quality, note=note)

    one, two = (L1, Compartment.CANCELLOUS), (L2, Compartment.CORTICAL)
    return {
        of(*one, "original_glcm_Idmn", 0.95, GRID),
        of(*one, "wavelet-LLH_firstorder_Mean", -1.5e-7, f"{GRID}; {FEW}"),
        of(*one, "original_glcm_MCC", None, f"no second eigenvalue: one grey level; {GRID}"),
        of(*one, "original_shape_Flatness", None, f"no volume; {GRID}"),
        of(*two, "original_glcm_Idmn", 0.9),
        of(*two, "wavelet-LLH_firstorder_Mean", 2.0),
        of(*two, "original_glcm_MCC", 1.0),
        of(*two, "original_shape_Flatness", 0.5),
    }


@pytest.mark.parametrize("layout", [feature_columns, feature_rows])
@pytest.mark.parametrize(("write", "name"), [(write_csv, "f.csv"), (write_parquet, "f.parquet")])
def test_every_layout_reads_as_what_was_extracted(tmp_path, layout, write, name):
    if write is write_parquet:
        pytest.importorskip("pyarrow")
    write(tmp_path / name, layout("p", EXTRACTED))
    assert set(read_features(tmp_path / name)) == expected()


def test_features_in_memory_are_the_same():
    assert set(feature_measurements("p", EXTRACTED)) == expected()


def test_they_join_the_measurements():
    other = MeasurementTable([Measurement("p", L1, Compartment.CANCELLOUS, "vbmd", 80.0, "mg/cm3", "line-1")])
    assert len(feature_measurements("p", EXTRACTED) + other) == 9


def test_a_region_known_by_its_label_alone_must_be_the_only_one(tmp_path):
    one = EXTRACTED[BONE]
    table = feature_measurements("p", {Label(3): one})
    assert {(row.level, row.compartment) for row in table} == {(None, None)}
    write_csv(tmp_path / "f.csv", feature_columns("p", {Label(3): one, Label(4): one}))
    with pytest.raises(UserError, match="--scheme"):
        read_features(tmp_path / "f.csv")


def changed(path, layout, row, column, text):
    """Write a table with one cell changed (`row` as a spreadsheet counts, the header is 1)."""
    write_csv(path, layout("p", EXTRACTED))
    lines = list(csv.reader(path.open(encoding="utf-8", newline="")))
    lines[row - 1][lines[0].index(column)] = text
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)


@pytest.mark.parametrize(
    ("layout", "row", "column", "text", "said"),
    [
        (feature_columns, 2, "original_glcm_Idmn", "0,95", "Row 2 .*'original_glcm_Idmn': '0,95' is no number"),
        (feature_columns, 3, "original_glcm_Idmn", "nan", "Row 3 .*'original_glcm_Idmn'"),
        (feature_columns, 3, "original_glcm_Idmn", "inf", "Row 3 .*'original_glcm_Idmn'"),
        (feature_columns, 2, "level", "L9", "Row 2 .*'level': 'L9' is no level"),
        (feature_columns, 2, "compartment", "marrow", "Row 2 .*'compartment'"),
        (feature_columns, 1, "original_glcm_Idmn", "Idmn", "'Idmn' is no feature"),
        (feature_columns, 1, "original_glcm_Idmn", "original_glcm_MCC", "'original_glcm_MCC' twice"),
        (feature_columns, 1, "protocol_id", "protocol", "no table of features"),
        (feature_rows, 2, "value", "", "Row 2 .*'quality'"),
        (feature_rows, 2, "quality", "good", "Row 2 .*'quality': 'good' is no quality"),
        (feature_rows, 2, "quality", "", "Row 2 .*'quality': it is empty"),
        (feature_rows, 5, "name", "Idmn", "Row 5 .*'Idmn' is no feature"),
        (feature_rows, 2, "name", "original_glcm_MCC", "twice"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, layout, row, column, text, said):
    changed(tmp_path / "f.csv", layout, row, column, text)
    with pytest.raises(UserError, match=said):
        read_features(tmp_path / "f.csv")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'"', b"a,b\n1,2\n", b"PAR1"])
@pytest.mark.parametrize("name", ["f.csv", "f.parquet"])
def test_other_files_are_refused(tmp_path, content, name):
    if name == "f.parquet":
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        read_features(tmp_path / name)
    with pytest.raises(UserError, match=r"absent\."):
        read_features(tmp_path / f"absent.{name.partition('.')[2]}")


def test_a_row_too_short_is_named(tmp_path):
    write_csv(tmp_path / "f.csv", feature_columns("p", EXTRACTED))
    with (tmp_path / "f.csv").open("a") as file:
        file.write("p,L3 whole,L3,whole,risk-1\n")
    with pytest.raises(UserError, match=r"Row 4 .* has 5 cells instead of 10"):
        read_features(tmp_path / "f.csv")
