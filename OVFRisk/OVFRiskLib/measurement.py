"""Measurements: values with unit, provenance and quality; the currency between measuring, tables and export."""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .anatomy import Compartment, Structure, VertebralLevel


class Quality(StrEnum):
    """How far a value can be trusted."""

    OK = "ok"
    FLAGGED = "flagged"  # measured, but read the note
    ABSENT = "absent"  # could not be measured; the note says why


@dataclass(frozen=True, slots=True)
class Source:
    """Hashes of what a value was measured from, so that an edit shows which values are stale."""

    image: str = ""
    mask: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number, or the reason why there is none.

    Parameters
    ----------
    subject : str
        A code, never a patient's name.
    level : VertebralLevel or None
        None for values of the whole patient.
    compartment : Compartment, Structure or None
    name : str
        The field's standard term, e.g. ``anterior_height``.
    value : float or None
        Finite; None where it could not be measured.
    unit : str
        UCUM code; ``1`` for a ratio.
    protocol_id : str
        What fixes the value: values of different protocols never mix.
    source : Source
    quality : Quality
    note : str
        Required for every quality but OK.
    """

    subject: str
    level: VertebralLevel | None
    compartment: Compartment | Structure | None
    name: str
    value: float | None
    unit: str
    protocol_id: str
    source: Source = Source()
    quality: Quality = Quality.OK
    note: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.quality is Quality.ABSENT):
            raise ValueError(f"{self.name}: a value is None exactly where its quality is 'absent'")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"{self.name}: {self.value} is no measurement")
        if self.quality is not Quality.OK and not self.note:
            raise ValueError(f"{self.name}: quality '{self.quality}' needs a note")


class MeasurementTable:
    """An ordered, immutable set of measurements.

    Two measurements may not share subject, level, compartment, name and protocol.
    """

    def __init__(self, rows: Iterable[Measurement] = ()) -> None:
        self.rows = tuple(rows)
        self._by_key = {_key(row): row for row in self.rows}
        if len(self._by_key) != len(self.rows):
            seen: set[tuple] = set()
            twice = next(row for row in self.rows if _key(row) in seen or seen.add(_key(row)))
            raise ValueError(f"measured twice: {twice.level} {twice.compartment} {twice.name}")

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, other: "MeasurementTable") -> "MeasurementTable":
        return MeasurementTable(self.rows + other.rows)

    def where(self, **fields: object) -> "MeasurementTable":
        """Return the rows whose fields equal all given values, e.g. ``where(level=L1, name="volume")``."""
        return MeasurementTable(r for r in self.rows if all(getattr(r, k) == v for k, v in fields.items()))

    def value(self, **fields: object) -> float | None:
        """Return the value of the one row that matches; None where it is absent or there is none.

        Raises
        ------
        LookupError
            When several rows match.
        """
        rows = self.where(**fields).rows
        if len(rows) > 1:
            raise LookupError(f"{len(rows)} rows match {fields}")
        return rows[0].value if rows else None

    def stale(self, current: Mapping[Source, Source]) -> "MeasurementTable":
        """Return the rows whose source is no longer the current one (`current` maps then to now)."""
        return MeasurementTable(row for row in self.rows if current.get(row.source, row.source) != row.source)


def _key(row: Measurement) -> tuple:
    return (row.subject, row.level, row.compartment, row.name, row.protocol_id)


_UNITS = {"1": "", "a": "years", "mg/cm3": "mg/cm³", "cm3": "cm³", "cm2": "cm²", "[hnsf'U]": "HU", "deg": "°"}


def unit_text(unit: str) -> str:
    """Return a UCUM unit as readers write it; nothing for a ratio."""
    return _UNITS.get(unit, unit)


def protocol_id(name: str, settings: Mapping[str, object]) -> str:
    """Return ``name-<hash of settings>``: the id of what fixes a value.

    The hash is of canonical JSON, so it does not depend on the order of the keys.
    """
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
