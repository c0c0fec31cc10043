"""Where the tests find real images, and what every part shares."""

import io
import json
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from OVFRiskLib import cli

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and reference values beside the checkout; the test skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data not found: {SHARED_DATA}")
    return SHARED_DATA


@dataclass(frozen=True)
class TotalSegmentatorStandIn:
    """TotalSegmentator's command with results that the real one computed; see Testing/standins/totalsegmentator."""

    folder: Path
    environment: Mapping[str, str]

    def calls(self) -> list[dict]:
        """What it was called with, and the numbers of its processes."""
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def totalsegmentator(shared_data, tmp_path_factory, monkeypatch) -> TotalSegmentatorStandIn:
    """The stand-in, installed on the path, with the (empty) folders of all weights."""
    folder = tmp_path_factory.mktemp("totalsegmentator")
    for number in (291, 292, 293, 294, 295, 297, 298, 305):
        (folder / "nnunet" / "results" / f"Dataset{number}_standin").mkdir(parents=True)
    outputs = {"total": "totalsegmentator_labels", "vertebrae_body": "vertebral_bodies_and_discs"}
    for task, name in outputs.items():
        (folder / f"{task}.nii.gz").symlink_to(shared_data / "ct_abdomen_3mm" / f"{name}.nii.gz")
    program = folder / "TotalSegmentator"
    code = "from totalsegmentator.bin.TotalSegmentator import main; main()"
    standins = Path(__file__).parent / "standins"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(standins)!r})\n{code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "TOTALSEG_HOME_DIR": str(folder),
        "STANDIN_RESULTS": str(folder),
        "STANDIN_CALLS": str(folder / "calls"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TOTALSEG_WEIGHTS_PATH", raising=False)
    return TotalSegmentatorStandIn(folder, environment)


def run_here(*arguments: object) -> SimpleNamespace:
    """Run `ovfrisk` in this process: exit code and what it printed."""
    before, out, err, code = sys.argv, io.StringIO(), io.StringIO(), 0
    sys.argv = ["ovfrisk", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = before
    printed = " ".join(out.getvalue().split())  # without the table's line breaks
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue(), printed=printed)


@pytest.fixture(scope="session")
def ovfrisk():
    """The command: `ovfrisk("analyze", OUT, …)` returns exit code, stdout and stderr."""
    return run_here


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write how far the features were from PyRadiomics', case by case and class by class, and print the largest."""
    cases: dict[str, dict[str, float]] = {}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, value in getattr(report, "user_properties", ()):
            if name == "agreement":
                cases.setdefault(value[0], {}).update(value[1])
    if cases:
        path = terminalreporter.config.rootpath / "build" / "agreement.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_agreement_table(cases), "utf-8")
        worst = max((value, f"{group} of {case}") for case, found in cases.items() for group, value in found.items())
        text = f"Largest relative difference to PyRadiomics in {len(cases)} cases: {worst[0]:.1e}, {worst[1]} ({path})"
        terminalreporter.write_line(text)


def _agreement_table(cases: Mapping[str, Mapping[str, float]]) -> str:
    groups = list(dict.fromkeys(group for found in cases.values() for group in sorted(found)))
    cells = [["case", *groups], ["---"] * (len(groups) + 1)]
    for case, found in sorted(cases.items()):
        cells.append([case, *(f"{found[group]:.1e}" if group in found else "" for group in groups)])
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)
