"""Widgets and choices, both ways: a widget whose property ``SlicerParameterName`` names a choice shows and sets it.

Slicer's own ``connectGui`` knows neither a path line as text nor a combo box that a panel fills, and leaves an observer
behind with each connection; here is one way for all widgets.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any, get_type_hints

import slicer

from ..errors import UserError
from ..panels.parameters import Parameters
from ..panels.session import Session

PROPERTY = "SlicerParameterName"


def reported(method: Callable) -> Callable:
    """Let a slot of an object that has a `session` lose no exception.

    Qt prints what a slot raises, and nobody sees it: what the user can put right is told in the panel, anything else in
    a dialog, too. A slot gets as many of the signal's arguments as it takes.
    """
    taken = len(inspect.signature(method).parameters) - 1

    @wraps(method)
    def slot(self: Any, *arguments: object) -> None:
        try:
            method(self, *arguments[:taken])
        except Exception as error:
            report(self.session, error)

    return slot


def report(session: Session, error: Exception) -> None:
    """Show what went wrong in the panel; a bug also in a dialog."""
    session.report(error)
    if not isinstance(error, UserError):
        slicer.util.errorDisplay(session.message.what)


@dataclass(frozen=True)
class _Kind:
    """How a class of widgets is read, set and heard."""

    signal: str
    read: Callable[[Any, type], Any]
    show: Callable[[Any, Any], None]


def _set(name: str) -> Callable[[Any, Any], None]:
    def show(widget: Any, value: Any) -> None:
        if getattr(widget, name) != value:  # a line that is set again loses its cursor
            setattr(widget, name, value)

    return show


def _chosen(widget: Any, kind: type) -> Any:
    data = widget.currentData
    text = widget.currentText if data is None else data
    return kind[text] if issubclass(kind, Enum) else text


def _choose(widget: Any, value: Any) -> None:
    name = value.name if isinstance(value, Enum) else value
    place = widget.findData(name)
    widget.currentIndex = place if place >= 0 else widget.findText(name)


_KINDS = {
    "qMRMLNodeComboBox": _Kind(
        "currentNodeChanged(vtkMRMLNode*)", lambda w, _: w.currentNode(), lambda w, node: w.setCurrentNode(node)
    ),
    "ctkPathLineEdit": _Kind("currentPathChanged(QString)", lambda w, _: w.currentPath, _set("currentPath")),
    "QComboBox": _Kind("currentIndexChanged(int)", _chosen, _choose),
    "QLineEdit": _Kind("textChanged(QString)", lambda w, _: w.text, _set("text")),
    "QPlainTextEdit": _Kind("textChanged()", lambda w, _: w.plainText, _set("plainText")),
    "QAbstractButton": _Kind("toggled(bool)", lambda w, _: bool(w.checked), _set("checked")),
    "QSpinBox": _Kind("valueChanged(int)", lambda w, _: int(w.value), _set("value")),
    "QDoubleSpinBox": _Kind("valueChanged(double)", lambda w, _: float(w.value), _set("value")),
}


class Binding:
    """The widgets below one widget that show choices.

    Parameters
    ----------
    top : QWidget
    session : Session
    """

    def __init__(self, top: Any, session: Session) -> None:
        self.session = session
        self._bound: list[_Bound] = []
        self._showing = False
        types = get_type_hints(Parameters)
        for widget in slicer.util.findChildren(top):
            name = widget.property(PROPERTY) if widget.inherits("QWidget") else None
            if name:
                self._bind(widget, name, types)
        session.observe("parameters", self.show)
        session.observe("scene", self.show)
        self.show()

    def show(self) -> None:
        """Show all choices."""
        if self._showing:
            return
        self._showing = True
        try:
            for bound in self._bound:
                bound.kind.show(bound.widget, getattr(self.session.parameters, bound.name))
        finally:
            self._showing = False

    def _bind(self, widget: Any, name: str, types: dict[str, type]) -> None:
        kind = next((kind for inherited, kind in _KINDS.items() if widget.inherits(inherited)), None)
        if kind is None or name not in types:
            raise ValueError(f"the widget '{widget.objectName}' cannot show the choice '{name}'")
        if widget.inherits("QComboBox") and issubclass(types[name], Enum):
            _fill(widget, types[name])
        bound = _Bound(widget, name, types[name], kind, self)
        if not widget.connect(kind.signal, bound.on_changed):
            raise ValueError(f"the widget '{widget.objectName}' has no signal {kind.signal}")
        self._bound.append(bound)

    def write(self, name: str, value: Any) -> None:
        """Set a choice that the user made."""
        if self._showing or self.session.scene.IsBatchProcessing():  # a scene that opens or closes chooses nothing
            return
        if getattr(self.session.parameters, name) != value:
            setattr(self.session.parameters, name, value)


@dataclass(frozen=True)
class _Bound:
    widget: Any
    name: str
    type: type
    kind: _Kind
    binding: Binding

    @property
    def session(self) -> Session:
        return self.binding.session

    @reported
    def on_changed(self) -> None:
        value = self.kind.read(self.widget, self.type)
        if value is not None or self.widget.inherits("qMRMLNodeComboBox"):
            self.binding.write(self.name, value)


def _fill(combo: Any, kind: type[Enum]) -> None:
    combo.clear()
    for member in kind:
        combo.addItem(member.label() if hasattr(member, "label") else member.value, member.name)
