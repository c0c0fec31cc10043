"""The report's tables as plain text: what cannot be shown has a mark, and below the table the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..image import Modality
from ..measurement import Measurement, MeasurementTable
from ..segmentation.level_check import LevelQuality
from ..terminology import term
from .figures.charts import score_title
from .tables import feature_note

if TYPE_CHECKING:
    from ..analysis import Analysis
    from ..radiomics import Features

ABSENT = "—"
_SCORES = ("vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir")
_SEQUENCES = (Modality.T1, Modality.T2, Modality.STIR)


@dataclass(frozen=True)
class Column:
    """A column of the level table: which measurement, and how it is written."""

    title: str
    unit: str
    part: Compartment
    name: str
    style: str
    spread: str = ""  # a second measurement written behind ±


_COLUMNS = (
    Column("Trabecular attenuation", "HU, mean ± SD", Compartment.CANCELLOUS, "trabecular_attenuation", ".0f", "_sd"),
    Column("Median", "HU", Compartment.CANCELLOUS, "trabecular_attenuation_median", ".0f"),
    Column("vBMD", "mg/cm³", Compartment.CANCELLOUS, "vbmd", ".0f"),
    Column("Ha", "mm", Compartment.BODY, "anterior_height", ".1f"),
    Column("Hm", "mm", Compartment.BODY, "middle_height", ".1f"),
    Column("Hp", "mm", Compartment.BODY, "posterior_height", ".1f"),
    Column("Ha/Hp", "", Compartment.BODY, "anterior_posterior_ratio", ".2f"),
    Column("Hm/Hp", "", Compartment.BODY, "middle_posterior_ratio", ".2f"),
    Column("Wedge", "°", Compartment.BODY, "wedge_angle", ".1f"),
    Column("Body", "cm³", Compartment.BODY, "volume", ".1f"),
    Column("Cortical", "cm³", Compartment.CORTICAL, "volume", ".1f"),
    Column("Cancellous", "cm³", Compartment.CANCELLOUS, "volume", ".1f"),
)


class Footnotes:
    """Gives each different note a mark (a, b, …, z, aa, …) in the order of first use."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def cell(self, text: str, *notes: str) -> dict[str, object]:
        """Return a cell with the marks of its notes (several may be joined by semicolons)."""
        single = dict.fromkeys(part for note in notes for part in note.split("; ") if part)
        return {"text": text, "marks": [self._mark(note) for note in single]}

    def items(self) -> list[tuple[str, str]]:
        """Return (mark, note) in order."""
        return [(mark, note) for note, mark in self._marks.items()]

    def _mark(self, note: str) -> str:
        if note not in self._marks:
            high, low = divmod(len(self._marks), 26)
            self._marks[note] = (chr(ord("a") + high - 1) if high else "") + chr(ord("a") + low)
        return self._marks[note]


def level_table(table: MeasurementTable, levels: Sequence[LevelQuality]) -> dict[str, object]:
    """Return columns, rows and footnotes of the level table; only columns that the analysis has measurements of."""
    columns = [c for c in _COLUMNS if len(table.where(compartment=c.part, name=c.name))]
    footnotes = Footnotes()
    rows = [
        {
            "level": footnotes.cell(str(quality.level), quality.note if quality.usable else ""),
            "color": "rgb({}, {}, {})".format(*term(Region(Compartment.WHOLE, quality.level)).rgb),
            "usable": quality.usable,
            "reason": quality.note,
            "cells": [_level_cell(table, quality.level, column, footnotes) for column in columns]
            if quality.usable
            else [],
        }
        for quality in levels
    ]
    return {"columns": columns, "rows": rows, "footnotes": footnotes.items()}


