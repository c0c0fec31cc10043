"""The points of the tab Segmentation: clicked, named, listed."""

from typing import Any

import slicer

from ..anatomy import VertebralLevel
from ..panels.seeding import Seeding
from ..panels.session import Session
from .binding import reported
from .tables import Table, selected_key

WIDGETS = ("placePoints", "seedsLabel", "seedsSelector", "pointTable", "renamePoint", "pointLevel", "deletePoint")
_OF_POINT = ("renamePoint", "pointLevel", "deletePoint")


class PointsSection:
    """Binds the widgets of the points to `panels.seeding`.

    Parameters
    ----------
    ui : namespace
        The widgets of Segmentation.ui by name.
    session : Session
    seeding : Seeding
    """

    def __init__(self, ui: Any, session: Session, seeding: Seeding) -> None:
        self.ui, self.session, self.seeding = ui, session, seeding
        self._table = Table(ui.pointTable)
        for combo in (ui.firstLevelSelector, ui.pointLevel):
            for level in VertebralLevel:
                combo.addItem(str(level), str(level))
        ui.placeWidget.visible = False  # its buttons are ours; it knows how to place points
        ui.placeWidget.placeMultipleMarkups = slicer.qSlicerMarkupsPlaceWidget.ForcePlaceMultipleMarkups
        ui.placeWidget.connect("activeMarkupsPlaceModeChanged(bool)", self.on_place_mode)
        ui.placePoints.connect("clicked(bool)", self.on_place_points)
        ui.firstLevelSelector.connect("activated(int)", self.on_first_level)
        ui.pointTable.connect("itemSelectionChanged()", self.on_point_selected)
        ui.renamePoint.connect("clicked(bool)", self.on_rename_point)
        ui.deletePoint.connect("clicked(bool)", self.on_delete_point)

    def refresh(self) -> None:
        """Show the points."""
        ui, seeding = self.ui, self.seeding
        if ui.placeWidget.currentNode() is not seeding.node:
            ui.placeWidget.setCurrentNode(seeding.node)
        self._table.show(seeding.table())
        ui.firstLevelSelector.currentIndex = ui.firstLevelSelector.findData(str(seeding.first))
        self._show_point()

    def stop_placing(self) -> None:
        """Make clicks in the views the user's own again."""
        self.ui.placeWidget.setPlaceModeEnabled(False)

    def _show_point(self) -> None:
        for name in _OF_POINT:
            getattr(self.ui, name).enabled = self._point() is not None

    def _point(self) -> str | None:
        """Return the id of the selected point."""
        return selected_key(self.ui.pointTable)

    @reported
    def on_place_points(self, placing: bool) -> None:
        """Let the next clicks in a slice view be points."""
        place = self.ui.placeWidget
        if placing:
            place.setCurrentNode(self.seeding.ensure())
        place.setPlaceModeEnabled(placing)
        self.ui.placePoints.checked = place.placeModeEnabled

    @reported
    def on_place_mode(self, placing: bool) -> None:
        """Show whether clicks are points."""
        self.ui.placePoints.checked = placing

    @reported
    def on_first_level(self) -> None:
        """Name the first point, and the others from it."""
        try:
            self.seeding.choose_first(VertebralLevel(self.ui.firstLevelSelector.currentData))
        finally:
            self.refresh()

    @reported
    def on_point_selected(self) -> None:
        """Show the point in the views, and its name as what it can be renamed from."""
        self._show_point()
        point = self._point()
        if point:
            self.seeding.show(point)
            item = self.ui.pointTable.item(self.ui.pointTable.currentRow(), 0)
            self.ui.pointLevel.currentIndex = self.ui.pointLevel.findData(item.text())

    @reported
    def on_rename_point(self) -> None:
        """Rename the selected point and those further out."""
        self.seeding.rename(self._point(), VertebralLevel(self.ui.pointLevel.currentData))
        self.refresh()

    @reported
    def on_delete_point(self) -> None:
        """Take the selected point away."""
        self.seeding.delete(self._point())
        self.refresh()
