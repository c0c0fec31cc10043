"""Export without a widget: what is written, what says that it is out of date, what is left out."""

import csv
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_features import read_features
from OVFRiskLib.files.tables import measurement_columns, read_measurements, write_csv
from OVFRiskLib.measurement import Measurement, MeasurementTable
from OVFRiskLib.radiomics import Features

from .score_scene import HU, density, edit, hu, measure

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from OVFRiskLib.files import patient_export  # noqa: E402
from OVFRiskLib.mrml import add_segmentation  # noqa: E402
from OVFRiskLib.panels.ct_arguments import options_of  # noqa: E402
from OVFRiskLib.panels.export import ExportPanel  # noqa: E402
from OVFRiskLib.panels.export_content import content_of  # noqa: E402
from OVFRiskLib.panels.record import CT, Record  # noqa: E402
from OVFRiskLib.panels.score import ScorePanel  # noqa: E402
from OVFRiskLib.panels.view import MessageKind  # noqa: E402

L1, L2 = VertebralLevel.L1, VertebralLevel.L2
CANCELLOUS = Compartment.CANCELLOUS
NOON = datetime(2026, 3, 1, 12, 0, 0)
NAME = "DOE^JANE"


@pytest.fixture
def measured(phantom_session, phantom, tmp_path):
    """Three rows and one region's features on the coarse phantom; nodes are called as a patient."""
    session = phantom_session
    session.parameters.ct.SetName(NAME)
    segmentation = add_segmentation(session.scene, phantom.labels, session.parameters.ct)
    segmentation.SetName(f"{NAME} Segmentation")
    session.parameters.segmentation = segmentation
    session.parameters.export_folder = str(tmp_path)
    features = Features({"original_firstorder_Mean": 1.5}, {}, {}, (), "p-1")
    rows = [hu("L1", 90.0, note="=HYPERLINK(0)"), hu("L2", 110.0), density(70.0)]
    measure(session, rows, {Region(CANCELLOUS, L1): features})
    return session


@pytest.fixture
def panel(measured):
    score = ScorePanel(measured)
    score.models.choose("vbq-t1-huang-2025", False)
    for one in score.models.entries:
        score.models.choose(one.key, one.key == "vbmd-acr-2018")
    score.score()
    return ExportPanel(measured, score)


def tick(panel, *keys: str) -> None:
    for one in panel.choices:
        panel.choose(one.key, one.key in keys)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_hold_every_value_and_say_that_it_is_current(panel, measured):
    tick(panel, "csv")
    written = panel.export(NOON)
    assert written.folder.name == f"OVFRisk-{measured.parameters.subject}-20260301-120000"
    assert written.files == ("features.csv", "measurements.csv", "run.json", "scores.csv")
    rows = table(written.folder / "measurements.csv")
    assert [row["value"] for row in rows] == ["90", "110", "70"]
    assert {row["state"] for name in written.files[:2] for row in table(written.folder / name)} == {"current"}
    assert rows[0]["note"] == "'=HYPERLINK(0)"
    assert table(written.folder / "features.csv")[0]["original_firstorder_Mean"] == "1.5"
    assert table(written.folder / "scores.csv")[0]["class"] == "osteoporosis"
    assert measured.message.kind is MessageKind.INFO
    assert str(written.folder) in measured.message.what


def test_what_is_out_of_date_says_so_everywhere(panel, measured):
    pytest.importorskip("matplotlib")
    edit(measured, L1)
    tick(panel, "csv", "html")
    folder = panel.export(NOON).folder
    states = {row["level"]: row["state"] for row in table(folder / "measurements.csv")}
    assert states == {"L1": "stale", "L2": "current", "": "stale"}
    assert table(folder / "measurements.csv")[0]["note"].startswith("out of date")
    assert table(folder / "features.csv")[0]["state"] == "stale"
    (scored,) = table(folder / "scores.csv")
    assert scored["state"] == "stale"
    assert "out of date" in scored["warnings"]
    report = re.sub(r"data:image[^\"]*", "", (folder / "report.html").read_text("utf-8"))
    assert re.search(r"<h1>[^<]* – PARTLY OUT OF DATE</h1>", report)
    assert "OUT OF DATE: 4 values" in report  # L1, the patient's density, L1's features, the score
    assert json.loads((folder / "run.json").read_text())["out_of_date"] == 4
    assert "4 values are out of date" in measured.message.what
    assert measured.message.kind is MessageKind.WARNING


def test_report_shows_the_masks_and_no_file_holds_the_name_of_the_patient(panel):
    for package in ("matplotlib", "pyarrow", "openpyxl"):
        pytest.importorskip(package)
    tick(panel, "csv", "html", "parquet", "seg", "xlsx")
    folder = panel.export(NOON).folder
    for path in folder.iterdir():
        assert b"DOE" not in path.read_bytes(), path.name
        assert "DOE" not in path.name
    report = (folder / "report.html").read_text("utf-8")
    assert "SYNTHETIC DATA" in report
    assert "OUT OF DATE" not in report
    assert report.count("data:image/png") >= 2  # the masks on the CT
    assert "osteoporosis" in report


def test_workbook_holds_the_tables_and_no_formula(panel):
    openpyxl = pytest.importorskip("openpyxl")
    tick(panel, "xlsx")
    book = openpyxl.load_workbook(panel.export(NOON).folder / "results.xlsx")
    assert book.sheetnames == ["Measurements", "Features", "Scores"]
    sheet = book["Measurements"]
    titles = [cell.value for cell in sheet[1]]
    assert [row[titles.index("value")].value for row in sheet.iter_rows(min_row=2)] == [90, 110, 70]
    note = sheet.cell(2, titles.index("note") + 1)
    assert (note.value, note.data_type, note.quotePrefix) == ("=HYPERLINK(0)", "s", True)
    assert all(cell.data_type != "f" for one in book for row in one for cell in row)


