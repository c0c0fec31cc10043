"""The panel Score: models, results with what led to them; what it shows is in `panels.score`."""

import base64
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import qt
import slicer

from ..errors import UserError
from ..files.figures.style import Illustration
from ..panels.export import ExportPanel
from ..panels.model_choice import Entry, bounds_text, card_facts, warning_of
from ..panels.score import ScorePanel as Scoring
from ..panels.session import Session
from ..panels.words import _
from .binding import reported
from .export_box import ExportBox
from .tables import Table, select_key, selected_key

_KEY = int(qt.Qt.UserRole)
_LATER_MS = 100
_MARGIN = 40  # of the panel beside a picture, pixels
_MODEL_WIDTH = 190  # of the results' first column at most: the result itself must be seen


class ScorePanel:
    """Binds Resources/UI/Score.ui.

    Parameters
    ----------
    ui : namespace
        The widgets by name.
    session : Session
    """

    name = "Score"

    def __init__(self, ui: Any, session: Session) -> None:
        self.title = _("5 Score")
        self.ui, self.session = ui, session
        self.scoring = Scoring(session)
        self._shown: tuple = ()  # the list of models as it is shown
        self._pictures: Sequence[Illustration] = ()
        self._pixmap: Any = None
        self._window: Any = None
        self._folder = tempfile.TemporaryDirectory(prefix="ovfrisk-")
        self._drawn: tuple = ()  # the result that the pictures are of
        self._refreshing = False
        self._later = qt.QTimer()  # while a region is dragged the results change many times a second
        self._later.setSingleShot(True)
        self._later.setInterval(_LATER_MS)
        self._later.connect("timeout()", self.on_later)
        self._table = Table(ui.resultTable)
        self._connect()
        self.export = ExportBox(ui, session, ExportPanel(session, self.scoring))
        session.observe("scores", self._later.start)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        if self._refreshing:
            return
        self._refreshing = True
        try:
            self.ui.nextStep.text = f"<b>{escape(self.scoring.next_step)}</b>"
            self._show_models()
            self._show_results()
            self.export.refresh()
        finally:
            self._refreshing = False

    def enter(self) -> None:
        """Show what has changed while another panel was shown."""
        self.refresh()

    def exit(self) -> None:
        """Nothing has to be let go of."""

    def cleanup(self) -> None:
        """Let go of the scene, close the window of the large picture, remove the pictures' files."""
        self._later.stop()
        self._later.disconnect("timeout()", self.on_later)
        self.scoring.close()
        if self._window is not None:
            self._window.close()
        self._folder.cleanup()

    @reported
    def on_later(self) -> None:
        """Show what has changed."""
        self.refresh()

    def _connect(self) -> None:
        ui = self.ui
        ui.modelList.connect("itemChanged(QListWidgetItem*)", self.on_model_ticked)
        ui.modelList.connect("currentRowChanged(int)", self.on_model_selected)
        ui.openModel.connect("clicked(bool)", self.on_open_model)
        ui.forgetModel.connect("clicked(bool)", self.on_forget_model)
        ui.score.connect("clicked(bool)", self.on_score)
        ui.resultTable.connect("itemSelectionChanged()", self.on_result_selected)
        ui.pictureChoice.connect("currentIndexChanged(int)", self.on_picture_chosen)
        ui.enlargePicture.connect("clicked(bool)", self.on_enlarge)

    # models

    def _show_models(self) -> None:
        entries, chosen = self.scoring.models.entries, self.scoring.models.chosen
        self.ui.proposedReason.text = self.scoring.models.proposed_reason
        self.ui.proposedReason.visible = bool(self.scoring.models.proposed_reason)
        shown = tuple((one.key, one.title, one.remark, one.key in chosen) for one in entries)
        if shown == self._shown:
            return
        self._shown, row = shown, max(self.ui.modelList.currentRow, 0)
        self.ui.modelList.blockSignals(True)
        self.ui.modelList.clear()
        for one in entries:
            self.ui.modelList.addItem(_model_item(one, one.key in chosen))
        self.ui.modelList.setCurrentRow(min(row, len(entries) - 1))
        self.ui.modelList.blockSignals(False)
        self._show_card()

    def _show_card(self) -> None:
        entry = self._selected_model()
        self.ui.modelCard.html = _card(entry) if entry else ""
        self.ui.forgetModel.enabled = entry is not None and entry.of_a_file

    def _selected_model(self) -> Entry | None:
        item = self.ui.modelList.currentItem()
        return self.scoring.models.entry(item.data(_KEY)) if item is not None else None

    @reported
    def on_model_ticked(self, item: Any) -> None:
        """Apply the model, or do not."""
        self.scoring.models.choose(item.data(_KEY), item.checkState() == qt.Qt.Checked)
        self.refresh()

    @reported
    def on_model_selected(self) -> None:
        """Show the card of the model."""
        self._show_card()

    @reported
    def on_open_model(self) -> None:
        """Ask for a model's file, and add it."""
        filters = _("Models of OVFRisk (*.ovfrisk *.json)")
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), _("Open a model"), "", filters)
        if path:
            self.open_model(Path(path))

    def open_model(self, path: Path) -> None:
        """Add the model of a file, and show its card."""
        key = self.scoring.models.open(path).key
        self.refresh()
        self.ui.modelList.setCurrentRow([one.key for one in self.scoring.models.entries].index(key))

    @reported
    def on_forget_model(self) -> None:
        """Take the selected model from the list."""
        entry = self._selected_model()
        if entry is not None:
            self.scoring.models.forget(entry.key)
            self.refresh()

    @reported
    def on_score(self) -> None:
        """Apply the ticked models."""
        self.scoring.score()
        self.scoring.select(self.scoring.results[0].key)
        self.refresh()
        select_key(self.ui.resultTable, self.scoring.selected)

    # results

    def _show_results(self) -> None:
        self._table.show(self.scoring.table())
        self.ui.resultTable.setColumnWidth(0, min(self.ui.resultTable.columnWidth(0), _MODEL_WIDTH))
        result = self.scoring.result()
        self.ui.resultText.text = _result_text(result, self.scoring.why_stale(result)) if result else ""
        self._show_pictures()

    def _show_pictures(self) -> None:
        result = self.scoring.result()
        drawn = (result.key, result.fingerprint, self.scoring.state(result)) if result else ()
        if drawn == self._drawn and drawn:
            return
        self._drawn = drawn
        try:
            self._pictures = self.scoring.pictures("png")
            why = "" if self._pictures else self._without_picture()
        except UserError as error:
            self._pictures, why = (), f"{error.what} {error.what_to_do}"
        choice = self.ui.pictureChoice
        before = choice.currentIndex
        choice.blockSignals(True)
        choice.clear()
        for one in self._pictures:
            choice.addItem(_picture_title(one))
        choice.currentIndex = before if 0 <= before < len(self._pictures) else 0
        choice.blockSignals(False)
        choice.visible = len(self._pictures) > 1
        self.ui.enlargePicture.visible = bool(self._pictures)
        self.ui.pictureCaption.text = why
        self.ui.pictureCaption.visible = bool(self.ui.pictureCaption.text) or bool(self._pictures)
        self._show_picture()

    def _without_picture(self) -> str:
        """Return what a result that has no picture is compared with."""
        result = self.scoring.result()
        if result is None or result.scored is None:
            return ""
        bounds = bounds_text(result.scored.model)
        return _("Bounds: {bounds}").format(bounds=bounds) if bounds else ""

    def _show_picture(self) -> None:
        index = self.ui.pictureChoice.currentIndex
        picture = self._pictures[index] if 0 <= index < len(self._pictures) else None
        self.ui.picture.visible = picture is not None
        if picture is None:
            self._pixmap = None
            return
        path = Path(self._folder.name) / "picture.png"
        path.write_bytes(base64.b64decode(picture.uri.partition(",")[2]))
        self._pixmap = qt.QPixmap(str(path))
        width = max(self.ui.resultsSection.width - _MARGIN, 320)
        self.ui.picture.setPixmap(self._pixmap.scaledToWidth(width, qt.Qt.SmoothTransformation))
        self.ui.picture.toolTip = picture.alt
        self.ui.pictureCaption.text = picture.caption

    @reported
    def on_result_selected(self) -> None:
        """Show what led to the result, and its level in the views."""
        self.scoring.select(selected_key(self.ui.resultTable) or "")
        self.refresh()

    @reported
    def on_picture_chosen(self) -> None:
        """Show the other picture."""
        self._show_picture()

    @reported
    def on_enlarge(self) -> None:
        """Show the picture as large as it is in a window of its own."""
        if self._pixmap is None:
            return
        label = qt.QLabel()
        label.setPixmap(self._pixmap)
        self._window = qt.QScrollArea()
        self._window.setWidget(label)
        self._window.windowTitle = self._pictures[self.ui.pictureChoice.currentIndex].title
        self._window.resize(min(self._pixmap.width() + 20, 1400), min(self._pixmap.height() + 20, 900))
        self._window.show()


