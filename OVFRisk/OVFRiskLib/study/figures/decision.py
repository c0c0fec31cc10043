"""What acting on a model is worth: decision curve, clinical impact, interventions avoided."""

from collections.abc import Sequence

import numpy as np

from ...files.figures.style import BLUE, GREY, INK, VERMILLION, new_figure
from ..judgement.judged import Judged
from ..judging.decisions import Band
from .panels import SINGLE, Panel, Series, best_of, everyone, grid, legend_beside, plain
from .study_figure import Sketch
from .words import counted, joined, model_name, patients, signless

_DEEPEST = -0.25  # of the height, that curves are followed below zero
_LEAST_REDUCTION = -20.0  # of 100 patients, that the net reduction is followed below zero
_DASHED = (0, (5, 2))


def decision(panels: Sequence[Panel]) -> Sketch | None:
    """Draw the net benefit of all models on one set, and of treating all and none; None where there is no curve."""
    found = [one for one in everyone(panels) if not one.decision.reason]
    if not found:
        return None
    figure, axes = grid(panels, 1, more=2)
    top = 1.08 * max(max(one.decision.net_benefit.values + one.decision.treat_all.values[:1]) for one in found)
    best = best_of(panels)
    if best is not None and not best.judged.decision.reason:
        top = max(top, *best.judged.decision.net_benefit.high)
    for (ax, place), panel in zip(axes, panels):
        _frame(ax, found[0], top)
        for series in panel.series:
            _benefit(ax, series)
        legend_beside(ax, place)
    first = found[0].decision
    absent = [f"{one.title}: {one.decision.reason}" for one in everyone(panels) if one.decision.reason]
    caption = joined(
        f"{counted(found[0].on, first.n, first.events)}.",
        f"The curves hold where {100 * first.prevalence:.1f} % have the event.",
        f"{_upper(first.method)}; the band is that of {best.judged.title} (bold)." if best else f"{first.method}.",
        f"Absent: {'; '.join(absent)}." if absent else "",
    )
    where = found[0].on
    alt = f"Net benefit over the threshold probability of {len(found)} models, of treating all and of treating none."
    return Sketch(f"decision_{where}", f"Decision curves: {patients(where)}", caption, alt, figure)


def impact(judged: Judged) -> Sketch | None:
    """Draw how many of 1000 patients a model puts at high risk, and how many of them have the event."""
    found = judged.impact
    if found.reason:
        return None
    figure, ax = _single(found.thresholds)
    people = f"of {found.population:,} patients"
    _banded(ax, found.thresholds, found.high_risk, "at high risk", BLUE, "-")
    _banded(ax, found.thresholds, found.with_event, "at high risk, with the event", VERMILLION, _DASHED)
    ax.set(ylim=(0, found.population * 1.02), ylabel=f"number {people}")
    ax.legend(loc="upper right", frameon=False, fontsize=7.5)
    caption = joined(
        f"{counted(judged.on, found.n, found.events)}.",
        f"Numbers {people} of whom {100 * found.prevalence:.1f} % have the event;",
        f"{found.method.partition('; ')[2]}.",
    )
    title = f"Clinical impact of {judged.title}: {patients(judged.on)}"
    alt = f"At high risk, and of these with the event, {people}, over the threshold probability."
    return Sketch(f"impact_{judged.on}", title, caption, alt, figure)


def reduction(judged: Judged) -> Sketch | None:
    """Draw how many interventions a model avoids against treating all."""
    found = judged.decision
    if found.reason:
        return None
    figure, ax = _single(found.thresholds)
    _banded(ax, found.thresholds, found.net_reduction, judged.title, BLUE, "-")
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    low, high = min(found.net_reduction.values), max(found.net_reduction.high)
    ax.set(ylim=(max(1.1 * min(low, 0), _LEAST_REDUCTION) - 2, max(1.05 * high, 5)))
    ax.set_ylabel("net interventions avoided, of 100 patients")
    cut = f" Values below {signless(_LEAST_REDUCTION, 0)} are not shown." if low < _LEAST_REDUCTION else ""
    caption = joined(
        f"{counted(judged.on, found.n, found.events)}.",
        "Against treating all, without missing more events than they are worth at the threshold; below zero treating",
        f"all is better.{cut} {_upper(found.method.partition('; ')[2])}.",
    )
    title = f"Interventions avoided by {judged.title}: {patients(judged.on)}"
    return Sketch(
        f"reduction_{judged.on}", title, caption, "Net reduction of interventions over the threshold.", figure
    )


def _frame(ax, judged: Judged, top: float) -> None:
    curve = judged.decision
    ax.plot(curve.thresholds, curve.treat_all.values, color=GREY, linewidth=1.1, linestyle=_DASHED, label="treat all")
    ax.axhline(0, color=INK, linewidth=0.9, linestyle=(0, (1, 1.5)), label="treat none", zorder=2)
    ax.set(ylim=(_DEEPEST * top, top), xlabel="threshold probability", ylabel="net benefit")
    _thresholds(ax, curve.thresholds)


def _benefit(ax, series: Series) -> None:
    curve = series.judged.decision
    if curve.reason:
        ax.plot([], [], label=f"{model_name(series.label)}: absent", **series.style)
        return
    if series.best:
        low, high = curve.net_benefit.low, curve.net_benefit.high
        ax.fill_between(curve.thresholds, low, high, color=series.color, alpha=0.15, linewidth=0, zorder=1.5)
    ax.plot(
        curve.thresholds, curve.net_benefit.values, label=model_name(series.label), gid=series.label, **series.style
    )


def _single(thresholds: Sequence[float]):
    figure = new_figure(SINGLE, 3.6)
    ax = figure.subplots()
    ax.set_xlabel("threshold probability")
    _thresholds(ax, thresholds)
    return figure, ax


def _thresholds(ax, thresholds: Sequence[float]) -> None:
    ax.set_xlim(0, np.ceil(20 * thresholds[-1]) / 20)
    plain(ax)


def _banded(ax, x: Sequence[float], band: Band, label: str, color: str, line: object) -> None:
    ax.fill_between(x, band.low, band.high, color=color, alpha=0.15, linewidth=0, zorder=1.5)
    ax.plot(x, band.values, color=color, linestyle=line, linewidth=1.7, label=label, gid=label, zorder=3)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
