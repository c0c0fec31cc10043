"""AUC of predictions that were made several times: by repeats of cross-validation, hold-outs, bootstrap models."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..judging.delong import Placements, placements
from ..judging.estimate import Estimate, absent, of_normal
from ..judging.outcomes import one_class
from ..judging.resampling import percentiles

POOLED = (
    "predictions of all folds pooled, mean AUC of the repeats; 95 % CI by DeLong's variance of the placements averaged "
    "over the repeats: it covers who the patients are, not how the trainings would vary with others"
)
SPREAD = (
    "mean over the repeats; low and high are the 2.5th and 97.5th percentile of the repeats, no confidence interval"
)
_FEWEST = 2


@dataclass(frozen=True, eq=False)
class Pooled:
    """Repeated predictions of the same patients.

    Parameters
    ----------
    subjects : Index
    placements : Placements
        Mean of the repeats'.
    each : ndarray, shape (repeats,)
        AUC of each.
    incomplete : int
        Repeats left out because they do not have every patient.
    """

    subjects: pd.Index
    placements: Placements
    each: np.ndarray
    incomplete: int


def pooled(rows: pd.DataFrame, outcome: pd.Series) -> Pooled | str:
    """Return repeated predictions of all patients, or the reason why nothing can be said of them.

    Parameters
    ----------
    rows : DataFrame
        repeat, subject, probability.
    outcome : Series of int
        By patient.
    """
    table = rows.pivot(index="repeat", columns="subject", values="probability")
    whole = table.dropna()
    reason = one_class(outcome.loc[table.columns].to_numpy() == 1)
    if whole.empty or reason:
        return reason or "in no repeat has every patient a prediction"
    events = outcome.loc[table.columns].to_numpy() == 1
    found = [placements(events, one) for one in whole.to_numpy()]
    mean = Placements(*(np.mean([getattr(one, part) for one in found], axis=0) for part in Placements._fields))
    return Pooled(table.columns, mean, np.array([one.auc for one in found]), len(table) - len(whole))


def pooled_auc(found: Pooled | str, rows: pd.DataFrame, outcome: pd.Series) -> Estimate:
    """Return the mean AUC of the repeats, with DeLong's interval; see `POOLED`."""
    n, events = counts(rows, outcome)
    if isinstance(found, str):
        return absent(n, events, POOLED, found)
    area = of_normal(found.placements.auc, found.placements.variance, n, events, POOLED)
    if area.low is None or area.high is None:
        return replace(area, test=None)
    return replace(area, low=max(area.low, 0.0), high=min(area.high, 1.0), test=None)


def each_auc(rows: pd.DataFrame, outcome: pd.Series) -> pd.Series:
    """Return the AUC of each repeat that has patients with and without the event, by repeat."""
    found = {
        repeat: area_of(outcome.loc[part["subject"]].to_numpy(), part["probability"].to_numpy())
        for repeat, part in rows.groupby("repeat", sort=True)
    }
    return pd.Series({repeat: area for repeat, area in found.items() if area is not None}, dtype=float)


def area_of(y: np.ndarray, score: np.ndarray, times: np.ndarray | None = None) -> float | None:
    """Return the AUC, each patient counted `times`, or None where an outcome is lacking."""
    if times is not None:
        y, score = np.repeat(y, times), np.repeat(score, times)
    events = y == 1
    return None if one_class(events) else placements(events, score).auc


def spread_of(each: pd.Series, n: int, events: int, name: str) -> Estimate:
    """Return the mean of repeats and the percentiles between which most of them lie."""
    method = f"{name}: {SPREAD}"
    if each.empty:
        return absent(n, events, method, "no repeat has patients with and without the event")
    value = float(each.mean())
    if len(each) < _FEWEST:
        return Estimate(value, None, None, n, events, method, "one repeat has no spread")
    low, high = percentiles(each.to_numpy())
    return Estimate(value, float(low), float(high), n, events, method)


def counts(rows: pd.DataFrame, outcome: pd.Series) -> tuple[int, int]:
    """Return how many patients the rows have, and how many of them had the event."""
    subjects = rows["subject"].unique()
    return len(subjects), int(outcome.loc[subjects].sum())
