"""What a user can get wrong: one clear message, exit code 2, nothing written, nothing harmed."""

import signal
import subprocess
import sys
import time

import pytest

ABDOMEN = ("ct_abdomen_3mm/ct.nii.gz", "ct_abdomen_3mm/totalsegmentator_labels.nii.gz")


def refused(done, out, *words):
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    for word in words:
        assert word in done.stderr
    assert not out.exists()
    assert not [path for path in out.parent.iterdir() if "partial" in path.name]


@pytest.fixture
def abdomen(shared_data):
    ct, labels = (shared_data / name for name in ABDOMEN)
    return ["--ct", ct, "--labels", labels, "--scheme", "totalsegmentator"]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_a_wrong_path(ovfrisk, out, abdomen):
    refused(ovfrisk("analyze", out, "--ct", "/no/such/ct.nii.gz", *abdomen[2:]), out, "/no/such/ct.nii.gz")


def test_no_scheme(ovfrisk, out, abdomen):
    refused(ovfrisk("analyze", out, *abdomen[:4]), out, "--scheme", "verse")


def test_an_unknown_scheme(ovfrisk, out, abdomen):
    refused(ovfrisk("analyze", out, *abdomen[:4], "--scheme", "toothfairy"), out, "toothfairy", "verse")


def test_a_scheme_that_fits_nothing(ovfrisk, out, abdomen):
    refused(ovfrisk("analyze", out, *abdomen[:4], "--scheme", "totalspineseg", "--levels", "L3"), out)


def test_labels_of_another_patient(ovfrisk, out, abdomen, phantom_folder):
    other = ["--labels", phantom_folder / "labels.nii.gz", "--scheme", "ovfrisk"]
    refused(ovfrisk("analyze", out, *abdomen[:2], *other), out)


def test_a_ct_given_as_t1(ovfrisk, out, abdomen, shared_data):
    bodies = shared_data / "mr_pair_t1_t2/t1_bodies.nii.gz"
    refused(ovfrisk("analyze", out, "--t1", abdomen[1], "--mr-labels", bodies, "--mr-scheme", "verse"), out, "T1")


def test_an_mr_given_as_ct(ovfrisk, out, abdomen, shared_data):
    refused(ovfrisk("analyze", out, "--ct", shared_data / "mr_pair_t1_t2/t1.nii.gz", *abdomen[2:]), out, "CT")


def test_an_empty_mask(ovfrisk, out, abdomen, tmp_path):
    import numpy as np
    import SimpleITK

    empty = SimpleITK.GetImageFromArray(np.zeros((5, 5, 5), dtype=np.uint8))
    SimpleITK.WriteImage(empty, str(tmp_path / "empty.nii.gz"))
    refused(
        ovfrisk("analyze", out, *abdomen[:2], "--labels", tmp_path / "empty.nii.gz", *abdomen[4:]), out, "empty.nii.gz"
    )


def test_a_truncated_file(ovfrisk, out, abdomen, tmp_path):
    whole = abdomen[1].read_bytes()
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    refused(ovfrisk("analyze", out, "--ct", cut, *abdomen[2:]), out, "cut.nii.gz")


def test_an_unmeasured_level(ovfrisk, out, abdomen):
    refused(ovfrisk("analyze", out, *abdomen, "--levels", "T5"), out, "T5")


def test_nothing_to_analyse(ovfrisk, out):
    refused(ovfrisk("analyze", out), out, "no image")


def test_a_wrong_protocol(ovfrisk, out, abdomen):
    refused(ovfrisk("analyze", out, *abdomen, "--protocol", "secret-sauce"), out, "secret-sauce")


def test_a_wrong_fracture(ovfrisk, out):
    refused(ovfrisk("phantom", out, "--fracture", "L1:shattered:2"), out, "L1:shattered:2")


def test_an_existing_result_is_kept(ovfrisk, phantom_result, phantom_inputs):
    before = (phantom_result / "run.json").read_bytes()
    done = ovfrisk("analyze", phantom_result, *phantom_inputs)
    assert done.returncode == 2
    assert "--overwrite" in done.stderr
    assert (phantom_result / "run.json").read_bytes() == before


def test_a_place_that_cannot_be_written(ovfrisk, abdomen, tmp_path):
    (tmp_path / "file").write_text("")
    done = ovfrisk("analyze", tmp_path / "file" / "out", *abdomen)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing(phantom_inputs, out, how):
    command = [sys.executable, "-m", "OVFRiskLib.cli", "analyze", str(out), *phantom_inputs]
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
