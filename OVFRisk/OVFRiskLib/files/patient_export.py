"""One patient's results as files, in the formats that were asked for: all of them, or none."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..image import LabelMap
from ..provenance import software
from .report import write_report
from .result_folder import result_folder
from .segmentation_file import write_segmentation
from .tables import Cell, write_csv, write_parquet
from .workbook import write_workbook

if TYPE_CHECKING:
    from ..analysis import Analysis

Columns = Mapping[str, list[Cell]]
Report = Callable[[float, str], None]


class Format(StrEnum):
    """What can be written."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"
    HTML = "html"
    SEG = "seg"


_PACKAGES = {
    Format.PARQUET: ("pyarrow",),
    Format.XLSX: ("openpyxl",),
    Format.HTML: ("jinja2", "matplotlib"),
}


@dataclass(frozen=True)
class PatientExport:
    """What is written.

    Parameters
    ----------
    subject : str
        A code, never a name.
    tables : mapping of str to mapping
        By name, columns by title; each has the column ``state``.
    analysis : Analysis or None
        For the report.
    segmentation : LabelMap or None
    manifest : mapping
        JSON values: settings, images, models, what was out of date.
    absent : mapping of Format to str
        Why there is nothing to write in a format.
    """

    subject: str
    tables: Mapping[str, Columns]
    analysis: "Analysis | None"
    segmentation: LabelMap | None
    manifest: Mapping[str, object]
    absent: Mapping[Format, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """What an export left behind: the folder, its files, and what was left out with the reason."""

    folder: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def quiet(_share: float, _what: str) -> None:
    """Report to no one."""


def packages_missing(one: Format) -> tuple[str, ...]:
    """Return the packages that a format needs and that are not installed; nothing is imported."""
    from importlib.util import find_spec

    return tuple(name for name in _PACKAGES.get(one, ()) if find_spec(name) is None)


def write_patient_export(
    folder: Path, content: PatientExport, formats: Sequence[Format], report: Report = quiet
) -> Written:
    """Write the results into a new folder.

    Parameters
    ----------
    folder : Path
        Must not exist; it appears whole, or not at all.
    content : PatientExport
    formats : sequence of Format
    report : callable
        Called with the share done (0 to 1) and what is being done.

    Raises
    ------
    UserError
        When no format was chosen or none has anything to write, a package is missing, or the folder cannot be written.
    """
    wanted = [one for one in formats if one not in content.absent]
    left_out = tuple(f"{one}: {content.absent[one]}" for one in formats if one in content.absent)
    if not wanted:
        raise UserError(
            f"There is nothing to export. {' '.join(left_out)}".strip(), "Choose at least one other format."
        )
    with result_folder(folder, overwrite=False) as partial:
        for n, one in enumerate(wanted):
            report(n / len(wanted), f"Writing {one}")
            _WRITERS[one](partial, content)
        manifest = {"software": software(), "subject": content.subject, **content.manifest, "left_out": left_out}
        (partial / "run.json").write_text(
            json.dumps(manifest, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8"
        )
        files = tuple(sorted(path.name for path in partial.iterdir()))
    report(1.0, "Done")
    return Written(folder, files, left_out)


def _write_csv(folder: Path, content: PatientExport) -> None:
    for name, columns in content.tables.items():
        write_csv(folder / f"{name}.csv", columns)


def _write_parquet(folder: Path, content: PatientExport) -> None:
    for name, columns in content.tables.items():
        write_parquet(folder / f"{name}.parquet", columns)


def _write_workbook(folder: Path, content: PatientExport) -> None:
    write_workbook(folder / "results.xlsx", {name.capitalize(): columns for name, columns in content.tables.items()})


def _write_report(folder: Path, content: PatientExport) -> None:
    write_report(folder / "report.html", content.analysis)


def _write_segmentation(folder: Path, content: PatientExport) -> None:
    write_segmentation(folder / "segmentation.seg.nrrd", content.segmentation)


_WRITERS: Mapping[Format, Callable[[Path, PatientExport], None]] = {
    Format.CSV: _write_csv,
    Format.PARQUET: _write_parquet,
    Format.XLSX: _write_workbook,
    Format.HTML: _write_report,
    Format.SEG: _write_segmentation,
}
