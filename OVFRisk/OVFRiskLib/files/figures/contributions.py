"""What moved a model's output for one patient, as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal

from ...errors import import_optional
from ...measurement import unit_text
from ...models.prediction import Contribution
from ...models.scoring import Scored
from .style import BLUE, GREY, INK, VERMILLION, Illustration, data_uri, new_figure, styled

_MOST, _MOST_PARTS = 12, 3
_WIDTH, _ROW = 6.2, 0.36  # inches: as wide as Slicer's module panel
_SCALES = {"log-odds": "log-odds", "probability": "probability"}


@dataclass(frozen=True)
class _Bar:
    """One bar: of an input, of a term of a radscore, or of all that are left together."""

    name: str
    amount: float
    imputed: bool = False
    of_a_part: bool = False


def contribution_chart(scored: Scored, kind: Literal["svg", "png"]) -> Illustration | None:
    """Draw how much each input moved a result away from the typical patient's; None where nothing did.

    Parameters
    ----------
    scored : Scored
    kind : str
        ``svg`` or ``png``.

    Raises
    ------
    UserError
        When matplotlib is missing.
    """
    found = scored.prediction
    if found.value is None or not found.contributions:
        return None
    import_optional("matplotlib", "Drawing a chart")
    bars = _bars(found.contributions)
    with styled():
        figure = new_figure(_WIDTH, 0.75 + _ROW * sum(0.62 if bar.of_a_part else 1.0 for bar in bars))
        _draw(figure.subplots(), bars, f"Change of the {_SCALES.get(found.contribution_scale, 'output')}")
        uri = data_uri(figure, kind)
    caption = "Difference to the typical patient of the training; bars to the right raise the result. "
    caption += f"Method: {found.contribution_method}. " if found.contribution_method else ""
    caption += "Not measured, hatched: the model's own value stands for it. " if any(b.imputed for b in bars) else ""
    alt = "; ".join(f"{bar.name} {_signed(bar.amount)}" for bar in bars)
    return Illustration("contributions", f"What led to it: {scored.title}", f"{caption}No diagnosis.", alt, uri)


def _bars(contributions: Sequence[Contribution]) -> list[_Bar]:
    """Return the largest, the main terms of radscores below their own, and what is left in one bar."""
    shown, rest = contributions[:_MOST], contributions[_MOST:]
    bars = []
    for one in shown:
        bars.append(_Bar(_name(one), one.amount, one.imputed))
        bars += [_Bar(part.title, part.amount, part.imputed, True) for part in one.parts[:_MOST_PARTS]]
    if rest:
        left = _Bar(f"{len(rest)} other inputs together", sum(one.amount for one in rest))
        bars.append(left)
    return bars


def _name(one: Contribution) -> str:
    if one.value is None:
        return one.title
    value = f"{one.title}: {one.value:.4g} {unit_text(one.unit)}".rstrip()
    return f"{value} (not measured)" if one.imputed else value


def _draw(ax, bars: Sequence[_Bar], scale: str) -> None:
    places = _places(bars)
    for bar, y in zip(bars, places):
        height = 0.34 if bar.of_a_part else 0.62
        color = VERMILLION if bar.amount > 0 else BLUE
        style = {"hatch": "////", "edgecolor": "white"} if bar.imputed else {}
        ax.barh(y, bar.amount, height, color=color, alpha=0.45 if bar.of_a_part else 1.0, linewidth=0, **style)
        beside = {"xytext": (4 if bar.amount >= 0 else -4, 0), "textcoords": "offset points", "va": "center"}
        side = "left" if bar.amount >= 0 else "right"
        size = 7 if bar.of_a_part else 8.5
        ax.annotate(_signed(bar.amount), (bar.amount, y), ha=side, color=INK, fontsize=size, **beside)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(places, [_label(bar) for bar in bars])
    for tick, bar in zip(ax.get_yticklabels(), bars):
        tick.set(color=GREY if bar.of_a_part else INK, fontsize=7 if bar.of_a_part else 8.5)
    ax.set_xlabel(f"{scale}: lower ◂  ▸ higher")
    ax.invert_yaxis()
    ax.margins(x=0.18)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _places(bars: Sequence[_Bar]) -> list[float]:
    """Return where each bar lies from top to bottom; terms lie closer together."""
    places, y = [], 0.0
    for n, bar in enumerate(bars):
        if n:
            y += 0.62 if bar.of_a_part else 1.0
        places.append(y)
    return places


def _label(bar: _Bar) -> str:
    return "\n".join(wrap(bar.name, 34 if bar.of_a_part else 30, max_lines=2, placeholder=" …"))


def _signed(amount: float) -> str:
    return f"{amount:+.2f}".replace("-", "−")
