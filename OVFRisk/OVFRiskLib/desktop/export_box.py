"""The part Export of the panel Score: formats to tick, a folder, one button, and what was written."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import qt

from ..errors import UserError
from ..panels.export import Choice, ExportPanel
from ..panels.session import Session
from ..panels.words import _
from ..resources import resource
from .binding import reported
from .packages import ensure, ensure_packages

_BOXES = {
    "csv": "exportCsv",
    "xlsx": "exportXlsx",
    "parquet": "exportParquet",
    "html": "exportHtml",
    "seg": "exportSeg",
    "dicom-seg": "exportDicomSeg",
    "dicom-sr": "exportDicomSr",
}


class ExportBox:
    """Binds the section Export of Resources/UI/Score.ui.

    Parameters
    ----------
    ui : namespace
        The widgets by name.
    session : Session
    exporting : ExportPanel
    """

    def __init__(self, ui: Any, session: Session, exporting: ExportPanel) -> None:
        self.ui, self.session, self._exporting = ui, session, exporting
        self._exported: Path | None = None
        self._refreshing = False
        ui.installPackages.connect("clicked(bool)", self.on_install)
        ui.export.connect("clicked(bool)", self.on_export)
        ui.openFolder.connect("clicked(bool)", self.on_open_folder)
        for key, name in _BOXES.items():
            getattr(ui, name).connect("toggled(bool)", self._ticker(key))

    def refresh(self) -> None:
        """Show the formats, those that are not available grey with the reason."""
        self._refreshing = True
        choices = self._exporting.choices
        for one in choices:
            _show_choice(getattr(self.ui, _BOXES[one.key]), one)
        self.ui.installPackages.visible = any(one.packages for one in choices)
        self.ui.openFolder.enabled = self._exported is not None
        self._refreshing = False

    def _ticker(self, key: str) -> Callable[[bool], None]:
        return lambda checked: self.on_format_ticked(key, checked)

    @reported
    def on_format_ticked(self, key: str, checked: bool) -> None:
        """Write the format, or do not."""
        if not self._refreshing:
            self._exporting.choose(key, checked)

    @reported
    def on_install(self) -> None:
        """Install the packages that formats need, after asking."""
        ensure_packages()
        ensure(resource("requirements-export.txt"))
        self.refresh()

    @reported
    def on_export(self) -> None:
        """Write everything into a new folder; what happens is shown beside the button."""
        self.ui.exportResult.text = ""
        qt.QApplication.setOverrideCursor(qt.QCursor(qt.Qt.WaitCursor))
        try:
            written = self._exporting.export(datetime.now(), self._report)
        except Exception as error:
            known = isinstance(error, UserError)
            self.ui.exportResult.text = f"{error.what} {error.what_to_do}" if known else _("Nothing was written.")
            raise
        finally:
            qt.QApplication.restoreOverrideCursor()
        self._exported = written.folder
        message = self.session.message
        self.ui.exportResult.text = " ".join(filter(None, (message.what, message.what_to_do)))
        self.ui.openFolder.enabled = True

    def _report(self, share: float, what: str) -> None:
        self.ui.exportResult.text = f"{share:.0%} {what} …"
        self.ui.exportResult.repaint()

    @reported
    def on_open_folder(self) -> None:
        """Show the folder of the last export."""
        if self._exported is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self._exported)))


def _show_choice(box: Any, choice: Choice) -> None:
    """Show a format; why it is not available stands beside it."""
    short = choice.reason.partition(";")[0]
    box.text = f"{choice.title} ({short})" if short else choice.title
    box.toolTip = choice.reason
    box.enabled = choice.available
    box.checked = choice.chosen and choice.available
