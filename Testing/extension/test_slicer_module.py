"""Slicer's four classes, each run in an interpreter of its own: `slicer` may be a real package here."""

import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "OVFRisk" / "OVFRisk.py"
STANDINS = ROOT / "Testing" / "standins" / "desktop"
HEAVY = {"numpy", "scipy", "SimpleITK", "pydicom", "matplotlib", "jinja2", "pandas", "sklearn", "torch", "vtk", "numba"}
LATER = HEAVY - {"numpy", "scipy", "vtk"}  # not even when the panel opens

# Empty modules in Slicer's place: what is loaded then is what the file itself asks for.
IMPORT = """
import json, sys
from unittest.mock import MagicMock
for name in ("qt", "slicer", "slicer.i18n", "slicer.util", "slicer.ScriptedLoadableModule"):
    sys.modules[name] = MagicMock()
for name in ("", "Widget", "Logic", "Test"):
    setattr(sys.modules["slicer.ScriptedLoadableModule"], f"ScriptedLoadableModule{name}", type(name, (), {}))
sys.modules["slicer.util"].VTKObservationMixin = type("Mixin", (), {})
before = set(sys.modules)
import OVFRisk
print(json.dumps(sorted(set(sys.modules) - before)))
"""

DESKTOP = """
import slicer_app
slicer_app.install()
"""

MODULE_ENTRY = """
import json
from types import SimpleNamespace
import OVFRisk, slicer
parent = SimpleNamespace()
OVFRisk.OVFRisk(parent)
entry = {key: value for key, value in vars(parent).items() if key != "icon"}
entry |= {"icon": not parent.icon.isNull(), "slots": list(slicer.app.slots)}
print(json.dumps(entry))
"""

SELF_TEST = """
import OVFRisk
OVFRisk.OVFRiskTest().runTest()
print("passed")
"""

BROKEN_SELF_TEST = """
import OVFRisk
OVFRisk.OVFRiskTest.test_sample_to_measurement = lambda self: None
OVFRisk.OVFRiskLogic.openResult = lambda self, folder: None
OVFRisk.OVFRiskTest().runTest()
"""

PANEL = """
import json, sys
import OVFRisk, qt
parent = qt.QWidget()
qt.QVBoxLayout(parent)
before = set(sys.modules)
widget = OVFRisk.OVFRiskWidget(parent)
widget.setup()
widget.enter()
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
widget.cleanup()
"""

needs_qt = pytest.mark.skipif(
    not (find_spec("PySide6") and find_spec("slicer")), reason="PySide6 or slicer-core is not installed"
)


def in_slicer(code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` with the stand-ins and the module's folder on the path."""
    path = os.pathsep.join(map(str, (STANDINS, MODULE.parent)))
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )


def answer(code: str):
    """Return the JSON that `code` prints; its traceback fails the test."""
    done = in_slicer(code)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_has_slicers_four_classes_in_few_lines():
    text = MODULE.read_text("utf-8")
    classes = {node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    assert classes == {"OVFRisk", "OVFRiskWidget", "OVFRiskLogic", "OVFRiskTest"}
    assert len(text.splitlines()) <= 150


def test_starting_slicer_loads_nothing_heavy():
    loaded = set(answer(IMPORT))
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    ours = {name for name in loaded if name.startswith("OVFRiskLib")}
    assert ours <= {"OVFRiskLib", "OVFRiskLib.errors", "OVFRiskLib.resources"}


@needs_qt
def test_opening_the_panel_loads_nothing_that_takes_long():
    assert not LATER & set(answer(DESKTOP + PANEL))


@needs_qt
def test_module_entry_is_complete():
    entry = answer(DESKTOP + MODULE_ENTRY)
    assert entry["title"] == "OVFRisk"
    assert entry["categories"] == ["Quantification"]
    lines = (ROOT / "extension.s4ext").read_text("utf-8").splitlines()
    (homepage,) = (line.split()[1] for line in lines if line.startswith("homepage "))
    assert f'<a href="{homepage}#' in entry["helpText"]
    assert "ovfrisk analyze" in entry["helpText"]
    assert entry["contributors"]
    assert entry["icon"] is True
    assert entry["slots"] == ["startupCompleted()"]


@needs_qt
def test_self_test_passes():
    done = in_slicer(DESKTOP + SELF_TEST)
    assert done.stdout.strip().endswith("passed"), done.stderr


@needs_qt
def test_self_test_notices_a_logic_that_opens_nothing():
    done = in_slicer(DESKTOP + BROKEN_SELF_TEST)
    assert "AssertionError" in done.stderr
