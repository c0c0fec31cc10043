"""`ovfrisk analyze --update`: after an edit it gives what a fresh analysis gives, and refuses what is another exam."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.files.earlier_result import read_earlier_result
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.files.segmentation_file import write_segmentation
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.fingerprints import region_fingerprints

L2, L3 = VertebralLevel.L2, VertebralLevel.L3
FACTS = ("--phase", "none", "--rods", "0,50,100,200", "--tables-only")


@pytest.fixture(scope="module")
def exam(once) -> Path:
    """A coarse phantom's CT."""
    return once("coarse-phantom", "phantom", "--seed", "2", "--spacing", "3")


@pytest.fixture(scope="module")
def earlier(once, exam) -> Path:
    """Its analysis."""
    ct, labels = exam / "ct.nii.gz", exam / "labels.nii.gz"
    return once("coarse-result", "analyze", "--ct", ct, "--labels", labels, "--scheme", "ovfrisk", *FACTS)


@pytest.fixture(scope="module")
def edited(exam, tmp_path_factory) -> Path:
    """The labels with a corner of L3 taken away."""
    labels = read_labels(exam / "labels.nii.gz", "ovfrisk")
    path = tmp_path_factory.mktemp("edited") / "labels.seg.nrrd"
    write_segmentation(path, without_corner(labels))
    return path


def without_corner(labels):
    array = labels.array.copy()
    own = [value for value, region in labels.labels.items() if region.level == L3]
    k, j, i = np.nonzero(np.isin(array, own))
    corner = (k > np.percentile(k, 80)) & (i > np.percentile(i, 60))
    array[k[corner], j[corner], i[corner]] = 0
    return replace(labels, array=array)


def update(ovfrisk, out, exam, labels, earlier, *more):
    return ovfrisk(
        "analyze", out, "--ct", exam / "ct.nii.gz", "--labels", labels, "--update", earlier, *FACTS, *more
    )  # fmt: skip


def table_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_update_is_a_fresh_analysis_row_by_row(ovfrisk, exam, earlier, edited, tmp_path):
    done = update(ovfrisk, tmp_path / "updated", exam, edited, earlier, "--edited", "L3")
    assert done.returncode == 0, done.stderr
    fresh = ovfrisk("analyze", tmp_path / "fresh", "--ct", exam / "ct.nii.gz", "--labels", edited, *FACTS)
    assert fresh.returncode == 0, fresh.stderr
    for name in ("measurements.csv", "features.csv", "scores.csv", "multiparametric.csv"):
        assert table_of(tmp_path / "updated" / name) == table_of(tmp_path / "fresh" / name), name
    before, after = (read_measurements(folder / "measurements.csv") for folder in (earlier, tmp_path / "updated"))
    assert before.value(level=L3, compartment="body", name="volume") > after.value(
        level=L3, compartment="body", name="volume"
    )
    runs = [json.loads((tmp_path / name / "run.json").read_text()) for name in ("updated", "fresh")]
    assert runs[0]["regions"] == runs[1]["regions"]
    assert runs[0]["warnings"] == runs[1]["warnings"]
    assert runs[1]["features_taken"] == []
    taken = set(runs[0]["features_taken"])
    assert not {name for name in taken if name.startswith("L3 ")}
    assert "L1 whole" in taken


def test_nothing_edited_takes_every_feature(ovfrisk, exam, earlier, tmp_path):
    done = update(ovfrisk, tmp_path / "same", exam, exam / "labels.nii.gz", earlier, "--scheme", "ovfrisk")
    assert done.returncode == 0, done.stderr
    run = json.loads((tmp_path / "same" / "run.json").read_text())
    assert set(run["features_taken"]) == set(run["regions"])
    for name in ("measurements.csv", "features.csv"):
        assert (tmp_path / "same" / name).read_bytes() == (earlier / name).read_bytes()