def signal_table(table: MeasurementTable) -> dict[str, object]:
    """Return columns, rows and footnotes of the MR signals: a region a row, a sequence a column."""
    sequences = [s for s in _SEQUENCES if len(table.where(name=f"{s.lower()}_signal_intensity"))]
    regions = dict.fromkeys(
        (row.level, row.compartment) for s in sequences for row in table.where(name=f"{s.lower()}_signal_intensity")
    )
    footnotes = Footnotes()
    rows = [
        {
            "name": " ".join(str(part).upper() if part == Structure.CSF else str(part) for part in place if part),
            "cells": [_signal_cell(table, place, sequence, footnotes) for sequence in sequences],
        }
        for place in regions
    ]
    return {"columns": [str(s) for s in sequences], "rows": rows, "footnotes": footnotes.items()}


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


def at_a_glance(analysis: "Analysis") -> list[dict[str, str]]:
    """Return the few results that a reader looks for first."""
    table = analysis.measurements
    usable = [quality.level for quality in analysis.levels if quality.usable]
    rows = []
    if analysis.levels:
        off = [f"{quality.level}: {quality.note}" for quality in analysis.levels if not quality.usable]
        rows.append(
            _row(
                "Levels measured on CT", ", ".join(usable) or "none", "Not measured – " + ". ".join(off) if off else ""
            )
        )
        hu = _known(table, usable, Compartment.CANCELLOUS, "trabecular_attenuation")
        rows.append(_row("Trabecular attenuation", _span(hu, ".0f", " HU"), ""))
        rows.append(
            _row("Lowest height ratios", _lowest_ratios(table, usable), "A body that is low all over keeps its ratios.")
        )
    scores = [score for name in _SCORES for score in table.where(name=name)]
    return rows + [_row(score_title(score.name), _number(score.value, ".3f"), score.note) for score in scores]


def _row(name: str, text: str, note: str) -> dict[str, str]:
    return {"name": name, "text": text, "note": note}


def _known(
    table: MeasurementTable, levels: Sequence[VertebralLevel], part: Compartment, name: str
) -> dict[VertebralLevel, float]:
    values = {level: table.value(level=level, compartment=part, name=name) for level in levels}
    return {level: value for level, value in values.items() if value is not None}


def _span(values: Mapping[VertebralLevel, float], style: str, unit: str) -> str:
    return ", ".join(f"{level} {_number(value, style)}" for level, value in values.items()) + unit if values else ABSENT


def _lowest_ratios(table: MeasurementTable, levels: Sequence[VertebralLevel]) -> str:
    found = []
    for name, title in (("anterior_posterior_ratio", "Ha/Hp"), ("middle_posterior_ratio", "Hm/Hp")):
        values = _known(table, levels, Compartment.BODY, name)
        if values:
            level = min(values, key=values.__getitem__)
            found.append(f"{title} {values[level]:.2f} at {level}")
    return ", ".join(found) or ABSENT


def _number(value: float | None, style: str) -> str:
    """Return a number with a true minus sign, and never minus zero."""
    if value is None:
        return ABSENT
    text = format(value, style)
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def _level_cell(
    table: MeasurementTable, level: VertebralLevel, column: Column, footnotes: Footnotes
) -> dict[str, object]:
    row = _only(table.where(level=level, compartment=column.part, name=column.name))
    if row is None:
        return footnotes.cell(ABSENT, "not part of this analysis")
    text = _number(row.value, column.style)
    spread = (
        table.value(level=level, compartment=column.part, name=column.name + column.spread) if column.spread else None
    )
    return footnotes.cell(text if spread is None else f"{text} ± {spread:{column.style}}", row.note)


def _signal_cell(
    table: MeasurementTable,
    place: tuple[VertebralLevel | None, Compartment | Structure | None],
    sequence: Modality,
    footnotes: Footnotes,
) -> dict[str, object]:
    level, part = place
    name = f"{sequence.lower()}_signal_intensity"
    row = _only(table.where(level=level, compartment=part, name=name))
    if row is None:
        return footnotes.cell(ABSENT, "not part of this analysis")
    sd = table.value(level=level, compartment=part, name=f"{name}_sd")
    text = _number(row.value, ".4g")
    return footnotes.cell(text if sd is None else f"{text} ± {sd:.3g}", row.note)


def _only(rows: MeasurementTable) -> Measurement | None:
    return next(iter(rows), None)
