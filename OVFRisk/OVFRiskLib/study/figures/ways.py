"""As published beside leak-free: what the order of selection and split adds to the AUC."""

from collections.abc import Sequence

from ...files.figures.style import BLUE, INK, VERMILLION
from ..judgement.judged import Optimism
from ..judging.estimate import Estimate
from .forest import ForestRow, draw_forest, forest_figure, reach
from .study_figure import Sketch
from .words import counted, interval, joined, patients, reasons, signless

_APART = 0.15  # of a row, that the two stand apart
_STYLES = (("as published", VERMILLION, "D", "white", -_APART), ("leak-free", BLUE, "o", BLUE, _APART))


def ways(found: Sequence[Optimism]) -> Sketch | None:
    """Draw both AUCs of each model on one set, and the optimism as a number; None where there is none.

    Parameters
    ----------
    found : sequence of Optimism
        Of one set, or one way of resampling.
    """
    if not found:
        return None
    pairs = [_row(one, which) for one in found for which in (one.as_published, one.leak_free)]
    figure, ax = forest_figure(pairs[::2])
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.45 + 0.1 * len(found))
    blank = [ForestRow(one.title, None, None, None, _optimism(one)) for one in found]
    limits = reach(pairs, 0, 1)
    draw_forest(ax, blank, 0.5 if limits[0] < 0.5 < limits[1] else None, limits)
    for name, color, marker, face, shift in _STYLES:
        _draw(ax, found, name, (color, marker, face), shift)
    ax.set(xlabel="AUC (95 % CI)")
    style = {"transform": ax.transAxes, "fontsize": 7, "va": "bottom", "weight": "bold", "color": INK}
    ax.text(1.03, 1.01, "optimism", **style)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=7.5, borderaxespad=0.2)
    return Sketch(f"as_published_{_key(found)}", *_words(found), figure)


def _row(one: Optimism, area: Estimate) -> ForestRow:
    return ForestRow(one.title, area.value, area.low, area.high)


def _draw(ax, found: Sequence[Optimism], name: str, look: tuple[str, str, str], shift: float) -> None:
    color, marker, face = look
    areas = [one.as_published if name == "as published" else one.leak_free for one in found]
    for y, area in enumerate(areas):
        if area.low is not None and area.high is not None:
            ax.plot([area.low, area.high], [y + shift] * 2, color=color, linewidth=1.3, zorder=2)
    known = [(area.value, y + shift) for y, area in enumerate(areas) if area.value is not None]
    style = {"color": color, "marker": marker, "markerfacecolor": face, "markersize": 5.5, "linestyle": "none"}
    ax.plot(*(zip(*known) if known else ([], [])), label=name, gid=name, zorder=4, **style)


def _optimism(one: Optimism) -> str:
    if one.optimism.value is None:
        return "absent"
    ends = one.optimism.low, one.optimism.high
    sign = "+" if one.optimism.value >= 0.0005 else ""
    text = f"{sign}{signless(one.optimism.value, 3)}"
    return text if None in ends else f"{text} ({signless(ends[0], 3)} to {signless(ends[1], 3)})"


def _key(found: Sequence[Optimism]) -> str:
    return found[0].on.replace(" ", "_")


def _words(found: Sequence[Optimism]) -> tuple[str, str, str]:
    first = found[0]
    area = first.leak_free
    caption = joined(
        f"{counted(first.on, area.n, area.events)}.",
        "As published: steps that look at the outcome saw all patients. Leak-free: they saw the training patients",
        f"only. Optimism: {first.optimism.method}. AUC: {area.method}.",
        reasons((f"{one.title}, optimism", one.optimism) for one in found),
    )
    alt = "; ".join(
        f"{one.title}: {interval(one.as_published)} as published, {interval(one.leak_free)} leak-free" for one in found
    )
    return f"As published and leak-free: {patients(first.on)}", caption, alt
