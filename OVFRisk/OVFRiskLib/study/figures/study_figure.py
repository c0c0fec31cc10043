"""A figure of a study as it is shown and written, and what a drawing function hands over before."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ...files.figures.style import VERMILLION, data_uri

SYNTHETIC = "SYNTHETIC: simulated patients"
_DPI = 160  # of the PNG
_STRIP, _MARGIN = 0.24, 0.07  # inches: height of the strip that says so, and of the white border


@dataclass(frozen=True)
class StudyFigure:
    """A figure, ready to be shown.

    Parameters
    ----------
    key : str
        Name of its files.
    title, caption : str
    alt : str
        What it shows, for those who cannot see it.
    svg, png : bytes
    """

    key: str
    title: str
    caption: str
    alt: str
    svg: bytes
    png: bytes


@dataclass(frozen=True, eq=False)
class Sketch:
    """A ``matplotlib.figure.Figure`` with its words; the other parameters are those of `StudyFigure`."""

    key: str
    title: str
    caption: str
    alt: str
    figure: object


def finished(sketch: Sketch, synthetic: bool) -> StudyFigure:
    """Return the figure as SVG and PNG; one of simulated patients says so on its face, and in words."""
    lay_out(sketch.figure, synthetic)
    caption, alt = sketch.caption, sketch.alt
    if synthetic:
        caption, alt = f"{SYNTHETIC}. {caption}", f"{SYNTHETIC}. {alt}"
    svg, png = (base64.b64decode(data_uri(sketch.figure, kind).partition(",")[2]) for kind in ("svg", "png"))
    return StudyFigure(sketch.key, sketch.title, caption, alt, svg, png)


def lay_out(figure, synthetic: bool) -> None:
    """Place the axes within a border, and the words of a synthetic study in a strip on top."""
    _frame(figure, synthetic)
    _settle(figure)


def _frame(figure, synthetic: bool) -> None:
    width, height = figure.get_size_inches()
    strip = _STRIP if synthetic else 0.0
    figure.set_size_inches(width, height + strip)
    height += strip
    inside = (_MARGIN / width, _MARGIN / height, 1 - 2 * _MARGIN / width, 1 - (2 * _MARGIN + strip) / height)
    figure.get_layout_engine().set(rect=inside)
    if synthetic:
        style = {"color": VERMILLION, "weight": "bold", "fontsize": 8.5, "ha": "left", "va": "center"}
        figure.text(_MARGIN / width, 1 - (_MARGIN + strip / 2) / height, SYNTHETIC, in_layout=False, **style)


def _settle(figure) -> None:
    """Lay the axes out once, and round: the last digits of matplotlib's solver differ from time to time."""
    figure.set_dpi(_DPI)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        ax.set_position([round(value, 4) for value in ax.get_position(original=True).bounds])


def write_figures(figures: Iterable[StudyFigure], folder: Path) -> tuple[str, ...]:
    """Write ``figures/KEY.svg`` and ``.png`` below `folder`; return these names.

    Raises
    ------
    UserError
        When a file cannot be written.
    """
    names = []
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for figure in figures:
            for kind, content in (("svg", figure.svg), ("png", figure.png)):
                names.append(f"figures/{figure.key}.{kind}")
                (folder / names[-1]).write_bytes(content)
    except OSError as error:
        raise UserError(f"{error.filename} cannot be written: {error.strerror}.", "Choose another folder.") from error
    return tuple(names)
