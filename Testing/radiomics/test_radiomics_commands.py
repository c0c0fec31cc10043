"""``ovfrisk features`` and ``ovfrisk protocols``, as a user runs them."""

import csv
import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from OVFRiskLib import cli
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.image import Mask, Modality
from OVFRiskLib.radiomics import Protocol, extract, protocol_names
from OVFRiskLib.resources import resource

RNG = np.random.default_rng(3)
IMAGE = RNG.normal(150, 60, (16, 15, 14)).astype(np.float32)
LABELS = np.zeros(IMAGE.shape, np.uint8)
LABELS[3:8, 3:10, 3:10] = 5
LABELS[9:14, 3:10, 3:10] = 200
KEYS = ["subject", "region", "level", "compartment", "protocol_id"]


@pytest.fixture
def ovfrisk(monkeypatch, capsys):
    """Run the command in this process; return its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ovfrisk", *map(str, arguments)])
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            signal.signal(signal.SIGTERM, before)
        printed = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code or 0, out=printed.out, err=printed.err)

    monkeypatch.setenv("COLUMNS", "200")
    return run


@pytest.fixture
def write(tmp_path):
    """Write an array (k, j, i) as an image file and return its path."""

    def written(name, array, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), direction=None):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        if direction is not None:
            image.SetDirection(direction)
        sitk.WriteImage(image, str(tmp_path / name))
        return tmp_path / name

    return written


@pytest.fixture
def files(write):
    return ["--image", write("image.nrrd", IMAGE), "--mask", write("mask.nrrd", LABELS)]


@pytest.fixture
def plain(tmp_path):
    """A protocol without resampling; return its path."""
    return _protocol(tmp_path, "plain", {"binWidth": 10})


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results" / "out"


def _protocol(folder, name, setting):
    blocks = {"setting": setting, "imageType": {"Original": {}}, "featureClass": {"firstorder": [], "glcm": []}}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(blocks | {"name": name, "title": "t", "purpose": "p", "source": "s"}))
    return path


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def manifest(out):
    return json.loads((out / "run.json").read_text())


def refused(done, out, *words):
    assert done.code == 2, done.err
    assert len(done.err.strip().splitlines()) == 2, done.err
    for word in words:
        assert word in done.err
    assert not out.exists()
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_a_row_a_region_with_the_values_of_the_library(ovfrisk, files, plain, out):
    done = ovfrisk("features", out, *files, "--protocol", plain)
    assert done.code == 0, done.err
    found = rows(out / "features.csv")
    protocol, volume = Protocol.load(plain), read_volume(files[1], Modality.OTHER)
    assert [row["region"] for row in found] == ["label 5", "label 200"]
    for row, value in zip(found, (5, 200)):
        assert list(row)[:5] == KEYS
        assert row["protocol_id"] == protocol.id
        assert row["note"] == ""
        expected = extract(volume, Mask(LABELS == value, volume.ijk_to_ras), protocol).values
        assert {name: float(row[name]) for name in expected} == pytest.approx(dict(expected), rel=1e-9)
        assert set(row) == {*KEYS, *expected, "note"}


def test_the_manifest_holds_what_is_needed_to_trust_the_table(ovfrisk, files, tmp_path, out):
    resampling = {
        "resampledPixelSpacing": [2, 2, 2],
        "binWidth": 30,
        "resegmentRange": [-1, 1],
        "resegmentMode": "sigma",
    }
    assert ovfrisk("features", out, *files, "--protocol", _protocol(tmp_path, "p", resampling)).code == 0
    run = manifest(out)
    assert {"ovfrisk", "python", "numpy", "simpleitk"} <= set(run["software"])
    assert run["engine"] == "ovfrisk"
    assert run["notes"] == []
    assert run["protocol"]["setting"]["binWidth"] == 30
    assert run["tables"] == ["features.csv"]
    assert all(len(run[part]["hash"]) == 16 for part in ("image", "mask"))
    assert {"read", "loading_kernels", "ovfrisk"} == set(run["seconds"])
    region = run["regions"]["label 5"]
    assert region["voxels"]["mask"] == 5 * 7 * 7
    assert 0 < region["voxels"]["resegmented"] < region["voxels"]["resampled"] < region["voxels"]["mask"]
    assert 1 < region["grey_levels"]["original"] < 8
    assert region["constant_features"] == []
    assert any("grey levels here" in text for text in region["warnings"])
    assert "grey levels here" in rows(out / "features.csv")[0]["note"]


def test_traps_are_told_in_the_note(ovfrisk, write, tmp_path, out):
    image, mask = (
        write(name, a, (1.5, 1.5, 1.5)) for name, a in (("i.nrrd", IMAGE.astype(np.int16)), ("m.nrrd", LABELS))
    )
    protocol = _protocol(tmp_path, "p", {"resampledPixelSpacing": [1, 1, 1], "binWidth": 100})
    done = ovfrisk("features", out, "--image", image, "--mask", mask, "--protocol", protocol)
    note = rows(out / "features.csv")[0]["note"]
    for trap in ("cut to integers", "halfway between two voxels", "The image type original has"):
        assert trap in note
    for trap in ("cut to integers", "halfway between two voxels", "Few grey levels"):
        assert trap in " ".join(done.out.split())


def test_wide_and_long_csv_and_parquet_hold_the_same(ovfrisk, files, plain, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    tables = {}
    for layout in ("wide", "long"):
        for kind in ("csv", "parquet"):
            out = tmp_path / f"{layout}-{kind}"
            options = ("--protocol", plain, "--layout", layout, "--format", kind)
            assert ovfrisk("features", out, *files, *options).code == 0
            path = out / f"features.{kind}"
            tables[layout, kind] = rows(path) if kind == "csv" else parquet.read_table(path).to_pylist()
    wide, long = tables["wide", "parquet"], tables["long", "parquet"]
    names = [name for name in wide[0] if name not in (*KEYS, "note")]
    assert {(r["region"], r["name"]): r["value"] for r in long} == {(r["region"], n): r[n] for r in wide for n in names}
    assert {"_".join((r["image_type"], r["feature_class"], r["feature"])) for r in long} == set(names)
    assert {r["quality"] for r in long} == {"ok"}
    for layout, table in (("wide", wide), ("long", long)):
        text = tables[layout, "csv"]
        assert list(text[0]) == list(table[0])
        for cells, row in zip(text, table, strict=True):
            assert all(cells[name] == row[name] for name in row if isinstance(row[name], str))
            numbers = {name: value for name, value in row.items() if isinstance(value, float)}
            assert {name: float(cells[name]) for name in numbers} == pytest.approx(numbers, rel=1e-9)


def test_a_scheme_gives_rows_with_level_and_compartment(ovfrisk, write, plain, out):
    levels = np.where(LABELS == 200, 20, np.where(LABELS == 5, 21, 0)).astype(np.uint8)  # VerSe: L1 above L2
    options = ("--image", write("i.nrrd", IMAGE), "--mask", write("m.nrrd", levels), "--scheme", "verse")
    assert ovfrisk("features", out, *options, "--protocol", plain).code == 0
    found = [[row[key] for key in ("region", "level", "compartment")] for row in rows(out / "features.csv")]
    assert found == [["L1 whole", "L1", "whole"], ["L2 whole", "L2", "whole"]]


def test_label_chooses_and_names_those_present(ovfrisk, files, plain, out):
    assert ovfrisk("features", out, *files, "--protocol", plain, "--label", "200").code == 0
    assert [row["region"] for row in rows(out / "features.csv")] == ["label 200"]
    again = out.with_name("again")
    done = ovfrisk("features", again, *files, "--protocol", plain, "--label", "5", "--label", "6")
    assert done.code == 2
    assert "no label 6" in done.err
    assert "5, 200" in done.err
    assert not again.exists()


def test_a_mask_stored_otherwise_gives_the_same_values(ovfrisk, write, files, plain, out, tmp_path):
    assert ovfrisk("features", out, *files, "--protocol", plain).code == 0
    flipped = write("flipped.nrrd", LABELS[:, :, ::-1], origin=(13, 0, 0), direction=(-1, 0, 0, 0, 1, 0, 0, 0, 1))
    other = tmp_path / "other"
    assert ovfrisk("features", other, *files[:2], "--mask", flipped, "--protocol", plain).code == 0
    first, second = rows(out / "features.csv"), rows(other / "features.csv")
    assert all("matched voxel for voxel" in row.pop("note") for row in second)
    assert second == [{key: value for key, value in row.items() if key != "note"} for row in first]


def test_a_mask_on_another_grid_is_resampled_and_that_is_said(ovfrisk, write, files, plain, out):
    fine = write("fine.nrrd", LABELS.repeat(2, 0).repeat(2, 1).repeat(2, 2), (0.5,) * 3, (-0.25,) * 3)
    done = ovfrisk("features", out, *files[:2], "--mask", fine, "--protocol", plain)
    assert done.code == 0, done.err
    assert "was resampled onto the image's grid" in done.out
    assert all("was resampled onto the image's grid" in row["note"] for row in rows(out / "features.csv"))
    run = manifest(out)
    assert any("was resampled" in note for note in run["notes"])
    assert [run["regions"][name]["voxels"]["mask"] for name in ("label 5", "label 200")] == [245, 245]


def test_one_region_that_cannot_be_described_takes_nothing_from_the_others(ovfrisk, write, files, plain, out):
    mask = LABELS.copy()
    mask[0, 0, 0] = 9
    done = ovfrisk("features", out, *files[:2], "--mask", write("m.nrrd", mask), "--protocol", plain)
    assert done.code == 0, done.err
    found = {row["region"]: row for row in rows(out / "features.csv")}
    assert found["label 9"]["original_glcm_Idm"] == ""
    assert "single voxel" in found["label 9"]["note"]
    assert float(found["label 5"]["original_glcm_Idm"]) > 0
    assert "label 9: 42 values absent: The region is a single voxel." in done.out


def test_a_constant_region_has_its_constants_named(ovfrisk, write, plain, out):
    image = np.where(LABELS == 5, np.float32(40), IMAGE)
    options = ("--image", write("i.nrrd", image), "--mask", write("m.nrrd", LABELS), "--label", "5")
    assert ovfrisk("features", out, *options, "--protocol", plain, "--layout", "long").code == 0
    found = {row["name"]: row for row in rows(out / "features.csv")}
    skewness, idm, mean = (found[f"original_{name}"] for name in ("firstorder_Skewness", "glcm_Idm", "firstorder_Mean"))
    assert (skewness["value"], skewness["quality"]) == ("", "absent")
    assert "all intensities of the region are equal" in skewness["note"]
    assert idm["quality"] == "flagged"
    assert idm["note"].startswith("fixed by the single grey level")
    assert not mean["note"].startswith("fixed")
    region = manifest(out)["regions"]["label 5"]
    assert region["grey_levels"] == {"original": 1}
    assert "original_glcm_Idm" in region["constant_features"]


def _hole(value, place):
    image = IMAGE.copy()
    image[place] = value
    return image


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_gap_inside_a_region_is_refused_and_outside_without_effect(
    ovfrisk, write, files, plain, out, tmp_path, value
):
    holed = write("holed.nrrd", _hole(value, (4, 5, 5)))
    only = ("--label", "5", "--protocol", plain)
    refused(ovfrisk("features", out, "--image", holed, *files[2:], *only), out, "label 5", "1 voxels", "no intensity")
    outside = write("outside.nrrd", _hole(value, (0, 0, 0)))
    tables = {}
    for name, image in (("whole", files[1]), ("gap", outside)):
        assert ovfrisk("features", tmp_path / name, "--image", image, *files[2:], *only).code == 0
        tables[name] = rows(tmp_path / name / "features.csv")[0]
    assert "outside the region have no intensity" in tables["gap"].pop("note")
    assert tables["whole"].pop("note") == ""
    assert tables["gap"] == tables["whole"]


def _one_voxel():
    mask = np.zeros_like(LABELS)
    mask[5, 5, 5] = 3
    return mask


def _corners():
    mask = np.zeros_like(LABELS)
    mask[0, 0, :2] = mask[0, 1, 0] = 3
    return mask


@pytest.mark.parametrize(
    ("mask", "setting", "words"),
    [
        (np.zeros_like(LABELS), {}, ("m.nrrd is empty",)),
        (_one_voxel(), {}, ("label 3", "single voxel")),
        (_corners(), {"resampledPixelSpacing": [9, 9, 9]}, ("label 3", "is left at")),
        (LABELS, {"resegmentRange": [5000, 6000]}, ("label 5", "resegmentRange")),
        (LABELS, {"minimumROISize": 9999}, ("label 5", "more than 9999")),
        (LABELS, {"binWidth": 1e-9}, ("label 5", "too fine")),
        (LABELS * np.float32(0.3), {}, ("m.nrrd holds fractions",)),
        (np.arange(LABELS.size, dtype=np.int32).reshape(LABELS.shape), {}, ("looks like an image", "--label")),
    ],
)
def test_regions_that_cannot_be_described(ovfrisk, write, tmp_path, out, mask, setting, words):
    options = ("--image", write("i.nrrd", IMAGE), "--mask", write("m.nrrd", mask))
    done = ovfrisk("features", out, *options, "--protocol", _protocol(tmp_path, "p", setting))
    refused(done, out, *words)


def test_a_mask_of_another_place(ovfrisk, write, files, plain, out):
    far = write("far.nrrd", LABELS, origin=(500, 0, 0))
    refused(ovfrisk("features", out, *files[:2], "--mask", far, "--protocol", plain), out, "do not overlap", "far")


def test_a_constant_image_cannot_be_normalised(ovfrisk, write, files, tmp_path, out):
    flat = write("flat.nrrd", np.ones_like(IMAGE))
    protocol = _protocol(tmp_path, "p", {"normalize": True})
    refused(ovfrisk("features", out, "--image", flat, *files[2:], "--protocol", protocol), out, "flat.nrrd", "single")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--protocol", "secret-sauce"), ("secret-sauce", "ct-original")),
        (("--protocol", "ct-original", "--scheme", "verse", "--label", "5"), ("--scheme verse", "--label 5")),
        (("--protocol", "ct-original", "--scheme", "toothfairy"), ("toothfairy", "verse")),
        (("--protocol", "ct-original", "--image", "/no/such.nii"), ("/no/such.nii",)),
        (("--protocol", "ct-original", "--mask", "/no/such.nii"), ("/no/such.nii",)),
    ],
)
def test_wrong_options(ovfrisk, files, out, options, words):
    refused(ovfrisk("features", out, *files, *options), out, *words)


@pytest.mark.parametrize(
    ("package", "options", "words"),
    [
        ("radiomics", ("--engine", "pyradiomics"), ("'pyradiomics'", "'radiomics'")),
        ("radiomics", ("--engine", "both"), ("'pyradiomics'", "'radiomics'")),
        ("pyarrow", ("--format", "parquet"), ("Writing Parquet", "'pyarrow'")),
    ],
)
def test_what_is_not_installed_is_named(ovfrisk, files, plain, out, monkeypatch, package, options, words):
    monkeypatch.setitem(sys.modules, package, None)
    refused(ovfrisk("features", out, *files, "--protocol", plain, *options), out, *words)


def test_an_earlier_result_is_kept_unless_overwritten(ovfrisk, files, plain, out):
    arguments = ("features", out, *files, "--protocol", plain)
    assert ovfrisk(*arguments).code == 0
    before = (out / "run.json").read_bytes()
    assert ovfrisk(*arguments, "--layout", "long").code == 2
    assert (out / "run.json").read_bytes() == before
    assert ovfrisk(*arguments, "--layout", "long", "--overwrite").code == 0
    assert manifest(out)["layout"] == "long"


def test_the_same_input_gives_the_same_table(ovfrisk, files, plain, tmp_path):
    for name in ("a", "b"):
        assert ovfrisk("features", tmp_path / name, *files, "--protocol", plain).code == 0
    assert (tmp_path / "a/features.csv").read_bytes() == (tmp_path / "b/features.csv").read_bytes()


def test_protocols_are_listed_and_shown(ovfrisk):
    listed = ovfrisk("protocols", "list").out
    for name in protocol_names():
        assert name in listed
    shown = ovfrisk("protocols", "show", "ct-original").out
    for text in ("107 features", "binWidth", "sitkBSpline", "JointEnergy", Protocol.load("ct-original").id):
        assert text in shown


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_a_protocol_shown_as_a_file_is_one(ovfrisk, tmp_path, kind):
    path = tmp_path / f"ct-original.{kind}"
    path.write_text(ovfrisk("protocols", "show", "ct-original", "--format", kind).out)
    assert Protocol.load(path).id == Protocol.load("ct-original").id


def test_protocols_that_differ_and_that_do_not(ovfrisk, tmp_path):
    a, b = (_protocol(tmp_path, f"width-{width}", {"binWidth": width}) for width in (5, 50))
    told = ovfrisk("protocols", "compare", a, b).out
    line = next(line for line in told.splitlines() if "binWidth" in line)
    assert "5.0" in line
    assert "50.0" in line
    assert "interpolator" not in told
    told = " ".join(ovfrisk("protocols", "compare", "residual-back-pain", "malignant-fracture").out.split())
    assert "imageType LoG │ yes │ no" in told
    assert "same values" in ovfrisk("protocols", "compare", a, a).out


def test_protocols_that_are_none(ovfrisk):
    for arguments in (("show", "nothing"), ("compare", "ct-original", "nothing")):
        done = ovfrisk("protocols", *arguments)
        assert done.code == 2
        assert "nothing" in done.err
        assert len(done.err.strip().splitlines()) == 2


def test_conformance_with_ibsi(ovfrisk, shared_data):
    folder = shared_data / "radiomics_ibsi_digital_phantom"
    files = [folder / name for name in ("image.nii.gz", "mask.nii.gz", "reference_values.csv")]
    done = ovfrisk("protocols", "conformance", *files)
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    assert "102 of 105 features with a reference value agree, 3 are defined otherwise" in text
    for part in ("glcm_Idmn", "WF0Z", "excess kurtosis", "IBSI does not define this feature"):
        assert part in text
    known = ovfrisk("protocols", "conformance")
    assert (known.code, known.out) == (0, done.out)
    incomplete = ovfrisk("protocols", "conformance", files[0])
    assert incomplete.code == 2
    assert "Give all three" in incomplete.err
    wrong = ovfrisk("protocols", "conformance", *files[:2], files[0])
    assert wrong.code == 2
    assert "image.nii.gz" in wrong.err


def test_files_for_other_programs_are_printed(ovfrisk):
    for arguments, path in (
        (("schema",), "Schemas/protocol.schema.json"),
        (("conformance", "--json"), "Conformance/ibsi-digital-phantom.json"),
    ):
        assert ovfrisk("protocols", *arguments).out == resource(*path.split("/")).read_text("utf-8")


def test_a_field_of_view_that_fixes_values_is_told(ovfrisk, files, tmp_path, out):
    path = _protocol(tmp_path, "squares", {})
    layout = json.loads(path.read_text()) | {"imageType": {"Original": {}, "Square": {}, "Logarithm": {}}}
    path.write_text(json.dumps(layout))
    done = ovfrisk("features", out, *files, "--protocol", path, "--layout", "long")
    told = " ".join(done.out.split())
    for name in ("square", "logarithm"):
        assert told.count(f"The image type {name} is scaled by the largest intensity of the whole image") == 1
    quality = {row["image_type"]: (row["quality"], row["note"]) for row in rows(out / "features.csv")}
    assert quality["original"] == ("ok", "")
    assert quality["square"][0] == "flagged"
    assert "The image type square is scaled" in quality["square"][1]
    assert "logarithm" not in quality["square"][1]


def test_a_value_that_differs_without_reason_ends_with_exit_code_1(ovfrisk, shared_data, tmp_path):
    folder = shared_data / "radiomics_ibsi_digital_phantom"
    references = tmp_path / "references.csv"
    references.write_text("reference value;tolerance;tag\n77;1;stat_mean\n")
    done = ovfrisk("protocols", "conformance", folder / "image.nii.gz", folder / "mask.nii.gz", references)
    assert done.code == 1
    assert "Different without a known reason: firstorder_Mean." in done.out


def test_the_module_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "OVFRiskLib.cli", "features", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "--engine" in done.stdout
