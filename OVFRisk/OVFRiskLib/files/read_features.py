"""Radiomics features from the tables that ``ovfrisk features`` and ``analyze`` write, as measurements.

A feature's unit depends on its formula and the image type, and the tables state none: it is ``1`` for all of them, in
models and here alike. What makes two values comparable is their protocol.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..anatomy import Compartment, Label, Region, Structure, VertebralLevel
from ..errors import UserError, import_optional
from ..measurement import Measurement, MeasurementTable, Quality
from .tables import feature_rows, without_state

if TYPE_CHECKING:
    from ..radiomics import Features

UNIT = "1"
_KEYS = ("subject", "region", "level", "compartment", "protocol_id")
_LONG = (*_KEYS, "name", "image_type", "feature_class", "feature", "value", "quality", "note")
_FEATURE = re.compile(r"[\w-]+_[a-z0-9]+_\w+", re.IGNORECASE)
_IMAGE_WARNING = re.compile(r"The image type (\S+) ")
_HELP = "Give a features.csv or features.parquet of OVFRisk; extract the features again if it was changed."
_NO_REASON = "no value in the table"
Cell = str | float | None


def read_features(path: Path) -> MeasurementTable:
    """Read the features of a table, one row a region or one row a value.

    Parameters
    ----------
    path : Path
        CSV, or Parquet where the name ends so.

    Returns
    -------
    MeasurementTable
        A row a region and feature, unit ``1``; absent and flagged as the table says. A region that is known by its
        label value alone belongs to the patient as a whole, so there may be only one.

    Raises
    ------
    UserError
        When the file cannot be read, is another table or a cell is not valid; names row and column.
    """
    header, lines = (_parquet if path.suffix.lower() == ".parquet" else _csv)(path)
    header, lines = without_state(path, header, lines)
    twice = [name for n, name in enumerate(header) if name in header[:n]]
    if twice:
        raise UserError(f"The table {path} has the column '{twice[0]}' twice.", _HELP)
    if tuple(header) == _LONG:
        rows = _from_long(path, header, lines)
    elif tuple(header[: len(_KEYS)]) == _KEYS and header[-1] == "note" and len(header) > len(_KEYS) + 1:
        rows = _from_wide(path, header, lines)
    else:
        raise UserError(f"The table {path} is no table of features.", _HELP)
    return _table(rows, str(path))


def feature_measurements(subject: str, features: Mapping[Region | Label, "Features"]) -> MeasurementTable:
    """Return extracted features as measurements, as reading their table would.

    Raises
    ------
    UserError
        When several regions are known by their label value alone.
    """
    columns = feature_rows(subject, features)
    return _table(_from_long(Path("features"), list(columns), zip(*columns.values())), "The features")


def _table(rows: Iterator[Measurement], where: str) -> MeasurementTable:
    try:
        return MeasurementTable(rows)
    except ValueError as error:
        raise UserError(
            f"{where}: a value stands there twice ({error}).",
            "Keep one row a region; where labels have no meaning, extract again with --scheme or one --label.",
        ) from error


def _csv(path: Path) -> tuple[list[str], Iterator[Sequence[Cell]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"The table {path} cannot be read: {error}.", _HELP) from error
    if not lines:
        raise UserError(f"The table {path} is empty.", _HELP)
    return lines[0], iter(lines[1:])


def _parquet(path: Path) -> tuple[list[str], Iterator[Sequence[Cell]]]:
    parquet, arrow = (import_optional(name, "Reading Parquet") for name in ("pyarrow.parquet", "pyarrow"))
    try:
        table = parquet.read_table(path)
        columns = [column.to_pylist() for column in table.columns]
    except (OSError, arrow.ArrowException) as error:
        raise UserError(f"The table {path} cannot be read: {error}.", _HELP) from error
    return table.column_names, zip(*columns)


def _from_long(path: Path, header: list[str], lines: Iterator[Sequence[Cell]]) -> Iterator[Measurement]:
    for number, line in enumerate(lines, start=2):
        keys = _Row(path, number, header, line)
        level, part = keys.place()
        value, name = keys.number("value"), keys.feature(keys.text("name"))
        quality, note = keys.quality(), keys.text("note")
        if (value is None) != (quality is Quality.ABSENT) or (quality is not Quality.OK and not note):
            raise keys.wrong("quality", f"'{quality}' does not fit the value or the note")
        where = keys.text("subject"), level, part, name
        yield Measurement(*where, value, UNIT, keys.text("protocol_id"), quality=quality, note=note)


def _from_wide(path: Path, header: list[str], lines: Iterator[Sequence[Cell]]) -> Iterator[Measurement]:
    names = header[len(_KEYS) : -1]
    for number, line in enumerate(lines, start=2):
        keys = _Row(path, number, header, line)
        level, part = keys.place()
        subject, protocol = keys.text("subject"), keys.text("protocol_id")
        warnings, absent = _notes(keys.text("note"))
        remarks: dict[str, str] = {}
        for name in names:
            value, image = keys.number(name), keys.feature(name).partition("_")[0]
            if image not in remarks:
                remarks[image] = _remark(warnings, image)
            why = absent.get(name, _NO_REASON) if value is None else ""
            note = "; ".join(text for text in (why, remarks[image]) if text)
            quality = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
            yield Measurement(subject, level, part, name, value, UNIT, protocol, quality=quality, note=note)


class _Row:
    """One line of a table, and where it stands."""

    def __init__(self, path: Path, number: int, header: list[str], line: Sequence[Cell]) -> None:
        self.where = f"Row {number} of {path}"
        if len(line) != len(header):
            raise UserError(f"{self.where} has {len(line)} cells instead of {len(header)}.", _HELP)
        self.cells = dict(zip(header, line))

    def text(self, column: str) -> str:
        """Return a cell without the apostrophe that keeps spreadsheets from running it."""
        cell = self.cells[column]
        if not isinstance(cell, str | None):
            raise self.wrong(column, f"{cell!r} is no text")
        return (cell or "").removeprefix("'")

    def number(self, column: str) -> float | None:
        cell = self.cells[column]
        if cell is None or cell == "":
            return None
        try:
            value = float(cell)
        except (TypeError, ValueError):
            raise self.wrong(column, f"'{cell}' is no number") from None
        if isinstance(cell, bool) or not math.isfinite(value):
            raise self.wrong(column, f"{cell} is no value of a feature")
        return value

    def place(self) -> tuple[VertebralLevel | None, Compartment | Structure | None]:
        return self._one("level", VertebralLevel), self._one("compartment", _part)

    def quality(self) -> Quality:
        found = self._one("quality", Quality)
        if found is None:
            raise self.wrong("quality", "it is empty")
        return found

    def feature(self, name: str) -> str:
        if not _FEATURE.fullmatch(name):
            raise self.wrong(name or "name", f"'{name}' is no feature, which are called as original_glcm_Idmn")
        return name

    def wrong(self, column: str, why: str) -> UserError:
        return UserError(f"{self.where}, column '{column}': {why}.", _HELP)

    def _one(self, column: str, kind: type) -> object:
        text = self.text(column)
        try:
            return kind(text) if text else None
        except ValueError:
            raise self.wrong(column, f"'{text}' is no {column}") from None


def _part(text: str) -> Compartment | Structure:
    return Compartment(text) if text in set(Compartment) else Structure(text)


def _notes(note: str) -> tuple[list[str], dict[str, str]]:
    """Return the warnings on a region, and why its absent features are so, as `feature_note` joins them."""
    warnings, *reasons = f"; {note}".split("; absent, ")
    parted = (text.rpartition(": ") for text in reasons)
    absent = {name: why for why, _, names in parted for name in names.split(", ")}
    return [text for text in warnings.split("; ") if text], absent


def _remark(warnings: list[str], image: str) -> str:
    """Return the warnings that do not name another image type."""
    about = [(text, _IMAGE_WARNING.match(text)) for text in warnings]
    return "; ".join(text for text, found in about if found is None or found[1] == image)
