"""Collects every `qt.`, `ctk.`, `slicer.` name and every widget property, method and signal that the desktop code uses.

`python Testing/slicer/collect_names.py` prints them, one a line. What is found:

* chains such as ``slicer.util.loadUI`` or ``qt.QAbstractItemView.SelectRows``, and what is imported from ``slicer``;
* ``Class.member`` for members of widgets that a .ui file names (``ui.NAME.member``), signals in ``connect("…")`` too;
* ``Class.property`` for each property that a .ui file sets, and its signals and slots.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
CODE = [ROOT / "OVFRisk" / "OVFRisk.py", *sorted((ROOT / "OVFRisk" / "OVFRiskLib" / "desktop").glob("*.py"))]
PANELS = sorted((ROOT / "Resources" / "UI").glob("*.ui"))
TOPS = ("qt", "ctk", "slicer")
# What variables of the desktop code hold, by name; "file:name" where one file means another thing by it.
HOLDS = {
    "widget": "QTableWidget", "table": "QTableWidget", "table.widget": "QTableWidget", "item": "QTableWidgetItem",
    "font": "QFont", "label": "QLabel", "combo": "QComboBox", "choice": "QComboBox", "box": "QCheckBox",
    "timer": "QTimer", "self._timer": "QTimer", "self._later": "QTimer", "self._settle": "QTimer",
    "self._follow": "QTimer", "picture": "QPixmap", "self._pixmap": "QPixmap", "self._window": "QScrollArea",
    "page": "qMRMLWidget", "place": "qSlicerMarkupsPlaceWidget", "database": "ctkDICOMDatabase",
    "scene": "vtkMRMLScene", "self.session.scene": "vtkMRMLScene", "slicer.mrmlScene": "vtkMRMLScene",
    "slicer.app": "qSlicerApplication",
    "editor.py:widget": "qMRMLSegmentEditorWidget", "editor.py:self.widget": "qMRMLSegmentEditorWidget",
    "binding.py:widget": "QWidget", "score_panel.py:item": "QListWidgetItem", "score_panel.py:picture": "",
    "vbq_panel.py:widget": "QWidget", "vbq_readings_section.py:widget": "QWidget", "export_box.py:choice": "",
    "points_section.py:item": "QTableWidgetItem", "self.layout": "QVBoxLayout", "OVFRisk.py:parent": "module",
}  # fmt: skip
# What calls give.
GIVES = {
    "verticalHeader": "QHeaderView", "horizontalHeader": "QHeaderView", "getattr": "QAbstractButton",
    "logic": "vtkSlicerPlotsLogic",
}  # fmt: skip
BOUND = {  # binding.py handles these classes of widgets, each by its own members
    "currentPath": "ctkPathLineEdit", "plainText": "QPlainTextEdit", "checked": "QAbstractButton",
    "currentNode": "qMRMLNodeComboBox", "setCurrentNode": "qMRMLNodeComboBox", "text": "QLineEdit",
    "value": "QDoubleSpinBox", "currentData": "QComboBox", "currentIndex": "QComboBox", "currentText": "QComboBox",
    "findData": "QComboBox", "findText": "QComboBox",
}  # fmt: skip
OURS = ("SlicerParameterName",)  # dynamic properties are free


def collected() -> set[str]:
    """Return all names."""
    return {name for path in CODE for name in names_of_code(path)} | {n for path in PANELS for n in names_of_ui(path)}


@cache
def widgets() -> dict[str, str]:
    """Return the classes of the widgets of all .ui files by name."""
    return {w.get("name"): w.get("class") for path in PANELS for w in ElementTree.parse(path).iter("widget")}


def names_of_ui(path: Path) -> Iterator[str]:
    """Yield classes, properties, signals and slots of a .ui file."""
    tree = ElementTree.parse(path)
    for widget in tree.iter("widget"):
        yield widget.get("class")
        for found in widget.findall("property"):
            if found.get("name") not in OURS:
                yield f"{widget.get('class')}.{found.get('name')}"
    for connection in tree.iter("connection"):
        for end, member in (("sender", "signal"), ("receiver", "slot")):
            yield f"{widgets()[connection.findtext(end)]}.{connection.findtext(member)}"


def names_of_code(path: Path) -> Iterator[str]:
    """Yield the names of one Python file."""
    tree = ast.parse(path.read_text("utf-8"))
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module.partition(".")[0] in TOPS:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield from _member(node, path.name, id(node) in inner)
        elif isinstance(node, ast.Call):
            yield from _signal(node, path.name)


def _member(node: ast.Attribute, file: str, goes_on: bool) -> Iterator[str]:
    parts = _parts(node)
    kind = _kind(node.value, file)
    if kind and ".".join(parts) not in HOLDS:
        bound = BOUND.get(node.attr) if file == "binding.py" else None
        yield f"{bound or kind}.{node.attr}"
    elif parts and parts[0] in TOPS and not goes_on:
        yield ".".join(parts)


def _signal(call: ast.Call, file: str) -> Iterator[str]:
    named = isinstance(call.func, ast.Attribute) and call.func.attr in ("connect", "disconnect") and call.args
    if named and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        yield f"{_kind(call.func.value, file) or '?'}.{call.args[0].value}"


def _kind(node: ast.AST, file: str) -> str:
    """Return the class of what an expression is known to hold; empty where it is not known."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return GIVES.get(name, "")
    parts = _parts(node)
    if not parts:
        return ""
    if len(parts) >= 2 and parts[-2] == "ui" and parts[-1] in widgets():
        return widgets()[parts[-1]]
    name = ".".join(parts)
    return "QWidget" if file == "binding.py" and name == "w" else HOLDS.get(f"{file}:{name}", HOLDS.get(name, ""))


def _parts(node: ast.AST) -> list[str]:
    """Return the names of ``a.b.c``; empty where it does not begin with a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in sorted(collected())))
