"""Runs the scenarios as Slicer's own kind of test and exits non-zero when one fails; see scenarios.py."""

import sys
import traceback
from pathlib import Path

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from scenarios import SCENARIOS


class OVFRiskScenarios(ScriptedLoadableModuleTest):
    """Each scenario begins with an empty scene, in the module's panel."""

    def runTest(self) -> None:  # noqa: N802 -- Slicer calls it so
        """Run all; the first failure is told at the end."""
        failed = []
        for scenario in SCENARIOS:
            slicer.mrmlScene.Clear(False)
            slicer.util.selectModule("OVFRisk")
            try:
                scenario(slicer.modules.OVFRiskWidget.shell)
                print(f"passed: {scenario.__name__}")
            except Exception:
                traceback.print_exc()
                failed.append(scenario.__name__)
        assert not failed


def main() -> None:
    """Run, and leave Slicer."""
    try:
        OVFRiskScenarios().runTest()
        code = slicer.util.EXIT_SUCCESS
    except Exception:
        traceback.print_exc()
        code = slicer.util.EXIT_FAILURE
    slicer.util.exit(code)


if __name__ == "__main__":
    main()
