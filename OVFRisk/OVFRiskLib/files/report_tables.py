"""The report's tables as plain text: what cannot be shown has a mark, and below the table the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..image import Modality
from ..measurement import MeasurementTable
from ..segmentation.level_check import LevelQuality
from ..terminology import term
from .report_values import ABSENT, NOT_PART, LevelGrade, Lookup, level_grades, number
from .tables import feature_note

if TYPE_CHECKING:
    from ..radiomics import Features

_SEQUENCES = (Modality.T1, Modality.T2, Modality.STIR)
_BODY, _CANCELLOUS = Compartment.BODY, Compartment.CANCELLOUS


@dataclass(frozen=True)
class Column:
    """A column of a level table: which measurement, and how it is written."""

    title: str
    unit: str
    part: Compartment
    name: str
    style: str
    spread: str = ""  # a second measurement written behind ±
    scale: float = 1.0


HEIGHTS = (
    Column("Grade", "Genant, type", _BODY, "genant_grade", ""),
    Column("Loss", "%", _BODY, "height_reduction", ".0f", scale=100),
    Column("own", "%", _BODY, "height_reduction_own", ".0f", scale=100),
    Column("nb.", "%", _BODY, "height_reduction_neighbours", ".0f", scale=100),
    Column("Ha", "mm", _BODY, "anterior_height", ".1f"),
    Column("Hm", "mm", _BODY, "middle_height", ".1f"),
    Column("Hp", "mm", _BODY, "posterior_height", ".1f"),
    Column("±", "mm", _BODY, "height_uncertainty", ".1f"),
    Column("Ha/Hp", "", _BODY, "anterior_posterior_ratio", ".2f"),
    Column("Hm/Hp", "", _BODY, "middle_posterior_ratio", ".2f"),
    Column("Hp/exp.", "", _BODY, "posterior_neighbour_ratio", ".2f"),
    Column("Wedge", "°", _BODY, "wedge_angle", ".1f"),
    Column("Lateral", "°", _BODY, "lateral_wedge_angle", ".1f"),
)
DENSITY = (
    Column("Attenuation, 3-D", "HU, mean ± SD", _CANCELLOUS, "trabecular_attenuation", ".0f", "_sd"),
    Column("Median", "HU", _CANCELLOUS, "trabecular_attenuation_median", ".0f"),
    Column("Axial ellipse", "HU, mean ± SD", _CANCELLOUS, "trabecular_attenuation_axial", ".0f", "_sd"),
    Column("Corrected", "HU, for the phase", _CANCELLOUS, "trabecular_attenuation_corrected", ".0f"),
    Column("Left out", "% of the region", _CANCELLOUS, "trabecular_excluded_fraction", ".0f", scale=100),
    Column("vBMD", "mg/cm³, ± error", _CANCELLOUS, "vbmd", ".1f", "_error"),
    Column("Body", "cm³", _BODY, "volume", ".1f"),
    Column("Cortical", "cm³", Compartment.CORTICAL, "volume", ".1f"),
    Column("Cancellous", "cm³", _CANCELLOUS, "volume", ".1f"),
)


class Footnotes:
    """Gives each different note a mark (a, b, …, z, aa, …) in the order of first use."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def cell(self, text: str, *notes: str) -> dict[str, object]:
        """Return a cell with the marks of its notes (several may be joined by semicolons)."""
        return {"text": text, "marks": [self._mark(note) for note in single_notes(*notes)]}

    def items(self) -> list[tuple[str, str]]:
        """Return (mark, note) in order."""
        return [(mark, note) for note, mark in self._marks.items()]

    def _mark(self, note: str) -> str:
        if note not in self._marks:
            high, low = divmod(len(self._marks), 26)
            self._marks[note] = (chr(ord("a") + high - 1) if high else "") + chr(ord("a") + low)
        return self._marks[note]


def single_notes(*notes: str) -> list[str]:
    """Return the notes that semicolons join, each once."""
    return list(dict.fromkeys(part for note in notes for part in note.split("; ") if part))


def level_table(
    table: MeasurementTable, levels: Sequence[LevelQuality], columns: Sequence[Column]
) -> dict[str, object]:
    """Return titles, rows and footnotes of a level table, and what could not be measured at any level, with reasons.

    A note that every value of a column has stands at its title, one that is the level's own at the level's name.
    """
    lookup, footnotes = Lookup(table), Footnotes()
    grades = level_grades(lookup, [quality.level for quality in levels])
    usable = [quality for quality in levels if quality.usable]
    columns, absent = _measured_columns(lookup, usable, columns)
    shared = {c.name + c.part: _shared_notes(lookup, usable, c) for c in columns}
    titles = [
        {"cell": footnotes.cell(c.title, "; ".join(shared[c.name + c.part])), "unit": c.unit, "text": not c.style}
        for c in columns
    ]
    rows = []
    for quality in levels:
        row = _level_row(quality, footnotes, grades.get(quality.level))
        if quality.usable:
            for c in columns:
                known = {*shared[c.name + c.part], *single_notes(quality.note)}
                row["cells"].append(_level_cell(lookup, quality.level, c, footnotes, known, grades))
        rows.append(row)
    return {"columns": titles, "rows": rows, "footnotes": footnotes.items(), "absent": absent}


