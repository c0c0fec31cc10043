"""Readings of the panel VBQ: kept by a reader's code, listed, and compared."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..vbq.agreement_quantities import Quantity
from ..vbq.readings import SUFFIX, Reading, read_reading, write_reading
from .running import RESULT
from .session import Session
from .vbq import Vbq
from .vbq_regions import settings_of
from .view import Cell, RowState, RowView, TableView
from .words import _

_NONE = "—"


@dataclass(frozen=True)
class Compared:
    """How far readings agree.

    Parameters
    ----------
    table : TableView
    picture : bytes
        Bland and Altman's plots, PNG.
    """

    table: TableView
    picture: bytes


def keep_reading(vbq: Vbq) -> Path:
    """Write what is measured now as a reading into the folder of readings; return its file.

    Raises
    ------
    UserError
        When nothing is measured, or the folder, the reader's or the patient's code is missing.
    """
    chosen = vbq.session.parameters
    folder = _folder(chosen.readings)
    if not chosen.reader.strip():
        raise UserError(_("Who reads is not given."), _("Give a code for the reader, never a name."))
    if not chosen.subject.strip():
        raise UserError(_("Whose exam it is is not given."), _("Give the patient's code in the panel Images."))
    vbq.settle()
    if vbq.regions is None:
        raise UserError(_("Nothing was measured: there is no reading to keep."), _("Propose the regions first."))
    settings = settings_of(chosen)
    reading = Reading.from_measurements(
        vbq.table,
        vbq.regions,
        vbq.volumes,
        reader=chosen.reader.strip(),
        statistic=settings.statistic,
        fractured=settings.fractured,
    )
    path = folder / reading.file_name
    write_reading(path, reading)
    return path


def readings_view(text: str) -> TableView:
    """Return the readings in a folder; a file that cannot be read is a row with the reason."""
    columns = (_("Patient"), _("Reader"), _("Time (UTC)"), _("Levels combined by"))
    files = sorted(Path(text).rglob(f"*{SUFFIX}")) if text and Path(text).is_dir() else []
    return TableView(_("Readings"), columns, tuple(_reading_row(path) for path in files))


def compare_readings(session: Session, done: Callable[[Compared], None]) -> None:
    """Start the comparison of all readings in the folder; `done` gets the result.

    Raises
    ------
    UserError
        When the folder is missing or holds fewer than two readings, or a job runs.
    """
    folder = _folder(session.parameters.readings)
    files = sorted(folder.rglob(f"*{SUFFIX}"))
    if len(files) < 2:
        what = _("The folder holds {count} readings: nothing can be compared.").format(count=len(files))
        raise UserError(what, _("Read at least three patients twice, or by two readers."))
    session.start(
        _("Comparing readings"),
        lambda work: ["vbq", "agreement", work / RESULT, *files],
        lambda result: done(_compared(result)),
    )


def _folder(text: str) -> Path:
    if not text.strip() or not Path(text).is_dir():
        raise UserError(_("No folder for readings is chosen."), _("Choose a folder that all readings go to."))
    return Path(text)


def _reading_row(path: Path) -> RowView:
    try:
        reading = read_reading(path)
    except UserError as error:
        cells = (Cell(path.name), Cell(_NONE), Cell(_NONE), Cell(_NONE))
        return RowView(str(path), cells, RowState.ABSENT, tip=str(error))
    time = f"{reading.time:%Y-%m-%d %H:%M}"
    return RowView(str(path), (Cell(reading.subject), Cell(reading.reader), Cell(time), Cell(_(reading.statistic))))


def _compared(result: Path) -> Compared:
    with (result / "agreement.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["level"] in ("", "L1-L4")]
    columns = (
        _("Readers"),
        _("Quantity"),
        _("n"),
        _("Bias %"),
        _("Limits %"),
        _("±10 %"),
        "ICC(2,1)",
        "ICC(3,1)",
    )
    table = TableView(_("Agreement of readings"), columns, tuple(_agreement_row(n, row) for n, row in enumerate(rows)))
    return Compared(table, (result / "agreement.png").read_bytes())


def _agreement_row(number: int, row: dict[str, str]) -> RowView:
    quantity = Quantity(row["name"], row["level"], row["compartment"])
    readers = row["first_reader"] if row["comparison"] == "intra-observer" else _both(row)
    limits = _number(row["lower_limit_percent"], "+.1f"), _number(row["upper_limit_percent"], "+.1f")
    cells = (
        Cell(readers, tip=row["comparison"]),
        Cell(quantity.title),
        Cell(row["pairs"], _value(row["pairs"])),
        _cell(row["bias_percent"], "+.1f"),
        Cell(_("{low} to {high}").format(low=limits[0], high=limits[1]) if row["lower_limit_percent"] else _NONE),
        Cell(_(row["limits_within_10_percent"]) or _NONE),
        _cell(row["icc_2_1"], ".3f", _interval(row, "icc_2_1")),
        _cell(row["icc_3_1"], ".3f", _interval(row, "icc_3_1")),
    )
    state = RowState.ABSENT if row["quality"] == "absent" else RowState.CURRENT
    return RowView(f"{number}", cells, state, tip=row["note"])


def _both(row: dict[str, str]) -> str:
    return _("{first}, {second}").format(first=row["first_reader"], second=row["second_reader"])


def _interval(row: dict[str, str], name: str) -> str:
    low, high = _number(row[f"{name}_ci_low"], ".2f"), _number(row[f"{name}_ci_high"], ".2f")
    return _("95 % confidence interval {low} to {high}").format(low=low, high=high) if row[name] else ""


def _cell(text: str, style: str, tip: str = "") -> Cell:
    return Cell(_number(text, style), _value(text), tip)


def _number(text: str, style: str) -> str:
    value = _value(text)
    if value is None:
        return _NONE
    text = f"{value:{style}}"
    return (text if float(text) else text.lstrip("+-")).replace("-", "−")


def _value(text: str) -> float | None:
    return float(text) if text else None
