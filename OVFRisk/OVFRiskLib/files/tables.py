"""Measurements and features as tables, CSV or Parquet: the same values always give the same bytes.

Numbers are written with ten significant digits: far finer than anything measured here, and coarse enough that the last
bits, in which two machines' linear algebra differ, do not show. Text that a spreadsheet would run as a formula is
written with an apostrophe in front (OWASP, "CSV Injection"), which reading takes away again.
"""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..anatomy import Compartment, Label, Region, Structure, VertebralLevel
from ..errors import UserError, import_optional
from ..measurement import Measurement, MeasurementTable, Quality

if TYPE_CHECKING:
    from ..radiomics import Features

_COLUMNS = ("subject", "level", "compartment", "name", "value", "unit", "protocol_id", "quality", "note")
_MAY_BE_EMPTY = ("level", "compartment", "value")
_FEATURE_KEYS = ("subject", "region", "level", "compartment", "protocol_id")
_LONG_COLUMNS = (*_FEATURE_KEYS, "name", "image_type", "feature_class", "feature", "value", "quality", "note")
_TEXT = {*_LONG_COLUMNS, "note"} - {"value"}  # even where a table has no row
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
Cell = str | float | None


def write_measurements(path: Path, table: MeasurementTable) -> None:
    """Write one row a measurement; where there is no value the cell is empty and the note says why.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    columns = measurement_columns(table)
    _write(path, _COLUMNS, zip(*columns.values()))


def write_features(path: Path, subject: str, features: Mapping[Region | Label, "Features"]) -> None:
    """Write one row a region with all its features, by name; a feature that is absent is an empty cell, with a note.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    write_csv(path, feature_columns(subject, features))


def measurement_columns(table: MeasurementTable) -> dict[str, list[Cell]]:
    """Return the measurements as columns; a value that is absent is None."""
    rows = [
        (r.subject, r.level or "", r.compartment or "", r.name, r.value, r.unit, r.protocol_id, r.quality, r.note)
        for r in table
    ]
    return {name: [_plain(row[n]) for row in rows] for n, name in enumerate(_COLUMNS)}


def feature_columns(subject: str, features: Mapping[Region | Label, "Features"]) -> dict[str, list[Cell]]:
    """Return the features as columns, a region a row from head to foot; a feature that is absent is None."""
    regions = sorted(features, key=lambda region: region.sort_key)
    names = sorted({name for found in features.values() for name in (*found.values, *found.absent)})
    keys = [_feature_keys(subject, region, features[region]) for region in regions]
    columns: dict[str, list[Cell]] = {name: [key[n] for key in keys] for n, name in enumerate(_FEATURE_KEYS)}
    columns |= {name: [_known(features[region].values.get(name)) for region in regions] for name in names}
    return columns | {"note": [feature_note(features[region]) for region in regions]}


def feature_rows(subject: str, features: Mapping[Region | Label, "Features"]) -> dict[str, list[Cell]]:
    """Return the features as columns, a value a row; a feature that is absent is None and its note says why."""
    rows: list[tuple[Cell, ...]] = []
    for region in sorted(features, key=lambda region: region.sort_key):
        found = features[region]
        keys = _feature_keys(subject, region, found)
        constant = set(found.diagnostics.get("constant_features", ()))
        for name in sorted((*found.values, *found.absent)):
            note = _value_note(found, name, name in constant)
            value = _known(found.values.get(name))
            quality = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
            rows.append((*keys, name, *name.rsplit("_", 2), value, str(quality), note))
    return {column: [row[n] for row in rows] for n, column in enumerate(_LONG_COLUMNS)}


