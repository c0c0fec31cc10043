"""The learning curve: what more patients would bring."""

import pandas as pd

from ...files.figures.style import new_figure
from ..judgement.judged import Key
from .panels import BESIDE, WIDTH, Series, legend_beside, plain
from .study_figure import Sketch
from .words import joined, model_name, number, signless

_MOST = 6  # models


def learning(frame: pd.DataFrame, best: Key | None) -> Sketch | None:
    """Draw the AUC of held-out patients over the number of patients that trained; None where nothing was tried.

    Parameters
    ----------
    frame : DataFrame
        `Judgement.learning_curve`.
    best : tuple or None
        Key of the model with the band; else the first.
    """
    if frame.empty:
        return None
    curves = {key: part.sort_values("patients") for key, part in frame.groupby(["variant", "learner"], sort=False)}
    main = best[1:] if best and best[1:] in curves else next(iter(curves))
    shown = [main, *(key for key in curves if key != main)][:_MOST]
    figure = new_figure(WIDTH, 3.4)
    ax, place = figure.subplots(1, 2, width_ratios=BESIDE)
    place.set_axis_off()
    for n, key in enumerate(shown):
        _draw(ax, curves[key], n)
    _ticks(ax, curves[main])
    ax.set(ylabel="AUC of held-out patients")
    plain(ax)
    legend_beside(ax, place)
    title = str(curves[main]["title"].iloc[0])
    return Sketch("learning_curve", "Learning curve", _caption(curves[main], title, len(curves)), _alt(frame), figure)


def _draw(ax, part: pd.DataFrame, place: int) -> None:
    style = Series("", place, None, not place).style | {"markevery": 1}  # every size is a marker
    known = part.dropna(subset="auc")
    ax.plot(known["patients"], known["auc"], label=model_name(str(part["title"].iloc[0])), **style)
    if not place:
        band = known.dropna(subset=["low", "high"])
        shade = {"color": style["color"], "alpha": 0.15, "linewidth": 0, "zorder": 1.5}
        ax.fill_between(band["patients"], band["low"].astype(float), band["high"].astype(float), **shade)


def _ticks(ax, part: pd.DataFrame) -> None:
    """Write below each size the patients, their events, and the events per variable of the main model."""
    names = []
    for _, row in part.iterrows():
        ratio = number(row["events_per_variable"])
        names.append(f"{row['patients']:,.0f}\n{row['events']:,.0f}\n{'–' if ratio is None else signless(ratio, 1)}")
    ax.set_xticks(part["patients"], names)
    ax.set_xlabel("patients that train / of these with the event / events per input")


def _caption(part: pd.DataFrame, title: str, models: int) -> str:
    fewest, most = part["events_per_variable"].min(), part["events_per_variable"].max()
    more = f" Shown are {_MOST} of {models} models." if models > _MOST else ""
    lacking = int(part["auc"].isna().sum())
    return joined(
        f"Mean AUC of patients who did not train, over {part['repeats'].iloc[-1]} repeats. Band: 2.5th to 97.5th",
        f"percentile of the repeats of {title}, no confidence interval. Events per input that {title} takes:",
        f"{fewest:.1f} to {most:.1f}; with fewer than 10 a model is commonly taken as unstable.",
        f"A curve that still rises asks for more patients.{more}",
        f"Absent: {lacking} sizes without an AUC." if lacking else "",
    )


def _alt(frame: pd.DataFrame) -> str:
    rows = frame.dropna(subset="auc")
    return "; ".join(f"{row['title']}, {row['patients']} patients: AUC {row['auc']:.3f}" for _, row in rows.iterrows())
