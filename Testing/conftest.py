"""Where the tests find real images, and what every part shares."""

from collections.abc import Mapping
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and reference values beside the checkout; the test skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data not found: {SHARED_DATA}")
    return SHARED_DATA


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