def write_csv(path: Path, columns: Mapping[str, list[Cell]]) -> None:
    """Write columns of one length as CSV, with their names.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    _write(path, columns, zip(*columns.values()))


def write_parquet(path: Path, columns: Mapping[str, list[Cell]]) -> None:
    """Write columns of one length as Parquet: text or 64-bit numbers, null where a value is absent.

    Raises
    ------
    UserError
        When pyarrow is missing or the file cannot be written.
    """
    pyarrow = import_optional("pyarrow", "Writing Parquet")
    parquet = import_optional("pyarrow.parquet", "Writing Parquet")
    text = {name for name, cells in columns.items() if name in _TEXT or any(isinstance(cell, str) for cell in cells)}
    kinds = {name: pyarrow.string() if name in text else pyarrow.float64() for name in columns}
    table = pyarrow.table(dict(columns), schema=pyarrow.schema(kinds))
    try:
        parquet.write_table(table, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error}.", "Choose another folder.") from error


def feature_note(features: "Features") -> str:
    """Return the warnings of a region's features and why some are absent."""
    reasons: dict[str, list[str]] = {}
    for name, reason in features.absent.items():
        reasons.setdefault(reason, []).append(name)
    absent = [f"absent, {reason}: {', '.join(sorted(names))}" for reason, names in reasons.items()]
    return "; ".join((*features.warnings, *absent))


def _value_note(features: "Features", name: str, constant: bool) -> str:
    """Return what to know about one value: its own reason, and the warnings that do not name another image type."""
    image = name.partition("_")[0]
    about = ("The image type ", f"The image type {image} ")
    own = [features.absent[name]] if name in features.absent else []
    own += ["fixed by the single grey level"] if constant else []
    return "; ".join((*own, *(w for w in features.warnings if not w.startswith(about[0]) or w.startswith(about[1]))))


def _feature_keys(subject: str, region: Region | Label, features: "Features") -> tuple[str, ...]:
    return (subject, str(region), str(region.level or ""), str(region.part or ""), features.protocol_id)


def read_measurements(path: Path) -> MeasurementTable:
    """Read a table that `write_measurements` wrote (the hashes of its sources are not in it).

    Raises
    ------
    UserError
        When the file cannot be read, has other columns or a cell is not valid; names line and column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"The table {path} cannot be read: {error}.", "Give a measurements.csv of OVFRisk.") from error
    header, cells = without_state(path, lines[0], lines[1:]) if lines else ([], [])
    if tuple(header) != _COLUMNS:
        raise UserError(f"The table {path} has other columns.", f"They must be: {', '.join(_COLUMNS)}.")
    rows = [_measurement(path, number, line) for number, line in enumerate(cells, start=2)]
    try:
        return MeasurementTable(rows)
    except ValueError as error:
        raise UserError(f"The table {path} has two rows for one value: {error}.", "Remove one of them.") from error


def without_state(path: Path, header: list[str], lines: Iterable[Sequence[Cell]]) -> tuple[list[str], list]:
    """Return header and lines without the last column ``state``, which the panels' export has.

    Raises
    ------
    UserError
        When a row is out of date.
    """
    lines = list(lines)
    if not header or header[-1] != "state":
        return header, lines
    for number, line in enumerate(lines, start=2):
        if line and line[-1] == "stale":
            what = f"Row {number} of {path} is out of date: a mask was edited after it was measured."
            raise UserError(what, "Update the measurements in the panel, and export them again.")
    return header[:-1], [line[:-1] for line in lines]


def _measurement(path: Path, number: int, line: list[str]) -> Measurement:
    help_text = "Correct the cell, or analyse the patient again."
    if len(line) != len(_COLUMNS):
        raise UserError(f"Row {number} of {path} has {len(line)} cells instead of {len(_COLUMNS)}.", help_text)
    cells = {name: _readable(cell) for name, cell in zip(_COLUMNS, line)}
    kinds = {"level": VertebralLevel, "compartment": _part, "value": float, "quality": Quality}
    for column, kind in kinds.items():
        try:
            cells[column] = None if column in _MAY_BE_EMPTY and not cells[column] else kind(cells[column])
        except ValueError:
            raise UserError(f"Row {number} of {path}: '{cells[column]}' is no {column}.", help_text) from None
    try:
        return Measurement(**cells)
    except ValueError as error:
        raise UserError(f"Row {number} of {path} is not valid: {error}.", help_text) from None


def _part(text: str) -> Compartment | Structure:
    return Compartment(text) if text in set(Compartment) else Structure(text)


def _plain(value: str | float | None) -> Cell:
    """Return enumeration members as plain text."""
    return str(value) if isinstance(value, str) else value


def _known(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{value} is no feature value; it should be absent with a reason")
    return value


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows([_cell(value) for value in row] for row in rows)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    return format(value, ".10g")


def _readable(cell: str) -> str:
    return cell.removeprefix("'")
