"""Scores beside the published groups."""

from collections.abc import Iterable, Mapping
from typing import Literal

from ...models.scoring import Scored
from .style import BLUE, GREY, INK, VERMILLION, Illustration, data_uri, new_figure, outlined, styled

_COLORS = (VERMILLION, BLUE)  # with and without the outcome


def score_chart(scores: Iterable[Scored], kind: Literal["svg", "png"]) -> Illustration | None:
    """Draw each value beside the groups that its cut-off was found in; None where nothing has both."""
    shown = [scored for scored in scores if scored.prediction.value is not None and scored.model.card.population.groups]
    if not shown:
        return None
    with styled():
        figure = new_figure(10.5, 0.55 + 0.95 * len(shown))
        for ax, scored in zip(figure.subplots(len(shown), 1, squeeze=False).ravel(), shown):
            _score(ax, scored)
        uri = data_uri(figure, kind)
    sources = dict.fromkeys(scored.model.card.citation for scored in shown)
    return Illustration(
        "scores",
        "Scores beside the published groups",
        "Bars: mean ± SD of the published groups, which overlap widely. Dashed: published cut-off. Diamond: this "
        f"patient, ± its uncertainty. No diagnosis. {' '.join(sources)}",
        f"{', '.join(_title(scored) for scored in shown)} of this patient beside the published groups.",
        uri,
    )


def score_title(name: str) -> str:
    """Return how a score is written, e.g. ``VBQ-T2-STIR``."""
    return name.replace("_", "-").upper()


def _title(scored: Scored) -> str:
    return scored.model.card.inputs[0].title


def _score(ax, scored: Scored) -> None:
    found, card = scored.prediction, scored.model.card
    _draw_groups(ax, card.population.groups)
    for threshold in card.thresholds:
        ax.axvline(threshold.value, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    spread = 0.0 if found.interval is None else (found.interval[1] - found.interval[0]) / 2
    beside = {"xytext": (9, 0), "textcoords": "offset points", "va": "center", "zorder": 5}
    text = {"fontsize": 8, "weight": "bold", "path_effects": outlined("white", 3)}
    ax.annotate(scored.written, (found.value + spread, 0.5), **beside, **text)
    ax.errorbar(found.value, 0.5, xerr=spread, color=INK, linewidth=1.2, capsize=3 if spread else 0, zorder=4)
    ax.plot(found.value, 0.5, marker="D", markersize=7, color=INK, markeredgecolor="white", zorder=5)
    ax.set_ylim(-0.6, 1.6)
    ax.set_yticks([0.5], [_title(scored)])
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.14)


def _draw_groups(ax, groups: Mapping[str, tuple[float, float]]) -> None:
    for y, (color, (name, (mean, sd))) in enumerate(reversed(list(zip(_COLORS, groups.items())))):
        ax.plot([mean - sd, mean + sd], [y, y], color=color, linewidth=7, alpha=0.35, solid_capstyle="butt")
        ax.plot(mean, y, marker="|", markersize=11, markeredgewidth=2, color=color)
        ax.text(mean + sd, y, f"  {name}", color=color, fontsize=7.5, va="center")
