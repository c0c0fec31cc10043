"""The first section of the tab VBQ: where the vertebral bodies are, and the proposal of regions."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..panels.parameters import BodiesChoice
from ..panels.vbq import Vbq
from ..panels.vbq_clicks import Clicks
from ..panels.vbq_regions import SEQUENCES, show_midsagittal, why_not
from ..panels.vbq_steps import images_line
from ..vbq.proposal import LEVELS
from .binding import reported

ROW = 22  # pixels, of a table
_ROWS = {  # what is asked for each way of finding the bodies
    BodiesChoice.SEGMENTATION: ("segmentationLabel", "vbqSegmentation"),
    BodiesChoice.CLICKS: ("clicksLabel", "clicksRow"),
    BodiesChoice.FILE: ("fileLabel", "vbqRegionsFile"),
}


class ProposeSection:
    """Binds the section "Propose regions".

    Parameters
    ----------
    ui : namespace of widgets
    vbq : Vbq
    """

    def __init__(self, ui: Any, vbq: Vbq) -> None:
        self.ui, self.vbq, self.session = ui, vbq, vbq.session
        self._proposed = False
        self._fill_lists()
        self.clicks = Clicks(self.session, self.on_clicks)
        ui.clickBodies.connect("toggled(bool)", self.on_click_bodies)
        ui.clicksPlace.connect("activeMarkupsPlaceModeChanged(bool)", self.on_placing)
        ui.clearClicks.connect("clicked()", self.on_clear_clicks)
        ui.showMiddle.connect("clicked()", self.on_middle)
        ui.propose.connect("clicked()", self.on_propose)

    def refresh(self) -> None:
        """Show what is chosen and what is missing."""
        ui, lacking, there = self.ui, why_not(self.session), self.vbq.regions is not None
        ui.imagesLine.text = images_line(self.vbq)
        for where, names in _ROWS.items():
            for name in names:
                getattr(ui, name).visible = self.session.parameters.vbq_bodies is where
        ui.clicksLine.text = _("{count} points").format(count=self.clicks.count)
        ui.clearClicks.enabled = self.clicks.count > 0
        ui.showMiddle.enabled = any(self.session.node(sequence) for sequence in SEQUENCES)
        ui.propose.enabled = not self.session.job and lacking is None
        ui.propose.toolTip = str(lacking) if lacking else _("Earlier regions are replaced")
        ui.propose.text = _("Propose regions again") if there else _("Propose regions")
        if there != self._proposed:  # the section has done its work
            self._proposed = ui.proposeSection.collapsed = there

    def stop(self) -> None:
        """Place no more points."""
        self.ui.clickBodies.checked = False

    def close(self) -> None:
        """Stop watching the points."""
        self.clicks.close()

    @reported
    def on_propose(self) -> None:
        """Propose regions."""
        self.stop()
        self.vbq.propose()

    @reported
    def on_middle(self) -> None:
        """Show the slice in which left and right mirror each other."""
        self.session.say(
            show_midsagittal(self.session), _("It is a proposal: choose another slice where it is not the middle.")
        )

    @reported
    def on_click_bodies(self, on: bool) -> None:
        """Place points in bodies, or stop."""
        chosen = self.session.parameters
        if on and chosen.vbq_clicks is None:
            node = self.session.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", _("VBQ bodies"))
            node.CreateDefaultDisplayNodes()
            chosen.vbq_clicks = node
        if chosen.vbq_clicks is not None:
            self.ui.clicksPlace.setCurrentNode(chosen.vbq_clicks)
            self.ui.clicksPlace.placeMultipleMarkups = slicer.qSlicerMarkupsPlaceWidget.ForcePlaceMultipleMarkups
            self.ui.clicksPlace.setPlaceModeEnabled(on)

    @reported
    def on_placing(self, on: bool) -> None:
        """Follow a right click in the view, which ends placing."""
        self.ui.clickBodies.checked = on

    @reported
    def on_clicks(self) -> None:
        """A point was placed, moved away or removed."""
        self.refresh()

    @reported
    def on_clear_clicks(self) -> None:
        """Begin again with the points."""
        if self.session.parameters.vbq_clicks is not None:
            self.session.parameters.vbq_clicks.RemoveAllControlPoints()

    def _fill_lists(self) -> None:
        """Fill the lists that are always the same; what is chosen is shown by the binding."""
        ui = self.ui
        csf = [(_("L3, or beside it where that is narrow"), ""), *((str(level), str(level)) for level in LEVELS)]
        fill(ui.vbqCsfLevel, csf)
        fill(ui.vbqStatistic, [(_("their mean (Huang)"), "mean"), (_("their median (Ehresman)"), "median")])
        for combo in (ui.vbqTop, ui.vbqBottom):
            fill(combo, [(str(level), str(level)) for level in LEVELS])


def fill(combo: Any, entries: list[tuple[str, str]]) -> None:
    """Fill a list; what was chosen stays chosen, and nobody is told."""
    before = combo.currentData
    combo.blockSignals(True)
    combo.clear()
    for text, data in entries:
        combo.addItem(text, data)
    place = combo.findData(before)
    combo.currentIndex = place if place >= 0 else (0 if entries else -1)
    combo.blockSignals(False)
