"""One table through two engines: what the comparison finds, and, where PyRadiomics can be imported, that they agree."""

import csv
import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import SimpleITK as sitk
from OVFRiskLib.anatomy import Label
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Features, Protocol, extract
from OVFRiskLib.radiomics.classes import FEATURES
from OVFRiskLib.radiomics.compare import largest_differences, relative_difference
from OVFRiskLib.radiomics.pyradiomics_engine import extract_by_pyradiomics

live = pytest.mark.skipif(
    find_spec("radiomics") is None, reason="PyRadiomics is not installed; the recorded values are compared instead"
)
CLASSES = dict.fromkeys(name for name in FEATURES if name != "shape2D")
RNG = np.random.default_rng(7)
NOISE = np.cumsum(RNG.normal(0, 40, (18, 20, 22)), axis=1) + 300
BLOB = np.zeros(NOISE.shape, bool)
BLOB[5:13, 6:14, 6:15] = RNG.random((8, 8, 9)) < 0.9


def protocol(setting=None, image_type=None, classes=None):
    blocks = {"setting": setting or {}, "imageType": image_type or {"Original": {}}, "featureClass": classes or CLASSES}
    return Protocol.from_dict(dict.fromkeys(("name", "title", "purpose", "source"), "test") | blocks)


def features(values):
    return Features(values, {}, {}, (), "p-1")


def test_the_largest_difference_of_each_class():
    ours = {Label(1): {"original_glcm_Idm": 1.0, "log_glcm_Idm": 4.0}, Label(2): {"original_shape_A": 2.0}}
    theirs = {Label(1): {"original_glcm_Idm": 1.1, "log_glcm_Idm": 5.0}, Label(2): {"original_shape_A": 2.0}}
    theirs[Label(2)] |= {"original_glcm_Idm": 3.0}
    glcm, shape = largest_differences(*({r: features(v) for r, v in t.items()} for t in (ours, theirs)))
    assert (glcm.group, glcm.compared, glcm.feature, glcm.region) == ("glcm", 2, "log_glcm_Idm", "label 1")
    assert (glcm.ours, glcm.theirs, glcm.relative) == (4.0, 5.0, pytest.approx(0.2))
    assert (glcm.only_ours, glcm.only_theirs) == ((), ("label 2: original_glcm_Idm",))
    assert (shape.compared, shape.relative) == (1, 0.0)


def test_a_class_that_only_one_table_has_is_not_compared():
    (found,) = largest_differences({Label(1): features({"original_glcm_Idm": 1.0})}, {})
    assert (found.compared, found.ours, found.only_ours) == (0, None, ("label 1: original_glcm_Idm",))


def test_rounding_of_zero_is_no_difference():
    assert relative_difference(1e-16, -1e-16) == 0
    assert relative_difference(1e-9, 0) == 1


def turned(angle):
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def spaced(*spacing):
    return np.diag([*spacing, 1.0])


def only(*places):
    mask = np.zeros(NOISE.shape, bool)
    for place in places:
        mask[place] = True
    return mask


