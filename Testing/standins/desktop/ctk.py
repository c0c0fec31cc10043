"""Stands in for PythonQt's `ctk`: the widgets of the Common Toolkit that the panels use."""

import qt
from PySide6.QtCore import Property, QRect, Qt
from PySide6.QtCore import Signal as Sent
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget


def stored(name: str, kind, default, changed=None):
    """Return a Q_PROPERTY that keeps its value and calls `changed(self, value)` when it gets another one."""
    key = f"_{name}_"

    def get(self):
        return self.__dict__.get(key, default)

    def put(self, value):
        if value != get(self):
            self.__dict__[key] = value
            if changed:
                changed(self, value)

    return Property(kind, get, put)


class ctkCollapsibleButton(qt.QAbstractButton):
    """A header that shows and hides what lies below it."""

    contentsCollapsed = Sent(bool)
    collapsedHeight = stored("collapsedHeight", int, 14)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._collapsed = False
        QWidget.setContentsMargins(self, 0, 24, 0, 0)

    def _get(self) -> bool:
        return self._collapsed

    def _set(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        for child in QWidget.children(self):
            if isinstance(child, QWidget):
                QWidget.setVisible(child, not collapsed)
        QWidget.setMaximumHeight(self, 24 if collapsed else 16777215)
        QWidget.update(self)
        self.__getattribute__("contentsCollapsed").emit(collapsed)

    collapsed = Property(bool, _get, _set)

    def mousePressEvent(self, event) -> None:
        if event.position().y() < 24:
            self._set(not self._collapsed)

    def paintEvent(self, _event) -> None:
        painter = QPainter(self)
        header = QRect(0, 0, QWidget.width(self), 22)
        painter.fillRect(header, Qt.GlobalColor.lightGray)
        text = f" {'▸' if self._collapsed else '▾'} {self.text}"
        painter.drawText(header, int(Qt.AlignmentFlag.AlignVCenter.value), text)
        painter.end()


class ctkPathLineEdit(qt.QWidget):
    """A line with a path and a button to browse."""

    Dirs, Files, Drives, NoSymLinks, Readable, Writable, Executable = 1, 2, 4, 8, 16, 32, 64  # as QDir's
    currentPathChanged = Sent(str)
    validInputChanged = Sent(bool)
    filters = stored("filters", int, 0x001 | 0x002)
    nameFilters = stored("nameFilters", "QStringList", [])
    settingKey = stored("settingKey", str, "")
    label = stored("label", str, "")
    showBrowseButton = stored("showBrowseButton", bool, True)
    showHistoryButton = stored("showHistoryButton", bool, True)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._line = QLineEdit(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._line)
        layout.addWidget(QPushButton("…", self))
        self._line.textChanged.connect(lambda text: self.__getattribute__("currentPathChanged").emit(text))

    currentPath = Property(str, lambda self: self._line.text(), lambda self, text: self._line.setText(text))

    def addCurrentPathToHistory(self) -> None:
        pass

    def browse(self) -> None:
        self._line.setText(QFileDialog.getExistingDirectory(self))
