"""What a run of a study left, as tables of plain values."""

import json
from collections.abc import Callable, Iterator

import pandas as pd

from ..cohort import TableOne
from ..running.results import ModelResult, StudyRun
from .performance import title_of

_SMD = "standardised difference"


def run_tables(run: StudyRun) -> dict[str, pd.DataFrame]:
    """Return the tables of a run by file name; what there is not has no rows."""
    steps = list(_steps(run))
    return {
        "table_one.csv": _table_one(run.table_one),
        "table_split.csv": pd.DataFrame() if run.table_split is None else _table_one(run.table_split),
        "missing.csv": run.missing.columns,
        "left_out.csv": pd.DataFrame(run.cohort.left_out.items(), columns=["subject", "reason"]),
        "matching.csv": pd.DataFrame() if run.matching is None else run.matching.pairs,
        "balance.csv": pd.DataFrame() if run.balance is None else run.balance.table,
        "models.csv": pd.DataFrame(_summary(run, model) for model in run.models),
        "steps.csv": pd.DataFrame(row for row, _ in steps),
        "selection.csv": _selection(steps),
        "parameters.csv": _each(run, _parameters),
        "candidates.csv": _each(run, lambda model: model.candidates),
        "importance.csv": _each(run, lambda model: _indexed(model.importance)),
        "odds_ratios.csv": _each(run, lambda model: _indexed(model.odds)),
        "predictions.csv": _each(run, lambda model: _predictions(run, model)),
    }


def _table_one(table: TableOne) -> pd.DataFrame:
    """Return the table with its differences as numbers: text with a minus in front would look like a formula."""
    frame = table.frame()
    return frame.assign(**{_SMD: pd.to_numeric(frame[_SMD])})


def _key(model: ModelResult) -> dict[str, object]:
    return {"way": model.way, "variant": model.variant, "learner": model.learner}


def _each(run: StudyRun, table: Callable[[ModelResult], pd.DataFrame]) -> pd.DataFrame:
    """Return a table of every model below each other, with the models' names in front."""
    found = [(model, table(model)) for model in run.models if not model.failed]
    parts = [part.assign(**_key(model))[[*_key(model), *part]] for model, part in found if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _indexed(frame: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame() if frame is None else frame.rename_axis("input").reset_index()


def _summary(run: StudyRun, model: ModelResult) -> dict[str, object]:
    return _key(model) | {
        "title": title_of(run.design, model),
        "inputs": len(model.inputs),
        "search_score": model.search_score,
        "bundle": model.bundle,
        "note": model.note,
        "reason": model.failed,
    }


def _parameters(model: ModelResult) -> pd.DataFrame:
    rows = [(name, json.dumps(value)) for name, value in model.parameters.items()]
    return pd.DataFrame(rows, columns=["parameter", "value"])


def _predictions(run: StudyRun, model: ModelResult) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"subject": found.index, "on": on, "probability": found.to_numpy()})
        for on, found in model.predictions.items()
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["subject", "on", "probability"])
    return table.assign(outcome=run.outcome.loc[table["subject"]].to_numpy())


def _steps(run: StudyRun) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """Yield what each step decided, once for learners that share it."""
    seen: list[tuple[dict[str, object], pd.DataFrame]] = []
    for model in run.models:
        for step in model.steps:
            row = {"way": model.way, "variant": model.variant, "learner": model.learner, "group": step.group}
            row |= {"step": step.step, "columns_in": step.columns_in, "columns_out": step.columns_out}
            row["facts"] = json.dumps(dict(step.facts), sort_keys=True, ensure_ascii=False) if step.facts else ""
            same = next((one for one in seen if _alike(one, (row, step.table))), None)
            if same is None:
                seen.append((row, step.table))
            else:
                same[0]["learner"] += f"; {model.learner}"
    yield from seen


def _alike(a: tuple[dict[str, object], pd.DataFrame], b: tuple[dict[str, object], pd.DataFrame]) -> bool:
    return all(a[0][name] == b[0][name] for name in b[0] if name != "learner") and a[1].equals(b[1])


def _selection(steps: list[tuple[dict[str, object], pd.DataFrame]]) -> pd.DataFrame:
    """Return each feature at each step, with the numbers that the step has of it."""
    names = ("way", "variant", "learner", "group", "step")
    parts = []
    for row, table in steps:
        if len(table):
            part = table.rename_axis("feature").reset_index()
            parts.append(part.assign(**{name: row[name] for name in names})[[*names, *part]])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
