"""What more patients bring."""

from collections.abc import Iterator

import pandas as pd

from ..design.design import Way
from ..running.results import Resampled, StudyRun
from .repeats import counts, each_auc, spread_of
from .resampled import resampled_title

COLUMNS = (
    "variant", "learner", "title", "share", "patients", "events", "inputs", "events_per_variable", "auc", "low", "high",
    "repeats", "reason",
)  # fmt: skip
_NUMBERS = ["inputs", "events_per_variable", "auc", "low", "high"]


def learning_curve(run: StudyRun) -> pd.DataFrame:
    """Return the mean AUC of leak-free models by the share of training patients; see `Judgement.learning_curve`.

    ``low`` and ``high`` are the 2.5th and 97.5th percentile of the repeats: no confidence interval.
    """
    rows = [
        row
        for one in run.resampled
        if one.kind == "learning curve" and one.way is Way.LEAK_FREE and not one.rows.empty
        for row in _rows(run, one)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(_NUMBERS, float))


def _rows(run: StudyRun, one: Resampled) -> Iterator[tuple]:
    key = one.variant, one.learner, resampled_title(run, one)
    for share, part in one.rows.groupby("share", sort=True):
        first = part.drop_duplicates("repeat")
        inputs, events = float(first["inputs"].mean()), float(first["events"].mean())
        found = spread_of(each := each_auc(part, run.outcome), *counts(part, run.outcome), "AUC")
        size = float(share), round(first["patients"].mean()), round(events), inputs, events / inputs if inputs else None
        yield *key, *size, found.value, found.low, found.high, len(each), found.reason or ""
