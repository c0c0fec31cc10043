"""What a model loses without its inputs."""

from collections.abc import Iterator

import pandas as pd

from ..design.design import Way
from ..judging.confusion import confusion
from ..judging.cutoff import Cutoff
from ..judging.roc import auc, compare
from ..running.results import Resampled, StudyRun
from ..seeds import seed_of
from .cutoffs import YOUDEN, cutoffs_of
from .resampled import model_of, resampled_title

COLUMNS = (
    "variant", "learner", "title", "left_out", "number", "auc", "low", "high", "difference", "p", "f1", "reason"
)  # fmt: skip
_NUMBERS = ["auc", "low", "high", "difference", "p", "f1"]


def ablation(run: StudyRun) -> pd.DataFrame:
    """Return the AUC of the leak-free models without their inputs; see `Judgement.ablation`.

    ``difference`` is to nothing left out (negative: the model lost). ``f1``: as many patients are called positive as by
    the final model at its Youden cut-off, whatever scale the probabilities without the inputs have.
    """
    rows = [
        row
        for one in run.resampled
        if one.kind == "ablation" and one.way is Way.LEAK_FREE and not one.rows.empty
        for row in _rows(run, one)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(_NUMBERS, float))


def _rows(run: StudyRun, one: Resampled) -> Iterator[tuple]:
    key = one.variant, one.learner, resampled_title(run, one)
    parts = {str(name): part.set_index("subject") for name, part in one.rows.groupby("left_out", sort=False)}
    positive = _positive(run, one)
    for name in sorted(parts, key=lambda name: name != ""):
        seed = seed_of(run.design.seed, *key, "ablation", name)
        part, whole = parts[name], parts.get("") if name else None
        found = _areas(run, part, whole) | _f1(run, part, positive, seed)
        reasons = (found.pop(what) for what in ("no interval", "no test", "no F1"))
        reason = "; ".join(dict.fromkeys(text for text in reasons if text))
        yield *key, name, int(part["number"].iloc[0]), *found.values(), reason


def _areas(run: StudyRun, part: pd.DataFrame, whole: pd.DataFrame | None) -> dict[str, object]:
    y, probability = run.outcome.loc[part.index], part["probability"]
    if whole is None:
        area = auc(y, probability)
        lost = None
    else:
        both = compare(y, probability, whole["probability"].loc[part.index])
        area, lost = both.a, both.difference
    return {
        "no interval": area.reason,
        "no test": lost.reason if lost else None,
        "auc": area.value,
        "low": area.low,
        "high": area.high,
        "difference": lost.value if lost else None,
        "p": lost.test.p if lost and lost.test else None,
    }


def _positive(run: StudyRun, one: Resampled) -> int | None:
    """Return how many of the patients the final model calls positive; None where it has no cut-off for them."""
    model, subjects = model_of(run, one), pd.Index(one.rows["subject"].unique())
    if model is None:
        return None
    cutoff = cutoffs_of(run.design, model, run.outcome)[YOUDEN].value
    sets = [found for on, found in model.predictions.items() if on != "training" and subjects.isin(found.index).all()]
    return int((sets[0].loc[subjects] >= cutoff).sum()) if sets and cutoff is not None else None


def _f1(run: StudyRun, part: pd.DataFrame, positive: int | None, seed: int) -> dict[str, object]:
    if not positive:
        return {"no F1": "no F1: the final model calls none of these patients positive", "f1": None}
    score = part["probability"]
    value = float(score.sort_values(ascending=False).iloc[positive - 1])
    cutoff = Cutoff(value, f"the {positive} patients of the highest probability are positive")
    found = confusion(run.outcome.loc[part.index], score, cutoff, seed=seed, replicates=run.design.judging.replicates)
    return {"no F1": f"no F1: {found.f1.reason}" if found.f1.value is None else None, "f1": found.f1.value}
