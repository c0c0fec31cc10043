"""Predictions as columns of a file."""

from collections.abc import Collection

from ..measurement import unit_text
from ..models.card import Output
from ..models.prediction import ClassAt, Contribution, Prediction
from ..models.scoring import rate
from .tables import Cell

_MOST = 3


def score_columns(predictions: Collection[Prediction]) -> dict[str, list[Cell]]:
    """Return one row a prediction; what there is none of is None or empty, and `reason` says why.

    Parameters
    ----------
    predictions : collection of Prediction

    Returns
    -------
    dict of str to list
        By column: subject, model, level, output, value, interval_low, interval_high, class, thresholds (with their
        sensitivity and specificity), contributions (the three largest), contribution_method, missing, out_of_range,
        warnings, reason. Probabilities are shares, 0-1.
    """
    rows = [_row(found) for found in predictions]
    names = _row(Prediction("", "", None, Output.VALUE, None))
    return {name: [row[name] for row in rows] for name in names}


def main_contributions(contributions: Collection[Contribution], scale: str) -> str:
    """Return the three largest, e.g. ``vBMD 71 mg/cm³ +0.82, Age (imputed) 68 years -0.10 (log-odds)``."""
    shown = ", ".join(_contribution(one) for one in list(contributions)[:_MOST])
    return f"{shown} ({scale})" if shown else ""


def _row(found: Prediction) -> dict[str, Cell]:
    low, high = found.interval or (None, None)
    return {
        "subject": found.subject,
        "model": found.model,
        "level": str(found.level or ""),
        "output": str(found.output),
        "value": found.value,
        "interval_low": low,
        "interval_high": high,
        "class": found.class_name,
        "thresholds": "; ".join(_threshold(one) for one in found.classes),
        "contributions": main_contributions(found.contributions, found.contribution_scale),
        "contribution_method": found.contribution_method,
        "missing": "; ".join(found.missing),
        "out_of_range": "; ".join(map(str, found.out_of_range)),
        "warnings": "; ".join(found.warnings),
        "reason": found.reason,
    }


def _threshold(one: ClassAt) -> str:
    """Return a threshold, its class and how often it is right, e.g. ``Youden 0.3: high (sensitivity 80%)``."""
    known = {"sensitivity": one.threshold.sensitivity, "specificity": one.threshold.specificity}
    right = ", ".join(f"{name} {rate(found)}" for name, found in known.items() if found)
    return f"{one.threshold.name} {one.threshold.value:g}: {one.name}" + (f" ({right})" if right else "")


def _contribution(one: Contribution) -> str:
    value = "" if one.value is None else f" {one.value:.4g} {unit_text(one.unit)}".rstrip()
    return f"{one.title}{' (imputed)' if one.imputed else ''}{value} {one.amount:+.2g}"