def _model_item(entry: Entry, chosen: bool) -> Any:
    item = qt.QListWidgetItem(f"{entry.title} ({entry.remark})")
    item.setData(_KEY, entry.key)
    item.setCheckState(qt.Qt.Checked if chosen else qt.Qt.Unchecked)
    item.setToolTip(entry.remark)
    if not entry.usable:
        item.setForeground(qt.QBrush(qt.QColor(130, 130, 130)))
    return item


def _card(entry: Entry) -> str:
    """Return what a model says of itself, its limits first."""
    if entry.model is None:
        return f"<b>{escape(entry.title)}</b><br>{escape(entry.remark)}"
    warning = warning_of(entry.model)
    head = f"<b>{escape(entry.title)}</b>" + (f"<br><b>⚠ {escape(warning)}</b>" if warning else "")
    return head + "".join(f"<br><b>{escape(name)}:</b> {escape(text)}" for name, text in card_facts(entry.model))


def _result_text(result: Any, why_stale: str) -> str:
    """Return a result in words: value, class, remarks, each remark a line."""
    head = ", ".join(filter(None, (result.title, str(result.level or ""), result.written, result.class_text)))
    lines = [f"<b>{escape(head)}</b>", *([f"⟳ {escape(why_stale)}"] if why_stale else [])]
    return "<br>".join((*lines, *(f"• {escape(text)}" for text in result.remarks)))


def _picture_title(picture: Illustration) -> str:
    return {"contributions": _("What led to it"), "scores": _("Published groups")}.get(picture.key, _("Nomogram"))