TO_1 = {"resampledPixelSpacing": [1, 1, 1], "binWidth": 20}
TO_2 = {"resampledPixelSpacing": [2, 2, 2], "binWidth": 10}
CASES = {
    "plain": (NOISE, BLOB, np.eye(4), {}),
    "int16": (NOISE.astype(np.int16), BLOB, spaced(1.5, 1.5, 1.5), TO_1),
    "float32": (NOISE.astype(np.float32), BLOB, spaced(0.7, 0.7, 1.25), TO_1),
    "uint8": (np.clip(NOISE / 3, 0, 255).astype(np.uint8), BLOB, spaced(2, 2, 2), TO_1 | {"binWidth": 5}),
    "float64": (NOISE, BLOB, spaced(2, 2, 2), TO_1),
    "1 to 3 mm": (NOISE, BLOB, spaced(1, 2, 3), TO_1),
    "3 mm": (NOISE, BLOB, spaced(3, 3, 3), TO_1),
    "anisotropic": (NOISE, BLOB, spaced(0.8, 0.9, 3), TO_2),
    "oblique": (NOISE, BLOB, turned(0.3) @ spaced(1.3, 1.1, 1.7), TO_1),
    "flipped": (NOISE, BLOB, spaced(-1.3, -1.1, 1.7), TO_1),
    "permuted": (NOISE, BLOB, spaced(1.3, 1.1, 1.7)[[2, 0, 1, 3]], TO_1),
    "at the border": (NOISE, only(np.s_[:4, :5, 16:]), spaced(1.4, 1.4, 1.4), TO_1),
    "tiny": (NOISE, only(np.s_[5:7, 5:7, 5:7]), np.eye(4), {}),
    "tiny, resampled": (NOISE, only(np.s_[5:7, 5:7, 5:7]), spaced(1.6, 1.6, 1.6), TO_1),
    "one slice": (NOISE, only(np.s_[5, 4:12, 4:12]), np.eye(4), {}),
    "one slice, resampled": (NOISE, only(np.s_[5, 4:12, 4:12]), spaced(1.6, 1.6, 2.5), TO_1),
    "isolated voxels": (NOISE, BLOB & ~only(np.s_[9, :, :]) | only(np.s_[1, 1, 1], np.s_[16, 2, 2]), np.eye(4), {}),
    "normalised": (
        NOISE,
        BLOB,
        np.eye(4),
        {"normalize": True, "normalizeScale": 100, "removeOutliers": 3, "binWidth": 5},
    ),
    "clipped on a bin edge": (
        NOISE,
        BLOB,
        spaced(3, 3, 3),
        TO_1 | {"normalize": True, "normalizeScale": 100, "removeOutliers": 0.5, "binWidth": 25},
    ),
    "whole numbers on bin edges": (np.rint(NOISE / 10), BLOB, spaced(3, 3, 3), TO_1 | {"binWidth": 5}),
    "resegmented": (NOISE, BLOB, np.eye(4), {"resegmentRange": [-1, 1.5], "resegmentMode": "sigma"}),
    "resegmented shape": (NOISE, BLOB, np.eye(4), {"resegmentRange": [200, 500], "resegmentShape": True}),
    "distances": (NOISE, BLOB, spaced(1, 1.2, 2), {"distances": [1, 2], "weightingNorm": "euclidean"}),
    "asymmetric": (NOISE, BLOB, np.eye(4), {"symmetricalGLCM": False, "gldm_a": 1, "binCount": 12}),
    "in slices": (NOISE, BLOB, np.eye(4), {"force2D": True, "force2Ddimension": 1, "voxelArrayShift": 300}),
}


@pytest.fixture
def both(agree):
    """Compute a region with both engines, assert that they agree, and return what ours finds."""

    def compared(volume, mask, chosen, case):
        ours, theirs = (engine(volume, mask, chosen) for engine in (extract, extract_by_pyradiomics))
        assert len(theirs.values) > 90
        assert ours.protocol_id == theirs.protocol_id
        assert ours.diagnostics["voxels"] == theirs.diagnostics["voxels"]
        assert set(ours.absent) == set(theirs.absent)
        agree(ours.values, theirs.values, case)
        return ours

    return compared


@live
@pytest.mark.parametrize("case", CASES)
def test_both_engines_agree(both, case):
    image, mask, matrix, setting = CASES[case]
    both(Volume(image, matrix), Mask(mask, matrix), protocol(setting), f"noise, {case}")


FILTERS = {
    "LoG": {"sigma": [1.0, 2.5]},
    "Wavelet": {"wavelet": "coif1", "start_level": 0, "level": 2},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "Gradient": {"gradientUseSpacing": False},
}


@live
@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_both_engines_agree_on_every_image_type(both, kind):
    matrix = turned(-0.2) @ spaced(1.3, 1.1, 1.7)
    volume = Volume(NOISE.astype(kind), matrix)
    both(volume, Mask(BLOB, matrix), protocol(TO_1, FILTERS), f"noise, every image type, {kind.__name__}")


REAL = {
    "3 mm": ("ct_abdomen_3mm/ct.nii.gz", "ct_abdomen_3mm/totalsegmentator_labels.nii.gz", 31),
    "1.5 mm": (
        "ct_l3_subregions/sub-ct_label-22_ct.nii.gz",
        "ct_l3_subregions/sub-ct_seg-subreg_label-22_msk.nii.gz",
        50,
    ),
    "1 mm": (
        "ct_l2_calibrated/sub-verse004_0000_vertebra_21_im.nii.gz",
        "ct_l2_calibrated/sub-verse004_0000_vertebra_21_seg.nii.gz",
        1,
    ),
}


@live
@pytest.mark.parametrize("case", REAL)
@pytest.mark.parametrize("name", ["residual-back-pain", "malignant-fracture"])
def test_both_engines_agree_on_real_bone(shared_data, read_image, both, case, name):
    image, mask, label = REAL[case]
    array, matrix = read_image(shared_data / image)
    grids = Volume(array, matrix), Mask(read_image(shared_data / mask)[0] == label, matrix)
    chosen = Protocol.load(name)
    assert set(both(*grids, chosen, f"{name} {case} CT").values) == set(chosen.feature_names)