def _measured_columns(
    lookup: Lookup, usable: Sequence[LevelQuality], columns: Sequence[Column]
) -> tuple[list[Column], list[tuple[str, str]]]:
    """Return the columns that have a value, and title and reasons of those whose rows are all absent."""
    measured, absent = [], []
    for column in columns:
        found = [lookup.row(quality.level, column.part, column.name) for quality in usable]
        rows = [row for row in found if row]
        if any(row.value is not None for row in rows):
            measured.append(column)
        elif rows:
            own = {note for quality in usable for note in single_notes(quality.note)}
            reasons = [note for note in single_notes(*(row.note for row in rows)) if note not in own]
            absent.append((column.title, "; ".join(reasons)))
    return measured, absent


def _level_row(quality: LevelQuality, footnotes: Footnotes, grade: LevelGrade | None) -> dict[str, object]:
    return {
        "level": footnotes.cell(str(quality.level), quality.note if quality.usable else ""),
        "color": "rgb({}, {}, {})".format(*term(Region(Compartment.WHOLE, quality.level)).rgb),
        "usable": quality.usable,
        "reason": quality.note,
        "quality": number(quality.score, ".2f"),
        "fractured": bool(grade and grade.fractured),
        "cells": [],
    }


def _shared_notes(lookup: Lookup, levels: Sequence[LevelQuality], column: Column) -> list[str]:
    """Return the notes that every row of a column has, beyond the level's own; none of a single level's."""
    found = [lookup.row(quality.level, column.part, column.name) for quality in levels]
    notes = [single_notes(row.note) if row else [] for row in found]
    return [note for note in notes[0] if all(note in other for other in notes)] if len(notes) > 1 else []


def _level_cell(
    lookup: Lookup,
    level: VertebralLevel,
    column: Column,
    footnotes: Footnotes,
    known: set[str],
    grades: Mapping[VertebralLevel, LevelGrade],
) -> dict[str, object]:
    row = lookup.row(level, column.part, column.name)
    if row is None:
        grade = grades.get(level) if column.name.startswith("height_reduction") else None
        return footnotes.cell(ABSENT, grade.note if grade else NOT_PART)
    notes = "; ".join(note for note in single_notes(row.note) if note not in known)
    if not column.style:
        return footnotes.cell(_grade_text(grades[level]), notes)
    spread = lookup.value(level, column.part, column.name + column.spread) if column.spread else None
    return footnotes.cell(with_spread(row.value, spread, column.style, column.scale), notes)


def _grade_text(grade: LevelGrade) -> str:
    return ABSENT if grade.grade is None else grade.name.removeprefix("grade ") + (" ?" if grade.borderline else "")


def with_spread(value: float | None, spread: float | None, style: str, scale: float = 1.0) -> str:
    """Return ``value ± spread``, each times `scale`; the value alone where there is no spread."""
    text = number(None if value is None else value * scale, style)
    return text if value is None or spread is None else f"{text} ± {spread * scale:{style}}"


def signal_table(table: MeasurementTable) -> dict[str, object]:
    """Return columns, rows and footnotes of the MR signals: a region a row, a sequence a column."""
    lookup = Lookup(table)
    sequences = [s for s in _SEQUENCES if any(name == _signal(s) for _, name in lookup.names)]
    wanted = {_signal(s) for s in sequences}
    regions = dict.fromkeys((row.level, row.compartment) for row in table if row.name in wanted)
    footnotes = Footnotes()
    rows = [
        {
            "name": " ".join(str(part).upper() if part == Structure.CSF else str(part) for part in place if part),
            "cells": [_signal_cell(lookup, place, sequence, footnotes) for sequence in sequences],
        }
        for place in regions
    ]
    return {"columns": [str(s) for s in sequences], "rows": rows, "footnotes": footnotes.items()}


def _signal(sequence: Modality) -> str:
    return f"{sequence.lower()}_signal_intensity"


def _signal_cell(
    lookup: Lookup,
    place: tuple[VertebralLevel | None, Compartment | Structure | None],
    sequence: Modality,
    footnotes: Footnotes,
) -> dict[str, object]:
    row = lookup.row(*place, _signal(sequence))
    if row is None:
        return footnotes.cell(ABSENT, NOT_PART)
    sd = lookup.value(*place, f"{_signal(sequence)}_sd")
    text = number(row.value, ".4g")
    return footnotes.cell(text if sd is None else f"{text} ± {sd:.3g}", row.note)


def feature_rows(features: Mapping[Region, "Features"]) -> list[dict[str, object]]:
    """Return how many features there are and why some are absent; regions of which the same is true share a row."""
    alike: dict[tuple[int, int, str], list[str]] = {}
    for region in sorted(features, key=lambda region: region.sort_key):
        found = features[region]
        alike.setdefault((len(found.values), len(found.absent), feature_note(found)), []).append(str(region))
    return [
        {"regions": ", ".join(regions), "count": count, "absent": absent, "note": note}
        for (count, absent, note), regions in alike.items()
    ]