def test_parquet_holds_numbers_and_text(panel):
    parquet = pytest.importorskip("pyarrow.parquet")
    tick(panel, "parquet")
    found = parquet.read_table(panel.export(NOON).folder / "measurements.parquet").to_pydict()
    assert found["value"] == [90.0, 110.0, 70.0]
    assert found["state"] == ["current"] * 3
    assert found["unit"] == [HU, HU, "mg/cm3"]


def test_segmentation_comes_back_as_it_was(panel, phantom):
    from OVFRiskLib.files.read_labels import read_labels

    tick(panel, "seg")
    back = read_labels(panel.export(NOON).folder / "segmentation.seg.nrrd", None)
    for region in phantom.labels.regions:
        assert (back.mask(region).array == phantom.labels.mask(region).array).all()


def test_subject_code_makes_a_safe_name_of_a_folder(panel, measured):
    measured.parameters.subject = "../../etc/p 1"
    assert panel.target(NOON).name == "OVFRisk-etc_p_1-20260301-120000"
    assert panel.target(NOON).parent == Path(measured.parameters.export_folder)


def test_a_format_that_fails_leaves_nothing(panel, monkeypatch):
    def broken(_folder, _content):
        raise UserError("The disk is full.", "Make room.")

    monkeypatch.setitem(patient_export._WRITERS, patient_export.Format.PARQUET, broken)
    tick(panel, "csv", "parquet")
    with pytest.raises(UserError, match="disk"):
        panel.export(NOON)
    assert list(panel.target(NOON).parent.iterdir()) == []


def test_formats_of_a_missing_package_are_grey_and_left_out_with_the_reason(panel, measured, monkeypatch):
    monkeypatch.setitem(patient_export._PACKAGES, patient_export.Format.XLSX, ("no_such_package_here",))
    tick(panel, "csv", "xlsx")
    (xlsx,) = [one for one in panel.choices if one.key == "xlsx"]
    assert not xlsx.available
    assert xlsx.packages == ("no_such_package_here",)
    written = panel.export(NOON)
    assert not any(name.endswith(".xlsx") for name in written.files)
    assert "no_such_package_here" in measured.message.what
    assert measured.message.kind is MessageKind.WARNING


def test_dicom_objects_are_offered_as_what_comes_later(panel):
    later = [one for one in panel.choices if one.key.startswith("dicom")]
    assert len(later) == 2
    assert not any(one.available or one.chosen for one in later)


def test_nothing_to_export_is_said(panel, measured, tmp_path):
    tick(panel)
    with pytest.raises(UserError, match="No format is ticked"):
        panel.export(NOON)
    tick(panel, "seg")
    measured.parameters.segmentation = None
    with pytest.raises(UserError, match="no segmentation is chosen"):
        panel.export(NOON)
    measured.parameters.export_folder = ""
    with pytest.raises(UserError, match="No folder is chosen"):
        panel.export(NOON)
    measured.parameters.export_folder, measured.record = str(tmp_path), None
    with pytest.raises(UserError, match="nothing to export"):
        panel.export(NOON)


def caveats(session) -> tuple[str, ...]:
    session.parameters.segmentation = None  # judging its levels takes long, and is not what is asked
    return content_of(session, (), [patient_export.Format.HTML]).export.analysis.caveats


def test_report_says_when_choices_were_changed_after_the_measurement(measured):
    part = measured.record.parts[CT]
    measured.record = Record({CT: replace(part, how=tuple(options_of(measured.parameters)))})
    assert not any("Choices were changed" in text for text in caveats(measured))
    measured.parameters.age = 50.0
    assert any("Choices were changed" in text for text in caveats(measured))


def test_report_says_what_measuring_said(measured):
    part = measured.record.parts[CT]
    measured.record = Record({CT: replace(part, run={"caveats": ["L2 distrust this level", 3]})})
    assert "L2 distrust this level" in caveats(measured)


def test_report_names_levels_that_are_deformed_on_ct_and_used_on_mri(measured):
    rows = [
        Measurement("P-1", L1, Compartment.BODY, "genant_grade", 2.0, "1", "ct-1"),
        Measurement("P-1", L2, Compartment.BODY, "genant_grade", 0.0, "1", "ct-1"),
        Measurement("P-1", None, None, "vbq_t1", 3.0, "1", "mr-1"),
    ]
    measure(measured, rows)
    assert any("used by VBQ: L1." in text for text in caveats(measured))
    measured.parameters.fractured = "L1"
    assert not any("used by VBQ" in text for text in caveats(measured))


def test_exported_tables_are_read_again_but_for_rows_that_are_out_of_date(tmp_path):
    """As `ovfrisk score` reads them."""
    row = Measurement("p", None, None, "vbq_t2", 0.5, "1", "v")
    features = {"original_firstorder_Mean": [1.5], "note": [""]}
    keys = {"subject": ["p"], "region": ["L1 body"], "level": ["L1"], "compartment": ["body"], "protocol_id": ["x"]}
    for state in ("current", "stale"):
        write_csv(tmp_path / "m.csv", {**measurement_columns(MeasurementTable([row])), "state": [state]})
        write_csv(tmp_path / "f.csv", {**keys, **features, "state": [state]})
        for read, name in ((read_measurements, "m.csv"), (read_features, "f.csv")):
            if state == "current":
                assert [found.value for found in read(tmp_path / name)] == [0.5 if name == "m.csv" else 1.5]
            else:
                with pytest.raises(UserError, match=r"Row 2 of .* is out of date"):
                    read(tmp_path / name)
