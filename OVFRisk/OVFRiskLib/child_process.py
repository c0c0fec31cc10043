"""A child process that is watched without threads and ends with everything it started.

Its output goes to a file and is read from there: a pipe would need a thread (Slicer starves those while it idles) or
stop the child when nobody reads.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

GRACE_S = 10.0  # what a child gets to clean up after itself


class ChildProcess:
    """A running command; a context that leaves no process behind.

    Parameters
    ----------
    command : sequence of str
    environment : mapping of str to str, optional
        Added to this process's own.
    separate_errors : bool
        Keep stderr apart from stdout (`errors`) instead of mixing them.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, separate_errors: bool = False
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ovfrisk-child-")
        self._output, self._errors = (Path(self._folder.name) / name for name in ("stdout", "stderr"))
        self._read = 0
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._folder.name)  # what it leaves there goes with it
        with self._output.open("wb") as out, self._errors.open("wb") as err:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **(environment or {}), **temporary},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err if separate_errors else subprocess.STDOUT,
                start_new_session=True,  # a group of its own, so that its children can be ended, too
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
            )

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.end(0)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self._process.poll()

    @property
    def errors(self) -> str:
        """What it has written to stderr so far, where that is kept apart."""
        return self._errors.read_text("utf-8", "replace")

    def new_lines(self) -> list[str]:
        """Return the whole lines written to stdout since the last call (a progress bar's returns end a line, too)."""
        with self._output.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: max(text.rfind(b"\n"), text.rfind(b"\r")) + 1]
        self._read += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def end(self, grace_s: float = GRACE_S) -> None:
        """End the process and all that it started: a request first, and after `grace_s` seconds by force."""
        if grace_s and self.exit_code is None:
            self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        self._kill_tree()
        self._process.wait()
        self._folder.cleanup()

    def _kill_tree(self) -> None:
        """Kill the process group (its leader may be gone); on Windows the tree of the process."""
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS: only a zombie is
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self.exit_code is None:
            taskkill = ["taskkill", "/F", "/T", "/PID", str(self._process.pid)]
            subprocess.run(taskkill, capture_output=True, check=False)
