"""A cohort's tables: read, and joined by the patients' keys.

Nothing is guessed: a key that stands twice, a cell that is no number among numbers, a patient whom one table lacks are
errors that name table, row and column, until the caller says what to do.
"""

import csv
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import pandas as pd

from ...errors import UserError
from ...files.read_features import read_features
from ...files.tables import read_measurements
from ...measurement import MeasurementTable
from ...models.inputs import PERSONAL
from ...multiparametric import COLUMNS
from .columns import Cohort, Column, Place, listed

KEY = "subject"
_MISSING = ("", "NA")
_READERS = {"measurements.csv": read_measurements, "features.csv": read_features, "features.parquet": read_features}
_HELP = "Correct the table, or name another one."


class Lacking(StrEnum):
    """What to do with patients whom one of the joined tables lacks."""

    ERROR = "error"
    LEAVE_OUT = "leave out"
    KEEP = "keep"  # without the values


def read_patients(paths: Iterable[Path]) -> Iterator[MeasurementTable]:
    """Read the patients' measurements and features, one table after the other.

    Parameters
    ----------
    paths : iterable of Path
        Tables called ``measurements.csv``, ``features.csv`` or ``features.parquet`` (``…_measurements.csv`` and the
        like, too), or result folders that hold them.

    Raises
    ------
    UserError
        When there is no table, one cannot be read, a row is out of date or a patient stands in two of one kind.
    """
    seen: dict[tuple[str, object], Path] = {}
    for path in _files(paths):
        table = _reader(path)(path)
        for subject in dict.fromkeys(row.subject for row in table):
            earlier = seen.setdefault((subject, _reader(path)), path)
            if earlier is not path:
                what = f"Patient {subject} stands in {earlier} and in {path}."
                raise UserError(what, "Keep one of them: each patient counts once.")
        yield table


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        found = [path / name for name in _READERS if (path / name).is_file()] if path.is_dir() else [path]
        if not found:
            raise UserError(f"The folder {path} holds no table.", f"It needs one of: {', '.join(_READERS)}.")
        yield from found


def _reader(path: Path) -> object:
    for name, reader in _READERS.items():
        if path.name.endswith(name):
            return reader
    raise UserError(f"{path} is no table of measurements or features.", f"Name it one of: {', '.join(_READERS)}.")


def read_clinical(
    path: Path,
    key: str = KEY,
    units: Mapping[str, str] | None = None,
    text: Collection[str] = (),
    missing: Collection[str] = _MISSING,
) -> Cohort:
    """Read a CSV of one row a patient: clinical columns, outcomes, dates, centres.

    Parameters
    ----------
    path : Path
        UTF-8, comma-separated, with a header.
    key : str
        The column of the patients' keys, which stay text (``007`` is not ``7``).
    units : mapping of str to str, optional
        UCUM units by column. These columns have to be numbers; others are where all their cells are, with unit ``1``
        (``a`` for ``age``).
    text : collection of str
        Columns that are text though their cells look like numbers: codes, dates.
    missing : collection of str
        What stands for a missing value.

    Raises
    ------
    UserError
        When the file cannot be read, a key is missing or stands twice, or a column mixes numbers and text; names row
        and column.
    """
    header, lines = _lines(path)
    units = dict(units or {})
    for title in (key, *units, *text):
        if title not in header:
            raise UserError(f"The table {path} has no column '{title}'.", f"Its columns are: {listed(header, 12)}.")
    at = header.index(key)
    keys = _keys(path, key, [line[at] for line in lines])
    table, columns = {}, {}
    for n, title in enumerate(header):
        if n != at:
            found = [None if line[n] in missing else line[n] for line in lines]
            table[title], unit = _values(path, title, found, units.get(title), title in text)
            columns[title] = Column(title, title, unit)
    frame = pd.DataFrame(table, index=pd.Index(keys, name=KEY, dtype=object), columns=list(columns))
    return Cohort(frame, columns)


def read_multiparametric(path: Path, protocols: Mapping[str, str] | None = None) -> Cohort:
    """Read a ``multiparametric.csv`` of one or many patients; the reasons of empty cells are kept.

    Parameters
    ----------
    path : Path
    protocols : mapping of str to str, optional
        Protocol by column: the table itself does not hold them.

    Raises
    ------
    UserError
        As `read_clinical`, or when it is another table.
    """
    known = {column.title: column for column in COLUMNS}
    units = {title: column.unit for title, column in known.items()}
    found = read_clinical(path, KEY, units, ("missing", "flagged"))
    described = {
        title: Column(
            title, one.name, one.unit, one.part, (one.level,) if one.level else (), None, 1, _of(protocols, title)
        )
        for title, one in known.items()
    }
    absent, flagged = (_remarks(found.table[name], described) for name in ("missing", "flagged"))
    return Cohort(found.table[list(described)], described, absent, flagged)


def _of(protocols: Mapping[str, str] | None, title: str) -> str:
    return (protocols or {}).get(title, "")


