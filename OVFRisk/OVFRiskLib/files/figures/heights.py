"""The heights of the bodies on the sagittal picture: lines, and the millimetres of the table."""

from collections.abc import Mapping

import numpy as np

from ...anatomy import Compartment, VertebralLevel
from ..report_values import Lookup
from .style import INK, outlined

Lines = Mapping[str, np.ndarray]  # anterior, middle, posterior: end points (2, 3), RAS mm
_NAMES = ("anterior", "middle", "posterior")


def draw_height_lines(ax, lines: Mapping[VertebralLevel, Lines], lookup: Lookup) -> None:
    """Draw each height as a line with end marks on a sagittal picture, and the measured height on it."""
    for level, drawn in lines.items():
        for name in (name for name in _NAMES if name in drawn):
            height = lookup.value(level, Compartment.BODY, f"{name}_height")
            _line(ax, np.asarray(drawn[name], dtype=float), "" if height is None else f"{height:.1f}")


def _line(ax, ends: np.ndarray, text: str) -> None:
    """Draw one line with its ends (2, 3), RAS mm; anterior is left on the picture."""
    x, y = -ends[:, 1], ends[:, 2]
    ax.plot(x, y, color=INK, linewidth=2.6, solid_capstyle="butt", zorder=4)
    ax.plot(x, y, color="white", linewidth=1.2, marker="_", markersize=5, markeredgewidth=1.2, zorder=5)
    style = {"ha": "center", "va": "center", "fontsize": 5.5, "color": "white", "zorder": 6, "weight": "bold"}
    ax.text(x.mean(), y.mean(), text, path_effects=outlined(width=2.4), **style)
