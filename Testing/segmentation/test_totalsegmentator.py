"""TotalSegmentator as an engine: its real output converted, its command called on a stand-in."""

import json
import os
import time
from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.files.write_images import write_labels
from OVFRiskLib.image import Modality
from OVFRiskLib.segmentation.engines import ENGINES, Request
from OVFRiskLib.segmentation.totalsegmentator import STATISTICS, converted

LUMBAR = VertebralLevel.span("L1-L5")


def quiet(share, what):
    """No progress."""


def running(pid):
    """Whether a process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def abdomen(shared_data):
    return shared_data / "ct_abdomen_3mm"


@pytest.fixture(scope="module")
def ct(abdomen):
    return read_volume(abdomen / "ct.nii.gz", Modality.CT)


def segment(ct, **request):
    return ENGINES["totalsegmentator"](ct, Request(**request), quiet)


def test_whole_vertebrae_keep_their_levels(ct, abdomen):
    """L1 is 31 in TotalSegmentator's numbers, 20 in ours."""
    path = abdomen / "totalsegmentator_labels.nii.gz"
    given, found = read_labels(path, "totalsegmentator"), converted(ct, path)
    assert found.same_grid(ct)
    assert found.labels[20] == Region(Compartment.WHOLE, VertebralLevel.L1)
    assert np.array_equal(found.array == 20, given.array == 31)
    assert set(found.regions) == set(given.regions)


def test_muscles_come_along(ct, abdomen):
    """86 to 89: erector spinae and psoas, left before right."""
    path = abdomen / "totalsegmentator_fast_labels.nii.gz"
    given, found = read_labels(path, "totalsegmentator"), converted(ct, path)
    for value, muscle in enumerate(
        (
            Structure.ERECTOR_SPINAE_LEFT,
            Structure.ERECTOR_SPINAE_RIGHT,
            Structure.PSOAS_LEFT,
            Structure.PSOAS_RIGHT,
        ),
        start=86,
    ):
        mask = found.mask(Region(muscle)).array
        assert mask.any()
        assert np.array_equal(mask, given.array == value)


def test_bodies_agree_with_another_definition(ct, abdomen):
    """The reference trims TotalSegmentator's bodies by its own rules: the two definitions agree at 0.87 to 0.93."""
    found = converted(ct, abdomen / "totalsegmentator_labels.nii.gz", abdomen / "vertebral_bodies_and_discs.nii.gz")
    reference = read_labels(abdomen / "vertebrae_verse_codes.nii.gz", "verse")
    for level in LUMBAR:
        body = found.mask(Region(Compartment.BODY, level)).array
        other = reference.mask(Region(Compartment.WHOLE, level)).array
        assert 2 * np.sum(body & other) / (body.sum() + other.sum()) > 0.86
        assert not found.mask(Region(Compartment.WHOLE, level)).array.any()
    assert any("no body of T11" in text for text in found.corrections)


def test_the_result_lies_on_a_ct_stored_otherwise(ct, abdomen):
    turned = ct.reoriented("LPI")
    found = converted(turned, abdomen / "totalsegmentator_labels.nii.gz")
    assert found.same_grid(turned)
    straight = converted(ct, abdomen / "totalsegmentator_labels.nii.gz")
    assert np.array_equal(found.reoriented("RAS").array, straight.array)


@pytest.mark.parametrize(("fast", "whole", "tasks"), [(False, False, 2), (True, True, 1)])
def test_the_command_gets_what_it_needs(ct, totalsegmentator, fast, whole, tasks):
    found = segment(ct, fast=fast, whole=whole, device="cuda:1")
    part = Compartment.WHOLE if whole else Compartment.BODY
    assert set(LUMBAR) <= set(found.levels(part))
    calls = totalsegmentator.calls()
    assert [call["task"] for call in calls] == ["total", "vertebrae_body"][:tasks]
    for call in calls:
        assert call["input_is_there"]
        assert call["arguments"][call["arguments"].index("--device") + 1] == "gpu:1"
        assert ("--fast" in call["arguments"]) == (fast and call["task"] == "total")
    asked = calls[0]["arguments"]
    assert {"vertebrae_C1", "vertebrae_S1", "sacrum", "autochthon_left", "iliopsoas_right", "rib_left_12"} <= set(asked)
    assert not {"vertebrae_T13", "vertebrae_L6"} & set(asked)


