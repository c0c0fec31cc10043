"""The CT part of a record as JSON, saved with a scene; on reading every value is checked: files come from elsewhere."""

import json
import math
from collections.abc import Mapping
from dataclasses import astuple

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..errors import UserError
from ..measurement import Measurement, MeasurementTable, Quality, Source
from ..models.strict_json import read_json
from ..radiomics import Features
from .record import Part

SCHEMA = 1
_HELP = "Measure again; the images and segmentations of the scene are not touched."
_WHERE = "The record in the scene"
_MOST_CHARACTERS = 256 * 2**20
_FIELDS = 9  # of a row besides its source


def part_to_text(part: Part) -> str:
    """Return a part as JSON."""
    regions = {str(name): found for name, found in part.fingerprints.items() if isinstance(name, Region)}
    others = {name: found for name, found in part.fingerprints.items() if not isinstance(name, Region)}
    content = {
        "schema": SCHEMA,
        "measurements": [_row_to_list(row) for row in part.table],
        "features": {str(region): _features_to_dict(found) for region, found in part.features.items()},
        "fingerprints": {"regions": regions, "others": others},
        "references": list(part.references),
        "how": list(part.how),
        "run": dict(part.run),
    }
    return json.dumps(content, allow_nan=False)


def part_from_text(text: str) -> Part:
    """Return the part that `part_to_text` wrote.

    Raises
    ------
    UserError
        When anything in it is not as it is written.
    """
    if len(text) > _MOST_CHARACTERS:
        raise UserError(f"{_WHERE} is too large to be one.", _HELP)
    content = read_json(text.encode(), _WHERE)
    if not isinstance(content, dict):
        raise _wrong("it is no object")
    if content.get("schema") != SCHEMA:
        raise UserError(f"{_WHERE} was made by another version of OVFRisk.", _HELP)
    prints = _object(content, "fingerprints")
    regions = {_region(name): found for name, found in _texts(_object(prints, "regions")).items()}
    try:
        table = MeasurementTable(_row(row) for row in _list(content, "measurements"))
    except (ValueError, TypeError) as error:
        raise _wrong(f"a measurement is not valid ({error})") from error
    return Part(
        table=table,
        features={_region(name): _features(found) for name, found in _object(content, "features").items()},
        fingerprints={**regions, **_texts(_object(prints, "others"))},
        references=tuple(_member(Structure, name) for name in _list(content, "references")),
        how=tuple(_strings(_list(content, "how"))),
        run=_object(content, "run"),
    )


def _row_to_list(row: Measurement) -> list:
    fields = astuple(row)[: _FIELDS - 2]  # astuple turns the source into a tuple, too
    return [*fields, str(row.quality), row.note, row.source.image, row.source.mask]


def _row(fields: object) -> Measurement:
    if not isinstance(fields, list) or len(fields) != _FIELDS + 2:
        raise _wrong("a measurement has another number of fields")
    subject, level, part, name, value, unit, protocol, quality, note, image, mask = fields
    _strings([subject, name, unit, protocol, quality, note, image, mask])
    if value is not None and not _is_number(value):
        raise _wrong(f"the value of '{name}' is no number")
    return Measurement(
        subject=subject,
        level=None if level is None else _member(VertebralLevel, level),
        compartment=None if part is None else _member(Compartment if part in set(Compartment) else Structure, part),
        name=name,
        value=None if value is None else float(value),
        unit=unit,
        protocol_id=protocol,
        source=Source(image, mask),
        quality=_member(Quality, quality),
        note=note,
    )


def _features_to_dict(found: Features) -> dict:
    return {
        "values": dict(found.values),
        "absent": dict(found.absent),
        "diagnostics": dict(found.diagnostics),
        "warnings": list(found.warnings),
        "protocol_id": found.protocol_id,
    }


def _features(entry: object) -> Features:
    if not isinstance(entry, dict) or not isinstance(entry.get("protocol_id"), str):
        raise _wrong("features are not valid")
    values = _object(entry, "values")
    if not all(map(_is_number, values.values())):
        raise _wrong("a feature is no number")
    warnings = tuple(_strings(_list(entry, "warnings")))
    numbers = {name: float(value) for name, value in values.items()}
    return Features(
        numbers, _texts(_object(entry, "absent")), _object(entry, "diagnostics"), warnings, entry["protocol_id"]
    )


def _region(name: str) -> Region:
    level, _space, part = name.rpartition(" ")
    kind = Compartment if part in set(Compartment) else Structure
    try:
        return Region(_member(kind, part), _member(VertebralLevel, level) if level else None)
    except ValueError as error:
        raise _wrong(str(error)) from None


def _member(kind: type, value: object) -> object:
    try:
        return kind(value)
    except ValueError:
        raise _wrong(f"'{value}' is no {kind.__name__}") from None


def _object(values: Mapping[str, object], key: str) -> dict:
    found = values.get(key)
    if not isinstance(found, dict):
        raise _wrong(f"'{key}' is missing")
    return found


def _list(values: Mapping[str, object], key: str) -> list:
    found = values.get(key)
    if not isinstance(found, list):
        raise _wrong(f"'{key}' is missing")
    return found


def _texts(values: dict) -> dict[str, str]:
    _strings(list(values.values()))
    return values


def _strings(values: list) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        raise _wrong("a text is none")
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(why: str) -> UserError:
    return UserError(f"{_WHERE} cannot be read: {why}.", _HELP)
