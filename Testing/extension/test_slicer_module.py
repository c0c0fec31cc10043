"""Slicer's four classes, run on stand-ins in an interpreter of their own: `slicer` may be a real package here."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "OVFRisk" / "OVFRisk.py"
HEAVY = {"numpy", "scipy", "SimpleITK", "pydicom", "matplotlib", "jinja2", "pandas", "sklearn", "torch", "vtk"}

IMPORT = """
import json, sys
import OVFRisk
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

SELF_TEST = """
import OVFRisk
OVFRisk.OVFRiskTest().runTest()
print("passed")
"""

BROKEN_SELF_TEST = """
import OVFRisk
OVFRisk.OVFRiskLogic.openResult = lambda self, folder: None
OVFRisk.OVFRiskTest().runTest()
"""

MODULE_ENTRY = """
import json
from types import SimpleNamespace
import OVFRisk
parent = SimpleNamespace()
OVFRisk.OVFRisk(parent)
parent.icon = parent.icon.path
print(json.dumps(vars(parent)))
"""

PANEL = """
import json, sys
from types import SimpleNamespace
import OVFRisk, slicer
shown = []
widget = OVFRisk.OVFRiskWidget(SimpleNamespace(layout=lambda: SimpleNamespace(addWidget=shown.append)))
widget.setup()
ui, states = widget.ui, []
choose, click = ui.resultFolder.slots["currentPathChanged(QString)"], ui.openResult.slots["clicked(bool)"]
note = lambda: states.append([ui.openResult.enabled, ui.message.text, len(slicer.mrmlScene.nodes)])
note()
for folder in sys.argv[1:]:
    ui.resultFolder.currentPath = folder
    choose(folder)
    click(True)
    note()
print(json.dumps(states))
"""


def in_slicer(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `code` with the stand-ins and the module's folder on the path."""
    path = os.pathsep.join(map(str, (ROOT / "Testing" / "standins", MODULE.parent)))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def answer(code: str, *arguments: str):
    """Return the JSON that `code` prints; its traceback fails the test."""
    done = in_slicer(code, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_has_slicers_four_classes_in_few_lines():
    text = MODULE.read_text("utf-8")
    classes = {node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    assert classes == {"OVFRisk", "OVFRiskWidget", "OVFRiskLogic", "OVFRiskTest"}
    assert len(text.splitlines()) <= 150


def test_opening_the_module_loads_nothing_heavy():
    assert not HEAVY & set(answer(IMPORT))


def test_module_entry_is_complete():
    entry = answer(MODULE_ENTRY)
    assert entry["title"] == "OVFRisk"
    assert entry["categories"] == ["Quantification"]
    assert "ovfrisk analyze" in entry["helpText"]
    assert Path(entry["icon"]) == ROOT / "Resources" / "Icons" / "OVFRisk.png"


def test_self_test_passes():
    done = in_slicer(SELF_TEST)
    assert done.stdout.strip() == "passed", done.stderr


def test_self_test_notices_a_logic_that_opens_nothing():
    done = in_slicer(BROKEN_SELF_TEST)
    assert "AssertionError" in done.stderr


def test_panel_opens_a_result_and_says_what_is_wrong(tmp_path):
    good, empty = tmp_path / "good", tmp_path / "empty"
    good.mkdir()
    empty.mkdir()
    (good / "scene.mrb").write_text(json.dumps([["vtkMRMLTableNode", "measurements"]]))
    before, after_empty, after_good = answer(PANEL, str(empty), str(good))
    assert before == [False, "", 0]
    assert after_empty[0] is True
    assert str(empty) in after_empty[1]
    assert "ovfrisk analyze" in after_empty[1]
    assert after_empty[2] == 0
    assert after_good == [True, "", 1]


@pytest.mark.parametrize("name", ["resultFolder", "openResult", "message"])
def test_panel_names_what_the_module_uses(name):
    assert f'name="{name}"' in (ROOT / "Resources" / "UI" / "OVFRisk.ui").read_text("utf-8")