@live
def test_where_glcm_is_undefined_both_leave_it_out():
    chosen, matrix = protocol({"minimumROIDimensions": 1}), np.eye(4)
    mask = only(np.s_[2, 2, 2], np.s_[6, 5, 7], np.s_[10, 12, 3], np.s_[14, 3, 15])
    ours, theirs = (
        engine(Volume(NOISE, matrix), Mask(mask, matrix), chosen) for engine in (extract, extract_by_pyradiomics)
    )
    assert {name for name in theirs.absent if "glcm" in name} <= set(ours.absent)
    assert "original_glcm_JointEnergy" not in ours.values
    shared = set(ours.values) & set(theirs.values)
    assert len(shared) > 40
    assert {n: ours.values[n] for n in shared} == pytest.approx(
        {n: theirs.values[n] for n in shared}, rel=1e-6, abs=1e-12
    )


@live
@pytest.mark.parametrize(
    ("image", "mask", "setting", "words"),
    [
        (NOISE, only(np.s_[5, 5, 5]), {}, "PyRadiomics does not describe the region"),
        (NOISE, BLOB, {"minimumROISize": 9999}, "PyRadiomics does not describe the region"),
        (np.where(BLOB, np.nan, NOISE), BLOB, {"normalize": True}, "PyRadiomics does not describe the region"),
    ],
)
def test_what_pyradiomics_refuses_is_told_in_its_words(image, mask, setting, words):
    with pytest.raises(UserError) as error:
        extract_by_pyradiomics(Volume(image, np.eye(4)), Mask(mask, np.eye(4)), protocol(setting))
    assert words in str(error.value)


@live
def test_pyradiomics_gets_no_mask_of_another_grid():
    with pytest.raises(UserError, match="different grids"):
        extract_by_pyradiomics(Volume(NOISE, np.eye(4)), Mask(BLOB[1:], np.eye(4)), protocol(TO_2))


@pytest.fixture
def files(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(NOISE.astype(np.int16)), str(tmp_path / "image.nrrd"))
    labels = np.where(BLOB, 3, 0).astype(np.uint8)
    labels[0, 0, 0] = 4
    sitk.WriteImage(sitk.GetImageFromArray(labels), str(tmp_path / "mask.nrrd"))
    return ["--image", str(tmp_path / "image.nrrd"), "--mask", str(tmp_path / "mask.nrrd"), "--protocol", "ct-original"]


def features_command(out, *arguments):
    command = [sys.executable, "-m", "OVFRiskLib.cli", "features", str(out), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    with (out / "features.csv").open(newline="") as file:
        return done, {row["region"]: row for row in csv.DictReader(file)}


@live
def test_both_through_the_command_line(files, tmp_path):
    done, rows = features_command(tmp_path / "both", *files, "--engine", "both")
    assert done.stderr.strip() == ""  # PyRadiomics' own messages stay off the terminal
    assert "Largest relative difference to PyRadiomics 3.0.1" in done.stdout
    run = json.loads((tmp_path / "both/run.json").read_text())
    assert [d["group"] for d in run["differences"]] == list(CLASSES)
    assert all(0 <= d["relative"] < 1e-6 for d in run["differences"])
    assert sum(d["compared"] for d in run["differences"]) == 107
    assert run["pyradiomics"] == "3.0.1"
    assert run["tables"] == ["features.csv", "features-pyradiomics.csv"]
    _, theirs = features_command(tmp_path / "theirs", *files, "--engine", "pyradiomics")
    with (tmp_path / "both/features-pyradiomics.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == list(theirs.values())
    assert list(rows["label 3"]) == list(theirs["label 3"])
    assert "PyRadiomics does not describe" in theirs["label 4"]["note"]
    assert "single voxel" in rows["label 4"]["note"]


@live
def test_values_that_one_engine_has_alone_are_told(files, tmp_path):
    gap = NOISE.astype(np.float32)
    gap[0, 0, 0] = np.nan  # far from the region: without effect here, refused there
    sitk.WriteImage(sitk.GetImageFromArray(gap), str(tmp_path / "gap.nrrd"))
    normalised = tmp_path / "normalised.json"
    normalised.write_text(json.dumps(protocol({"normalize": True, "binWidth": 0.2}).to_dict()))
    options = ("--image", str(tmp_path / "gap.nrrd"), *files[2:4], "--protocol", str(normalised))
    done, rows = features_command(tmp_path / "both", *options, "--engine", "both")
    assert float(rows["label 3"]["original_glcm_Idm"]) > 0
    assert "glcm: 24 values only OVFRisk has, e.g. label 3: original_glcm_Autocorrelation" in done.stdout
    run = json.loads((tmp_path / "both/run.json").read_text())
    assert all(d["compared"] == 0 for d in run["differences"])


@live
def test_pyradiomics_warnings_reach_the_note():
    chosen = protocol({"normalize": True, "binWidth": 0.1, "force2D": False}, classes={"glcm": ["SumAverage"]})
    found = extract_by_pyradiomics(Volume(NOISE, np.eye(4)), Mask(BLOB, np.eye(4)), chosen)
    assert any("Sum Average" in text for text in found.warnings)
