"""``ovfrisk vbq agreement``: how far repeated readings of a cohort agree."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError
from ..files.figures.agreement import draw_agreement
from ..files.result_folder import result_folder
from ..files.tables import write_csv
from ..provenance import software
from ..vbq.agreement import Agreement, AgreementTable, agreement, agreement_columns
from ..vbq.agreement_pairs import Comparison
from ..vbq.agreement_statistics import ACCEPTED_PERCENT, Icc
from ..vbq.readings import SUFFIX, Reading, read_reading
from .options import Out, Overwrite

_COLUMNS = ("Quantity", "n", "Bias %", "Limits %", "±10 %", "ICC 2,1", "ICC 3,1")


@dataclass(frozen=True)
class _File:
    """A reading and the hash of its file."""

    reading: Reading
    digest: str


def agreement_command(
    out: Out,
    readings: Annotated[
        list[Path], typer.Argument(metavar="READINGS", help=f"Files of readings, or folders that hold *{SUFFIX}.")
    ],
    each_level: Annotated[bool, typer.Option("--each-level", help="Draw and print each level, too.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Compare repeated readings of VBQ: limits of agreement and ICC, within one reader and between readers."""
    with result_folder(out, overwrite) as folder:
        files = [_File(read_reading(path), sha256(path.read_bytes()).hexdigest()) for path in _found(readings)]
        table = agreement(file.reading for file in files)
        write_csv(folder / "agreement.csv", agreement_columns(table))
        draw_agreement(table, folder / "agreement.png", folder / "agreement.svg", each_level=each_level)
        (folder / "run.json").write_text(json.dumps(_manifest(table, files), indent=1) + "\n", "utf-8")
    _print(table, out, each_level)


def _found(paths: Iterable[Path]) -> list[Path]:
    """Return the files, with those of the folders, each once."""
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise UserError(f"{path} does not exist.", "Give files of readings, or folders that hold them.")
        own = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not own:
            raise UserError(f"The folder {path} holds no *{SUFFIX}.", "Give the folder that the readings are in.")
        found |= {file.resolve(): file for file in own}
    return list(found.values())


def _manifest(table: AgreementTable, files: Sequence[_File]) -> dict[str, object]:
    """Return what `run.json` holds: versions, which readings there were, which were compared, caveats."""
    return {
        "software": software(),
        "readings": [
            _named(file.reading) | {"software": file.reading.software, "sha256": file.digest} for file in files
        ],
        "comparisons": [_compared(comparison) for comparison in table.comparisons],
        "notes": table.notes,
    }


def _named(reading: Reading) -> dict[str, str]:
    return {"subject": reading.subject, "reader": reading.reader, "time": reading.time.isoformat()}


def _compared(comparison: Comparison) -> dict[str, object]:
    return {
        "kind": comparison.kind,
        "readers": [comparison.first, comparison.second],
        "pairs": [[_named(reading) for reading in pair] for pair in comparison.pairs],
        "notes": comparison.notes,
    }


def _print(table: AgreementTable, out: Path, each_level: bool) -> None:
    from rich.console import Console

    console = Console()
    for comparison in table.comparisons:
        rows = [row for row in table.of(comparison) if each_level or not row.quantity.single_level]
        console.print(_printed(comparison, rows))
        for note in (*comparison.notes, *_row_notes(rows)):
            console.print(f"! {note}", highlight=False, markup=False)
    for note in table.notes:
        console.print(f"! {note}", highlight=False, markup=False)
    console.print(
        f"\nDifferences are percent of the mean of both; accepted: both limits within {ACCEPTED_PERCENT:g} %.\n"
        "The table holds the 95 % confidence intervals, and each level.\n"
        f"Table: {out.absolute() / 'agreement.csv'}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _printed(comparison: Comparison, rows: Sequence[Agreement]) -> object:
    from rich.table import Table

    table = Table(*_COLUMNS, title=comparison.title)
    table.columns[0].no_wrap = True
    for row in rows:
        found = row.limits
        limits = (
            (f"{found.bias:.1f}", f"{found.lower:.1f} to {found.upper:.1f}", "yes" if found.accepted else "no")
            if found
            else ("-", "-", "-")
        )
        table.add_row(row.quantity.title, str(len(row.subjects)), *limits, _icc(row.icc_2_1), _icc(row.icc_3_1))
    return table


def _icc(icc: Icc | None) -> str:
    return f"{icc.value:.3f}" if icc else "-"


def _row_notes(rows: Sequence[Agreement]) -> list[str]:
    """Return each remark once, with the quantities that it is about."""
    told: dict[str, list[str]] = {}
    for row in rows:
        if row.note:
            told.setdefault(row.note, []).append(row.quantity.title)
    return [f"{note} ({'all' if len(titles) == len(rows) else ', '.join(titles)})" for note, titles in told.items()]
