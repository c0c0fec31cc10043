"""Confusion matrices at the cut-offs that were chosen beforehand."""

from textwrap import wrap

from ...files.figures.style import BLUE, INK, new_figure
from ..judgement.judged import Judged
from ..judging.confusion import Confusion
from .panels import SINGLE, WIDTH
from .study_figure import Sketch
from .words import counted, interval, joined, patients, reasons

_DARK = 0.55  # share of a row from which the tile is dark, and its text white
_SHOWN = ("sensitivity", "specificity", "ppv", "npv", "f1")
_NAMES = {"ppv": "PPV", "npv": "NPV", "f1": "F1"}


def matrix(judged: Judged, names: tuple[str, str]) -> Sketch | None:
    """Draw the counts at each cut-off, with the share of each row; None where there is no cut-off.

    Parameters
    ----------
    judged : Judged
    names : tuple of str
        Of no event and of the event.
    """
    found = {rule: one for rule, one in judged.confusion.items() if one.true_positives is not None}
    if not found:
        return None
    figure = new_figure(SINGLE if len(found) == 1 else WIDTH, 3.9)
    axes = figure.subplots(1, len(found), squeeze=False).ravel()
    for n, (ax, (rule, one)) in enumerate(zip(axes, found.items())):
        _draw(ax, rule, one, names if not n else ("", ""))
    lacking = [f"{rule}: {one.cutoff.reason}" for rule, one in judged.confusion.items() if rule not in found]
    first = next(iter(found.values()))
    caption = joined(
        f"{counted(judged.on, judged.n, judged.events)}. Counts, and shares of those with the same outcome.",
        "The cut-offs were chosen in cross-validation of the training patients.",
        f"Intervals of the shares: {first.sensitivity.method.partition('; ')[2]}; F1: {first.f1.method}.",
        reasons((f"{rule}, {name}", getattr(one, name)) for rule, one in found.items() for name in _SHOWN),
        f"No cut-off: {'; '.join(lacking)}." if lacking else "",
    )
    alt = "; ".join(
        f"{rule}: {one.true_positives} true positives, {one.false_positives} false positives, "
        f"{one.false_negatives} false negatives, {one.true_negatives} true negatives"
        for rule, one in found.items()
    )
    title = f"Confusion matrix of {judged.title}: {patients(judged.on)}"
    return Sketch(f"confusion_{judged.on}", title, caption, alt, figure)


def _draw(ax, rule: str, one: Confusion, names: tuple[str, str]) -> None:
    rows = ((one.true_negatives, one.false_positives), (one.false_negatives, one.true_positives))
    for y, row in enumerate(rows):
        for x, count in enumerate(row):
            _tile(ax, x, y, count, sum(row))
    ax.set_xticks((0, 1), ("below\nthe cut-off", "at or above"))
    ax.set_yticks((0, 1), ["\n".join(wrap(name, 20)) for name in names], rotation=90, va="center")
    ax.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), aspect="equal")
    ax.set_title(f"{rule} (cut-off {one.cutoff.value:.3f})")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    lines = [f"{_NAMES.get(name, name)} {interval(getattr(one, name), 2)}" for name in _SHOWN]
    ax.set_xlabel("\n".join(lines), fontsize=7.5, linespacing=1.45)


def _tile(ax, x: int, y: int, count: int, total: int) -> None:
    share = count / total if total else 0.0
    ax.barh(y, 0.96, height=0.96, left=x - 0.48, color=BLUE, alpha=0.08 + 0.82 * share, linewidth=0)
    text = f"{count:,}\n{100 * share:.1f} %" if total else f"{count:,}"
    color = "white" if share > _DARK else INK
    ax.text(x, y, text, ha="center", va="center", fontsize=11, color=color, linespacing=1.4)
