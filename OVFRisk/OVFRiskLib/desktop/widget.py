"""The module's panel: the line above, the tabs, the message, and the job that runs."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import qt
import slicer
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper

from ..errors import UserError
from ..panels.guide import heading, next_step
from ..panels.parameters import Parameters
from ..panels.session import Session
from ..panels.view import MessageKind
from ..panels.words import use_translation
from ..resources import resource
from .binding import Binding, reported
from .jobs import JobTimer, launcher
from .packages import ensure_packages

_PANELS = (
    ("images_panel", "ImagesPanel"),
    ("segmentation_panel", "SegmentationPanel"),
    ("ct_panel", "CtPanel"),
    ("vbq_panel", "VbqPanel"),
    ("score_panel", "ScorePanel"),
)
_COLOURS = {  # dark on light, whatever the application's colours are
    MessageKind.INFO: ("#e8f1fb", "#12375c"),
    MessageKind.WARNING: ("#fdf3d8", "#5c4400"),
    MessageKind.ERROR: ("#fbe3e1", "#7a1410"),
}


@parameterNodeWrapper
class ParameterNode(Parameters):
    """The choices, in Slicer's parameter node."""


class Shell:
    """The panel as a whole; OVFRiskWidget delegates to it.

    Parameters
    ----------
    node : vtkMRMLScriptedModuleNode
        The scene's parameter node.
    """

    def __init__(self, node: Any) -> None:
        use_translation(translate)
        self.widget = slicer.util.loadUI(str(resource("UI", "OVFRisk.ui")))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.session = Session(slicer.mrmlScene, ParameterNode(node))
        self.session.prepare = ensure_packages
        self._timer = JobTimer(self.session)
        self._bindings: list[Binding] = []
        self.panels = [self._add(kind) for kind in _kinds()]
        for topic, slot in (("message", self._show_message), ("job", self._show_job)):
            self.session.observe(topic, slot)
        for topic in ("images", "segmentation", "measurements", "vbq", "parameters", "job", "scene"):
            self.session.observe(topic, self._show_heading)
        self.session.observe("scene", self._show_job)
        self.session.observe("scene", self._show_message)
        self._inside, self._shown = False, None
        self.ui.tabs.connect("currentChanged(int)", self.on_tab)
        self.ui.cancelJob.connect("clicked()", self.on_cancel)
        self.ui.closeMessage.connect("clicked()", self.on_close_message)
        self._choose_python()
        self.session.tell("scene")

    def scene_closes(self) -> None:
        """Let go of the scene before its nodes go."""
        self.session.close()

    def scene_changed(self, node: Any) -> None:
        """Work with the scene that was made or loaded, and its parameter node."""
        self.session.open(ParameterNode(node))

    def enter(self) -> None:
        """Come into view."""
        self._inside = True
        self.on_tab()

    def exit(self) -> None:
        """Go out of view."""
        self._inside = False
        self.on_tab()

    @reported
    def on_tab(self) -> None:
        """Let only the panel that is in view act on Slicer's views, and take its own height alone."""
        shown = self.panels[self.ui.tabs.currentIndex] if self._inside else None
        if self._shown is not None and self._shown is not shown:
            self._shown.exit()
        entered = shown is not None and shown is not self._shown
        self._shown = shown
        for place in range(self.ui.tabs.count):
            policy = qt.QSizePolicy.Preferred if place == self.ui.tabs.currentIndex else qt.QSizePolicy.Ignored
            self.ui.tabs.widget(place).setSizePolicy(policy, policy)
        if entered:
            shown.enter()
            shown.refresh()

    def cleanup(self) -> None:
        """Stop everything before the module goes."""
        self.exit()
        self._timer.stop()
        for panel in self.panels:
            panel.cleanup()
        self.session.close()
        self.session.forget_slots()

    @reported
    def on_cancel(self) -> None:
        """End the job."""
        self.session.cancel()

    @reported
    def on_close_message(self) -> None:
        """Put the message away."""
        self.session.say("")

    def _add(self, kind: type) -> Any:
        page = slicer.util.loadUI(str(resource("UI", f"{kind.name}.ui")))
        if page.inherits("qMRMLWidget"):
            page.setMRMLScene(slicer.mrmlScene)
        panel = kind(slicer.util.childWidgetVariables(page), self.session)
        self._bindings.append(Binding(page, self.session))  # after the panel has filled its combo boxes
        self.ui.tabs.addTab(page, panel.title)
        return panel

    def _choose_python(self) -> None:
        try:
            self.session.launcher = launcher()
        except UserError as error:
            self.session.report(error)

    def _show_heading(self) -> None:
        self.ui.subjectLine.text = heading(self.session)
        self.ui.nextStep.text = next_step(self.session)

    def _show_job(self) -> None:
        job = self.session.job
        self.ui.jobArea.visible = job is not None
        if job:
            self.ui.progress.maximum = 100 if job.share else 0  # 0: busy, nobody knows how long
            self.ui.progress.value = round(100 * job.share)
            self.ui.jobText.text = f"{job.title}: {job.text}" if job.text else job.title

    def _show_message(self) -> None:
        message = self.session.message
        background, text = _COLOURS[message.kind]
        self.ui.messageArea.visible = bool(message.what)
        self.ui.messageArea.styleSheet = f"#messageArea {{background: {background}; border-radius: 4px}}"
        for label in (self.ui.messageWhat, self.ui.messageWhatToDo):
            label.styleSheet = f"color: {text}"
        self.ui.messageWhat.text = message.what
        self.ui.messageWhatToDo.text = message.what_to_do
        self.ui.messageWhatToDo.visible = bool(message.what_to_do)


def _kinds() -> Iterator[type]:
    for module, name in _PANELS:
        yield getattr(import_module(f".{module}", __package__), name)
