"""`ovfrisk segment`, and `ovfrisk analyze --engine`: what they write, refuse and leave behind."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.analysis import Patient, Settings, analyze
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import Modality
from OVFRiskLib.radiomics import Protocol
from OVFRiskLib.segmentation.bundle_network import build_network
from OVFRiskLib.segmentation.training.bundle import write_bundle
from OVFRiskLib.segmentation.training.network import network_definition
from OVFRiskLib.segmentation.training.settings import TrainingSettings
from OVFRiskLib.segmentation.training.train import Trained

LUMBAR = VertebralLevel.span("L1-L5")
FILES = {"segmentation.seg.nrrd", "labels.nii.gz", "overlay.png", "run.json"}
L3 = "L3@-4.7,142.7,315.5"  # the centre of the reference's L3
MEAN_ONLY = {
    "name": "mean-only",
    "title": "The mean",
    "purpose": "Quick tests",
    "source": "these tests",
    "imageType": {"Original": {}},
    "featureClass": {"firstorder": ["Mean"]},
}


@pytest.fixture
def ct(shared_data):
    return shared_data / "ct_abdomen_3mm" / "ct.nii.gz"


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder / "out"


def refused(done, out, *words):
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    for word in words:
        assert word in done.stderr
    assert not list(out.parent.iterdir())


@pytest.mark.usefixtures("totalsegmentator")
def test_the_result_is_complete(ovfrisk, ct, out):
    done = ovfrisk("segment", out, "--ct", ct, "--engine", "totalsegmentator", "--compartments")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == FILES
    labels, segments = read_labels(out / "labels.nii.gz", "ovfrisk"), read_labels(out / "segmentation.seg.nrrd", None)
    assert np.array_equal(labels.array, segments.array)
    for level in LUMBAR:
        assert level in done.stdout
        assert labels.mask(Region(Compartment.CANCELLOUS, level)).volume_mm3 > 10_000
    assert labels.mask(Region(Compartment.BODY, VertebralLevel.T12)).array.any()  # cut off: kept, but not split
    assert "cut off" in done.stdout
    assert (out / "overlay.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("totalsegmentator")
def test_the_manifest_says_how_it_was_made(ovfrisk, ct, out):
    ovfrisk("segment", out, "--ct", ct, "--engine", "totalsegmentator", "--whole", "--fast")
    run = json.loads((out / "run.json").read_text())
    assert run["segmentation"]["engine"] == "totalsegmentator"
    assert run["segmentation"]["whole"]
    assert run["segmentation"]["fast"]
    assert run["image"]["size_ijk"] == [122, 101, 112]
    assert len(run["label_map"]) == 16
    assert any("T13" in text for text in run["corrections"])
    judged = {level["level"]: level for level in run["levels"]}
    assert not judged["T12"]["usable"]
    assert judged["L3"]["usable"]
    assert 0 <= judged["L3"]["quality"] <= 1
    assert judged["T12"]["reasons"]


def test_analyze_measures_what_the_engine_found(ovfrisk, totalsegmentator, ct, out, measurements):
    """An engine in place of --labels gives the values that its label map gives."""
    protocol = totalsegmentator.folder / "mean.json"
    protocol.write_text(json.dumps(MEAN_ONLY))
    how = ("--engine", "totalsegmentator", "--whole", "--protocol", protocol, "--levels", "L3")
    done = ovfrisk("analyze", out, "--ct", ct, *how)
    assert done.returncode == 0, done.stderr
    labels = read_labels(totalsegmentator.folder / "total.nii.gz", "totalsegmentator")
    patient = Patient("patient", ct=read_volume(ct, Modality.CT), ct_labels=labels)
    settings = Settings(Protocol.from_dict(MEAN_ONLY), levels=(VertebralLevel.L3,))
    expected = analyze(patient, settings, lambda *_: None).measurements
    found = measurements(out)
    for name in ("trabecular_attenuation", "anterior_height", "posterior_height"):
        where = {"name": name, "level": VertebralLevel.L3}
        assert found.value(**where) == pytest.approx(expected.value(**where), rel=1e-6)
    run = json.loads((out / "run.json").read_text())
    assert run["segmentation"]["engine"] == "totalsegmentator"
    assert any("T13" in caveat for caveat in run["caveats"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), ("No engine", "automatic")),
        (("--seeds", "x.json"), ("No engine",)),
        (("--engine", "seeded"), ("--seeds",)),
        (("--engine", "monai"), ("--bundle",)),
        (("--engine", "seeded", "--seeds", "/no/such.json"), ("/no/such.json",)),
        (("--engine", "automatic", "--seeds", "x.json"), ("does not use --seeds",)),
        (("--engine", "automatic", "--fast"), ("does not use --fast", "totalsegmentator")),
        (("--engine", "automatic", "--anchor", "L3"), ("'L3'", "LEVEL@R,A,S")),
        (("--engine", "automatic", "--anchor", "L9@1,2,3"), ("L9",)),
        (("--engine", "automatic", "--anchor", "L3@1,2"), ("L3@1,2",)),
        (("--engine", "automatic", "--anchor", "L3@1,2,nan"), ("nan",)),
        (("--engine", "monai", "--bundle", "/no/such"), ("/no/such",)),
    ],
)
def test_what_does_not_fit_is_refused(ovfrisk, ct, out, options, words):
    refused(ovfrisk("segment", out, "--ct", ct, *options), out, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--labels", "x.nii.gz", "--scheme", "verse", "--engine", "automatic"), ("x.nii.gz",)),
        (("--anchor", L3), ("No engine",)),
        (("--whole",), ("No engine",)),
    ],
)
def test_analyze_takes_labels_or_an_engine(ovfrisk, ct, out, options, words):
    refused(ovfrisk("analyze", out, "--ct", ct, *options), out, *words)


def test_analyze_takes_not_both(ovfrisk, abdomen_inputs, out):
    refused(ovfrisk("analyze", out, *abdomen_inputs, "--engine", "automatic"), out, "--labels")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Write the bundle of a small, untrained network: many small windows."""
    pytest.importorskip("monai")
    folder, settings = tmp_path_factory.mktemp("bundle"), TrainingSettings(width=8, patch=16, spacing_mm=2.0)
    weights = build_network(network_definition(settings)).state_dict()
    write_bundle(folder, Trained(settings, weights, (0.7,), ((0.0, 0.0),), 0, (), ()), ())
    return folder