@pytest.mark.parametrize("wanted", [False, True])
def test_no_statistics_are_sent_unless_wanted(ct, totalsegmentator, monkeypatch, wanted):
    """TotalSegmentator's default is to send them; the user's own settings stay as they were."""
    own = {"totalseg_id": "someone", "send_usage_stats": True, "prediction_counter": 7, "license_number": "aca_1"}
    (totalsegmentator.folder / "config.json").write_text(json.dumps(own))
    if wanted:
        monkeypatch.setenv(STATISTICS, "1")
    segment(ct, whole=True)
    config = totalsegmentator.calls()[0]["config"]
    assert config["send_usage_stats"] is wanted
    assert config["license_number"] == "aca_1"
    assert json.loads((totalsegmentator.folder / "config.json").read_text()) == own


def test_a_missing_package_is_named(ct, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr("OVFRiskLib.segmentation.totalsegmentator.find_spec", lambda _: None)
    with pytest.raises(UserError, match="not installed") as error:
        segment(ct)
    assert "pip install TotalSegmentator" in error.value.what_to_do
    assert "Apache" in error.value.what_to_do


@pytest.mark.parametrize(
    ("number", "request_", "words"),
    [
        (292, {}, ("-t total ", "0.2 GB")),
        (297, {"fast": True}, ("-t total_fast",)),
        (305, {}, ("-t vertebrae_body", "licence number")),
    ],
)
def test_missing_weights_are_named_and_not_downloaded(ct, totalsegmentator, number, request_, words):
    (totalsegmentator.folder / "nnunet" / "results" / f"Dataset{number}_standin").rmdir()
    with pytest.raises(UserError, match=str(number)) as error:
        segment(ct, **request_)
    assert all(word in error.value.what_to_do for word in (*words, "Apache-2.0"))
    assert not (totalsegmentator.folder / "calls").exists()


@pytest.mark.usefixtures("totalsegmentator")
@pytest.mark.parametrize(
    ("mode", "what", "what_to_do"),
    [
        ("fail", "CUDA out of memory", "--fast"),
        ("nothing", "made no result .exit code 0.", "another engine"),
        ("text", "total.nii.gz", ""),
    ],
)
def test_a_failure_says_what_happened(ct, monkeypatch, mode, what, what_to_do):
    monkeypatch.setenv("STANDIN_MODE", mode)
    with pytest.raises(UserError, match=what) as error:
        segment(ct, whole=True)
    assert what_to_do in error.value.what_to_do


@pytest.mark.parametrize(("regions", "what"), [((Region(Structure.PSOAS_LEFT),), "no vertebra"), ((), "is empty")])
def test_a_result_without_vertebrae_is_refused(ct, abdomen, tmp_path, regions, what):
    muscles = read_labels(abdomen / "totalsegmentator_fast_labels.nii.gz", "totalsegmentator").restricted(regions)
    write_labels(tmp_path / "total.nii.gz", replace(muscles, array=muscles.array.astype(np.uint8)))
    with pytest.raises(UserError, match=what):
        converted(ct, tmp_path / "total.nii.gz")


@pytest.mark.usefixtures("totalsegmentator")
def test_progress_goes_on_while_it_is_silent(ct, monkeypatch):
    """The stand-in says nothing for 2.5 s: a report every half second makes five or so."""
    monkeypatch.setenv("STANDIN_MODE", "silent")
    told = []
    ENGINES["totalsegmentator"](ct, Request(whole=True), lambda share, what: told.append((share, what)))
    assert len({what for _, what in told if "TotalSegmentator total" in what}) >= 2
    assert sorted(share for share, _ in told) == [share for share, _ in told]


def test_stopping_ends_it_and_its_children(ct, totalsegmentator, monkeypatch, tmp_path):
    """Stopped as soon as it has started a child of its own; no file stays either."""
    monkeypatch.setenv("STANDIN_MODE", "slow")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def stop(_, what):
        if (totalsegmentator.folder / "calls").exists() and "part" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ENGINES["totalsegmentator"](ct, Request(whole=True), stop)
    pids = totalsegmentator.calls()[0]["pids"]
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(running(pid) for pid in pids)
    assert os.listdir(tmp_path) == []
