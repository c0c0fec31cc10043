"""Rows of values with their intervals: the drawing that forest plots share."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...files.figures.style import BLUE, GREY, INK, PALE, new_figure
from .panels import WIDTH, plain
from .words import labels

_ROW, _AROUND = 0.31, 0.75  # inches: a row, and what stands above and below all of them
_TALLER = 1.25  # rows whose name takes two lines


@dataclass(frozen=True)
class ForestRow:
    """A value with its interval.

    Parameters
    ----------
    label : str
    value, low, high : float or None
    beside : str
        Written at the right.
    color, marker : str
    hollow : bool
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    beside: str = ""
    color: str = BLUE
    marker: str = "o"
    hollow: bool = False


def forest_figure(rows: Sequence[ForestRow]):
    """Return a figure with axes that are high enough for the rows."""
    tall = any("\n" in text for text in labels([row.label for row in rows]))
    figure = new_figure(WIDTH, _AROUND + _ROW * len(rows) * (_TALLER if tall else 1))
    return figure, figure.subplots()


def draw_forest(ax, rows: Sequence[ForestRow], reference: float | None, limits: tuple[float, float]) -> None:
    """Draw the rows from top to bottom; what lies outside the limits ends in an arrowhead.

    Parameters
    ----------
    ax : Axes
    rows : sequence of ForestRow
    reference : float or None
        Where a line stands for no effect, or for what the others are compared with.
    limits : tuple of float
        Of the axis.
    """
    if reference is not None:
        ax.axvline(reference, color=GREY, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    for y, row in enumerate(rows):
        ax.axhline(y, color=PALE, linewidth=0.6, zorder=0)
        _draw(ax, y, row, limits)
        style = {"fontsize": 7, "va": "center", "ha": "left", "color": INK}
        ax.text(1.03, y, row.beside, transform=ax.get_yaxis_transform(), **style)
    ax.set_yticks(range(len(rows)), labels([row.label for row in rows]))
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=limits)
    plain(ax)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def reach(rows: Sequence[ForestRow], least: float, most: float, also: Sequence[float] = ()) -> tuple[float, float]:
    """Return limits around all values and intervals, with a margin, but not beyond `least` and `most`."""
    found = [value for row in rows for value in (row.value, row.low, row.high) if value is not None] + list(also)
    if not found:
        return least, most
    margin = 0.05 * (max(found) - min(found)) or 0.05
    return max(min(found) - margin, least - 0.02), min(max(found) + margin, most + 0.02)


def _draw(ax, y: float, row: ForestRow, limits: tuple[float, float]) -> None:
    low, high = limits
    if row.value is None:
        return
    if row.low is not None and row.high is not None:
        ends = [min(max(end, low), high) for end in (row.low, row.high)]
        ax.plot(ends, [y, y], color=row.color, linewidth=1.3, solid_capstyle="butt", zorder=2)
        for end, place, marker in ((row.low, low, "<"), (row.high, high, ">")):
            if (end < low) if marker == "<" else (end > high):
                ax.plot(place, y, marker, color=row.color, markersize=4.5, clip_on=False, zorder=3)
    if low <= row.value <= high:
        face = "white" if row.hollow else row.color
        ax.plot(row.value, y, row.marker, color=row.color, markerfacecolor=face, markersize=5.5, zorder=4)
