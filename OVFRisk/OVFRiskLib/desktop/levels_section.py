"""The list of levels of the tab Segmentation, and the corrections of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import qt

from ..anatomy import VertebralLevel
from ..panels.segmentation import SegmentationPanel
from ..panels.session import Session
from ..panels.words import _
from .binding import reported
from .tables import Table, selected_key

_OF_LEVEL = ("rename", "renameTo", "merge", "splitLevel")
_OF_LIST = ("checkLevels", "shiftUp", "shiftDown", "splitParts", "joinParts")


class LevelsSection:
    """Binds the widgets of the levels to `panels.levels`.

    Parameters
    ----------
    ui : namespace
        The widgets of Segmentation.ui by name.
    session : Session
    model : SegmentationPanel
        The view-model.
    """

    def __init__(self, ui: Any, session: Session, model: SegmentationPanel) -> None:
        self.ui, self.session = ui, session
        self._model, self._levels = model, model.levels
        self._ask_again = ""
        self._table = Table(ui.levelTable, session.select_level)
        for level in VertebralLevel:
            ui.renameTo.addItem(str(level), str(level))
        for button, slot in (
            ("checkLevels", self.on_check_levels),
            ("undo", self.on_undo),
            ("shiftUp", self.on_shift_up),
            ("shiftDown", self.on_shift_down),
            ("rename", self.on_rename),
            ("merge", self.on_merge),
            ("splitLevel", self.on_split_level),
            ("splitParts", self.on_split_parts),
            ("joinParts", self.on_join_parts),
        ):
            getattr(ui, button).connect("clicked(bool)", slot)
        ui.levelTable.connect("itemSelectionChanged()", self.on_level_selected)

    def refresh(self) -> None:
        """Show the levels."""
        levels, ui = self._levels, self.ui
        self._table.show(levels.table())
        ui.levelsHint.text = levels.hint
        ui.undo.text = _("Undo: {title}").format(title=levels.undoable) if levels.undoable else _("Undo")
        ui.undo.enabled = bool(levels.undoable)
        self._show_edits()

    def _show_edits(self) -> None:
        level = self._level()
        for name in _OF_LIST:
            getattr(self.ui, name).enabled = bool(self._levels.present)
        for name in _OF_LEVEL:
            getattr(self.ui, name).enabled = level is not None
        if level is not None:
            self.ui.rename.text = _("Rename {level} to").format(level=level)
            self.ui.splitLevel.text = _("Split {level} into two levels").format(level=level)
            self.ui.merge.text = _("Merge {level} with the level below").format(level=level)
        whose = str(level) if level else _("all levels")
        self.ui.splitParts.text = _("Split cortical / cancellous of {levels}").format(levels=whose)

    def _level(self) -> VertebralLevel | None:
        """Return the selected level."""
        key = selected_key(self.ui.levelTable)
        return VertebralLevel(key) if key else None

    def _chosen(self) -> tuple[VertebralLevel, ...]:
        level = self._level()
        return (level,) if level else ()

    @reported
    def on_level_selected(self) -> None:
        """Offer what can be done to the selected level."""
        self._show_edits()
        if level := self._level():
            self.ui.renameTo.currentIndex = self.ui.renameTo.findData(str(level))

    @reported
    def on_check_levels(self) -> None:
        """Judge the levels."""
        with _wait_cursor():
            self._levels.check()
        self.refresh()

    @reported
    def on_shift_up(self) -> None:
        """Rename all levels."""
        self._edit(lambda: self._levels.shift(-1))

    @reported
    def on_shift_down(self) -> None:
        """Rename all levels."""
        self._edit(lambda: self._levels.shift(1))

    @reported
    def on_rename(self) -> None:
        """Rename the selected level."""
        self._edit(lambda: self._levels.rename(self._level(), VertebralLevel(self.ui.renameTo.currentData)))

    @reported
    def on_merge(self) -> None:
        """Join the selected level and the next."""
        self._edit(lambda: self._levels.merge_with_next(self._level()))

    @reported
    def on_split_level(self) -> None:
        """Make two levels of the selected one."""
        self._edit(lambda: self._levels.split(self._level()))

    @reported
    def on_split_parts(self) -> None:
        """Split bodies."""
        self._edit(lambda: self._levels.split_bodies(self._model.settings, self._chosen()))

    @reported
    def on_join_parts(self) -> None:
        """Join the parts of bodies."""
        self._edit(lambda: self._levels.join_bodies(self._chosen()))

    @reported
    def on_undo(self) -> None:
        """Take the last correction back; pressed twice, also where segments were drawn on since."""
        title = self._levels.undoable
        give_up, self._ask_again = self._ask_again == title, title
        self._levels.undo(give_up_edits=give_up)
        self._ask_again = ""
        self.session.say(_("Undone: {title}.").format(title=title))
        self.refresh()

    def _edit(self, work: Callable[[], None]) -> None:
        self._ask_again = ""
        with _wait_cursor():
            work()
        self.session.say(_("Done: {title}.").format(title=self._levels.undoable))
        self.refresh()


@contextmanager
def _wait_cursor() -> Iterator[None]:
    qt.QApplication.setOverrideCursor(qt.QCursor(qt.Qt.WaitCursor))
    try:
        yield
    finally:
        qt.QApplication.restoreOverrideCursor()
