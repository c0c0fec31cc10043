"""What a front end shows: tables and messages, without a widget."""

from dataclasses import dataclass
from enum import StrEnum

from ..anatomy import VertebralLevel


class RowState(StrEnum):
    """How far a row may be used."""

    CURRENT = "current"
    STALE = "stale"  # what it was measured from has been edited since
    ABSENT = "absent"  # could not be measured; the tool tip says why


class MessageKind(StrEnum):
    """How urgent a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Cell:
    """One cell: what is read, and the number behind it, to sort by.

    Parameters
    ----------
    text : str
    value : float, optional
        None where the cell is no number.
    tip : str
    """

    text: str
    value: float | None = None
    tip: str = ""


@dataclass(frozen=True)
class RowView:
    """One row.

    Parameters
    ----------
    key : str
        Unique in its table.
    cells : tuple of Cell
    state : RowState
    level : VertebralLevel, optional
        Where selecting the row leads to.
    tip : str
        Shown on every cell that has none of its own: why it is stale or absent.
    """

    key: str
    cells: tuple[Cell, ...]
    state: RowState = RowState.CURRENT
    level: VertebralLevel | None = None
    tip: str = ""


@dataclass(frozen=True)
class TableView:
    """A table with a title; every row has as many cells as there are columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[RowView, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row.cells) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.title}: a row has another number of cells than there are columns")
        if len({row.key for row in self.rows}) != len(self.rows):
            raise ValueError(f"{self.title}: two rows have one key")


@dataclass(frozen=True)
class Message:
    """What happened and what to do about it; empty where there is nothing to say."""

    what: str = ""
    what_to_do: str = ""
    kind: MessageKind = MessageKind.INFO


NOTHING = Message()
