"""Panels of curves: a few models in one, many in a panel for each variant; and what a model looks like in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...files.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION, new_figure
from ..design.design import Design
from ..judgement.judged import Judged, Key
from .words import labels

WIDTH, SINGLE = 6.8, 4.6  # inches
_SQUARE, _SMALL = 3.2, 2.9  # inches: the height of a single panel, and of one of several
BESIDE = (3.2, 2.8)  # widths of a single panel and of the legend at its right
_TITLE = 34  # characters of a line
_MOST = 6  # models in one panel, beyond which each variant has its own
_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, INK, "#56B4E9")  # Okabe and Ito
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_LINE, _PLAIN = 0.145, 0.6  # inches: a line of the legend; axis' label and ticks


@dataclass(frozen=True, eq=False)
class Series:
    """A model in a panel: how it is called there, which style it has, and whether it is the best of the study."""

    label: str
    place: int
    judged: Judged
    best: bool = False

    @property
    def style(self) -> dict[str, object]:
        """Return colour and marker, which differ in grey, too; a marker every now and then on a line."""
        color, marker = _COLORS[self.place % len(_COLORS)], _MARKERS[self.place % len(_MARKERS)]
        style = {"color": color, "marker": marker, "markersize": 4, "markevery": (0.03 + 0.02 * self.place % 0.1, 0.16)}
        return style | {"linewidth": 1.9 if self.best else 1.1, "zorder": 4 if self.best else 3}

    @property
    def color(self) -> str:
        """Return its colour."""
        return str(self.style["color"])


@dataclass(frozen=True, eq=False)
class Panel:
    """Models that are drawn together."""

    title: str
    series: tuple[Series, ...]


def panels_of(
    judged: Sequence[Judged], design: Design, learners: Mapping[str, str], best: Key | None
) -> tuple[Panel, ...]:
    """Return the panels of models that were judged on one set.

    Parameters
    ----------
    judged : sequence of Judged
    design : Design
        Has the variants' titles and the order of the learners.
    learners : mapping of str to str
        Titles of learners by name.
    best : tuple or None
        Key of the best model.
    """
    if len(judged) <= _MOST:
        series = [Series(one.title, place, one, one.key == best) for place, one in enumerate(judged)]
        return (Panel("", tuple(series)),) if series else ()
    order = list(dict.fromkeys((*design.learners, *(one.learner for one in judged))))
    variants = dict.fromkeys(one.variant for one in judged)
    return tuple(
        Panel(
            design.variant(variant).title,
            tuple(
                Series(learners.get(one.learner, one.learner), order.index(one.learner), one, one.key == best)
                for one in judged
                if one.variant == variant
            ),
        )
        for variant in variants
    )


def grid(panels: Sequence[Panel], lines: int, more: int = 0):
    """Return a figure, and for each panel its axes and an empty place for the legend.

    The legend of a single panel stands at its right, those of several below them, two panels in a row.

    Parameters
    ----------
    panels : sequence of Panel
    lines : int
        Of each model in the legend.
    more : int
        Lines of the legend besides those of the models.
    """
    legend = _LINE * (more + lines * max(len(panel.series) for panel in panels)) + 0.1
    if len(panels) == 1:
        figure = new_figure(WIDTH, max(_SQUARE + _PLAIN, legend + 0.3))
        places = figure.subplots(1, 2, width_ratios=BESIDE)[None]
    else:
        rows = -(-len(panels) // 2)
        figure = new_figure(WIDTH, rows * (_SMALL + legend + _PLAIN))
        found = figure.subplots(2 * rows, 2, height_ratios=(_SMALL + _PLAIN, legend) * rows)
        places = np.stack([found[::2].ravel(), found[1::2].ravel()], axis=1)
    for place in (*places[len(panels) :].ravel(), *places[:, 1]):
        place.set_axis_off()
    for panel, (ax, _) in zip(panels, places):
        if panel.title:
            ax.set_title(labels([panel.title], _TITLE)[0])
    return figure, places[: len(panels)]


def legend_beside(ax, place) -> None:
    """Write the legend of `ax` in its place."""
    handles, names = ax.get_legend_handles_labels()
    style = {"frameon": False, "fontsize": 7, "handlelength": 2.2, "labelspacing": 0.4, "markerscale": 0.9}
    legend = place.legend(handles, names, loc="upper left", borderaxespad=0.0, borderpad=0.1, **style)
    legend.set_in_layout(False)


def plain(ax) -> None:
    """Take away what says nothing."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=7.5, color=GREY)
    ax.set_axisbelow(True)


def best_of(panels: Sequence[Panel]) -> Series | None:
    """Return the best model of the study, where the panels have it."""
    return next((series for panel in panels for series in panel.series if series.best), None)


def everyone(panels: Sequence[Panel]) -> list[Judged]:
    """Return all that the panels show."""
    return [series.judged for panel in panels for series in panel.series]
