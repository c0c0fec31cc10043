"""The page's tables of patients, steps, models and the run itself."""

from collections.abc import Iterator, Mapping

import pandas as pd

from ..cohort.table_one import Kind, TableOne
from ..design.design import Way
from ..judgement.performance import title_of
from ..running.results import ModelResult, StepRecord, StudyRun
from .shown import ABSENT, Cell, Shown, of_frame, shown, signed
from .words import Nameless, capital, joined, plain, settings

_MOST = 60  # rows of a step's table in the page
_ODDS = {"coefficient": "Coefficient", "odds_ratio": "Odds ratio", "low": "From", "high": "To", "p": "P"}


def table_one(run: StudyRun) -> list[Shown]:
    """Return Table 1 by outcome, and by training and test."""
    found = [_table_one("Table 1: patients by outcome", run.table_one, "", _outcomes(run))]
    if run.table_split is not None:
        title = "Patients by training and test set"
        found.append(_table_one(title, run.table_split, title, {}))
    return found


def _table_one(title: str, table: TableOne, folder: str, known: Mapping[str, str]) -> Shown:
    frame = table.frame()
    groups = [capital(f"{known.get(name, name)} (n = {size})") for name, size in zip(table.names, table.sizes)]
    _, _, everybody, _, _, *others = frame
    heads = ["Variable", capital(everybody), *groups, *map(capital, others)]
    return shown(title, heads, [_row(list(map(str, row))) for row in frame.itertuples(index=False)], folder=folder)


def _row(cells: list[str]) -> list[Cell]:
    """Return a line of Table 1: a variable with how it is described, or a category below it."""
    variable, category, *others = cells
    first = Cell(variable, category) if category in set(Kind) else Cell(f"– {category}")
    return [first, *(Cell("−" + text[1:] if text.startswith("-") else text) for text in others)]


def _outcomes(run: StudyRun) -> dict[str, str]:
    """Return what 0 and 1 of the outcome mean."""
    return {"0": run.design.no_event, "1": run.design.event}


def missing(run: StudyRun) -> list[Shown]:
    """Return what is missing by column, and in which combinations; no patient is named."""
    columns = run.missing.columns[run.missing.columns["missing"] > 0]
    if columns.empty:
        return []
    heads = {str(name): _share_title(str(name), _outcomes(run)) for name in columns}
    nameless = Nameless(run)
    columns = columns.assign(reasons=[nameless(str(text)) for text in columns["reasons"]])
    patterns = run.missing.patterns.assign(columns=run.missing.patterns["columns"].replace("", "none"))
    named = {"columns": "Missing together", "patients": "Patients"}
    return [
        of_frame("Missing values", columns, heads, f"{run.missing.complete:,} patients have every value."),
        of_frame("Missing together", patterns, named, folder="Missing together"),
    ]


def _share_title(name: str, known: Mapping[str, str]) -> str:
    before, share, value = name.partition("share in ")
    if before or not share:
        return {"n": "Values", "share": "Share missing"}.get(name, capital(name))
    return f"Share missing, {known.get(value.removesuffix('.0'), value)}"


def balance(run: StudyRun) -> list[Shown]:
    """Return the balance before and after matching."""
    if run.balance is None:
        return []
    heads = {str(name): capital(str(name)).replace("smd", "difference") for name in run.balance.table}
    heads |= {f"smd {when}": f"Standardised difference {when}" for when in ("before", "after")}
    sizes = {name: capital(name) for name in run.balance.sizes}
    return [
        of_frame("Balance before and after matching", run.balance.table, heads),
        of_frame("Patients matched", run.balance.sizes, sizes),
    ]


def steps(run: StudyRun) -> list[Shown]:
    """Return what each step of each leak-free variant let through, and what it decided.

    The steps do not depend on the learner, so that those of a variant are shown once.
    """
    seen: dict[str, ModelResult] = {}
    for model in run.of(Way.LEAK_FREE):
        if model.steps:
            seen.setdefault(model.variant, model)
    if not seen:
        return []
    rows = [row for variant, model in seen.items() for row in _counts(run, variant, model)]
    heads = ("Inputs of", "Group", "Step", "Columns in", "Columns out", "Facts")
    found = [shown("Columns step by step: leak-free, all training patients", heads, rows, folder="")]
    decided: set[str] = set()
    for model in seen.values():
        new = [record for record in model.steps if record.group not in decided and not record.table.empty]
        found += [_decisions(run, record) for record in new]
        decided |= {record.group for record in model.steps}
    return found


