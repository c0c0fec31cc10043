"""TRIPOD+AI, CLEAR and METRICS, filled in with what the run knows; the rest is left to the authors, and said to be."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...files.tables import Cell, write_csv
from ...resources import resource
from ..judgement.judged import Judgement
from ..running.results import StudyRun
from .checklist_answers import Answer, answers

NAMES = ("tripod_ai", "clear", "metrics")


class State(StrEnum):
    """Who answers an item."""

    RUN = "from the run"
    AUTHORS = "to be completed by the authors"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Item:
    """An item with its answer.

    Parameters
    ----------
    number, section, item : str
        `item` in short words of our own.
    state : State
    answer : str
        Of the run; why the item does not apply; empty where the authors answer.
    add : str
        What the authors have to add to the run's answer.
    weight : float or None
        Of a score.
    fulfilled : bool or None
        Yes, no, or for the authors to judge.
    """

    number: str
    section: str
    item: str
    state: State
    answer: str
    add: str = ""
    weight: float | None = None
    fulfilled: bool | None = None


@dataclass(frozen=True)
class Checklist:
    """A checklist filled in.

    Parameters
    ----------
    key, name, title, source : str
    wording, checked, not_checked : str
        What was done to have the items right.
    count : int
        How many items the publication has; an item may have several lines, lettered.
    items : tuple of Item
    """

    key: str
    name: str
    title: str
    source: str
    wording: str
    checked: str
    not_checked: str
    count: int
    items: tuple[Item, ...]

    def tally(self) -> Mapping[State, int]:
        """Return how many lines are in each state."""
        return {state: sum(item.state is state for item in self.items) for state in State}


def checklists(run: StudyRun, judgement: Judgement) -> tuple[Checklist, ...]:
    """Return the three checklists, filled in as far as the run goes.

    Raises
    ------
    UserError
        When a data file of the installation is missing.
    """
    known = answers(run, judgement)
    return tuple(_checklist(name, known) for name in NAMES)


def score(items: Sequence[Item]) -> tuple[float | None, str]:
    """Return the weighted share of fulfilled items in %, and why there is none.

    As the METRICS web tool has it: Σ weight of what is fulfilled / Σ weight of what applies. It is computed only where
    every item that applies is answered by yes or no.
    """
    counted = [item for item in items if item.state is not State.NOT_APPLICABLE]
    unknown = [item.number for item in counted if item.fulfilled is None]
    if unknown:
        return None, f"not computed: {len(unknown)} of {len(counted)} items are for the authors to judge"
    whole = sum(item.weight or 0.0 for item in counted)
    if not whole:
        return None, "not computed: no item applies"
    return 100 * sum(item.weight or 0.0 for item in counted if item.fulfilled) / whole, ""


def write_checklist(path: Path, checklist: Checklist) -> None:
    """Write a checklist as CSV, a line an item.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    columns: dict[str, list[Cell]] = {"item": [item.number for item in checklist.items]}
    for name, field in (("section", "section"), ("asks for", "item"), ("state", "state"), ("answer", "answer")):
        columns[name] = [str(getattr(item, field)) for item in checklist.items]
    columns["to be added by the authors"] = [item.add for item in checklist.items]
    if any(item.weight is not None for item in checklist.items):
        columns["weight"] = [item.weight for item in checklist.items]
        columns["fulfilled"] = [_yes(item.fulfilled) for item in checklist.items]
    write_csv(path, columns)


def _yes(fulfilled: bool | None) -> str:
    return "" if fulfilled is None else "yes" if fulfilled else "no"


def _checklist(name: str, known: Mapping[str, Answer]) -> Checklist:
    content = json.loads(resource("Study", f"checklist_{name}.json").read_text("utf-8"))
    items = tuple(_item(row, known) for row in content.pop("items"))
    return Checklist(key=name, items=items, **content)


def _item(row: Mapping[str, object], known: Mapping[str, Answer]) -> Item:
    fact = row.get("fact")
    answer = known[str(fact)] if fact else Answer("")
    state = State.AUTHORS if not answer.text else State.RUN if answer.applies else State.NOT_APPLICABLE
    return Item(
        number=str(row["number"]),
        section=str(row["section"]),
        item=str(row["item"]),
        state=state,
        answer=answer.text,
        add=str(row.get("add", "")) if state is State.RUN else "",
        weight=row.get("weight"),
        fulfilled=answer.fulfilled if state is State.RUN else None,
    )
