"""The lasso: coefficients along the penalty, the cross-validated choice of the penalty, and what is kept."""

import numpy as np

from ...files.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION, new_figure
from ..running.results import StepRecord
from .importance import bars, bars_figure
from .panels import WIDTH, plain
from .study_figure import Sketch

_WIDE = 100.0  # largest to smallest penalty
_MOST = 20  # coefficients
_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, INK, "#56B4E9")
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
_MEASURES = {"deviance": "binomial deviance a patient", "auc": "AUC"}
_PENALTIES = (("lambda_min", "λ min", "-", VERMILLION), ("lambda_1se", "λ 1-SE", (0, (5, 2)), BLUE))


def lasso_path(record: StepRecord, whose: str) -> Sketch | None:
    """Draw the paths and the cross-validation of one lasso; None where the step keeps no curves.

    Parameters
    ----------
    record : StepRecord
        Of the step ``lasso`` or ``radscore``.
    whose : str
        Which columns it had, in words.
    """
    if not record.curves:
        return None
    figure = new_figure(WIDTH, 3.3)
    left, right = figure.subplots(1, 2)
    _paths(left, record)
    _choice(right, record)
    for ax in (left, right):
        _penalty_axis(ax, record)
    right.legend(frameon=False, fontsize=7)
    measure = _measure(record)
    caption = (
        f"LASSO of {record.columns_in:,} columns ({whose}), {record.columns_out:,} kept; "
        f"taken is λ = {_lambda(record):.3g}. Left: coefficients along the penalty, a line a column"
        f" ({len(record.curves['names'])} that ever have one). Right: {measure} in cross-validation, mean ± SE; "
        "vertical lines: the best mean (λ min), and the largest penalty within a standard error of it (λ 1-SE). "
        "Above: how many columns have a coefficient."
    )
    alt = f"Coefficient paths and cross-validated {measure}; λ min {record.facts['lambda_min']:.3g}."
    return Sketch(f"lasso_path_{record.group}", f"LASSO: {whose}", caption, alt, figure)


def lasso_coefficients(record: StepRecord, whose: str) -> Sketch | None:
    """Draw the coefficients at the penalty that was taken; None where none is left."""
    found, unit = _coefficients(record)
    if not found:
        return None
    order = sorted(found, key=lambda name: (-abs(found[name]), name))
    shown = order[:_MOST]
    figure, ax = bars_figure(len(shown))
    bars(ax, shown, [found[name] for name in shown])
    ax.set_xlabel(f"coefficient, log-odds {unit}")
    what = "the radscore's terms" if record.step == "radscore" else "the columns that the LASSO keeps"
    some = f"The {_MOST} largest of {len(order)}; " if len(order) > _MOST else f"All {len(order)}; "
    caption = f"{some}{what} ({whose}), with their coefficients at λ = {_lambda(record):.3g}."
    alt = "; ".join(f"{name}: {found[name]:.3g}" for name in shown)
    title = f"{'Radscore' if record.step == 'radscore' else 'LASSO'}, coefficients: {whose}"
    return Sketch(f"lasso_coefficients_{record.group}", title, caption, f"Coefficients. {alt}.", figure)


def _coefficients(record: StepRecord) -> tuple[dict[str, float], str]:
    """Return the coefficients by column, and what a unit of the columns is."""
    if "coefficient" in record.table:
        values = {str(name): float(value) for name, value in record.table["coefficient"].items() if value != 0}
        return values, "an SD of the column" if "scale" in record.table else "a unit of the column"
    if not record.curves:
        return {}, ""
    at = int(np.argmin(np.abs(np.asarray(record.curves["penalties"]) - _lambda(record))))
    row = zip(record.curves["names"], record.curves["coefficients"][at])
    return {name: float(value) for name, value in row if value != 0}, "a unit of the column"


def _paths(ax, record: StepRecord) -> None:
    coefficients = np.asarray(record.curves["coefficients"], dtype=float)
    for n, (name, column) in enumerate(zip(record.curves["names"], coefficients.T)):
        style = {"color": _COLORS[n % 7], "linestyle": _DASHES[n // 7 % 4], "linewidth": 1.0}
        ax.plot(record.curves["penalties"], column, gid=name, **style)
    ax.axhline(0, color=GREY, linewidth=0.7, zorder=1)
    ax.set_ylabel("coefficient, log-odds a unit")


def _choice(ax, record: StepRecord) -> None:
    curves = record.curves
    style = {"fmt": "o", "color": INK, "markersize": 2.2, "elinewidth": 0.6, "ecolor": GREY, "zorder": 3}
    ax.errorbar(curves["penalties"], curves["mean"], curves["se"], **style)
    ax.set_ylabel(_measure(record))


def _penalty_axis(ax, record: StepRecord) -> None:
    """Let the penalty fall to the right, as the path goes, and say above how many columns are in."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    penalties = np.asarray(record.curves["penalties"])
    ax.set(xscale="log", xlabel="penalty λ (falling)")
    ax.set_xlim(penalties[0] * 1.06, penalties[-1] / 1.06)
    wide = penalties[0] > _WIDE * penalties[-1]  # decades only, so that the numbers keep apart
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    for key, name, line, color in _PENALTIES:
        ax.axvline(float(record.facts[key]), label=name, color=color, linestyle=line, linewidth=1.2, zorder=2)
    plain(ax)
    above = ax.secondary_xaxis("top")
    places = np.unique(np.linspace(0, len(penalties) - 1, 6).round().astype(int))
    above.set_xticks(penalties[places], [str(record.curves["nonzero"][n]) for n in places])
    above.xaxis.set_minor_formatter(NullFormatter())
    above.tick_params(labelsize=7, length=2, which="major", color=GREY)
    above.tick_params(length=0, which="minor")
    above.spines["top"].set_visible(False)


def _measure(record: StepRecord) -> str:
    return _MEASURES["".join(record.curves["measure"])]


def _lambda(record: StepRecord) -> float:
    return float(record.facts["lambda"])
