"""Runs of the command, made once and looked at by many tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.measurement import MeasurementTable

PHANTOM = ("--seed", "1", "--fracture", "L1:wedge:0.30")


def run_command(*arguments: object) -> subprocess.CompletedProcess:
    """Run `ovfrisk` as a user does: in a process of its own."""
    command = [sys.executable, "-m", "OVFRiskLib.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="session")
def ovfrisk():
    """The command: `ovfrisk("analyze", OUT, …)` returns the finished process."""
    return run_command


@pytest.fixture(scope="session")
def phantom_folder(tmp_path_factory) -> Path:
    """A phantom patient on disk."""
    folder = tmp_path_factory.mktemp("phantom") / "patient"
    done = run_command("phantom", folder, *PHANTOM)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def phantom_inputs(phantom_folder) -> list[str]:
    """The options that name the phantom's files."""
    options = {
        "--ct": "ct",
        "--labels": "labels",
        "--t1": "t1",
        "--t2": "t2",
        "--stir": "stir",
        "--mr-labels": "mr_bodies",
    }
    given = [part for option, name in options.items() for part in (option, str(phantom_folder / f"{name}.nii.gz"))]
    return [*given, "--scheme", "ovfrisk"]


@pytest.fixture(scope="session")
def phantom_result(tmp_path_factory, phantom_inputs) -> Path:
    """The analysis of the phantom patient."""
    out = tmp_path_factory.mktemp("analysis") / "result"
    done = run_command("analyze", out, *phantom_inputs, "--phase", "none", "--fractured", "L1")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def abdomen_result(tmp_path_factory, shared_data) -> Path:
    """The analysis of a real CT with TotalSegmentator's labels."""
    folder, out = shared_data / "ct_abdomen_3mm", tmp_path_factory.mktemp("abdomen") / "result"
    inputs = ("--ct", folder / "ct.nii.gz", "--labels", folder / "totalsegmentator_labels.nii.gz")
    done = run_command("analyze", out, *inputs, "--scheme", "totalsegmentator")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def measurements():
    """Read the measurements of a result folder."""

    def read(folder: Path) -> MeasurementTable:
        return read_measurements(folder / "measurements.csv")

    return read
