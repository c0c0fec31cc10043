"""What a user can get wrong: one clear message, exit code 2, nothing written, nothing harmed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def refused(done, out, *words):
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    for word in words:
        assert word in done.stderr
    assert not out.exists()
    assert not [path for path in out.parent.iterdir() if "partial" in path.name]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_a_wrong_path(ovfrisk, out, abdomen_inputs):
    refused(ovfrisk("analyze", out, "--ct", "/no/such/ct.nii.gz", *abdomen_inputs[2:]), out, "/no/such/ct.nii.gz")


def test_no_scheme(ovfrisk, out, abdomen_inputs):
    refused(ovfrisk("analyze", out, *abdomen_inputs[:4]), out, "--scheme", "verse")


def test_an_unknown_scheme(ovfrisk, out, abdomen_inputs):
    refused(ovfrisk("analyze", out, *abdomen_inputs[:4], "--scheme", "toothfairy"), out, "toothfairy", "verse")


def test_a_scheme_that_fits_nothing(ovfrisk, out, abdomen_inputs):
    refused(ovfrisk("analyze", out, *abdomen_inputs[:4], "--scheme", "totalspineseg", "--levels", "L3"), out)


def test_labels_of_another_patient(ovfrisk, out, abdomen_inputs, tmp_path):
    """A spine that lies elsewhere: the same labels, 25 mm to the left."""
    import SimpleITK

    labels = SimpleITK.ReadImage(abdomen_inputs[3])
    labels.SetOrigin([mm + shift for mm, shift in zip(labels.GetOrigin(), (25.0, 0.0, 0.0), strict=True)])
    SimpleITK.WriteImage(labels, str(tmp_path / "other.nii.gz"))
    other = ["--labels", tmp_path / "other.nii.gz", *abdomen_inputs[4:]]
    refused(ovfrisk("analyze", out, *abdomen_inputs[:2], *other), out, "does not lie on the bone")


def test_a_ct_given_as_t1(ovfrisk, out, abdomen_inputs, shared_data):
    bodies = shared_data / "mr_pair_t1_t2/t1_bodies.nii.gz"
    refused(
        ovfrisk("analyze", out, "--t1", abdomen_inputs[1], "--mr-labels", bodies, "--mr-scheme", "verse"), out, "T1"
    )


def test_an_mr_given_as_ct(ovfrisk, out, abdomen_inputs, shared_data):
    refused(ovfrisk("analyze", out, "--ct", shared_data / "mr_pair_t1_t2/t1.nii.gz", *abdomen_inputs[2:]), out, "CT")


def test_an_empty_mask(ovfrisk, out, abdomen_inputs, tmp_path):
    import numpy as np
    import SimpleITK

    empty = SimpleITK.GetImageFromArray(np.zeros((5, 5, 5), dtype=np.uint8))
    SimpleITK.WriteImage(empty, str(tmp_path / "empty.nii.gz"))
    refused(
        ovfrisk("analyze", out, *abdomen_inputs[:2], "--labels", tmp_path / "empty.nii.gz", *abdomen_inputs[4:]),
        out,
        "empty.nii.gz",
    )


def test_a_truncated_file(ovfrisk, out, abdomen_inputs, tmp_path):
    whole = Path(abdomen_inputs[1]).read_bytes()
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    refused(ovfrisk("analyze", out, "--ct", cut, *abdomen_inputs[2:]), out, "cut.nii.gz")


def test_an_unmeasured_level(ovfrisk, out, abdomen_inputs):
    refused(ovfrisk("analyze", out, *abdomen_inputs, "--levels", "T5"), out, "T5")


def test_a_wrong_protocol(ovfrisk, out, abdomen_inputs):
    refused(ovfrisk("analyze", out, *abdomen_inputs, "--protocol", "secret-sauce"), out, "secret-sauce")


def test_a_wrong_fracture(ovfrisk, out):
    refused(ovfrisk("phantom", out, "--fracture", "L1:shattered:2"), out, "L1:shattered:2")


def test_an_existing_result_is_kept(ovfrisk, abdomen_inputs, out):
    out.mkdir()
    (out / "run.json").write_text("an earlier result")
    done = ovfrisk("analyze", out, *abdomen_inputs)
    assert done.returncode == 2
    assert "--overwrite" in done.stderr
    assert (out / "run.json").read_text() == "an earlier result"


def test_the_process_ends_with_code_2(ovfrisk_apart, out):
    refused(ovfrisk_apart("analyze", out), out, "no image")


def test_a_place_that_cannot_be_written(ovfrisk, abdomen_inputs, tmp_path):
    (tmp_path / "file").write_text("")
    done = ovfrisk("analyze", tmp_path / "file" / "out", *abdomen_inputs)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing(abdomen_inputs, tmp_path, how):
    out = tmp_path / "place" / "out"
    out.parent.mkdir()
    command = [sys.executable, "-m", "OVFRiskLib.cli", "analyze", str(out), *abdomen_inputs]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(out.parent.iterdir()):  # the work has begun once its temporary folder is there
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(how)
    assert process.wait(timeout=60) != 0
    assert list(out.parent.iterdir()) == []
