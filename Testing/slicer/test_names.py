"""Every name of Slicer, CTK and Qt that the desktop code uses exists, and says where that was checked (NAMES.md)."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from collect_names import CODE, ROOT, collected

HERE = Path(__file__).parent
LISTED = set(re.findall(r"^\| `([^`]+)` \|", (HERE / "NAMES.md").read_text("utf-8"), re.MULTILINE))
NAMES = sorted(collected())
WRONG = ("qt.QLabl", "qt.Qt.AlignRihgt", "QLabel.txt", "QTimer.timout()", "QLabel.clicked()", "slicer.util.loadUi")


@cache
def known() -> frozenset[str]:
    """Return the names that a library installed here has."""
    if not (find_spec("PySide6") and find_spec("slicer")):
        pytest.skip("PySide6 or slicer-core is not installed")
    return _looked_up([*NAMES, *WRONG])


def _looked_up(names: Iterable[str]) -> frozenset[str]:
    command = [sys.executable, str(HERE / "look_up.py")]
    done = subprocess.run(command, input=json.dumps(list(names)), capture_output=True, text=True, check=False)
    if "libEGL" in done.stderr or "libGL" in done.stderr:
        pytest.skip(f"PySide6 cannot be loaded: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout))


@pytest.mark.parametrize("name", NAMES)
def test_name_exists(name):
    assert name in LISTED or name in known(), (
        f"{name} is not known: check it in Slicer's sources and add it to NAMES.md"
    )


def test_nothing_is_listed_that_is_not_used():
    assert not LISTED - set(NAMES)


def test_the_look_up_finds_what_is_wrong():
    assert not known() & set(WRONG)


def _code() -> Iterator[tuple[Path, ast.AST]]:
    for path in CODE:
        yield from ((path, node) for node in ast.walk(ast.parse(path.read_text("utf-8"))))


def test_no_isinstance_of_a_widget():
    """In PythonQt ``isinstance(button, qt.QWidget)`` is False: ask ``inherits``."""
    for path, node in _code():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            assert not ast.unparse(node.args[1]).startswith(("qt.", "ctk.", "slicer.q")), f"{path}:{node.lineno}"


def test_no_keyword_argument_to_qt():
    for path, node in _code():
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("qt.", "ctk.", "slicer.q")):
            assert not node.keywords, f"{path}:{node.lineno}"


def test_every_slot_reports_its_errors():
    """A slot of the library's own is decorated, or calls what cannot fail: Qt swallows what it raises."""
    reported = {
        node.name
        for _, node in _code()
        if isinstance(node, ast.FunctionDef) and any("reported" in ast.unparse(d) for d in node.decorator_list)
    }
    for path, node in _code():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect":
            slot = node.args[-1]
            if isinstance(slot, ast.Attribute) and slot.attr.startswith(("on_", "_on_")):
                assert slot.attr in reported, f"{path.relative_to(ROOT)}:{node.lineno}: {slot.attr} is not @reported"
