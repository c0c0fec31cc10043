"""Predictions by outcome: how far patients with and without the event lie apart."""

import numpy as np
import pandas as pd

from ...files.figures.style import BLUE, GREY, INK, VERMILLION, new_figure
from ..judgement.judged import Judged
from .panels import WIDTH, plain
from .study_figure import Sketch
from .words import counted, joined, patients

_BINS = 80
_HIGHEST, _STEP = 0.62, 0.06  # of a row: the highest pile, and the most that its dots are apart
_BOX, _BETWEEN = 0.16, 0.38  # of a row: how far below the dots the box lies, and above them the next row
_ROW = 1.45  # inches


def distribution(judged: Judged, probability: pd.Series, outcome: pd.Series, names: tuple[str, str]) -> Sketch:
    """Draw the predictions of a model as dots and boxes, with the cut-off by Youden.

    Parameters
    ----------
    judged : Judged
    probability : Series
        By patient.
    outcome : Series of int
        1 or 0 by patient; of these and others.
    names : tuple of str
        Of no event and of the event.
    """
    events = outcome.loc[probability.index].to_numpy() == 1
    parts = [probability.to_numpy()[chosen] for chosen in (~events, events)]
    piles = [int(np.histogram(part, _BINS, (0, 1))[0].max(initial=1)) for part in parts]
    step = min(_STEP, _HIGHEST / max(piles))
    places = (0.0, piles[0] * step + _BETWEEN)
    top = places[1] + piles[1] * step + 0.1
    figure = new_figure(WIDTH, 0.6 + _ROW * (top + 0.3))
    ax = figure.subplots()
    for y, part, color, marker in zip(places, parts, (BLUE, VERMILLION), ("o", "D")):
        _dots(ax, part, y, step, {"color": color, "marker": marker})
        _box(ax, part, y - _BOX, color)
    youden = judged.confusion.get("Youden")
    cutoff = youden.cutoff.value if youden else None
    if cutoff is not None:
        ax.axvline(cutoff, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
    ax.set_yticks(places, [f"{name}\nn = {len(part):,}" for name, part in zip(names, parts)])
    ax.set(ylim=(-0.3, top), xlim=(-0.02, 1.02), xlabel="predicted probability")
    plain(ax)
    ax.tick_params(axis="y", length=0)
    medians = [f"{name} {np.median(part):.3f}" for name, part in zip(names, parts) if len(part)]
    caption = joined(
        f"{counted(judged.on, judged.n, judged.events)}. A dot a patient, in piles of a width of {1 / _BINS:.4g};",
        "boxes: quartiles and median, whiskers: 2.5th and 97.5th percentile.",
        f"Dashed: Youden's cut-off {cutoff:.3f}, chosen in cross-validation of the training patients."
        if cutoff is not None
        else f"No cut-off: {youden.cutoff.reason}."
        if youden
        else "",
    )
    title = f"Predictions of {judged.title} by outcome: {patients(judged.on)}"
    return Sketch(f"predictions_{judged.on}", title, caption, f"Median prediction: {', '.join(medians)}.", figure)


def _dots(ax, values: np.ndarray, y: float, step: float, style: dict[str, str]) -> None:
    """Pile the dots of each bin upwards from `y`."""
    ordered = np.sort(values)
    bins = np.minimum((ordered * _BINS).astype(int), _BINS - 1)
    height = np.arange(len(bins)) - np.searchsorted(bins, bins)
    size = 3.4 if step == _STEP else 2.2
    ax.plot(ordered, y + height * step, markersize=size, linestyle="none", alpha=0.75, markeredgewidth=0, **style)


def _box(ax, values: np.ndarray, y: float, color: str) -> None:
    if not len(values):
        return
    low, first, median, third, high = np.quantile(values, [0.025, 0.25, 0.5, 0.75, 0.975])
    ax.plot([low, high], [y, y], color=GREY, linewidth=1.0, zorder=2)
    ax.barh(y, third - first, height=0.12, left=first, facecolor="white", edgecolor=color, linewidth=1.2, zorder=3)
    ax.plot([median, median], [y - 0.06, y + 0.06], color=color, linewidth=2.0, solid_capstyle="butt", zorder=4)
