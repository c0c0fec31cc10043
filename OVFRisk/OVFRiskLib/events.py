"""How a running command tells of itself: a progress bar for a reader, or events for the program that started it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from . import __version__
from .jobs import Event, Kind

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
_stream: TextIO | None = None


def print_events() -> None:
    """From now on stdout carries events alone; what is meant for a reader goes to stderr."""
    global _stream  # noqa: PLW0603 - a process has one stdout
    _stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tell(Kind.STARTED, version=__version__)


def tell(kind: Kind, **fields: object) -> None:
    """Print an event, if anybody listens."""
    if _stream:
        print(Event(kind, fields).to_line(), file=_stream, flush=True)


@contextmanager
def telling() -> Iterator[Callable[[float, str], None]]:
    """Yield a function that shows on stderr how far the work is (share 0-1, what is being done), or tells events."""
    if _stream:
        yield lambda share, what: tell(Kind.PROGRESS, share=share, text=what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Reading", total=1.0)
        yield lambda share, what: progress.update(task, completed=share, description=what)
