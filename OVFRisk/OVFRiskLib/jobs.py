"""Heavy work in a child process that tells how it goes, and can be cancelled.

The child is the command `ovfrisk` itself with ``--events``: it prints one JSON object a line. What the command line can
do is therefore a job, and the same function does the work.
"""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .child_process import GRACE_S, ChildProcess


class Kind(StrEnum):
    """What an event tells."""

    STARTED = "started"
    PROGRESS = "progress"
    WARNING = "warning"
    FAILED = "failed"
    FINISHED = "finished"


_OUTCOMES = (Kind.FAILED, Kind.FINISHED)


@dataclass(frozen=True)
class Event:
    """One line of a job.

    Parameters
    ----------
    kind : Kind
    fields : mapping
        progress: ``share`` (0-1) and ``text``; warning: ``text``; failed: ``what`` and ``what_to_do``.
    """

    kind: Kind
    fields: Mapping[str, object] = field(default_factory=dict)

    def to_line(self) -> str:
        """Return the event as a line of JSON."""
        return json.dumps({"event": self.kind, **self.fields})

    @classmethod
    def from_line(cls, line: str) -> "Event | None":
        """Read a line; None where it is no event."""
        try:
            fields = json.loads(line)
            return cls(Kind(fields.pop("event")), fields)
        except (ValueError, AttributeError, KeyError, TypeError):
            return None


class Job:
    """A command of `ovfrisk` in a process of its own.

    Poll it from a timer. Whatever happens, a job ends with exactly one event `FINISHED` or `FAILED`, unless it was
    cancelled. The result folder is there when it has finished, and never before.

    Parameters
    ----------
    arguments : sequence of str
        What follows `ovfrisk` on the command line, e.g. ``("segment", "OUT", "--ct", …)``.
    python : str
        The interpreter; inside Slicer that is ``PythonSlicer``.
    environment : mapping of str to str, optional
        Added to this process's own; inside Slicer ``slicer.util.startupEnvironment()``.
    """

    def __init__(
        self, arguments: Sequence[object], python: str = sys.executable, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = [python, "-m", f"{__package__}.cli", "--events", *map(str, arguments)]
        self._environment = dict(environment or {})
        self._child: ChildProcess | None = None
        self._outcome: Event | None = None
        self.ended = False

    def start(self) -> None:
        """Start the work."""
        paths = str(Path(__file__).parents[1]), self._environment.get("PYTHONPATH", os.environ.get("PYTHONPATH"))
        environment = self._environment | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._child = ChildProcess(self._command, environment, separate_errors=True)

    def poll(self) -> list[Event]:
        """Return what has happened since the last call; never waits."""
        if self.ended:
            return []
        exit_code = self._child.exit_code  # before reading: what is written after this is read next time
        events = [event for line in self._child.new_lines() if (event := Event.from_line(line))]
        self._outcome = next((event for event in events if event.kind in _OUTCOMES), self._outcome)
        events = [event for event in events if event.kind not in _OUTCOMES]  # told once the process has ended
        if exit_code is not None:
            events.append(self._verdict(exit_code))
            self._end()
        return events

    def cancel(self, grace_s: float = GRACE_S) -> None:
        """End the work and every process it started; what does not react in `grace_s` seconds is killed."""
        if not self.ended:
            self._end(grace_s)

    def _verdict(self, exit_code: int) -> Event:
        """Return how the job has ended: good only where the process says so and its exit code agrees."""
        if self._outcome and (self._outcome.kind is Kind.FINISHED) == (exit_code == 0):
            return self._outcome
        lines = [line for line in self._child.errors.splitlines() if re.search(r"\w", line)]
        what = f"The work ended without a result (exit code {exit_code}). {lines[-1] if lines else ''}".strip()
        return Event(Kind.FAILED, {"what": what, "what_to_do": "Try again; if it fails again, report this message."})

    def _end(self, grace_s: float = 0) -> None:
        self.ended = True
        self._child.end(grace_s)