def stopped(out, how, options, sign):
    """Start a segmentation, send a signal as soon as an event holds `sign`, and return its exit code."""
    command = [sys.executable, "-m", "OVFRiskLib.cli", "--events", "segment", str(out), *map(str, options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with process.stdout as events:
        assert any(sign in line for line in events)
        assert list(out.parent.iterdir())  # the work has begun
        process.send_signal(how)
        assert "finished" not in events.read()
    return process.wait(timeout=60)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("engine", "options", "sign"),
    [
        ("seeded", (), "Finding"),
        ("automatic", ("--anchor", L3), "Segmenting"),
        ("totalsegmentator", ("--whole",), "part 2 of 5"),
        ("monai", ("--anchor", L3), "Running the network"),
    ],
)
def test_stopping_leaves_nothing(request, totalsegmentator, ct, out, how, engine, options, sign):
    request.getfixturevalue("monkeypatch").setenv("STANDIN_MODE", "slow")
    if engine == "monai":
        options = (*options, "--bundle", request.getfixturevalue("bundle"))
    if engine == "seeded":
        point = {"level": "L3", "point": [-4.7, 142.7, 315.5]}
        seeds = totalsegmentator.folder / "seeds.json"
        seeds.write_text(json.dumps({"coordinate_system": "RAS", "seeds": [point]}))
        options = ("--seeds", seeds)
    code = stopped(out, how, ("--ct", ct, "--engine", engine, *options), sign)
    assert code != 0
    assert list(out.parent.iterdir()) == []
    pids = totalsegmentator.calls()[0]["pids"] if engine == "totalsegmentator" else []
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in pids)
