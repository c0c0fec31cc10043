"""ROC curves of models on one set of patients, with those of the training patients beside them."""

from collections.abc import Mapping, Sequence

from ...files.figures.style import GREY
from ..judgement.judged import Judged, Key
from .panels import Panel, Series, best_of, everyone, grid, legend_beside, plain
from .study_figure import Sketch
from .words import counted, interval, joined, model_name, patients, reasons, signless


def roc(panels: Sequence[Panel], apparent: Mapping[Key, Judged]) -> Sketch | None:
    """Draw the curves; None where there is none.

    Parameters
    ----------
    panels : sequence of Panel
        Models judged on one set.
    apparent : mapping of key to Judged
        The same models on the patients who trained them.
    """
    found = everyone(panels)
    if all(one.roc.reason for one in found):
        return None
    figure, axes = grid(panels, 2)
    for (ax, place), panel in zip(axes, panels):
        _frame(ax)
        for series in panel.series:
            _draw(ax, series, apparent.get(series.judged.key))
        legend_beside(ax, place)
    where = found[0].on
    alt = "; ".join(f"{one.title}: AUC {interval(one.auc)}" for one in found)
    title = f"ROC curves: {patients(where)}"
    return Sketch(f"roc_{where}", title, _caption(panels, bool(apparent)), f"ROC curves. {alt}.", figure)


def _frame(ax) -> None:
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xlabel="1 − specificity", ylabel="sensitivity")
    plain(ax)


def _draw(ax, series: Series, apparent: Judged | None) -> None:
    curve, label = series.judged.roc, f"{model_name(series.label)}\nAUC {interval(series.judged.auc)}"
    if apparent is not None and not apparent.roc.reason:
        style = {"color": series.color, "alpha": 0.55, "linewidth": 0.9, "linestyle": (0, (4, 2)), "zorder": 2}
        ax.plot(*_corners(apparent), gid=f"apparent {series.label}", **style)
        label += f"; apparent {signless(apparent.auc.value, 3)}"
    if series.best and curve.band:
        x = [1 - value for value in curve.band.specificity]
        ax.fill_between(x, curve.band.low, curve.band.high, color=series.color, alpha=0.15, linewidth=0, zorder=1.5)
    ax.plot(*_corners(series.judged), label=label, gid=series.label, **series.style)


def _corners(judged: Judged) -> tuple[list[float], list[float]]:
    return [1 - value for value in judged.roc.specificity], list(judged.roc.sensitivity)


def _caption(panels: Sequence[Panel], apparent: bool) -> str:
    found, best = everyone(panels), best_of(panels)
    first, banded = found[0], best is not None and best.judged.roc.band is not None
    return joined(
        f"{counted(first.on, first.n, first.events)}.",
        f"AUC: {first.auc.method}.",
        f"Bold: {best.judged.title}, the best in cross-validation of the training patients." if best else "",
        f"Band: {best.judged.roc.method}." if banded else "",
        "Dashed and pale: the same models in the patients who trained them, which says nothing of new patients."
        if apparent
        else "",
        reasons((one.title, one.auc) for one in found),
    )
