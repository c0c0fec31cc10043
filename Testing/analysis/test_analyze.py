"""`ovfrisk analyze` on real images."""

import csv
import json

import pytest
from OVFRiskLib.analysis import Patient, Settings, analyze
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import Quality
from OVFRiskLib.radiomics import Protocol

MEAN_ONLY = Protocol.from_dict(
    {
        "name": "mean-only",
        "title": "The mean",
        "purpose": "Quick tests",
        "source": "these tests",
        "imageType": {"Original": {}},
        "featureClass": {"firstorder": ["Mean"]},
    }
)
LUMBAR = VertebralLevel.span("L1-L5")
FILES = {
    "measurements.csv", "features.csv", "multiparametric.csv", "scores.csv", "segmentation.seg.nrrd", "scene.mrb",
    "report.html", "run.json",
}  # fmt: skip


def features(folder):
    with (folder / "features.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_result_is_complete(abdomen_result):
    assert {path.name for path in abdomen_result.iterdir()} == FILES
    assert list(abdomen_result.parent.iterdir()) == [abdomen_result]


def test_whole_lumbar_levels_are_measured(abdomen_result, measurements):
    table = measurements(abdomen_result)
    for level in LUMBAR:
        assert 90 < table.value(level=level, name="trabecular_attenuation") < 140
        assert 17 < table.value(level=level, name="anterior_height") < 36
    rows = {(row["level"], row["compartment"]) for row in features(abdomen_result)}
    assert rows == {(level, part) for level in LUMBAR for part in ("whole", "cortical", "cancellous")}


@pytest.mark.parametrize("level", VertebralLevel.span("T11-T12"))
def test_levels_cut_off_by_the_image_are_not_measured(abdomen_result, measurements, level):
    rows = measurements(abdomen_result).where(level=level)
    assert len(rows) > 10
    assert {row.quality for row in rows} == {Quality.ABSENT}
    assert all("cut off by the border" in row.note for row in rows)
    assert f"{level} was not measured" in (abdomen_result / "report.html").read_text()


def test_a_sclerotic_level_is_flagged(abdomen_result, measurements):
    """L1 has a sclerotic lesion; L3 is even."""
    rows = measurements(abdomen_result).where(name="trabecular_attenuation")
    assert "sclerosis" in rows.where(level=VertebralLevel.L1).rows[0].note
    assert "sclerosis" not in rows.where(level=VertebralLevel.L3).rows[0].note


def test_what_is_unknown_stays_unknown(abdomen_result, measurements):
    table = measurements(abdomen_result)
    density = table.where(name="vbmd", level=VertebralLevel.L3).rows[0]
    assert density.quality is Quality.ABSENT
    assert density.note == "no calibration given"
    assert (
        "contrast phase not given" in table.where(name="trabecular_attenuation", level=VertebralLevel.L3).rows[0].note
    )
    run = json.loads((abdomen_result / "run.json").read_text())
    assert run["patient"] == {"sex": None, "age": None, "phase": None, "synthetic": False}
    assert any("sex was not given" in caveat for caveat in run["caveats"])


def test_bodies_in_another_scheme_name_the_same_levels(shared_data, abdomen_result, measurements):
    folder = shared_data / "ct_abdomen_3mm"
    patient = Patient(
        "bodies",
        ct=read_volume(folder / "ct.nii.gz", Modality.CT),
        ct_labels=read_labels(folder / "vertebrae_verse_codes.nii.gz", "verse"),
    )
    bodies, whole = analyze(patient, Settings(MEAN_ONLY), lambda *_: None).measurements, measurements(abdomen_result)

    def measured(table):
        return {row.level for row in table.where(name="trabecular_attenuation") if row.value is not None}

    assert measured(bodies) == measured(whole) == set(LUMBAR)
    for level in LUMBAR:
        where = {"name": "trabecular_attenuation", "level": level}
        assert bodies.value(**where) == pytest.approx(whole.value(**where), abs=6)


def test_mri_alone(ovfrisk, shared_data, tmp_path, measurements):
    """A hand-drawn check of this exam gave VBQ-T1 of about 3.0 and VBQ-T2 of about 0.41."""
    folder = shared_data / "mr_pair_t1_t2"
    images = ("--t1", folder / "t1.nii.gz", "--t2", folder / "t2.nii.gz", "--mr-labels", folder / "t1_bodies.nii.gz")
    done = ovfrisk("analyze", tmp_path / "out", *images, "--mr-scheme", "verse", "--sex", "F", "--age", "60")
    assert done.returncode == 0, done.stderr
    table = measurements(tmp_path / "out")
    assert table.value(name="vbq_t1") == pytest.approx(3.0, abs=0.3)
    assert table.value(name="vbq_t2") == pytest.approx(0.41, abs=0.03)
    report = (tmp_path / "out" / "report.html").read_text()
    assert "10.1177/21925682251339995" in report
    assert "VBQ-T2-STIR: not measured" in report
    assert "field strength" in report
    with (tmp_path / "out" / "scores.csv").open(encoding="utf-8", newline="") as file:
        scores = {row["model"].split()[0]: row for row in csv.DictReader(file)}
    assert (
        scores["vbq-t1-huang-2025"]["class"]
        == scores["vbq-t2-huang-2025"]["class"]
        == "not above the published cut-off"
    )
    assert not scores["vbq-t2-stir-huang-2025"]["value"]
    assert set(scores) == {"vbq-t1-huang-2025", "vbq-t2-huang-2025", "vbq-t2-stir-huang-2025"}  # no model of CT


def test_the_same_input_gives_the_same_tables(ovfrisk, abdomen_inputs, abdomen_result, tmp_path):
    """In this process as in the one that made the first result, with another order of hashes."""
    assert ovfrisk("analyze", tmp_path / "again", *abdomen_inputs).returncode == 0
    for name in ("measurements.csv", "features.csv", "segmentation.seg.nrrd"):
        assert (tmp_path / "again" / name).read_bytes() == (abdomen_result / name).read_bytes(), name


def test_chosen_levels_with_a_calibration(ovfrisk, abdomen_inputs, tmp_path, measurements):
    line = tmp_path / "line.json"
    line.write_text(json.dumps({"slope": 0.8, "intercept": 2.0, "kvp": 120, "date": "2026-01-01", "source": "rods"}))
    options = ("--levels", "L2,L4", "--phase", "none", "--calibration", line)
    done = ovfrisk("analyze", tmp_path / "out", *abdomen_inputs, *options)
    assert done.returncode == 0, done.stderr
    table = measurements(tmp_path / "out")
    assert {row.level for row in table if row.level} == {VertebralLevel.L2, VertebralLevel.L4}
    for level in (VertebralLevel.L2, VertebralLevel.L4):
        hu = table.value(name="trabecular_attenuation", level=level)
        density = table.where(name="vbmd", level=level).rows[0]
        assert density.value == pytest.approx(0.8 * hu + 2.0, abs=1e-6)
        assert "tube voltage is unknown" in density.note
