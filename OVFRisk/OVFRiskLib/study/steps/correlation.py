"""Keeping one of features that say the same."""

from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from .base import Filter, names_of, outcome_of, varies
from .parameter import Parameter


class CorrelationFilter(Filter):
    """Goes through the features and keeps each that correlates with none of those kept before.

    Parameters
    ----------
    threshold : float
        Of the correlation without its sign; what is above it goes.
    method : str
        ``spearman`` or ``pearson``.
    keep : str
        Which of two goes first: ``stronger``, the one with the larger distance of its AUC from 0.5 (equal ones in the
        order of the columns; needs the outcome), or ``first``, the order of the columns (does not look at the outcome).

    Fitted attributes
    -----------------
    table_ : DataFrame
        ``association`` (|AUC - 0.5|, where it was asked for), ``partner`` (the kept feature that a dropped one
        correlates with most), ``correlation`` (with it), ``kept``, ``note``.
    """

    PARAMETERS: ClassVar = (
        Parameter("threshold", float, 0.9, "ours", 0.0, 1.0),
        Parameter("method", str, "spearman", "ours", choices=("spearman", "pearson")),
        Parameter("keep", str, "stronger", "ours", choices=("stronger", "first")),
    )

    def __init__(self, threshold: float = 0.9, method: str = "spearman", keep: str = "stronger") -> None:
        self.threshold = threshold
        self.method = method
        self.keep = keep

    def _judge(self, x: np.ndarray, y: object) -> pd.DataFrame:
        moving, ranks = varies(x), rankdata(x, axis=0)
        association = _association(ranks, outcome_of(y, len(x))) if self.keep == "stronger" else np.zeros(x.shape[1])
        order = np.argsort(-association, kind="stable")
        unit = _unit(ranks if self.method == "spearman" else x, moving)
        table = pd.DataFrame({"association": association, "partner": None, "correlation": np.nan, "kept": False})
        if self.keep == "first":
            table = table.drop(columns="association")
        kept: list[int] = []
        for feature in order[moving[order]]:
            found = unit[:, kept].T @ unit[:, feature]
            worst = int(np.argmax(np.abs(found))) if kept else 0
            if kept and abs(found[worst]) > self.threshold:
                table.loc[feature, ["partner", "correlation"]] = names_of(self)[kept[worst]], found[worst]
            else:
                kept.append(int(feature))
        table.loc[kept, "kept"] = True
        return table.assign(note=np.where(moving, "", "has one value"))


def _association(ranks: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return |AUC - 0.5| of each feature, by the mean rank of the events; ties count by half."""
    events = int(y.sum())
    above = ranks[y == 1].sum(axis=0) - events * (events + 1) / 2
    return np.abs(above / (events * (len(y) - events)) - 0.5)


def _unit(values: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """Return centred columns of length 1, so that products are correlations; zeros for constant ones."""
    centred = values - values.mean(axis=0)
    return np.where(moving, centred, 0.0) / np.where(moving, np.linalg.norm(centred, axis=0), 1.0)
