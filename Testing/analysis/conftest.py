"""Runs of the command, made once for all test processes and looked at by many tests."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.measurement import MeasurementTable

PHANTOM = ("--seed", "1", "--fracture", "L1:wedge:0.30")


def run_apart(*arguments: object) -> subprocess.CompletedProcess:
    """Run `ovfrisk` as a user does, in a process of its own."""
    command = [sys.executable, "-m", "OVFRiskLib.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="session")
def ovfrisk_apart():
    """The command in a process of its own."""
    return run_apart


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Return the folder that a run of the command writes; the first test process to ask makes it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # pytest-xdist gives each process a folder

    def made(name: str, *arguments: object) -> Path:
        folder = shared / name / "out"
        folder.parent.mkdir(exist_ok=True)
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                done = run_apart(arguments[0], folder, *arguments[1:])
                assert done.returncode == 0, done.stderr
        return folder

    return made


@pytest.fixture(scope="session")
def phantom_folder(once) -> Path:
    """A phantom patient on disk."""
    return once("phantom", "phantom", *PHANTOM)


@pytest.fixture(scope="session")
def phantom_inputs(phantom_folder) -> list[str]:
    """The options that name the phantom's files."""
    files = {
        "--ct": "ct",
        "--labels": "labels",
        "--t1": "t1",
        "--t2": "t2",
        "--stir": "stir",
        "--mr-labels": "mr_bodies",
    }
    given = [part for option, name in files.items() for part in (option, str(phantom_folder / f"{name}.nii.gz"))]
    return [*given, "--scheme", "ovfrisk"]


@pytest.fixture(scope="session")
def phantom_result(once, phantom_inputs) -> Path:
    """The analysis of the phantom patient."""
    return once(
        "phantom-result", "analyze", *phantom_inputs, "--phase", "none", "--rods", "0,50,100,200", "--fractured", "L1"
    )


@pytest.fixture(scope="session")
def abdomen_inputs(shared_data) -> list[str]:
    """The options that name a real CT and TotalSegmentator's labels of it."""
    folder = shared_data / "ct_abdomen_3mm"
    ct, labels = (str(folder / name) for name in ("ct.nii.gz", "totalsegmentator_labels.nii.gz"))
    return ["--ct", ct, "--labels", labels, "--scheme", "totalsegmentator"]


@pytest.fixture(scope="session")
def abdomen_result(once, abdomen_inputs) -> Path:
    """The analysis of the real CT."""
    return once("abdomen-result", "analyze", *abdomen_inputs)


@pytest.fixture(scope="session")
def measurements():
    """Read the measurements of a result folder."""

    def read(folder: Path) -> MeasurementTable:
        return read_measurements(folder / "measurements.csv")

    return read
