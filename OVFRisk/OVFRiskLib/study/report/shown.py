"""A table as the page shows it: cells of a text with a smaller second line, from estimates and data frames."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import pandas as pd

from ..cohort.table_one import p_text
from ..judging.estimate import Estimate

ABSENT = "—"
_LONG = 14  # rows: a longer table has to be opened
_NUMBER = re.compile(r"[<−\-]?[\d,]+(\.\d+)?( %|e[+-]\d+)?( .*)?")


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and what stands small below it."""

    text: str
    small: str = ""


@dataclass(frozen=True)
class Shown:
    """A table of the page.

    Parameters
    ----------
    title : str
    columns : tuple of str
    rows : tuple of tuple of Cell
        As many cells as columns; the first one is the row's heading.
    note : str
    folder : str
        Title of what a reader opens to see it, together with its neighbours of the same folder; empty: it is open.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    folder: str = ""

    @property
    def right(self) -> tuple[bool, ...]:
        """Which columns hold numbers only, and stand to the right."""
        if not self.rows:
            return (False,) * len(self.columns)
        return tuple(
            n > 0 and all(_is_number(cell.text) for cell in column) for n, column in enumerate(zip(*self.rows))
        )


def _is_number(text: str) -> bool:
    return text in ("", ABSENT) or bool(_NUMBER.fullmatch(text))


def shown(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell | str]],
    note: str = "",
    folder: str | None = None,
) -> Shown:
    """Return a table without its empty columns; long ones get a folder of their own where `folder` is None."""
    made = [[one if isinstance(one, Cell) else Cell(one) for one in row] for row in rows]
    full = [n for n in range(len(columns)) if n == 0 or any(row[n].text for row in made)]
    kept = tuple(tuple(row[n] for n in full) for row in made)
    own = title if len(kept) > _LONG else ""
    return Shown(title, tuple(columns[n] for n in full), kept, note, own if folder is None else folder)


def of_estimate(estimate: Estimate) -> Cell:
    """Return the value with its interval below, or why there is none."""
    return of_numbers(estimate.value, estimate.low, estimate.high, estimate.reason)


def of_numbers(value: float | None, low: float | None, high: float | None, reason: str | None = None) -> Cell:
    """Return a value with its interval below; None and NaN are absent."""
    if _none(value):
        return Cell(ABSENT, reason or "")
    if _none(low) or _none(high):
        return Cell(signed(value), f"no interval{f': {reason}' if reason else ''}")
    return Cell(signed(value), f"{signed(low)} to {signed(high)}")


def signed(value: float, digits: int = 3) -> str:
    """Return a rounded number with a real minus; zero has no sign."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def of_frame(
    title: str,
    frame: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    note: str = "",
    folder: str | None = None,
    index: str = "",
) -> Shown:
    """Return a data frame as a table.

    Parameters
    ----------
    title : str
    frame : pandas.DataFrame
    titles : mapping of str to str, optional
        Which columns, and what they are called; all as they are where not given.
    note : str
    folder : str, optional
    index : str
        Heading of the index, which is the first column then; empty: it is not shown.
    """
    named = dict(titles) if titles is not None else {str(name): str(name) for name in frame.columns}
    named = {name: text for name, text in named.items() if name in frame.columns}
    heads = ([index] if index else []) + list(named.values())
    cells = [[_cell(name, value) for value in frame[name]] for name in named]
    if index:
        cells.insert(0, [Cell(str(value)) for value in frame.index])
    return shown(title, heads, list(zip(*cells)), note, folder)


def _cell(name: str, value: object) -> Cell:
    if _none(value):
        return Cell(ABSENT)
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return Cell("yes" if value else "no")
    if isinstance(value, Integral):
        return Cell(f"{int(value):,}")
    if isinstance(value, Real):
        return Cell(p_text(float(value)) if name.lower() in ("p", "p_corrected") else _figure(float(value)))
    return Cell(str(value))


def _figure(value: float) -> str:
    """Return a number with about three figures, whatever its size."""
    size = abs(value)
    if size >= 1000 or float(value).is_integer():
        return f"{value:,.0f}".replace("-", "−")
    if size < 1e-4:
        return f"{value:.1e}"
    return signed(value, 1 if size >= 100 else 3 if size >= 0.01 else 5)


def _none(value: object) -> bool:
    return not pd.api.types.is_list_like(value) and bool(pd.isna(value))