def _remarks(cells: pd.Series, titles: Collection[str]) -> dict[Place, str]:
    """Take apart what `multiparametric.write` joined: ``title: why; title: why``, where a why may hold ``; `` too."""
    found: dict[Place, str] = {}
    for key, cell in cells.items():
        place = None
        for part in (cell or "").split("; "):
            title, _, why = part.partition(": ")
            if title in titles:
                place = (key, title)
                found[place] = why
            elif place is not None:
                found[place] += f"; {part}"
    return found


def join(tables: Sequence[Cohort], names: Sequence[str], lacking: Lacking = Lacking.ERROR) -> Cohort:
    """Join tables by the patients' keys.

    Parameters
    ----------
    tables : sequence of Cohort
    names : sequence of str
        What the tables are called in messages, as many.
    lacking : Lacking
        What to do with patients whom a table lacks.

    Returns
    -------
    Cohort
        Patients in the first table's order, then those of the next.

    Raises
    ------
    UserError
        When two tables have the same column, no patient is in all of them, or one lacks a patient and `lacking` says
        it is an error.
    """
    if not tables or len(tables) != len(names):
        raise ValueError("as many names as tables, at least one")
    lacking = Lacking(lacking)
    _no_column_twice(tables, names)
    everyone = list(dict.fromkeys(key for one in tables for key in one.table.index))
    why = {key: [name for one, name in zip(tables, names) if key not in one.table.index] for key in everyone}
    incomplete = {key: f"not in {' and '.join(where)}" for key, where in why.items() if where}
    if len(incomplete) == len(everyone):
        raise UserError(f"No patient is in all of {', '.join(names)}.", "Check that their keys are written alike.")
    if incomplete and lacking is Lacking.ERROR:
        first = listed((f"{key} ({text})" for key, text in incomplete.items()), 3)
        what = f"{len(incomplete)} of {len(everyone)} patients are not in all tables: {first}."
        raise UserError(what, "Complete the tables, or say whether to leave these patients out or to keep them.")
    kept = everyone if lacking is Lacking.KEEP else [key for key in everyone if key not in incomplete]
    return _joined(tables, names, kept, {} if lacking is Lacking.KEEP else incomplete)


def _joined(tables: Sequence[Cohort], names: Sequence[str], kept: list[str], gone: Mapping[str, str]) -> Cohort:
    inside = set(kept)
    frame = pd.concat([one.table.reindex(kept) for one in tables], axis=1)
    columns = {title: column for one in tables for title, column in one.columns.items()}
    absent = {place: text for one in tables for place, text in one.absent.items() if place[0] in inside}
    for one, name in zip(tables, names):
        absent |= {
            (key, title): f"not in {name}" for key in kept if key not in one.table.index for title in one.columns
        }
    flagged = {place: text for one in tables for place, text in one.flagged.items() if place[0] in inside}
    earlier = {key: text for one in tables for key, text in one.left_out.items() if key not in inside}
    return Cohort(frame, columns, absent, flagged, {**gone, **earlier})


def _no_column_twice(tables: Sequence[Cohort], names: Sequence[str]) -> None:
    owner: dict[str, str] = {}
    for one, name in zip(tables, names):
        for title in one.columns:
            if title in owner:
                what = f"The column '{title}' is in {owner[title]} and in {name}."
                raise UserError(what, "Rename or remove one of them.")
            owner[title] = name


def _lines(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip().removeprefix("'") for cell in row] for row in csv.reader(file, strict=True)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"The table {path} cannot be read: {error}.", "Save it as CSV, UTF-8, with commas.") from error
    if len(rows) < 2:
        raise UserError(f"The table {path} has no patient.", _HELP)
    header, *lines = rows
    twice = [title for n, title in enumerate(header) if title in header[:n] or not title]
    if twice:
        what = f"has the column '{twice[0]}' twice" if twice[0] else "has a column without a name"
        raise UserError(f"The table {path} {what}.", _HELP)
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise UserError(f"Row {number} of {path} has {len(line)} cells instead of {len(header)}.", _HELP)
    return header, lines


def _keys(path: Path, key: str, found: list[str]) -> list[str]:
    first: dict[str, int] = {}
    for number, one in enumerate(found, start=2):
        if not one:
            raise UserError(f"Row {number} of {path} has no '{key}'.", _HELP)
        if one in first:
            what = f"Patient {one} has two rows in {path}: {first[one]} and {number}."
            raise UserError(what, "Keep one row a patient.")
        first[one] = number
    return found


def _values(
    path: Path, title: str, cells: list[str | None], unit: str | None, is_text: bool
) -> tuple[list[float | None] | pd.Series, str]:
    """Return a column's values, and its unit; text has none."""
    numbers = [None if cell is None else _number(cell) for cell in cells]
    wrong = [n for n, (cell, number) in enumerate(zip(cells, numbers)) if cell is not None and number is None]
    known = sum(cell is not None for cell in cells)
    if is_text or (unit is None and len(wrong) == known):
        return pd.array(cells, dtype=object), ""
    if wrong:
        what = f"Row {wrong[0] + 2} of {path}, column '{title}': '{cells[wrong[0]]}' is no number."
        raise UserError(what, "Correct the cell, or say that the column is text.")
    return [math.nan if number is None else number for number in numbers], unit or PERSONAL.get(title, "1")


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None
