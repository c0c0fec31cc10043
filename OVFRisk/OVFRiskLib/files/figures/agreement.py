"""Bland and Altman's plots of an agreement table, a panel a quantity."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from ...errors import UserError, import_optional
from ...vbq.agreement_statistics import ACCEPTED_PERCENT
from .style import BLUE, GREEN, GREY, INK, PALE, VERMILLION, data_uri, new_figure, styled, write_picture

if TYPE_CHECKING:
    from ...vbq.agreement import Agreement, AgreementTable
    from ...vbq.agreement_pairs import Comparison
    from ...vbq.agreement_statistics import BlandAltman

_PANEL, _TITLE_HEIGHT, _NARROWEST = (2.75, 2.15), 0.45, 5.0  # inches
_KINDS = ("png", "svg")
_LINES = {"upper": (VERMILLION, "--"), "bias": (BLUE, "-"), "lower": (VERMILLION, "--")}
_LABEL_STEP = 0.085  # of the axis' height that labels keep from each other


def draw_agreement(table: "AgreementTable", *paths: Path, each_level: bool = False) -> None:
    """Draw the percent differences of every comparison against the means, with bias, limits and the 10 % band.

    Parameters
    ----------
    table : AgreementTable
    *paths : Path
        Where the one figure is written; ``.png`` or ``.svg``.
    each_level : bool
        Whether the signals of single levels have panels, too.

    Raises
    ------
    UserError
        When matplotlib is missing, a name ends otherwise, or a file cannot be written.
    """
    import_optional("matplotlib", "Drawing observer agreement")
    for path in paths:
        if path.suffix.removeprefix(".") not in _KINDS:
            raise UserError(f"A figure cannot be written as {path.name}.", "Choose a name that ends in .png or .svg.")
    parts = [_grid(table.of(c), each_level) for c in table.comparisons]
    heights = [_TITLE_HEIGHT + _PANEL[1] * len(rows) for rows in parts]
    with styled():
        figure = new_figure(max(_NARROWEST, _PANEL[0] * max(len(rows[0]) for rows in parts)), sum(heights))
        subfigures = figure.subfigures(len(parts), 1, squeeze=False, height_ratios=heights).ravel()
        for subfigure, comparison, rows in zip(subfigures, table.comparisons, parts):
            _draw_comparison(subfigure, comparison, rows)
        for path in paths:
            write_picture(path, data_uri(figure, path.suffix.removeprefix(".")))


def _grid(rows: Sequence["Agreement"], each_level: bool) -> list[list["Agreement | None"]]:
    """Return the panels: a column a sequence; scores, signal of L1-L4, of CSF, and of each level below each other."""
    shown = [row for row in rows if each_level or not row.quantity.single_level]
    sequences = list(dict.fromkeys(row.quantity.sequence for row in shown))
    kinds = list(dict.fromkeys((row.quantity.compartment, row.quantity.level) for row in shown))
    found = {((row.quantity.compartment, row.quantity.level), row.quantity.sequence): row for row in shown}
    return [[found.get((kind, sequence)) for sequence in sequences] for kind in kinds]


def _draw_comparison(figure, comparison: "Comparison", rows: Sequence[Sequence["Agreement | None"]]) -> None:
    figure.suptitle(comparison.title, x=0.01, ha="left", fontsize=11, weight="bold", color=INK)
    axes = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for ax, row in zip(axes.ravel(), [row for line in rows for row in line]):
        if row is None:
            ax.set_axis_off()
            continue
        ax.set_title(row.quantity.title)
        if row.limits:
            _draw_panel(ax, row)
        else:
            ax.set_axis_off()
            ax.text(0, 0.9, _wrapped(f"No limits: {row.note}"), fontsize=7, color=GREY, va="top")
    figure.supylabel("Difference, % of the mean", fontsize=8.5)


def _wrapped(text: str) -> str:
    return "\n".join(wrap(text, 42)[:8])


def _draw_panel(ax, row: "Agreement") -> None:
    limits = row.limits
    ends = [abs(v) for v in (*limits.percent, *limits.lower_ci, *limits.upper_ci)]
    reach = 1.1 * max(1.25 * ACCEPTED_PERCENT, *ends)
    ax.axhspan(-ACCEPTED_PERCENT, ACCEPTED_PERCENT, color=GREEN, alpha=0.10, linewidth=0, zorder=0)
    ax.axhline(0, color=PALE, linewidth=0.8, zorder=1)
    for name, (color, line) in _LINES.items():
        ax.axhspan(*getattr(limits, f"{name}_ci"), color=color, alpha=0.12, linewidth=0, zorder=1)
        ax.axhline(getattr(limits, name), color=color, linewidth=1.1, linestyle=line, zorder=2)
    ax.plot(limits.means, limits.percent, "o", markersize=3.2, color=INK, alpha=0.75, markeredgewidth=0, zorder=3)
    _label_lines(ax, limits, reach)
    ax.set_ylim(-reach, reach)
    ax.margins(x=0.08)
    ax.set_xlabel(_x_label(row), fontsize=7)
    ax.tick_params(labelsize=7)
    ax.spines[["top", "right"]].set_visible(False)


def _label_lines(ax, limits: "BlandAltman", reach: float) -> None:
    """Write the numbers of bias and limits beside their lines, apart from each other where the lines are close."""
    step = _LABEL_STEP * 2 * reach
    above, below = max(limits.upper, limits.bias + step), min(limits.lower, limits.bias - step)
    for name, place in (("upper", above), ("bias", limits.bias), ("lower", below)):
        text = _signed(getattr(limits, name))
        style = {"ha": "left", "va": "center", "fontsize": 7, "color": _LINES[name][0]}
        ax.text(1.01, place, text, transform=ax.get_yaxis_transform(), **style)


def _x_label(row: "Agreement") -> str:
    what = f"mean of both, n = {len(row.subjects)}"
    return f"{what}, ICC(2,1) {row.icc_2_1.value:.2f}".replace("-", "−") if row.icc_2_1 else what


def _signed(value: float) -> str:
    return f"{value:+.1f} %".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
