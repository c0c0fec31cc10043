"""Values along the spine, a level a row from head to foot; neighbours are joined, so that a dip is seen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...anatomy import Compartment, VertebralLevel
from ...measurement import MeasurementTable
from ...segmentation.level_check import LevelQuality
from ..report_values import LevelGrade, Lookup, level_grades
from .style import BLUE, GREEN, GREY, INK, PALE, PURPLE, VERMILLION, Illustration, data_uri, new_figure, styled

_BODY, _CANCELLOUS = Compartment.BODY, Compartment.CANCELLOUS
_GENANT = (0.80, 0.75, 0.60)  # ratios left by a reduction of 20, 25 and 40 %
_BAND = "#FBE8C6"  # behind a deformed level: a light orange, on which every line is still seen
_UNGRADED_BAND = "#EEF1F3"
_ROW_INCHES, _FRAME_INCHES, _LEGEND_INCHES = 0.36, 1.6, 0.3
_FEWEST_ROWS = 4  # of height, so that title and legend find room


@dataclass(frozen=True)
class Series:
    """One line of a panel and how it is drawn; `spread` is its bar (a half-width), `bar` the name of it."""

    label: str
    part: Compartment
    name: str
    color: str
    marker: str
    spread: str = ""
    bar: str = ""


_ATTENUATION = (
    Series("3-D", _CANCELLOUS, "trabecular_attenuation", BLUE, "o", "trabecular_attenuation_sd", "SD"),
    Series("axial ellipse", _CANCELLOUS, "trabecular_attenuation_axial", VERMILLION, "D"),
)
_DENSITY = (Series("vBMD", _CANCELLOUS, "vbmd", PURPLE, "o", "vbmd_error", "error"),)
_HEIGHTS = (
    Series("anterior", _BODY, "anterior_height", BLUE, "o"),
    Series("middle", _BODY, "middle_height", GREEN, "s"),
    Series("posterior", _BODY, "posterior_height", VERMILLION, "^"),
)
_RATIOS = (
    Series("Ha/Hp", _BODY, "anterior_posterior_ratio", BLUE, "o"),
    Series("Hm/Hp", _BODY, "middle_posterior_ratio", GREEN, "s"),
    Series("Hp/expected", _BODY, "posterior_neighbour_ratio", VERMILLION, "^"),
)
_PANELS = (
    ("Attenuation (HU)", _ATTENUATION),
    ("vBMD (mg/cm³)", _DENSITY),
    ("Heights of the body (mm)", _HEIGHTS),
    ("Height ratios", _RATIOS),
)


def level_chart(table: MeasurementTable, levels: Sequence[LevelQuality]) -> Illustration:
    """Draw attenuation, density, heights and height ratios, a level a row; panels without any value are left out."""
    lookup, names = Lookup(table), [quality.level for quality in levels]
    grades = level_grades(lookup, names)
    rows = {level: n for n, level in enumerate(names)}
    panels = [panel for panel in _PANELS if any(_known(lookup, rows, series) for series in panel[1])] or [_PANELS[0]]
    with styled():
        height = _ROW_INCHES * max(len(rows), _FEWEST_ROWS)
        figure = new_figure(10.5, _FRAME_INCHES + height)
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for ax, (title, series) in zip(axes, panels):
            _frame(ax, title, levels, grades)
            for one in series:
                _draw(ax, lookup, rows, one)
            if series is _HEIGHTS:
                _draw_expected(ax, lookup, rows)
            if series is _RATIOS:
                _draw_cutoffs(ax)
            _legend(ax, height)
        _label_rows(axes[0], levels, grades)
        uri = data_uri(figure, "svg")
    caption = _caption(panels, grades, _known(lookup, rows, _RATIOS[-1]))
    return Illustration("levels", "Values along the spine", caption, _alt(rows, grades), uri)


def _caption(panels: Sequence[tuple], grades: Mapping[VertebralLevel, LevelGrade], expected: bool) -> str:
    parts = ["Neighbouring levels are joined; a gap is a level without the value."]
    if any(grade.fractured for grade in grades.values()):
        parts.append("Orange: deformed levels.")
    if any(grade.grade is None for grade in grades.values()):
        parts.append("Grey: levels without a grade.")
    shown = {title for title, _ in panels}
    if any(grade.borderline for grade in grades.values()):
        parts.append("A question mark: borderline, the grade would change within the uncertainty of the heights.")
    if _PANELS[2][0] in shown and expected:
        parts.append("Open triangles: posterior height expected from the neighbours, where it was measured.")
    if _PANELS[3][0] in shown:
        parts.append(
            "Dashed lines: ratios that a reduction of 20, 25 and 40 % leaves, where grades 1, 2 and 3 begin "
            "(Genant, J Bone Miner Res 1993;8:1137)."
        )
    return " ".join(parts)


def _alt(rows: Mapping[VertebralLevel, int], grades: Mapping[VertebralLevel, LevelGrade]) -> str:
    deformed = ", ".join(level for level, grade in grades.items() if grade.fractured)
    return f"Attenuation, heights and height ratios of {', '.join(rows)}; deformed: {deformed or 'none'}."


def _known(lookup: Lookup, rows: Mapping[VertebralLevel, int], series: Series) -> bool:
    return any(lookup.value(level, series.part, series.name) is not None for level in rows)


def _draw(ax, lookup: Lookup, rows: Mapping[VertebralLevel, int], series: Series) -> None:
    values = [lookup.value(level, series.part, series.name) for level in rows]
    if all(value is None for value in values):
        return
    x = [math.nan if value is None else value for value in values]
    spreads = [lookup.value(level, series.part, series.spread) if series.spread else None for level in rows]
    label = series.label + (f" ± {series.bar}" if any(spreads) else "")
    style = {"color": series.color, "marker": series.marker, "markersize": 4.5, "linewidth": 1.1, "zorder": 3}
    ax.plot(x, list(rows.values()), label=label, **style)
    for y, value, spread in zip(rows.values(), values, spreads):
        if value is not None and spread is not None:
            bar = {"color": series.color, "linewidth": 3.5, "alpha": 0.25, "solid_capstyle": "butt", "zorder": 2}
            ax.plot([value - spread, value + spread], [y, y], **bar)


def _draw_expected(ax, lookup: Lookup, rows: Mapping[VertebralLevel, int]) -> None:
    """Draw the posterior height that the neighbours let expect: the measured one over its ratio to it."""
    found = []
    for level in rows:
        height, ratio = (lookup.value(level, _BODY, n) for n in ("posterior_height", "posterior_neighbour_ratio"))
        found.append(height / ratio if height is not None and ratio else math.nan)
    if any(math.isfinite(value) for value in found):
        style = {"color": GREY, "linestyle": (0, (2, 2)), "marker": "^", "markerfacecolor": "none", "markersize": 5}
        ax.plot(found, list(rows.values()), label="expected", linewidth=0.9, zorder=2.5, **style)


def _draw_cutoffs(ax) -> None:
    low, high = ax.get_xlim()
    for share, align in zip(_GENANT, ("left", "right", "center")):
        ax.axvline(share, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        place = {"xycoords": ax.get_xaxis_transform(), "xytext": (0, 2), "textcoords": "offset points"}
        ax.annotate(f"−{1 - share:.0%}", (share, 1.0), color=GREY, fontsize=6.5, ha=align, va="bottom", **place)
    ax.set_xlim(min(low, _GENANT[-1] - 0.06), max(high, 1.06))


def _frame(ax, title: str, levels: Sequence[LevelQuality], grades: Mapping[VertebralLevel, LevelGrade]) -> None:
    ax.set_title(title, pad=14)
    ax.grid(axis="x", color=PALE, linewidth=0.7, zorder=0)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    for y, quality in enumerate(levels):
        grade = grades.get(quality.level)
        if grade and grade.fractured:
            ax.axhspan(y - 0.48, y + 0.48, color=_BAND, linewidth=0, zorder=0.5)
        elif not quality.usable or (grade and grade.grade is None):
            ax.axhspan(y - 0.48, y + 0.48, color=_UNGRADED_BAND, linewidth=0, zorder=0.5)


def _legend(ax, height: float) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        below = -_LEGEND_INCHES / height
        style = {"ncols": 2, "frameon": False, "fontsize": 7.5, "columnspacing": 1.2, "handlelength": 1.8}
        ax.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, below), **style)


def _label_rows(ax, levels: Sequence[LevelQuality], grades: Mapping[VertebralLevel, LevelGrade]) -> None:
    """Write the level's name at each row; below it what is to be known of it."""
    ax.set_yticks(range(len(levels)), [f"{quality.level}{_state(quality, grades)}" for quality in levels])
    ax.set_ylim(len(levels) - 0.4, -0.6)
    for quality, text in zip(levels, ax.get_yticklabels()):
        grade = grades.get(quality.level)
        text.set_color(INK if quality.usable else GREY)
        text.set_fontweight("bold" if grade and grade.fractured else "normal")


def _state(quality: LevelQuality, grades: Mapping[VertebralLevel, LevelGrade]) -> str:
    if not quality.usable:
        return "\nnot measured"
    grade = grades.get(quality.level)
    if grade is None or (grade.grade == 0 and not grade.borderline):
        return ""
    return f"\n{grade.name}{'?' if grade.borderline else ''}"
