"""The readings of the tab VBQ: kept, listed, and compared."""

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from ..panels.vbq import Vbq
from ..panels.vbq_readings import Compared, compare_readings, keep_reading, readings_view
from ..panels.view import TableView
from .binding import reported
from .tables import prepare, selected_key, show_table
from .vbq_propose_section import ROW


class ReadingsSection:
    """Binds the section "Readings and their agreement".

    Parameters
    ----------
    ui : namespace of widgets
    vbq : Vbq
    """

    def __init__(self, ui: Any, vbq: Vbq) -> None:
        self.ui, self.vbq, self.session = ui, vbq, vbq.session
        self._compared: Compared | None = None
        self._shown: tuple | None = None
        for table in (ui.readingsTable, ui.agreementTable):
            prepare(table)
            table.setWordWrap(False)
            table.verticalHeader().setDefaultSectionSize(ROW)
        ui.readingsTable.connect("itemSelectionChanged()", self.on_reading)
        ui.keepReading.connect("clicked()", self.on_keep)
        ui.openReading.connect("clicked()", self.on_open)
        ui.compareReadings.connect("clicked()", self.on_compare)
        ui.savePicture.connect("clicked()", self.on_save)
        self._show_agreement()

    def refresh(self) -> None:
        """List the folder's readings, where it is another one or has changed."""
        text = self.session.parameters.readings
        now = text, _stamp(text)
        if now != self._shown:
            self._shown = now
            show_table(self.ui.readingsTable, readings_view(text))
        self.ui.keepReading.enabled = self.vbq.regions is not None
        self.ui.compareReadings.enabled = self.session.job is None and self.ui.readingsTable.rowCount > 1
        self.on_reading()

    @reported
    def on_reading(self) -> None:
        """A reading was selected."""
        self.ui.openReading.enabled = selected_key(self.ui.readingsTable) is not None

    @reported
    def on_keep(self) -> None:
        """Keep what is measured now as a reading."""
        path = keep_reading(self.vbq)
        self.refresh()
        self.session.say(_("The reading was kept: {name}").format(name=path.name))

    @reported
    def on_open(self) -> None:
        """Show the regions of the selected reading."""
        self.vbq.open_reading(Path(selected_key(self.ui.readingsTable)))

    @reported
    def on_compare(self) -> None:
        """Compare all readings in the folder."""
        compare_readings(self.session, self._keep_compared)

    @reported
    def on_save(self) -> None:
        """Write the picture of the agreement."""
        name = qt.QFileDialog.getSaveFileName(self.ui.savePicture, _("Save picture"), "agreement.png", "PNG (*.png)")
        if name:
            Path(name).write_bytes(self._compared.picture)
            self.session.say(_("The picture was written: {name}").format(name=name))

    def _keep_compared(self, compared: Compared) -> None:
        self._compared = compared
        self._show_agreement()

    def _show_agreement(self) -> None:
        ui, found = self.ui, self._compared
        for widget in (ui.agreementTable, ui.agreementPicture, ui.savePicture):
            widget.visible = found is not None
        show_table(ui.agreementTable, found.table if found else TableView("", ()))
        if found:
            picture = qt.QPixmap()
            picture.loadFromData(qt.QByteArray(found.picture))
            ui.agreementPicture.setPixmap(picture.scaledToWidth(_WIDTH, qt.Qt.SmoothTransformation))


_WIDTH = 440  # pixels: a usual module panel


def _stamp(text: str) -> tuple:
    """Return what changes when readings come or go."""
    folder = Path(text)
    return tuple(sorted(path.name for path in folder.iterdir())) if text and folder.is_dir() else ()
