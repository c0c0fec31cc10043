"""Each score of vertebral bone quality among the published groups, with its uncertainty."""

from ...measurement import Measurement, MeasurementTable
from ...models.cutoffs import vbq_cutoffs
from ...vbq.reading_cohort import published_groups
from ...vbq.score_definitions import DIFFERENCE, SINGLE
from .charts import score_title
from .style import BLUE, GREY, INK, VERMILLION, Illustration, data_uri, new_figure, outlined, styled

_GROUPS = (("without fracture", BLUE), ("with fracture", VERMILLION))  # from below to above


def score_positions(table: MeasurementTable) -> Illustration | None:
    """Draw each score that has a value beside both published groups; None where there is none.

    Parameters
    ----------
    table : MeasurementTable
        What `vbq.measure_vbq` returned.
    """
    names = [score.name for score in (*SINGLE, DIFFERENCE) if score.name in published_groups()]
    scores = [row for name in names for row in table.where(name=name) if row.value is not None]
    if not scores:
        return None
    with styled():
        figure = new_figure(8.5, 0.95 + 0.95 * len(scores))
        for ax, score in zip(figure.subplots(len(scores), 1, squeeze=False).ravel(), scores):
            _draw(ax, score, table.value(level=None, compartment=None, name=f"{score.name}_uncertainty"))
        caption = "Diamond: this exam, ± for regions 2 mm beside. Bars: mean ± SD of the published groups (Huang 2025,"
        figure.supxlabel(
            f"{caption}\n84 patients each, 1.5 T), which overlap widely. Dashed: published cut-off. No diagnosis.",
            fontsize=7.5,
            color=GREY,
        )
        figure.axes[0].set_title(
            ", ".join(text for text in (scores[0].subject, "VBQ among the published groups") if text)
        )
        uri = data_uri(figure, "png")
    names = ", ".join(score_title(score.name) for score in scores)
    return Illustration(
        "score-positions",
        "Scores among the published groups",
        f"Bars: mean ± SD of the published groups. {vbq_cutoffs()[0].source}",
        f"{names} beside the published groups with and without fracture.",
        uri,
    )


def _draw(ax, score: Measurement, uncertainty: float | None) -> None:
    groups = reversed(published_groups()[score.name])
    for y, ((name, color), (mean, sd)) in enumerate(zip(_GROUPS, groups)):
        ax.plot([mean - sd, mean + sd], [y, y], color=color, linewidth=7, alpha=0.35, solid_capstyle="butt")
        ax.plot(mean, y, marker="|", markersize=11, markeredgewidth=2, color=color)
        ax.text(mean + sd, y, f"  {name}", color=color, fontsize=7.5, va="center")
    for cutoff in vbq_cutoffs():
        if cutoff.name == score.name:
            ax.axvline(cutoff.cutoff, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    known = f" ± {uncertainty:.3f}" if uncertainty is not None else ""
    beside = {"xytext": (9, 0), "textcoords": "offset points", "va": "center", "zorder": 5}
    text = {"fontsize": 8, "weight": "bold", "path_effects": outlined("white", 3)}
    ax.annotate(f"{score.value:.3f}{known}", (score.value + (uncertainty or 0.0), 0.5), **beside, **text)
    ax.errorbar(score.value, 0.5, xerr=uncertainty, color=INK, linewidth=1.2, capsize=3, zorder=4)
    ax.plot(score.value, 0.5, marker="D", markersize=7, color=INK, markeredgecolor="white", zorder=5)
    ax.set_ylim(-0.6, 1.6)
    ax.set_yticks([0.5], [score_title(score.name)])
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.14)
