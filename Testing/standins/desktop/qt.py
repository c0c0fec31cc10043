"""Stands in for PythonQt's `qt`: PySide6 with PythonQt's manners (see pythonqt.py)."""

from xml.etree import ElementTree

import pythonqt
from PySide6 import QtCore, QtUiTools, QtWidgets

_made: dict[str, object] = {}
_alive: list = []  # a test's panels: PySide6 must not collect what Qt still shows


class QUiLoader(QtUiTools.QUiLoader):
    """Makes bridged widgets and layouts, and the stand-ins of ctk and qMRML; an unknown class fails the test."""

    def createWidget(self, class_name: str, parent=None, name: str = ""):
        widget = _widget_class(class_name)(parent)
        QtWidgets.QWidget.setObjectName(widget, name)
        _alive.append(widget)
        return widget

    def createLayout(self, class_name: str, parent=None, name: str = ""):
        made = _bridged(class_name)(parent) if isinstance(parent, QtWidgets.QWidget) else _bridged(class_name)()
        QtCore.QObject.setObjectName(made, name)
        _alive.append(made)
        return made

    def load(self, file):
        """Load the file into a widget; its connections are made by hand, for PySide6 does not know MRML's types."""
        root = ElementTree.fromstring(bytes(file.readAll().data()))
        connections = root.findall("connections/connection")
        for found in root.findall("connections"):
            root.remove(found)
        for found in root.iter():
            _number_flags(found)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(root))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer)
        for connection in connections:
            _connect(widget, *(connection.findtext(part) for part in ("sender", "signal", "receiver", "slot")))
        return widget


def _number_flags(element) -> None:
    """Write `<set>ctkPathLineEdit::Dirs|…</set>` as a number: PySide6 cannot declare such flags."""
    import ctk

    if element.tag == "set" and element.text.startswith("ctk"):
        names = [name.split("::") for name in element.text.split("|")]
        element.tag, element.text = "number", str(sum(getattr(getattr(ctk, kind), name) for kind, name in names))


def _connect(widget, sender: str, signal: str, receiver: str, slot: str) -> None:
    ends = [widget if widget.name == name else widget.findChild(QtCore.QObject, name) for name in (sender, receiver)]
    assert None not in ends, f"a connection names {sender} and {receiver}"
    assert ends[0].connect(signal, getattr(ends[1], slot.partition("(")[0])), f"{sender} has no signal {signal}"


def _bridged(name: str) -> type:
    return __getattr__(name)


def _widget_class(name: str) -> type:
    import ctk
    import qmrml

    for module in (ctk, qmrml):
        if name in vars(module) and not name.startswith("_"):
            return getattr(module, name)
    assert hasattr(QtWidgets, name), f"no widget class is called {name}"
    return _bridged(name)


def __getattr__(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    if name not in _made:
        _made[name] = pythonqt.lookup(name)
    return _made[name]
