"""The tab CT: measure, update after an edit, read the tables, go from a row to its level."""

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..anatomy import VertebralLevel
from ..panels.ct import Ct
from ..panels.session import Session
from ..radiomics.protocol import protocol_names
from ..scene.plots import charts
from .binding import reported
from .packages import ensure_packages
from .tables import Table

_SETTLE_MS = 100  # after an edit, before what it changed is looked for
_ROW = 22  # pixels
_TABLES = ("heights", "attenuation", "spine", "muscle")


class CtPanel:
    """Binds the widgets of CT.ui to `panels.ct.Ct`.

    Parameters
    ----------
    ui : namespace of widgets
    session : Session
    """

    name = "CT"

    def __init__(self, ui: Any, session: Session) -> None:
        self.ui, self.session, self.title = ui, session, _("3 CT")
        self._settle = qt.QTimer()  # this reference keeps it alive
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.connect("timeout()", self.on_settle)
        self.ct = Ct(session, self._settle.start)
        for name in protocol_names():
            ui.protocol.addItem(name, name)
        self._tables = {name: Table(getattr(ui, f"{name}Table"), self.on_level) for name in (*_TABLES, "features")}
        for table in self._tables.values():
            table.widget.setWordWrap(False)
            table.widget.verticalHeader().setDefaultSectionSize(_ROW)
        self._shown: tuple | None = None
        self._measured = False
        for button, slot in self._buttons().items():
            getattr(ui, button).connect("clicked()", slot)
        ui.tables.connect("currentChanged(int)", self.refresh)
        for topic in ("images", "segmentation", "measurements", "parameters", "job", "scene"):
            session.observe(topic, self.refresh)
        self.refresh()

    def refresh(self, *_arguments: object) -> None:
        """Show what is known now."""
        ui, ready = self.ui, not self.session.job and not self.ct.missing
        ui.nextStep.text = f"<b>{self.ct.next_step}</b>"
        ui.measureCt.enabled = ready
        ui.measureCt.toolTip = self.ct.missing or _("Measure the chosen levels anew")
        ui.measureCt.text = _("Measure again") if self.ct.part else _("Measure")
        ui.updateCt.enabled = ready and bool(self.ct.changed)
        ui.updateCt.toolTip = self.ct.changed or _("Nothing has changed since the last measurement")
        if bool(self.ct.part) != self._measured:  # the first section has done its work
            self._measured = ui.choiceSection.collapsed = bool(self.ct.part)
        ui.showAll.enabled = self.session.level is not None
        self._show_tables()
        self._show_charts()

    def enter(self) -> None:
        """Come into view."""
        self.ct.flush()

    def exit(self) -> None:
        """Nothing has to be let go of."""

    def cleanup(self) -> None:
        """Stop following the scene."""
        self._settle.stop()
        self._settle.disconnect("timeout()", self.on_settle)
        self.ct.close()

    @reported
    def on_settle(self) -> None:
        """Look at what an edit has changed."""
        self.ct.flush()
        self.refresh()

    @reported
    def on_measure(self) -> None:
        """Measure, once every package is there."""
        ensure_packages()
        self.ct.measure()

    @reported
    def on_update(self) -> None:
        """Measure what has changed."""
        ensure_packages()
        self.ct.update()

    @reported
    def on_show_all(self) -> None:
        """Bring no level out any more."""
        self.session.select_level(None)
        self.refresh()

    @reported
    def on_show_chart(self) -> None:
        """Show the chosen chart beside the slice views."""
        node = self.session.scene.GetNodeByID(self.ui.chartChoice.currentData)
        if node is not None:
            slicer.modules.plots.logic().ShowChartInLayout(node)

    @reported
    def on_level(self, level: VertebralLevel) -> None:
        """Show the level of the selected row in the views."""
        self.session.select_level(level)
        self.ui.showAll.enabled = True

    def _buttons(self) -> dict[str, Any]:
        return {
            "measureCt": self.on_measure,
            "updateCt": self.on_update,
            "showAll": self.on_show_all,
            "showChart": self.on_show_chart,
        }

    def _show_tables(self) -> None:
        """Show the tables, if anything in them has changed: other panels' regions are dragged."""
        shown = (self.ct.part, self.ct.changed, self.ui.tables.currentIndex, self.session.parameters.feature_filter)
        if shown == self._shown:
            return
        self._shown, tables = shown, self.ct.tables
        for name in _TABLES:
            self._tables[name].show(getattr(tables, name)())
        if self.ui.tables.currentIndex == len(_TABLES):  # thousands of rows: only where they are seen
            view = tables.features(self.session.parameters.feature_filter)
            self.ui.featuresTitle.text = view.title
            self._tables["features"].show(view)

    def _show_charts(self) -> None:
        found = [(node.GetName(), node.GetID()) for node in charts(self.session.scene)]
        shown = [
            (self.ui.chartChoice.itemText(n), self.ui.chartChoice.itemData(n)) for n in range(self.ui.chartChoice.count)
        ]
        if found != shown:
            self.ui.chartChoice.clear()
            for title, node in found:
                self.ui.chartChoice.addItem(title, node)
        self.ui.showChart.enabled = bool(found)
