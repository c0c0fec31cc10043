"""The report's table of the paraspinal muscles, by side."""

from collections.abc import Callable
from dataclasses import dataclass

from ..anatomy import Structure, VertebralLevel
from ..measurement import Measurement, MeasurementTable
from .figures.muscle import MUSCLES
from .report_tables import Footnotes, with_spread
from .report_values import ABSENT, NOT_PART, Lookup, number


@dataclass(frozen=True)
class MuscleRow:
    """A row of the muscle table; `asymmetry` names the measurement of both sides that compares them."""

    title: str
    unit: str
    name: str
    style: str
    spread: str = ""
    scale: float = 1.0
    asymmetry: str = ""
    asymmetry_style: Callable[[float], str] | None = None


_MUSCLE_ROWS = (
    MuscleRow(
        "Volume", "cm³", "muscle_volume", ".0f", "", 1.0, "asymmetry_volume", lambda v: f"{number(100 * v, '+.0f')} %"
    ),
    MuscleRow("Cross-section", "cm²", "cross_section", ".1f"),
    MuscleRow(
        "Attenuation",
        "HU, mean ± SD",
        "mean_attenuation",
        ".0f",
        "_sd",
        1.0,
        "asymmetry_attenuation",
        lambda v: f"{number(v, '+.0f')} HU",
    ),
    MuscleRow("Infiltrated by fat", "%, −190 to −30 HU", "fat_infiltrated_fraction", ".0f", scale=100),
    MuscleRow("Lean", "%, −29 to 150 HU", "lean_fraction", ".0f", scale=100),
)


def muscle_table(table: MeasurementTable) -> dict[str, object] | None:
    """Return the muscles by side: of L1 to L5, else of the level nearest to L3, else why there are none.

    None where the analysis has no row of a muscle.
    """
    lookup = Lookup(table)
    parts = {part for both, (right, left, *_) in MUSCLES.items() for part in (both, right, left)}
    if not any(row.compartment in parts for row in table):
        return None
    slabs = {row.level for row in table if row.compartment in parts}
    measured = [level for level in sorted(slabs, key=_preference) if _any_muscle(lookup, level, parts)]
    if not measured:
        reasons = dict.fromkeys(row.note for row in table if row.compartment in parts and row.note)
        return {"slab": "", "groups": [], "footnotes": [], "absent": "; ".join(reasons)}
    level = measured[0]
    footnotes = Footnotes()
    groups = [
        {
            "name": name,
            "rows": [_muscle_row(lookup, level, (right, left, both), row, footnotes) for row in _MUSCLE_ROWS],
        }
        for both, (right, left, name, _) in MUSCLES.items()
    ]
    return {"slab": str(level) if level else "L1–L5", "groups": groups, "footnotes": footnotes.items(), "absent": ""}


def _preference(level: VertebralLevel | None) -> tuple[int, int]:
    """Return what sorts L1 to L5 as a whole first, then L3 and its neighbours."""
    return (-1, 0) if level is None else (abs(level.rank - VertebralLevel.L3.rank), level.rank)


def _any_muscle(lookup: Lookup, level: VertebralLevel | None, parts: set[Structure]) -> bool:
    return any(lookup.value(level, part, row.name) is not None for part in parts for row in _MUSCLE_ROWS)


def _muscle_row(
    lookup: Lookup, level: VertebralLevel | None, parts: tuple[Structure, ...], row: MuscleRow, footnotes: Footnotes
) -> dict[str, object]:
    cells = [_muscle_cell(lookup.row(level, part, row.name), lookup, row, footnotes) for part in parts]
    compared = lookup.row(level, parts[-1], row.asymmetry) if row.asymmetry else None
    if row.asymmetry:
        text = ABSENT if compared is None or compared.value is None else row.asymmetry_style(compared.value)
        cells.append(footnotes.cell(text, compared.note if compared else NOT_PART))
    else:
        cells.append({"text": "", "marks": []})
    return {"title": row.title, "unit": row.unit, "cells": cells}


def _muscle_cell(found: Measurement | None, lookup: Lookup, row: MuscleRow, footnotes: Footnotes) -> dict[str, object]:
    if found is None:
        return footnotes.cell(ABSENT, NOT_PART)
    spread = lookup.value(found.level, found.compartment, row.name + row.spread) if row.spread else None
    return footnotes.cell(with_spread(found.value, spread, row.style, row.scale), found.note)
