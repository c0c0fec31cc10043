"""Where jobs run in Slicer, and the timer that follows the one that runs."""

import shutil
import time

import qt

from ..errors import UserError
from ..panels.running import Launcher
from ..panels.session import Session
from ..panels.words import _
from .binding import reported

_INTERVAL_MS = 100
_PYTHON = "PythonSlicer"  # on the PATH of the running application, whose environment it needs


def launcher() -> Launcher:
    """Return how Slicer starts its own Python.

    Raises
    ------
    UserError
        When Slicer's Python is not where it should be.
    """
    python = shutil.which(_PYTHON)
    if python is None:
        raise UserError(_("Slicer's own Python (PythonSlicer) was not found."), _("Install Slicer again."))
    return Launcher(python)


class JobTimer:
    """Polls the session's job while there is one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._timer = qt.QTimer()  # this reference keeps it alive
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.connect("timeout()", self.on_timeout)
        session.observe("job", self.follow)

    def follow(self) -> None:
        """Run while a job does."""
        if self.session.job and not self._timer.isActive():
            self._timer.start()
        elif self.session.job is None:
            self._timer.stop()

    @reported
    def on_timeout(self) -> None:
        """Ask the job how it goes."""
        time.sleep(0.001)  # threads starve while Slicer's main loop idles
        self.session.poll()

    def stop(self) -> None:
        """Stop for good: a timer that is only dropped ticks on."""
        self._timer.stop()
        self._timer.disconnect("timeout()", self.on_timeout)