def test_an_edit_that_was_not_named_is_refused(ovfrisk, exam, earlier, edited, tmp_path):
    done = update(ovfrisk, tmp_path / "out", exam, edited, earlier, "--edited", "L2")
    assert done.returncode == 2
    assert "in L3, too" in done.stderr
    assert "--edited L2,L3" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--protocol", "fracture-risk"), "other settings (protocol)"),
        (("--levels", "L1-L3"), "other settings (levels)"),
        (("--subject", "somebody-else"), "the subject"),
        (("--include-lesions",), "other settings (trabecular)"),
        (("--parts", "cancellous"), "other settings (parts)"),
        (("--parts", "liver"), "'liver' is no part"),
    ],
)
def test_another_exam_is_refused(ovfrisk, exam, earlier, tmp_path, change, said):
    done = update(ovfrisk, tmp_path / "out", exam, exam / "labels.nii.gz", earlier, "--scheme", "ovfrisk", *change)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("text", "said"), [("{", "no valid JSON"), ('{"KVP": 120}', "no texts by DICOM keyword"), (None, "cannot be read")]
)
def test_an_acquisition_file_that_is_none_is_refused(ovfrisk, exam, earlier, tmp_path, text, said):
    path = tmp_path / "acquisition.json"
    if text:
        path.write_text(text)
    done = update(ovfrisk, tmp_path / "out", exam, exam / "labels.nii.gz", earlier, "--acquisition", path)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def changed_run(earlier, tmp_path, change):
    folder = shutil.copytree(earlier, tmp_path / "earlier")
    run = json.loads((folder / "run.json").read_text())
    change(run)
    (folder / "run.json").write_text(json.dumps(run))
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run: run["images"]["CT"].update(hash="0" * 16), "another CT"),
        (lambda run: run["software"].update(ovfrisk="0.0.1"), "OVFRisk 0.0.1"),
        (lambda run: run.pop("ct_regions"), "'ct_regions' is missing"),
        (lambda run: run["regions"].update({"L9 whole": {}}), "no region"),
        (lambda run: run["regions"]["L1 whole"].update(mask=3), "'mask' is missing"),
        (lambda run: run["regions"]["L1 whole"]["absent"].update(original_shape_Nothing="x"), "does not fit"),
    ],
)
def test_a_manifest_that_is_not_its_own_is_refused(ovfrisk, exam, earlier, tmp_path, change, said):
    folder = changed_run(earlier, tmp_path, change)
    done = update(ovfrisk, tmp_path / "out", exam, exam / "labels.nii.gz", folder, "--scheme", "ovfrisk")
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())


def test_features_read_back_are_those_that_were_written(earlier):
    """Values have ten digits in the table; everything else is as it was."""
    found = read_earlier_result(earlier).features
    run = json.loads((earlier / "run.json").read_text())
    assert {str(region): mask for region, mask in found.masks.items()} == {
        name: entry["mask"] for name, entry in run["regions"].items()
    }
    row = next(row for row in table_of(earlier / "features.csv") if row["region"] == "L3 cancellous")
    features = next(features for region, features in found.features.items() if str(region) == "L3 cancellous")
    assert {name: float(row[name]) for name in features.values} == features.values
    assert len(features.values) > 50


def test_fingerprints_tell_place_and_shape_and_nothing_else(exam):
    """The same voxels under another label value, in a larger array, are the same region; one voxel less is another."""
    labels = read_labels(exam / "labels.nii.gz", "ovfrisk")
    before = region_fingerprints(labels)
    larger = np.pad(labels.array, ((3, 1), (2, 0), (4, 4))).astype(np.int32)
    moved = labels.ijk_to_ras.copy()
    moved[:3, 3] -= labels.ijk_to_ras[:3, :3] @ (4, 2, 3)
    renumbered = replace(
        labels,
        array=np.where(larger > 0, larger + 300, 0),
        ijk_to_ras=moved,
        labels={value + 300: region for value, region in labels.labels.items()},
    )
    assert region_fingerprints(renumbered) == before
    fewer = region_fingerprints(without_corner(labels))
    assert {region.level for region in before if fewer[region] != before[region]} == {L3}
    shifted = labels.ijk_to_ras.copy()
    shifted[0, 3] += 0.01
    assert not set(region_fingerprints(replace(labels, ijk_to_ras=shifted)).values()) & set(before.values())
