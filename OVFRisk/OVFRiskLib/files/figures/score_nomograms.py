"""The nomogram of every logistic model that was applied, with the patient on it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ...errors import UserError
from ...models.nomogram import Nomogram, nomogram_of
from ...models.scoring import Scored
from .nomogram import nomogram_figure, write_nomogram
from .style import Illustration


def score_nomograms(scores: Iterable[Scored], kind: Literal["svg", "png"] = "svg") -> list[Illustration]:
    """Return a figure a logistic model and level; nothing for a result that has no value or cannot be drawn."""
    drawn = []
    for scored in scores:
        layout = _layout(scored)
        if layout is not None:
            figure = nomogram_figure(layout, *_patient(scored), kind)
            drawn.append(replace(figure, key=f"nomogram-{len(drawn) + 1}", title=f"Nomogram: {scored.title}"))
    return drawn


def write_score_nomograms(folder: Path, scores: Iterable[Scored]) -> list[str]:
    """Write ``nomogram-MODEL[-LEVEL].png`` of each logistic model and level; return the names.

    Raises
    ------
    UserError
        When a file cannot be written, or matplotlib is missing.
    """
    names = []
    for scored in scores:
        layout = _layout(scored)
        if layout is not None:
            level = scored.prediction.level
            names.append(f"nomogram-{scored.model.card.name}{f'-{level}' if level else ''}.png")
            write_nomogram(layout, folder / names[-1], *_patient(scored))
    return names


def _layout(scored: Scored) -> Nomogram | None:
    predictor = scored.model.predictor
    if predictor is None or predictor.kind != "logistic" or not scored.prediction.contributions:
        return None
    try:
        return nomogram_of(scored.model.card, predictor.intercept, predictor.coefficients)
    except UserError:  # a range that the card does not state: the table says the result without a picture
        return None


def _patient(scored: Scored) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return every input's value by its title, and which of them stand for missing ones."""
    found = scored.prediction.contributions
    return {one.title: one.value for one in found}, tuple(one.title for one in found if one.imputed)
