"""Values by level, and scores beside the published groups."""

from collections.abc import Sequence

from ...anatomy import Compartment, Region, VertebralLevel
from ...measurement import MeasurementTable
from ...models.cutoffs import Assessment, Cutoff, vbq_cutoffs
from ...segmentation.level_check import LevelQuality
from ...terminology import term
from .style import BLUE, GREEN, GREY, INK, PALE, VERMILLION, Illustration, data_uri, new_figure, outlined, styled

_HEIGHTS = {
    "anterior_height": ("anterior Ha", BLUE, "o"),
    "middle_height": ("middle Hm", GREEN, "s"),
    "posterior_height": ("posterior Hp", VERMILLION, "^"),
}
_RATIOS = {
    "anterior_posterior_ratio": ("Ha / Hp", BLUE, "o"),
    "middle_posterior_ratio": ("Hm / Hp", GREEN, "s"),
}
_GENANT = {
    0.80: "left",
    0.75: "right",
    0.60: "center",
}  # ratio left by a reduction of 20, 25 and 40 %: where its name stands


def level_chart(table: MeasurementTable, levels: Sequence[LevelQuality]) -> Illustration:
    """Draw attenuation, heights and height ratios, a level a row from head to foot."""
    rows = {quality.level: n for n, quality in enumerate(levels)}
    with styled():
        figure = new_figure(10.5, 1.3 + 0.36 * len(rows))
        hu, heights, ratios = figure.subplots(1, 3, sharey=True)
        _bars(hu, table, rows)
        _points(heights, table, rows, _HEIGHTS, "Heights of the body (mm)")
        _points(ratios, table, rows, _RATIOS, "Height ratios")
        for share, align in _GENANT.items():
            ratios.axvline(share, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
            ratios.text(share, -0.62, f"−{1 - share:.0%}", color=GREY, fontsize=6.5, ha=align, va="bottom")
        hu.set_yticks(list(rows.values()), list(rows))
        hu.set_ylim(len(rows) - 0.4, -0.6)
        for quality in levels:
            if not quality.usable:
                hu.text(
                    0.02,
                    rows[quality.level],
                    "not measured",
                    color=GREY,
                    va="center",
                    transform=hu.get_yaxis_transform(),
                )
        uri = data_uri(figure, "svg")
    return Illustration(
        "levels",
        "Values by level",
        "Trabecular attenuation: mean and standard deviation of the voxels. Dashed lines: ratios that a reduction of "
        "20, 25 and 40 % leaves, where grades 1, 2 and 3 begin (Genant, J Bone Miner Res 1993;8:1137). They are drawn "
        "for orientation: a body that is low all over keeps its ratios, and no grade is given here.",
        f"Attenuation, heights and height ratios of {', '.join(rows)}.",
        uri,
    )


def score_chart(assessments: Sequence[Assessment]) -> Illustration:
    """Draw each score that has a value beside the groups its cut-off was found in."""
    published = {cutoff.name: cutoff for cutoff in vbq_cutoffs()}
    shown = [a for a in assessments if a.value is not None and a.name in published]
    with styled():
        figure = new_figure(10.5, 0.55 + 0.95 * len(shown))
        for ax, assessment in zip(figure.subplots(len(shown), 1, squeeze=False).ravel(), shown):
            _score(ax, assessment, published[assessment.name])
        uri = data_uri(figure, "svg")
    names = ", ".join(score_title(a.name) for a in shown)
    return Illustration(
        "scores",
        "Scores beside the published groups",
        "Bars: mean ± SD of the published groups with and without fracture; they overlap widely. Dashed: published "
        f"cut-off. Diamond: this patient. {shown[0].source}",
        f"{names} of this patient beside the published groups with and without fracture.",
        uri,
    )


def score_title(name: str) -> str:
    """Return how a score is written, e.g. ``VBQ-T2-STIR``."""
    return name.replace("_", "-").upper()


def _bars(ax, table: MeasurementTable, rows: dict[VertebralLevel, int]) -> None:
    _frame(ax, "Trabecular attenuation (HU)")
    for level, y in rows.items():
        mean, sd = (
            table.value(level=level, compartment=Compartment.CANCELLOUS, name=f"trabecular_attenuation{end}")
            for end in ("", "_sd")
        )
        if mean is None:
            continue
        ax.barh(y, mean, height=0.62, color=term(Region(Compartment.CANCELLOUS, level)).color, zorder=2)
        if sd is not None:
            ax.errorbar(mean, y, xerr=sd, color=INK, linewidth=1, capsize=2.5, zorder=3)
        place = {"xytext": (4 if mean >= 0 else -4, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(f"{mean:.0f}", (0, y), ha="left" if mean >= 0 else "right", weight="bold", zorder=4, **place)
    ax.axvline(0, color=GREY, linewidth=0.7)


def _points(ax, table: MeasurementTable, rows: dict[VertebralLevel, int], series: dict, title: str) -> None:
    _frame(ax, title)
    for name, (label, color, marker) in series.items():
        found = [(table.value(level=level, compartment=Compartment.BODY, name=name), y) for level, y in rows.items()]
        known = [(value, y) for value, y in found if value is not None]
        if known:
            ax.plot(*zip(*known), marker=marker, markersize=5, linewidth=0.9, color=color, label=label, zorder=3)
    if ax.lines:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=len(series), frameon=False, fontsize=7.5)


def _frame(ax, title: str) -> None:
    ax.set_title(title, pad=14)
    ax.grid(axis="x", color=PALE, linewidth=0.7, zorder=0)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _score(ax, assessment: Assessment, cutoff: Cutoff) -> None:
    for y, (label, (mean, sd), color) in enumerate(
        (("no fracture", cutoff.no_fracture, BLUE), ("fracture", cutoff.fracture, VERMILLION))
    ):
        ax.plot([mean - sd, mean + sd], [y, y], color=color, linewidth=7, alpha=0.35, solid_capstyle="butt")
        ax.plot(mean, y, marker="|", markersize=11, markeredgewidth=2, color=color)
        ax.text(mean + sd, y, f"  {label}", color=color, fontsize=7.5, va="center")
    ax.axvline(cutoff.cutoff, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    size = {"fontsize": 8, "weight": "bold", "ha": "center", "va": "bottom", "path_effects": outlined("white", 3)}
    ax.text(assessment.value, 0.85, f"{assessment.value:.3f}", zorder=5, **size)
    ax.plot(assessment.value, 0.5, marker="D", markersize=8, color=INK, markeredgecolor="white", zorder=5)
    ax.set_ylim(-0.6, 1.6)
    ax.set_yticks([0.5], [score_title(assessment.name)])
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)
