"""Forest plots: subgroups, odds ratios, ways of validation, and inputs left out."""

from collections.abc import Sequence

import pandas as pd

from ...files.figures.style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from ..judgement.judged import Judged, Validated
from .forest import ForestRow, draw_forest, forest_figure, reach
from .study_figure import Sketch
from .words import counted, figures_of, interval, joined, number, p_value, patients

_MOST = 30  # odds ratios
_WIDEST = 100.0  # odds ratios beyond which the axis ends
_KINDS = {
    "nested cross-validation": (BLUE, "o"),
    "repeated hold-out": (GREEN, "s"),
    "bootstrap, optimism-corrected": (VERMILLION, "D"),
    "bootstrap .632+": (PURPLE, "^"),
}


def subgroups(frame: pd.DataFrame, whole: Judged) -> Sketch | None:
    """Draw the AUC of a model in each subgroup below that of all; None where there are no subgroups.

    Parameters
    ----------
    frame : DataFrame
        `Judgement.subgroups` of one model on one set.
    whole : Judged
        The model on the whole set.
    """
    if frame.empty:
        return None
    rows = [_whole(whole)] + [
        _subgroup(row, first) for (_, row), first in zip(frame.iterrows(), ~frame["column"].duplicated())
    ]
    figure, ax = forest_figure(rows)
    draw_forest(ax, rows, whole.auc.value, reach(rows, 0, 1))
    ax.set_xlabel("AUC (95 % CI)")
    absent = [f"{row['subgroup']}: {row['reason']}" for _, row in frame.iterrows() if number(row["auc"]) is None]
    caption = joined(
        f"{counted(whole.on, whole.n, whole.events)}. AUC of {whole.title} with DeLong's 95 % CI; dashed: of all.",
        "P: unpaired DeLong test between the two groups of a column, not adjusted for their number.",
        "In brackets: patients with the event.",
        f"Absent: {'; '.join(absent)}." if absent else "",
    )
    alt = "; ".join(f"{row.label.replace(chr(10), ' ')}: {row.beside}" for row in rows)
    return Sketch(
        f"subgroups_{whole.on}", f"Subgroups: {patients(whole.on)}", caption, f"AUC by subgroup. {alt}.", figure
    )


def _whole(judged: Judged) -> ForestRow:
    area = judged.auc
    beside = f"{interval(area)}   n = {judged.n:,} ({judged.events:,})"
    return ForestRow("all", area.value, area.low, area.high, beside, VERMILLION, "D")


def _subgroup(row: pd.Series, first: bool) -> ForestRow:
    found = [number(row[name]) for name in ("auc", "low", "high")]
    parts = (figures_of(*found), f"n = {row['n']:,} ({row['events']:,})", p_value(number(row["p"])) if first else "")
    return ForestRow(str(row["subgroup"]), *found, "   ".join(part for part in parts if part))


def odds(frame: pd.DataFrame, name: str, title: str) -> Sketch | None:
    """Draw the odds ratios of an unpenalised regression; None where it has none.

    Parameters
    ----------
    frame : DataFrame
        `ModelResult.odds`.
    name, title : str
        Of the model.
    """
    if frame.empty:
        return None
    shown = frame.sort_values("p", kind="stable").head(_MOST)
    rows = [_odds_ratio(str(name), row) for name, row in shown.iterrows()]
    figure, ax = forest_figure(rows)
    ax.set_xscale("log")
    ends = [end for row in rows for end in (row.low, row.high) if end is not None and end > 0]
    widest = min(max(2.0, 1.15 * max(*ends, *(1 / end for end in ends), 1.0)), _WIDEST)
    draw_forest(ax, rows, 1.0, (1 / widest, widest))
    _log_ticks(ax, widest)
    ax.set_xlabel("odds ratio a unit of the input (95 % CI, log scale)")
    more = f" The {_MOST} of {len(frame)} inputs with the smallest P." if len(frame) > _MOST else ""
    beyond = any(row.low < 1 / widest or row.high > widest for row in rows)
    cut = " Arrowheads: the interval goes on." if beyond else ""
    caption = f"Odds ratios of {title}, with Wald's 95 % CI, in the training patients.{more}{cut}"
    alt = "; ".join(f"{name}: {row.beside}" for name, row in zip(shown.index, rows))
    return Sketch(f"odds_ratios_{name}", f"Odds ratios of {title}", caption, f"Odds ratios. {alt}.", figure)


