"""One horizontal scale of a nomogram: its line, ticks and names, drawn in inches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .style import BLUE, GREY, outlined

LEFT, AXES, LINE = 0.15, 3.0, 0.15  # inches: where names and scales begin, and from line to line
_SMALL = 7.5  # points, of the ticks' names
_BETWEEN = 0.07  # inches, that names keep from each other
_NEARLY = 1e-6  # points, that no eye sees

Marks = Sequence[tuple[float, str]]  # place and name of the ticks


@dataclass(frozen=True)
class Scale:
    """A horizontal line at height `y` from 0 to `most` points, which end at `right`; `ax` counts in inches."""

    ax: object
    y: float
    most: float
    right: float

    def x(self, points: float) -> float:
        """Return where `points` lie, in inches."""
        return AXES + (self.right - AXES) * points / self.most

    def line(self, low: float, high: float, color: str = GREY, linewidth: float = 0.9) -> None:
        """Draw the line between two numbers of points."""
        ends = [self.x(low), self.x(high)]
        self.ax.plot(ends, [self.y] * 2, color=color, linewidth=linewidth, solid_capstyle="butt", zorder=2)

    def label(self, lines: Sequence[str], small: Sequence[str] = ()) -> None:
        """Write the scale's name before it, and in small letters what else there is to say."""
        rows = [(line, {"weight": "bold"}) for line in lines]
        rows += [(line, {"color": GREY, "fontsize": _SMALL}) for line in small if line]
        for n, (line, style) in enumerate(rows):
            write(self.ax, LEFT, self.y + LINE * (n - (len(rows) - 1) / 2), line, **style)

    def ticks(self, marks: Marks, named: Collection[int], up: bool = False) -> None:
        """Draw ticks below the line, or above; those in `named` are longer and have their names."""
        sign = -1 if up else 1
        for n, (points, name) in enumerate(marks):
            x, length = self.x(points), 0.07 if n in named else 0.04
            self.ax.plot([x, x], [self.y, self.y + sign * length], color=GREY, linewidth=0.8, zorder=2)
            if n in named:
                self._name(x, self.y + sign * 0.145, name, "center")

    def end_names(self, marks: Marks) -> None:
        """Name the two ends only, the names beside each other: for a scale that is too short for more."""
        (low, first), (high, last) = marks[0], marks[-1]
        middle = self.x((low + high) / 2)
        self._name(min(self.x(low) + 0.03, middle - _BETWEEN / 2), self.y + 0.145, first, "right")
        self._name(max(self.x(high) - 0.03, middle + _BETWEEN / 2), self.y + 0.145, last, "left")

    def _name(self, x: float, y: float, name: str, side: str) -> None:
        write(self.ax, x, y, name, fontsize=_SMALL, ha=side, zorder=4, path_effects=outlined("white", 2.5))

    def evenly(self, marks: Marks) -> list[int]:
        """Return which of evenly spaced marks are named: all, every second, … of them, at least two; else none."""
        last = len(marks) - 1
        for step in range(1, last + 1):
            chosen = list(range(0, last + 1, step))
            if len(self.fitting(marks, chosen)) == len(chosen):
                return self.fitting(marks, [*chosen, last])
        return []

    def fitting(self, marks: Marks, order: Sequence[int]) -> list[int]:
        """Return those of `order`, the most important first, whose names keep clear of the names before them."""
        taken: dict[int, tuple[float, float]] = {}
        for n in dict.fromkeys(order):
            x, half = self.x(marks[n][0]), (_width(marks[n][1]) + _BETWEEN) / 2
            if all(x + half <= left or x - half >= right for left, right in taken.values()):
                taken[n] = x - half, x + half
        return list(taken)

    def dot(self, points: float, most: float, color: str = BLUE, hollow: bool = False) -> float:
        """Draw a dot, or an arrowhead at the end that `points` lie beyond; return where it is, in inches.

        The ends are at 0 and at `most` points.
        """
        place = min(max(points, 0.0), most)
        beyond = abs(points - place) > _NEARLY
        marker = "<>"[int(points > place)] if beyond else "o"
        style = {"markerfacecolor": "white" if hollow else color, "markeredgecolor": color, "markeredgewidth": 1.4}
        self.ax.plot(self.x(place), self.y, marker=marker, markersize=7, zorder=5, **style)
        return self.x(place)


def write(ax, x: float, y: float, text: str, **style: object) -> None:
    """Write a text as it is (a ``$`` is no formula), a number with a real minus."""
    number = text.lstrip("=- ").replace(".", "").isdigit()
    ax.text(x, y, text.replace("-", "−") if number else text, **{"va": "center", "parse_math": False} | style)


def _width(text: str) -> float:
    """Return the width of a tick's name in inches."""
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text, size=_SMALL).get_extents().width / 72 if text else 0.0
