"""The tab Images."""

from typing import Any

import slicer

from ..image import Modality
from ..panels.images import Images
from ..panels.parameters import CalibrationChoice
from ..panels.session import Session
from ..panels.words import _
from .binding import reported

_REASONS = {Modality.CT: "ctReason", Modality.T1: "t1Reason", Modality.T2: "t2Reason", Modality.STIR: "stirReason"}


class ImagesPanel:
    """Shows and sets what `Images` knows.

    Parameters
    ----------
    ui : namespace
        The widgets of Images.ui by name.
    session : Session
    """

    name = "Images"

    def __init__(self, ui: Any, session: Session) -> None:
        self.title = _("1 Images")
        self.ui = ui
        self.session = session
        self.images = Images(session, _file_of)
        for button, slot in (
            ("propose", self.on_propose),
            ("openSample", self.on_open_sample),
            ("proposePhase", self.on_propose_phase),
            ("openResult", self.on_open_result),
        ):
            getattr(ui, button).connect("clicked()", slot)
        for topic in ("images", "parameters", "segmentation", "scene", "job"):
            session.observe(topic, self.refresh)

    def refresh(self) -> None:
        """Show reasons, doubts and what goes with the choices."""
        ui, chosen = self.ui, self.session.parameters
        for modality, name in _REASONS.items():
            _show(getattr(ui, name), self.images.reason(modality))
        _show(ui.phaseReason, self.images.phase_hint)
        _show(ui.problems, "\n".join(self.images.problems()))
        ui.calibrationFile.visible = chosen.calibration is CalibrationChoice.LINE
        ui.rods.visible = chosen.calibration is CalibrationChoice.RODS
        ui.openSample.enabled = self.session.job is None
        ui.openResult.enabled = bool(chosen.result_folder)
        ui.syntheticNote.visible = chosen.synthetic

    def enter(self) -> None:
        """Propose, where nothing has been chosen yet."""
        if not any(self.session.node(modality) for modality in _REASONS):
            self.on_propose()

    def exit(self) -> None:
        """Nothing to let go of."""

    def cleanup(self) -> None:
        """Nothing to let go of."""

    @reported
    def on_propose(self) -> None:
        """Choose volumes for what is empty."""
        self.images.propose()

    @reported
    def on_open_sample(self) -> None:
        """Make the phantom."""
        self.images.open_sample()

    @reported
    def on_propose_phase(self) -> None:
        """Ask whether the phase that the vessels show is meant."""
        phase = self.images.propose_phase()
        if phase is None:
            return
        question = _("The vessels show: {phase}.\n{reason}\n\nIs that the phase of this CT?")
        text = question.format(phase=phase.label(), reason=self.images.phase_reason)
        if slicer.util.confirmYesNoDisplay(text):
            self.session.parameters.phase = phase

    @reported
    def on_open_result(self) -> None:
        """Open what `ovfrisk analyze` wrote."""
        from ..scene.result import result_scene

        path = result_scene(self.session.parameters.result_folder)
        slicer.util.loadScene(str(path))
        self.images.propose()


def _show(label: Any, text: str) -> None:
    label.text = text
    label.visible = bool(text)


def _file_of(uid: str) -> str:
    database = getattr(slicer, "dicomDatabase", None)  # there is none where the DICOM module is switched off
    return database.fileForInstance(uid) if database is not None and database.isOpen else ""
