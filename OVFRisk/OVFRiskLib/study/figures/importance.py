"""Which inputs a model relies on, as bars."""

import pandas as pd

from ...files.figures.style import BLUE, GREY, INK, new_figure, outlined
from .panels import WIDTH, plain
from .study_figure import Sketch
from .words import labels, signless

MOST = 10
_ROW, _AROUND = 0.31, 0.75  # inches


def importance(frame: pd.DataFrame, title: str) -> Sketch | None:
    """Draw the most important inputs of a model; None where there are none.

    Parameters
    ----------
    frame : DataFrame
        `ModelResult.importance`.
    title : str
        Of the model.
    """
    if frame.empty:
        return None
    shown = frame.head(MOST)
    figure, ax = bars_figure(len(shown))
    bars(ax, list(map(str, shown.index)), shown["importance"].tolist(), shown["sd"].tolist())
    ax.set_xlabel("mean loss of AUC when the input is shuffled, ± SD")
    which = f"the {MOST} most important of {len(frame)} inputs" if len(frame) > MOST else f"all {len(frame)} inputs"
    caption = (
        f"Permutation importance of {title}, {which}: measured on training patients in folds that did not train. "
        "Inputs that say the same share their importance; it is no cause."
    )
    alt = "; ".join(f"{name}: {value:.3f}" for name, value in shown["importance"].items())
    return Sketch("importance", f"Importance of the inputs of {title}", caption, f"Importance. {alt}.", figure)


def bars_figure(rows: int):
    """Return a figure with axes for so many bars."""
    figure = new_figure(WIDTH, _AROUND + _ROW * rows)
    return figure, figure.subplots()


def bars(ax, names: list[str], values: list[float], spreads: list[float] | None = None, digits: int = 3) -> None:
    """Draw horizontal bars from top to bottom, each with its number; spreads that are missing are not drawn."""
    places = range(len(names))
    ax.barh(places, values, height=0.62, color=BLUE, zorder=2)
    ends = []
    for y, value, spread in zip(places, values, spreads or [None] * len(values)):
        known = spread if spread is not None and not pd.isna(spread) else 0.0
        ends += [value - known, value + known]
        if known:
            ax.plot(
                [value - known, value + known],
                [y, y],
                color=INK,
                linewidth=1.1,
                zorder=3,
                path_effects=outlined("white", 2.6),
            )
        style = {"fontsize": 7, "va": "center", "ha": "left", "color": INK, "transform": ax.get_yaxis_transform()}
        ax.text(1.015, y, signless(value, digits) + (f" ± {known:.{digits}f}" if known else ""), **style)
    low, high = min(0.0, *ends), max(0.0, *ends)
    margin = 0.03 * ((high - low) or 1.0)
    ax.axvline(0, color=GREY, linewidth=0.8, zorder=1)
    ax.set_yticks(places, labels(names))
    ax.set(ylim=(len(names) - 0.4, -0.6), xlim=(low - margin if low < 0 else 0.0, high + margin))
    plain(ax)
    ax.tick_params(axis="y", length=0)
