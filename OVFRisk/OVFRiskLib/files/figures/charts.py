"""Scores beside the published groups."""

from collections.abc import Sequence

from ...models.cutoffs import Assessment, Cutoff, vbq_cutoffs
from .style import BLUE, GREY, INK, VERMILLION, Illustration, data_uri, new_figure, outlined, styled


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
