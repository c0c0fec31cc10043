"""One look for all figures, and how a figure becomes part of the report."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError

INK, GREY, PALE = "#1a2733", "#6b7680", "#dfe4e8"
BLUE, GREEN, VERMILLION = "#0072B2", "#009E73", "#D55E00"  # Okabe and Ito
ORANGE, PURPLE, YELLOW = "#E69F00", "#CC79A7", "#F0E442"  # and these
_DPI = 160
_SETTINGS = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same everywhere
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": GREY,
    "ytick.color": INK,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "OVFRisk",  # the same ids each time
}


@dataclass(frozen=True)
class Illustration:
    """A figure of the report.

    Parameters
    ----------
    key : str
        Which figure it is.
    title, caption : str
    alt : str
        What it shows, for those who cannot see it.
    uri : str
        The image itself as a data URI.
    """

    key: str
    title: str
    caption: str
    alt: str
    uri: str


def write_picture(path: Path, uri: str) -> None:
    """Write the image of a data URI.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    try:
        path.write_bytes(base64.b64decode(uri.partition(",")[2]))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


@contextmanager
def styled() -> Iterator[None]:
    """Apply the common style while a figure is drawn and saved."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS):
        yield


def new_figure(width: float, height: float):
    """Return an empty matplotlib figure of `width` x `height` inches that no window knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def data_uri(figure, kind: str) -> str:
    """Return a figure as a data URI, ``png`` (images) or ``svg`` (charts); the same drawing gives the same text."""
    mime, metadata = {"png": ("image/png", {"Software": None}), "svg": ("image/svg+xml", {"Date": None})}[kind]
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=_DPI, facecolor="white", metadata=metadata)
    return f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def outlined(color: str = "black", width: float = 1.8) -> list:
    """Return path effects that keep text readable on an image."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=width, foreground=color)]
