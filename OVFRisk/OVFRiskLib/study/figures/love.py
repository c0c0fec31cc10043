"""The love plot: how alike cases and controls are before and after matching."""

from ...files.figures.style import BLUE, GREY, PALE, VERMILLION
from ..cohort.balance import THRESHOLD, Balance
from .forest import forest_figure
from .panels import plain
from .study_figure import Sketch
from .words import labels

_STYLES = {"before": (VERMILLION, "D", "white"), "after": (BLUE, "o", BLUE)}


def love(balance: Balance) -> Sketch:
    """Draw the absolute standardised difference of each variable before and after matching."""
    points = balance.love_plot()
    names = list(dict.fromkeys(points["variable"]))
    rows = {name: y for y, name in enumerate(names)}
    figure, ax = forest_figure([])
    figure.set_size_inches(figure.get_size_inches()[0], 1.25 + 0.3 * len(names))
    for y in rows.values():
        ax.axhline(y, color=PALE, linewidth=0.6, zorder=0)
    ax.axvline(THRESHOLD, color=GREY, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    for when, (color, marker, face) in _STYLES.items():
        part = points[points["matching"] == when].dropna(subset="difference")
        style = {"color": color, "marker": marker, "markerfacecolor": face, "markersize": 5.5, "linestyle": "none"}
        ax.plot(part["difference"], [rows[name] for name in part["variable"]], label=f"{when} matching", **style)
    ax.set_yticks(range(len(names)), labels(names))
    ax.set(ylim=(len(names) - 0.4, -0.6), xlabel="absolute standardised difference")
    ax.set_xlim(left=-0.015 * max(points["difference"].max(), THRESHOLD))
    plain(ax)
    ax.tick_params(axis="y", length=0)
    ax.legend(loc="lower right", fontsize=7.5, framealpha=0.9, edgecolor="none")
    return Sketch("love_plot", "Balance of cases and controls", _caption(balance), _alt(balance), figure)


def _caption(balance: Balance) -> str:
    sizes = {row["group"]: row for _, row in balance.sizes.iterrows()}
    counts = ", ".join(f"{row['matched']:,} of {row['all']:,} {group}" for group, row in sizes.items())
    absent = balance.table.loc[balance.table["smd before"].isna(), "variable"].tolist()
    return (
        f"Matched: {counts}. Differences of the means over the standard deviation of all cases before matching; "
        f"dashed: {THRESHOLD:g}, below which a variable is commonly taken as balanced."
        + (f" Absent, as the cases do not vary: {', '.join(absent)}." if absent else "")
    )


def _alt(balance: Balance) -> str:
    found = ((row["variable"], row["smd before"], row["smd after"]) for _, row in balance.table.iterrows())
    return "; ".join(f"{name}: {abs(before):.2f} before, {abs(after):.2f} after" for name, before, after in found)
