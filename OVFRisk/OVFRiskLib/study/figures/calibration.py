"""Calibration: the smooth curve of one model with its risk groups and predictions, and the curves of all models."""

from collections.abc import Sequence

import numpy as np

from ...files.figures.style import GREY, INK, PALE, VERMILLION, new_figure
from ..judgement.judged import Judged
from .panels import BESIDE, WIDTH, Panel, Series, best_of, everyone, grid, legend_beside, plain
from .study_figure import Sketch
from .words import counted, interval, joined, model_name, p_value, patients, reasons, signless

_BINS = 50
_LIMITS = (-0.03, 1.03)


def calibration(judged: Judged, color: str) -> Sketch | None:
    """Draw how predictions of one model came true; None where it has neither a curve nor groups.

    Parameters
    ----------
    judged : Judged
    color : str
        Of the curve.
    """
    found = judged.calibration
    if found.smooth.reason and not judged.risk_groups:
        return None
    figure = new_figure(WIDTH, 4.9)
    (ax, place), (below, empty) = figure.subplots(2, 2, height_ratios=(3.2, 0.7), width_ratios=BESIDE, sharex="col")
    _frame(ax)
    if not found.smooth.reason:
        _smooth(ax, judged, color)
    _groups(ax, judged)
    _predictions(below, judged)
    legend_beside(ax, place)
    _numbers(place, judged)
    for beside in (place, empty):
        beside.set_axis_off()
    title = f"Calibration of {judged.title}: {patients(judged.on)}"
    alt = f"Calibration curve. Slope {interval(found.slope, 2)}, intercept {interval(found.intercept, 2)}."
    return Sketch(f"calibration_{judged.on}", title, _caption(judged), alt, figure)


def calibration_of_all(panels: Sequence[Panel]) -> Sketch | None:
    """Draw the smooth curves of all models on one set; None where there are fewer than two."""
    found = everyone(panels)
    if sum(not one.calibration.smooth.reason for one in found) < 2:
        return None
    figure, axes = grid(panels, 2)
    for (ax, place), panel in zip(axes, panels):
        _frame(ax)
        ax.set_xlabel("predicted probability")
        for series in panel.series:
            _curve(ax, series)
        legend_beside(ax, place)
    first, best = found[0], best_of(panels)
    caption = joined(
        f"{counted(first.on, first.n, first.events)}.",
        f"Smooth curves ({first.calibration.smooth.method.partition(';')[0]}), each over the range of its predictions.",
        f"Bold: {best.judged.title}." if best else "",
        "In the legend: calibration slope (ideal 1) and Brier score (0 is perfect).",
        reasons((f"{one.title}, slope", one.calibration.slope) for one in found),
    )
    title = f"Calibration of all models: {patients(first.on)}"
    alt = "; ".join(f"{one.title}: slope {interval(one.calibration.slope, 2)}" for one in found)
    return Sketch(f"calibration_all_{first.on}", title, caption, f"Calibration curves. {alt}.", figure)


def _frame(ax) -> None:
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    ax.set(xlim=_LIMITS, ylim=_LIMITS, aspect="equal", ylabel="observed share with the event")
    plain(ax)


def _curve(ax, series: Series) -> None:
    found = series.judged.calibration
    slope = "absent" if found.slope.value is None else signless(found.slope.value, 2)
    label = f"{model_name(series.label)}\nslope {slope}, Brier {found.brier.value:.3f}"
    x, y = ([], []) if found.smooth.reason else (found.smooth.predicted, found.smooth.observed)
    ax.plot(x, y, label=label, gid=series.label, **series.style)


def _smooth(ax, judged: Judged, color: str) -> None:
    curve = judged.calibration.smooth
    ax.fill_between(curve.predicted, curve.low, curve.high, color=color, alpha=0.15, linewidth=0, zorder=1.5)
    ax.plot(curve.predicted, curve.observed, color=color, linewidth=1.8, zorder=3, label="smooth curve", gid="smooth")


def _groups(ax, judged: Judged) -> None:
    groups = judged.risk_groups
    if not groups:
        return
    x, y = [one.predicted for one in groups], [one.observed for one in groups]
    reach = [[one.observed - one.low for one in groups], [one.high - one.observed for one in groups]]
    style = {"fmt": "s", "color": INK, "markersize": 4, "elinewidth": 0.8, "capsize": 2, "zorder": 4}
    ax.errorbar(x, y, np.maximum(reach, 0), label=f"{len(groups)} groups of risk", **style)


def _numbers(place, judged: Judged) -> None:
    found = judged.calibration
    rows = (
        f"slope {interval(found.slope, 2)}",
        f"intercept {interval(found.intercept, 2)}",
        f"Brier score {interval(found.brier)}",
        f"scaled Brier {interval(found.scaled_brier, 2)}",
    )
    style = {"fontsize": 7.5, "ha": "left", "va": "top", "linespacing": 1.6}
    place.text(0.01, 0.82, "\n".join(rows), transform=place.transAxes, **style)


def _predictions(ax, judged: Judged) -> None:
    """Draw how many patients have each prediction; of the risk groups where there is no curve."""
    curve = judged.calibration.smooth
    edges = np.linspace(0, 1, _BINS + 1)
    if not curve.reason:
        heights = np.histogram(curve.patient_predicted, edges)[0]
        ax.bar(edges[:-1], heights, 1 / _BINS, align="edge", color=GREY, edgecolor=PALE, linewidth=0.3)
    else:
        x, n = [one.predicted for one in judged.risk_groups], [one.n for one in judged.risk_groups]
        ax.bar(x, n, 1 / _BINS, color=VERMILLION, edgecolor=PALE, linewidth=0.3)
    ax.set(xlabel="predicted probability", ylabel="patients")
    ax.yaxis.get_major_locator().set_params(nbins=3, integer=True)
    plain(ax)


def _caption(judged: Judged) -> str:
    found, test = judged.calibration, judged.hosmer_lemeshow
    fit = (
        f"absent, {test.reason}"
        if test.p is None
        else f"{p_value(test.p)}; it depends on the groups, and on n above all"
    )
    named = (("slope", found.slope), ("intercept", found.intercept), ("Brier score", found.brier))
    return joined(
        f"{counted(judged.on, judged.n, judged.events)}.",
        f"No smooth curve: {found.smooth.reason}." if found.smooth.reason else f"Smooth curve: {found.smooth.method}.",
        "Squares: groups of similar risk, with Wilson's 95 % CI. Below: the patients' predictions.",
        f"Slope and intercept: {found.slope.method}. Brier score: {found.brier.method}.",
        f"For the record, {test.name}: {fit}.",
        reasons(named),
    )
