"""Shows a `TableView` in a QTableWidget."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import qt

from ..anatomy import VertebralLevel
from ..panels.view import Cell, RowState, RowView, TableView

STALE = "⟳"
_KEY = int(qt.Qt.UserRole)
_LEVEL = _KEY + 1
_FEW = 500  # rows: more take too long to measure
_GREY = (130, 130, 130)


class Table:
    """A QTableWidget that is read (see `prepare`); a click on a column's title sorts by it.

    Parameters
    ----------
    widget : QTableWidget
    on_level : callable, optional
        Gets the level of a row that was selected.
    """

    def __init__(self, widget: Any, on_level: Callable[[VertebralLevel], None] | None = None) -> None:
        self.widget = widget
        self.view = TableView("", ())
        self._column, self._descending = -1, False
        prepare(widget, on_level)
        widget.horizontalHeader().setSectionsClickable(True)
        widget.horizontalHeader().connect("sectionClicked(int)", self.sort)

    def show(self, view: TableView) -> None:
        """Show the view in the order that the user chose."""
        self.view = view
        show_table(self.widget, replace(view, rows=self._sorted(view.rows)))

    def sort(self, column: int) -> None:
        """Sort by a column; once more turns the order round. Rows without a number there come last."""
        self._descending = column == self._column and not self._descending
        self._column = column
        self.show(self.view)

    def _sorted(self, rows: tuple[RowView, ...]) -> tuple[RowView, ...]:
        column = self._column
        if not 0 <= column < len(self.view.columns):
            return rows
        numbers = [row for row in rows if row.cells[column].value is not None]
        others = [row for row in rows if row.cells[column].value is None]
        numbers.sort(key=lambda row: row.cells[column].value, reverse=self._descending)
        if not numbers:
            others.sort(key=lambda row: row.cells[column].text, reverse=self._descending)
        return (*numbers, *others)


def prepare(widget: Any, on_level: Callable[[VertebralLevel], None] | None = None) -> None:
    """Make a table one that is read: whole rows are selected; selecting one of a level calls `on_level`."""
    widget.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    widget.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    widget.setSelectionMode(qt.QAbstractItemView.SingleSelection)
    widget.setAlternatingRowColors(True)
    widget.verticalHeader().setVisible(False)
    widget.horizontalHeader().setStretchLastSection(True)
    if on_level:
        widget.connect("itemSelectionChanged()", lambda: _tell_level(widget, on_level))


def show_table(widget: Any, view: TableView) -> None:
    """Show the view; the selected row stays selected.

    Rows that are stale are grey with the symbol ⟳, absent ones grey and slanted; the tool tip says why.
    """
    selected = selected_key(widget)
    widget.blockSignals(True)
    widget.clear()
    widget.setColumnCount(len(view.columns))
    widget.setRowCount(len(view.rows))
    widget.setHorizontalHeaderLabels(list(view.columns))
    for place, row in enumerate(view.rows):
        _show_row(widget, place, row)
    if len(view.rows) <= _FEW:
        widget.resizeColumnsToContents()
    widget.blockSignals(False)
    select_key(widget, selected)


def selected_key(widget: Any) -> str | None:
    """Return the key of the selected row; None where none is."""
    item = widget.item(widget.currentRow(), 0)
    return item.data(_KEY) if item is not None else None


def select_key(widget: Any, key: str | None) -> None:
    """Select the row of that key without telling anybody."""
    widget.blockSignals(True)
    widget.clearSelection()
    for place in range(widget.rowCount):
        if key is not None and widget.item(place, 0).data(_KEY) == key:
            widget.setCurrentCell(place, 0)
    widget.blockSignals(False)


def _tell_level(widget: Any, on_level: Callable[[VertebralLevel], None]) -> None:
    item = widget.item(widget.currentRow(), 0)
    level = item.data(_LEVEL) if item is not None else ""
    if level:
        on_level(VertebralLevel(level))


def _show_row(widget: Any, place: int, row: RowView) -> None:
    for column, cell in enumerate(row.cells):
        item = _item(cell, row, first=column == 0)
        if column == 0:
            item.setData(_KEY, row.key)
            item.setData(_LEVEL, str(row.level or ""))
        widget.setItem(place, column, item)


def _item(cell: Cell, row: RowView, first: bool) -> Any:
    text = f"{STALE} {cell.text}" if first and row.state is RowState.STALE else cell.text
    item = qt.QTableWidgetItem(text)
    item.setToolTip(cell.tip or row.tip)
    if cell.value is not None:
        item.setTextAlignment(int(qt.Qt.AlignRight) | int(qt.Qt.AlignVCenter))
    if row.state is not RowState.CURRENT:
        item.setForeground(qt.QBrush(qt.QColor(*_GREY)))
    if row.state is RowState.ABSENT:
        font = qt.QFont(item.font())
        font.setItalic(True)
        item.setFont(font)
    return item
