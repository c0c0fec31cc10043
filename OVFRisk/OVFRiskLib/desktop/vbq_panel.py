"""The tab VBQ: regions on MRI proposed, looked at and dragged, with a table that follows."""

from typing import Any

import qt
from slicer.i18n import tr as _

from ..anatomy import Compartment, VertebralLevel
from ..image import Modality
from ..panels.session import Session
from ..panels.vbq import Vbq
from ..panels.vbq_regions import SEQUENCES
from ..panels.vbq_steps import graded_on_ct, motions_line, next_step, undrawn
from ..panels.vbq_tables import exclusions_view, named, remarks_on, scores_view, signals_view
from ..scene.region_views import show_behind
from ..vbq.roi import parse_region
from .binding import reported
from .tables import prepare, select_key, selected_key, show_table
from .vbq_propose_section import ROW, ProposeSection, fill
from .vbq_readings_section import ReadingsSection

_SETTLE_MS = 300  # without an edit, after which the slower part follows
_TOPICS = ("vbq", "measurements", "images", "parameters", "job", "scene")


class VbqPanel:
    """Binds the widgets of VBQ.ui to `panels.vbq.Vbq`.

    Parameters
    ----------
    ui : namespace of widgets
    session : Session
    """

    name = "VBQ"

    def __init__(self, ui: Any, session: Session) -> None:
        self.ui, self.session, self.title = ui, session, _("4 VBQ")
        self.vbq = Vbq(session)
        self.readings = ReadingsSection(ui, self.vbq)
        self._follow, self._settle = self._timer(0, self.on_follow), self._timer(_SETTLE_MS, self.on_settle)
        self.proposing = ProposeSection(ui, self.vbq)
        self.vbq.wake = self._follow.start
        for table in (ui.scoresTable, ui.signalsTable, ui.exclusionsTable):
            prepare(table)
            table.setWordWrap(False)
            table.verticalHeader().setDefaultSectionSize(ROW)
        ui.scoresTable.connect("itemSelectionChanged()", self.on_score)
        ui.signalsTable.connect("itemSelectionChanged()", self.on_region)
        ui.exclusionsTable.connect("itemSelectionChanged()", self.on_exclusion)
        ui.showImage.connect("currentIndexChanged(int)", self.on_image)
        for button, slot in self._buttons().items():
            getattr(ui, button).connect("clicked()", slot)
        for topic in _TOPICS:
            session.observe(topic, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show everything."""
        ui = self.ui
        ui.nextStep.text = next_step(self.vbq)
        ui.motionsLine.text = motions_line(self.vbq)
        ui.motionsLine.visible = bool(ui.motionsLine.text)
        self.proposing.refresh()
        self._show_tables()
        self._show_images()
        self._show_missing()
        self._show_buttons()
        self.readings.refresh()

    def enter(self) -> None:
        """Come into view."""

    def exit(self) -> None:
        """Go out of view: no more points are placed."""
        self.proposing.stop()

    def cleanup(self) -> None:
        """Stop following the scene."""
        for timer in (self._follow, self._settle):
            timer.stop()
        self.vbq.wake = lambda: None
        self.vbq.close()
        self.proposing.close()

    @reported
    def on_follow(self) -> None:
        """Take in what was edited in the views."""
        self.vbq.follow()
        self._settle.start()

    @reported
    def on_settle(self) -> None:
        """Measure what is slower, once the region is let go."""
        if self.vbq.dragging:
            self._settle.start()
        else:
            self.vbq.settle()

    @reported
    def on_region(self) -> None:
        """Go to the selected region."""
        key = selected_key(self.ui.signalsTable)
        if key in self._known():
            self.vbq.select(key)
        self._show_remarks()
        self._show_buttons()

    @reported
    def on_score(self) -> None:
        """Show the remarks on the selected score."""
        self._show_remarks()

    @reported
    def on_exclusion(self) -> None:
        """Go to the selected exclusion."""
        key = selected_key(self.ui.exclusionsTable)
        if key:
            self.vbq.select(key)
        self._show_buttons()

    @reported
    def on_image(self) -> None:
        """Show another image behind the regions."""
        name = self.ui.showImage.currentData
        if name:
            show_behind(self.session.scene, self.session.node(Modality(name)))

    @reported
    def on_fractured(self) -> None:
        """Leave the selected level out of the scores, or take it in again."""
        level, levels = self._level(), list(self._fractured())
        levels.remove(level) if level in levels else levels.append(level)
        self.vbq.set_fractured(tuple(sorted(levels, key=lambda one: one.rank)))

    @reported
    def on_from_ct(self) -> None:
        """Leave out the levels that are fractured on CT."""
        self.vbq.set_fractured(graded_on_ct(self.vbq))

    @reported
    def on_exclude(self) -> None:
        """Add an exclusion to the selected region."""
        key = self.vbq.exclude(parse_region(selected_key(self.ui.signalsTable)))
        select_key(self.ui.exclusionsTable, key)
        self.on_exclusion()

    @reported
    def on_leave_in(self) -> None:
        """Switch the selected exclusion off or on."""
        key = selected_key(self.ui.exclusionsTable)
        self.vbq.leave_in(key, not self.vbq.is_left_in(key))

    @reported
    def on_draw(self) -> None:
        """Add the chosen region that is missing."""
        key = self.ui.drawChoice.currentData
        self.vbq.draw(parse_region(key))
        self.vbq.select(key)

    @reported
    def on_left(self) -> None:
        """Move all regions to the patient's left."""
        self.vbq.move_plane(-1.0)

    @reported
    def on_right(self) -> None:
        """Move all regions to the patient's right."""
        self.vbq.move_plane(1.0)

    def _buttons(self) -> dict[str, Any]:
        return {
            "planeLeft": self.on_left,
            "planeRight": self.on_right,
            "fractured": self.on_fractured,
            "fromCt": self.on_from_ct,
            "exclude": self.on_exclude,
            "draw": self.on_draw,
            "leaveIn": self.on_leave_in,
        }

    def _timer(self, milliseconds: int, slot: Any) -> Any:
        timer = qt.QTimer()
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.connect("timeout()", slot)
        return timer

    def _show_tables(self) -> None:
        ui = self.ui
        self._views = scores_view(self.vbq), signals_view(self.vbq), exclusions_view(self.vbq)
        for table, view in zip((ui.scoresTable, ui.signalsTable, ui.exclusionsTable), self._views, strict=True):
            show_table(table, view)
        for widget in (ui.exclusionsTable, ui.leaveIn):
            widget.visible = bool(self._views[2].rows)
        self._show_remarks()

    def _show_remarks(self) -> None:
        ui = self.ui
        pairs = ((ui.scoresTable, ui.scoreRemarks), (ui.signalsTable, ui.regionRemarks))
        for (table, label), view in zip(pairs, self._views[:2], strict=True):
            label.text = remarks_on(view, selected_key(table))
            label.visible = bool(label.text)

    def _show_images(self) -> None:
        known = [str(sequence) for sequence in SEQUENCES if self.session.node(sequence) is not None]
        fill(self.ui.showImage, [(name, name) for name in known])

    def _show_missing(self) -> None:
        regions = undrawn(self.vbq)
        fill(self.ui.drawChoice, [(named(region), str(region)) for region in regions])
        self.ui.drawChoice.visible = self.ui.draw.visible = bool(regions)

    def _show_buttons(self) -> None:
        ui, key, level = self.ui, selected_key(self.ui.signalsTable), self._level()
        there = self.vbq.regions is not None
        for widget in (ui.planeLeft, ui.planeRight, ui.showImage):
            widget.enabled = there
        ui.exclude.enabled = key in self._known()
        ui.fromCt.enabled = bool(graded_on_ct(self.vbq))
        ui.fractured.enabled = level is not None
        out = level is not None and level in self._fractured()
        ui.fractured.text = _("Not fractured: take in") if out else _("Fractured: leave out")
        exclusion = selected_key(ui.exclusionsTable) if there else None
        ui.leaveIn.enabled = exclusion is not None
        left_in = exclusion is not None and self.vbq.is_left_in(exclusion)
        ui.leaveIn.text = _("Leave out") if left_in else _("Leave in")

    def _known(self) -> set[str]:
        return {str(roi.region) for roi in self.vbq.regions or ()}

    def _level(self) -> VertebralLevel | None:
        """Return the level of the selected body."""
        key = selected_key(self.ui.signalsTable)
        region = parse_region(key) if key else None
        return region.level if region is not None and isinstance(region.part, Compartment) else None

    def _fractured(self) -> tuple[VertebralLevel, ...]:
        text = self.session.parameters.fractured.strip()
        return VertebralLevel.span(text) if text else ()