def _odds_ratio(name: str, row: pd.Series) -> ForestRow:
    found = [float(row[column]) for column in ("odds_ratio", "low", "high")]
    ratio, low, high = (f"{value:.3f}" if 0.01 <= value < 100 else f"{value:.3g}" for value in found)
    return ForestRow(name, *found, f"{ratio} ({low} to {high})   {p_value(number(row['p']))}")


def _log_ticks(ax, widest: float) -> None:
    many = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if widest < 30 else (0.01, 0.1, 1, 10, 100)
    ticks = [tick for tick in many if 1 / widest <= tick <= widest]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)


def validated(found: Sequence[Validated], key: str) -> Sketch | None:
    """Draw the AUC of models by ways of resampling, in a figure called `key`; None where nothing was resampled."""
    if not found:
        return None
    rows = [_validated(one) for one in found]
    figure, ax = forest_figure(rows)
    limits = reach(rows, 0, 1)
    draw_forest(ax, rows, 0.5 if limits[0] < 0.5 else None, limits)
    ax.set_xlabel("AUC")
    methods = {one.kind: one.auc.method for one in found}
    absent = [f"{one.title}, {one.kind}: {one.auc.reason}" for one in found if one.auc.low is None]
    caption = joined(
        *(f"{kind[:1].upper()}{kind[1:]}: {method}." for kind, method in methods.items()),
        f"Without an interval: {'; '.join(absent)}." if absent else "",
        *(f"{kind[:1].upper()}{kind[1:]}: {_shared(found, kind)}." for kind in methods if _shared(found, kind)),
        "SD: over the folds or repeats.",
    )
    alt = "; ".join(f"{one.title}, {one.kind}: {interval(one.auc)}" for one in found)
    return Sketch(key, "Validation by resampling, leak-free", caption, f"AUC by resampling. {alt}.", figure)


def _shared(found: Sequence[Validated], kind: str) -> str:
    """Return what the notes of all models say of one way of resampling."""
    notes = [one.note.split("; ") for one in found if one.kind == kind]
    return "; ".join(text for text in notes[0] if all(text in note for note in notes))


def _validated(one: Validated) -> ForestRow:
    color, marker = _KINDS.get(one.kind, (ORANGE, "v"))
    area, sd = one.auc, f"   SD {one.spread:.3f}" if one.spread is not None else ""
    beside = f"{interval(area)}{sd}"
    return ForestRow(f"{one.title}\n{one.kind}", area.value, area.low, area.high, beside, color, marker)


def ablation(frame: pd.DataFrame) -> Sketch | None:
    """Draw the AUC of a model as inputs are left out, beside that with all; None where none was.

    Parameters
    ----------
    frame : DataFrame
        `Judgement.ablation` of one model.
    """
    if frame.empty:
        return None
    title = frame["title"].iloc[0]
    rows = [_left_out(row) for _, row in frame.iterrows()]
    whole = next((row.value for row in rows if not row.hollow), None)
    figure, ax = forest_figure(rows)
    draw_forest(ax, rows, whole, reach(rows, 0, 1))
    ax.set_xlabel("AUC (95 % CI)")
    absent = [f"{row['left_out']}: {row['reason']}" for _, row in frame.iterrows() if number(row["auc"]) is None]
    caption = joined(
        f"AUC of {title}, trained again without the inputs named; dashed: with all inputs. DeLong's 95 % CI;",
        "P: paired DeLong test against nothing left out, not adjusted for their number.",
        f"Absent: {'; '.join(absent)}." if absent else "",
    )
    alt = "; ".join(f"{row.label}: {row.beside}" for row in rows)
    return Sketch("ablation", "Inputs left out", caption, f"AUC as inputs are left out. {alt}.", figure)


def _left_out(row: pd.Series) -> ForestRow:
    found = [number(row[name]) for name in ("auc", "low", "high")]
    what = str(row["left_out"] or "")
    parts = (figures_of(*found), p_value(number(row["p"])))
    beside = "   ".join(part for part in parts if part)
    if not what:
        return ForestRow("nothing left out", *found, beside, VERMILLION, "D")
    return ForestRow(f"without {what}", *found, beside, hollow=True)
