"""What all panels share: the scene, the choices, the record, the one job that runs, the message, the selected level."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import slicer
import vtk

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..image import Modality, Volume
from ..jobs import Event, Kind
from .parameters import Parameters
from .running import Launcher, Running
from .view import NOTHING, Message, MessageKind
from .words import _

TOPICS = (
    "images",
    "segmentation",
    "measurements",
    "vbq",
    "scores",
    "job",
    "message",
    "level",
    "parameters",
    "scene",
)
IMAGES = {Modality.CT: "ct", Modality.T1: "t1", Modality.T2: "t2", Modality.STIR: "stir"}  # names of parameters
_TOPIC_OF = {**dict.fromkeys(IMAGES.values(), "images"), "segmentation": "segmentation"}
Slot = Callable[[], None]


class Session:
    """What is being worked on; one a scene.

    Parameters
    ----------
    scene : vtkMRMLScene
    parameters : Parameters
        Of the scene's parameter node.
    launcher : Launcher
        Where jobs run.

    Attributes
    ----------
    prepare : callable
        Called before a job starts; a front end asks here for packages that are missing. A UserError stops the start.

    Notes
    -----
    Topics to observe: ``images`` (another volume, facts), ``segmentation`` (another node, edited), ``measurements``
    (record), ``vbq``, ``scores``, ``job`` (started, progress, ended), ``message``, ``level`` (selected one) and
    ``parameters`` (any choice), and ``scene``: the scene was closed or loaded, so drop what you hold of it.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, parameters: Parameters, launcher: Launcher | None = None) -> None:
        self.scene = scene
        self.launcher = launcher or Launcher()
        self.prepare: Slot = _nothing
        self.record: Any = None  # panels.record.Record
        self.job: Running | None = None
        self.message = NOTHING
        self.level: VertebralLevel | None = None
        self._slots: dict[str, list[Slot]] = {topic: [] for topic in TOPICS}
        self._volumes: dict[Modality, tuple[tuple, Volume]] = {}
        self._on_finished: Callable[[Path], None] | None = None
        self._observed: slicer.vtkMRMLNode | None = None
        self._cut_off = ""  # title of the job that a closing scene has ended
        self.open(parameters)

    def open(self, parameters: Parameters) -> None:
        """Work with the choices of a scene that was made or loaded."""
        self.close()
        self.parameters = parameters
        self._chosen = self._choices()
        self._observed = parameters.parameterNode
        self._tag = self._observed.AddObserver(vtk.vtkCommand.ModifiedEvent, self._on_parameters)
        self.tell("scene")
        if self._cut_off:
            what = _("{title} was cancelled: the scene was closed, or another one was opened.")
            self.say(what.format(title=self._cut_off), kind=MessageKind.WARNING)
            self._cut_off = ""

    def observe(self, topic: str, slot: Slot) -> None:
        """Call `slot` whenever `topic` changes."""
        self._slots[topic].append(slot)

    def tell(self, topic: str) -> None:
        """Call the slots of a topic; what goes wrong in one is shown as the message, and the others are called."""
        for slot in tuple(self._slots[topic]):
            try:
                slot()
            except Exception as error:
                self.report(error, quietly=topic == "message")

    def say(self, what: str, what_to_do: str = "", kind: MessageKind = MessageKind.INFO) -> None:
        """Show a message."""
        self.message = Message(what, what_to_do, kind)
        self.tell("message")

    def report(self, error: Exception, quietly: bool = False) -> None:
        """Show what went wrong: a user's mistake in its words, anything else as a bug, traceback in the log."""
        if isinstance(error, UserError):
            self.message = Message(error.what, error.what_to_do, MessageKind.ERROR)
        else:
            logging.getLogger("OVFRisk").error("%s", error, exc_info=error)
            what = _("Something went wrong that should not: {error}").format(error=f"{type(error).__name__}: {error}")
            self.message = Message(what, _("Please report it; the log holds the details."), MessageKind.ERROR)
        if not quietly:
            self.tell("message")

    def select_level(self, level: VertebralLevel | None) -> None:
        """Make `level` the one that the views show."""
        if level != self.level:
            self.level = level
            self.tell("level")

    def node(self, modality: Modality) -> slicer.vtkMRMLScalarVolumeNode | None:
        """Return the chosen volume node."""
        return getattr(self.parameters, IMAGES[modality])

    def volume(self, modality: Modality) -> Volume | None:
        """Return the chosen image in patient space, with how it was acquired; None where none is chosen.

        Raises
        ------
        UserError
            When the node holds no single-channel 3-D image.
        """
        from ..mrml import volume_of
        from ..scene.volumes import acquisition_of, stamp_of

        node = self.node(modality)
        if node is None:
            return None
        stamp = stamp_of(node)
        if modality not in self._volumes or self._volumes[modality][0] != stamp:
            volume = replace(volume_of(node), modality=modality, acquisition=acquisition_of(node))
            self._volumes[modality] = (stamp, volume)
        return self._volumes[modality][1]

    def start(
        self,
        title: str,
        arguments: Callable[[Path], Sequence[object]],
        on_finished: Callable[[Path], None],
    ) -> None:
        """Start a job; a front end then calls `poll` from a timer.

        Parameters
        ----------
        title : str
            What is done.
        arguments : callable
            Writes the input into the folder that it gets, and returns what follows `ovfrisk` on the command line; the
            result goes to the folder ``result`` in it.
        on_finished : callable
            Gets the result folder, which is removed afterwards.

        Raises
        ------
        UserError
            When a job runs already.
        """
        if self.job:
            raise UserError(
                _("{title} is still running.").format(title=self.job.title), _("Wait for it, or cancel it.")
            )
        self.message = NOTHING
        self.prepare()
        self.job = Running(title, arguments, self.launcher)
        self._on_finished = on_finished
        self.tell("message")
        self.tell("job")

    def poll(self) -> None:
        """Take what the job has done since the last call; never waits."""
        if self.job is None:
            return
        try:
            event = self.job.poll()
        except Exception as error:
            self.report(error)
            self._end(cancel=True)
            return
        if event is None:
            self.tell("job")
        else:
            self._ended(event)

    def cancel(self) -> None:
        """End the job and all its processes; the scene stays as it is."""
        if self.job:
            title = self.job.title
            self._end(cancel=True)
            self.say(_("{title} was cancelled.").format(title=title))

    def close(self) -> None:
        """Let go of all that hangs on the scene: the job, the record, the caches. The slots stay for the next scene."""
        self._cut_off = self.job.title if self.job else self._cut_off
        self._end(cancel=True)
        self._volumes.clear()
        self.record, self.level, self.message = None, None, NOTHING
        if self._observed is not None:
            self._observed.RemoveObserver(self._tag)
            self._observed = None

    def forget_slots(self) -> None:
        """Call nobody any more: the front end goes."""
        self._slots = {topic: [] for topic in TOPICS}

    def _ended(self, event: Event) -> None:
        try:
            if event.kind is Kind.FAILED:
                raise UserError(str(event.fields["what"]), str(event.fields["what_to_do"]))
            self._on_finished(self.job.result)
            if self.job.warnings and self.message == NOTHING:
                self.say("\n".join(self.job.warnings), kind=MessageKind.WARNING)
        except Exception as error:
            self.report(error)
        self._end()

    def _end(self, cancel: bool = False) -> None:
        job, self.job, self._on_finished = self.job, None, None
        if job:
            job.cancel() if cancel else job.remove()
            self.tell("job")

    def _choices(self) -> dict[str, object]:
        return {name: getattr(self.parameters, name) for name in _TOPIC_OF}

    def _on_parameters(self, _caller: object, _event: str) -> None:
        before, self._chosen = self._chosen, self._choices()
        changed = [name for name in _TOPIC_OF if before[name] is not self._chosen[name]]
        for topic in dict.fromkeys(_TOPIC_OF[name] for name in changed):
            self.tell(topic)
        self.tell("parameters")


def _nothing() -> None:
    pass
