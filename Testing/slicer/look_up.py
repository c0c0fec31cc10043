"""Reads names as a JSON list and prints those that a library installed here has: Qt (PySide6), MRML and slicer.util.

A program of its own: PySide6 loses the meta objects of classes whose widgets were deleted.
"""

import json
import sys

import slicer
import slicer.util
from PySide6 import QtCore, QtGui, QtWidgets


def is_known(name: str) -> bool:
    """Whether the name exists."""
    top, _, rest = name.partition(".")
    if top == "qt":
        first, *more = rest.split(".")
        kind = QtCore.Qt if first == "Qt" else _class(first)
        return kind is not None and _resolved(kind, more)
    if top.startswith("vtk"):
        return _resolved(slicer, name.split("."))
    if name.startswith(("slicer.util.", "slicer.vtk")):
        return _resolved(slicer, rest.split("."))
    if top.startswith("Q"):
        return _class(top) is not None if not rest else _has(_class(top), rest)
    inherited = QtWidgets.QAbstractButton if top == "ctkCollapsibleButton" else QtWidgets.QWidget
    return top.startswith(("ctk", "qMRML", "qSlicer")) and bool(rest) and _has(inherited, rest)


def _class(name: str) -> type | None:
    modules = (QtWidgets, QtCore, QtGui)
    return next((getattr(module, name) for module in modules if hasattr(module, name)), None)


def _has(kind: type | None, member: str) -> bool:
    """Whether a class of Qt has the property, the method, or the signal of that signature."""
    if kind is None:
        return False
    meta = getattr(kind, "staticMetaObject", None)
    if "(" in member:
        signature = QtCore.QMetaObject.normalizedSignature(member).data().decode()
        return meta is not None and meta.indexOfSignal(signature) >= 0
    return hasattr(kind, member) or (meta is not None and meta.indexOfProperty(member) >= 0) or member == "connect"


def _resolved(thing: object, parts: list[str]) -> bool:
    for part in parts:
        if not hasattr(thing, part):
            return False
        thing = getattr(thing, part)
    return True


if __name__ == "__main__":
    sys.stdout.write(json.dumps([name for name in json.load(sys.stdin) if is_known(name)]))
