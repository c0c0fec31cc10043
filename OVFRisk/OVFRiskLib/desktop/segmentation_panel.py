"""The tab Segmentation."""

from typing import Any

import qt
import slicer

from ..panels.segmentation import SegmentationPanel as Segmentation
from ..panels.session import Session
from ..panels.words import _
from ..resources import resource
from .binding import reported
from .editor import Editor
from .levels_section import LevelsSection
from .packages import ensure, ensure_packages
from .points_section import WIDGETS, PointsSection

_SHOWN_FOR = {  # widgets that show only for engines that use a choice
    "seeds": WIDGETS,
    "first_level": ("firstLevelLabel", "firstLevelSelector"),
    "between": ("betweenLabel", "betweenSelector"),
    "use_anchor": ("useAnchor",),
    "bundle": ("bundleLabel", "bundleFolder"),
    "device": ("deviceLabel", "deviceSelector"),
    "fast": ("fast",),
    "whole": ("whole",),
}
_COALESCE_MS = 50  # a brush tells many times a second that something has changed


class SegmentationPanel:
    """Binds Resources/UI/Segmentation.ui to `panels.segmentation`.

    Parameters
    ----------
    ui : namespace
        The widgets by name.
    session : Session
    """

    name = "Segmentation"

    def __init__(self, ui: Any, session: Session) -> None:
        self.title = _("2 Segmentation")
        self.ui, self.session = ui, session
        self._later = qt.QTimer()  # this reference keeps it alive
        self._later.setSingleShot(True)
        self._later.setInterval(_COALESCE_MS)
        self._later.connect("timeout()", self.on_later)
        self.model = Segmentation(session, self._later.start)
        self.editor = Editor(ui.segmentEditor, session)
        self.points = PointsSection(ui, session, self.model.seeding)
        self.levels = LevelsSection(ui, session, self.model)
        for engine in self.model.engines:
            ui.engineSelector.addItem(engine.title, engine.name)
        for title, device in ((_("CPU"), "cpu"), (_("GPU (CUDA)"), "cuda")):
            ui.deviceSelector.addItem(title, device)
        ui.apply.connect("clicked(bool)", self.on_apply)
        ui.installEngine.connect("clicked(bool)", self.on_install_engine)
        session.observe("job", self._show_run)
        for topic in ("images", "parameters", "scene"):
            session.observe(topic, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        self._show_engine()
        self._show_run()
        self.points.refresh()
        self.levels.refresh()
        self.editor.follow()

    def enter(self) -> None:
        """Come into view."""
        self.editor.enter()

    def exit(self) -> None:
        """Go out of view: clicks in the views are the user's own again."""
        self.points.stop_placing()
        self.editor.exit()

    def cleanup(self) -> None:
        """Let go of the timer, the scene's nodes and the views."""
        self._later.stop()
        self._later.disconnect("timeout()", self.on_later)
        self.editor.cleanup()
        self.model.close()

    def _show_engine(self) -> None:
        engine, ui = self.model.engine, self.ui
        ui.engineAbout.text = engine.about
        for choice, names in _SHOWN_FOR.items():
            for name in names:
                getattr(ui, name).visible = choice in engine.uses
        ui.engineOffer.text = engine.offer
        ui.engineOffer.visible = bool(engine.missing)
        ui.installEngine.visible = engine.can_install

    def _show_run(self) -> None:
        ui, running = self.ui, self.model.is_running
        ui.apply.text = _("Cancel") if running else _("Apply")
        ui.apply.enabled = running or not (self.model.problem or self.model.engine.missing)
        ui.nextStep.text = self.model.next_step

    @reported
    def on_later(self) -> None:
        """Show what has changed meanwhile."""
        self.refresh()

    @reported
    def on_apply(self) -> None:
        """Find the vertebrae, or stop it."""
        if self.model.is_running:
            self.session.cancel()
            return
        ensure_packages()
        self.points.stop_placing()
        self.model.apply()
        self.refresh()

    @reported
    def on_install_engine(self) -> None:
        """Install what the engine needs, after asking."""
        if slicer.util.confirmOkCancelDisplay(f"{self.model.engine.offer}\n\n{_('Install it now?')}"):
            ensure(resource(self.model.engine.requirements))
            self.refresh()