def _counts(run: StudyRun, variant: str, model: ModelResult) -> Iterator[tuple[str, ...]]:
    nameless = Nameless(run)
    for record in model.steps:
        facts = nameless(settings({name.replace("_", " "): _fact(value) for name, value in record.facts.items()}))
        group = _group_title(run, record)
        counts = f"{record.columns_in:,}", f"{record.columns_out:,}"
        yield run.design.variant(variant).title, group, record.step, *counts, facts


def _fact(value: object) -> object:
    return f"({settings(dict(value))})" if isinstance(value, Mapping) else value


def _group_title(run: StudyRun, record: StepRecord) -> str:
    return run.design.group(record.group).title if record.group else "all columns"


def _decisions(run: StudyRun, record: StepRecord) -> Shown:
    table = record.table
    if "kept" in table:  # what stays first
        table = table.sort_values("kept", ascending=False, kind="stable")
    if "rank" in table:
        table = table.sort_values("rank", kind="stable", na_position="last")
    note = f"The first {_MOST} of {len(table):,} rows." if len(table) > _MOST else ""
    heads = {str(name): "AUC" if name == "auc" else capital(str(name)).replace("_", " ") for name in table}
    title = f"{_group_title(run, record)}: what the step '{record.step}' decided"
    return of_frame(
        title, table.head(_MOST), heads, note, "What each step decided", capital(str(table.index.name or "row"))
    )


def models(run: StudyRun) -> list[Shown]:
    """Return every model with its parameters and bundle, and the odds ratios of unpenalised regressions."""
    nameless = Nameless(run)
    heads = ("Model", "Order", "Inputs", "Parameters", "Best AUC of the search", "Bundle", "Note")
    rows = [
        (
            _title(run, model),
            str(model.way),
            ABSENT if model.failed else f"{len(model.inputs):,}",
            settings(dict(model.parameters)) or ABSENT,
            ABSENT if model.search_score is None else signed(model.search_score),
            model.bundle or "none",
            nameless(f"FAILED: {model.failed}" if model.failed else model.note),
        )
        for model in run.models
    ]
    note = "The best AUC of a search is the best of many candidates: no estimate of what the model does elsewhere."
    found = [shown("Models", heads, rows, note, folder="")]
    leak_free = run.of(Way.LEAK_FREE)
    found += [_importance(run, model) for model in leak_free if not model.importance.empty]
    odds = (model for model in leak_free if model.odds is not None)
    return found + [_odds(run, model, model.odds) for model in odds if model.odds is not None]


def _title(run: StudyRun, model: ModelResult) -> str:
    return title_of(run.design, model)


def _importance(run: StudyRun, model: ModelResult) -> Shown:
    heads = {"importance": "Loss of AUC", "sd": "SD"}
    title = f"Inputs by importance: {_title(run, model)}"
    return of_frame(
        title, model.importance.head(_MOST), heads, "When the input is shuffled.", "Inputs by importance", "Input"
    )


def _odds(run: StudyRun, model: ModelResult, odds: pd.DataFrame) -> Shown:
    note = "For one unit of the input; 95 % intervals by Wald."
    return of_frame(f"Odds ratios: {_title(run, model)}", odds, _ODDS, note, "Odds ratios", "Input")


def facts(run: StudyRun) -> list[Shown]:
    """Return software, seed, times and the files' hashes."""
    known, nameless = run.facts, Nameless(run)
    rows = [("Seed", str(run.design.seed))]
    for key, title in (("started", "Started"), ("finished", "Finished"), ("cores", "Cores")):
        rows.append((title, plain(known[key]) if key in known else "not recorded"))
    memory = known.get("memory_mb")
    rows.append(("Memory, peak of one process", "not recorded" if memory is None else f"{float(str(memory)):.0f} MB"))
    seconds = dict(known.get("seconds") or {})
    rows.append(("Time", "not recorded" if not seconds else f"{sum(seconds.values()):.0f} s of all tasks"))
    uses = [nameless(str(one)) for one in known.get("external_uses") or []]
    rows.append(("External set used for", joined(uses) if uses else "nothing"))
    rows += [(name, str(version)) for name, version in dict(known.get("software") or {}).items()]
    files = [(nameless(str(name)), str(digest)) for name, digest in dict(known.get("files") or {}).items()]
    tasks = [(nameless(str(name)), f"{spent:.1f}") for name, spent in seconds.items()]
    found = [shown("The run", ("What", "Value"), rows, folder="")]
    if tasks:
        found.append(shown("Time by task", ("Task", "Seconds"), tasks, folder="Time by task"))
    return found + (
        [shown("Files that were read", ("File", "SHA-256"), files, folder="Files that were read")] if files else []
    )
