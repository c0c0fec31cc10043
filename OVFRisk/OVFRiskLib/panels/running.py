"""A job with its purpose: what it is for, how far it is, and what happens when it has finished."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UserError
from ..jobs import Event, Job, Kind
from .words import _

RESULT = "result"  # folder that the job makes


@dataclass(frozen=True)
class Launcher:
    """Where jobs run.

    Parameters
    ----------
    python : str
        The interpreter: ``PythonSlicer`` inside Slicer.
    environment : mapping of str to str
        Added to this process's own: ``slicer.util.startupEnvironment()`` inside Slicer.
    """

    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)


class Running:
    """One job in a temporary folder of its own, which is removed when the job has ended.

    Parameters
    ----------
    title : str
        What is done, in the user's words.
    arguments : callable
        Gets the temporary folder, writes the job's input there, and returns the job's arguments. The job writes its
        result to the folder ``result`` in it.
    launcher : Launcher
    """

    def __init__(self, title: str, arguments: Callable[[Path], Sequence[object]], launcher: Launcher) -> None:
        self.title = title
        self.share = 0.0
        self.text = ""
        self.warnings: list[str] = []
        self.folder = Path(tempfile.mkdtemp(prefix="ovfrisk-"))
        try:
            self._job = Job(arguments(self.folder), launcher.python, launcher.environment)
            self._job.start()
        except OSError as error:
            self.remove()
            raise UserError(
                _("{title} could not be started: {error}.").format(title=title, error=error),
                _("Check that there is free space, and that Slicer is installed completely."),
            ) from error
        except BaseException:
            self.remove()
            raise

    @property
    def result(self) -> Path:
        """The job's result folder; there when it has finished."""
        return self.folder / RESULT

    def poll(self) -> Event | None:
        """Take what has happened since the last call; return how the job has ended, once; never waits."""
        for event in self._job.poll():
            if event.kind is Kind.PROGRESS:
                self.share, self.text = float(event.fields["share"]), str(event.fields["text"])
            elif event.kind is Kind.WARNING:
                self.warnings.append(str(event.fields["text"]))
            elif event.kind in (Kind.FINISHED, Kind.FAILED):
                return event
        return None

    def cancel(self) -> None:
        """End the whole process tree and remove the folder."""
        self._job.cancel()
        self.remove()

    def remove(self) -> None:
        """Remove the job's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
