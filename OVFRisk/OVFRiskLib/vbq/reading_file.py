"""The file of a reading: JSON with a version, checked entry by entry when it is read."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from ..anatomy import Compartment, Structure, VertebralLevel
from ..errors import UserError
from ..image import Modality
from ..measurement import Measurement, MeasurementTable, Quality, Source
from .regions import Regions, RegionSettings

SCHEMA = "ovfrisk-vbq-reading/1"
# Far above what an exam gives (some 60 rows, 7 regions, 64 corners, about 60 kB): a larger file is no reading.
_MOST_BYTES = 5_000_000
_MOST_ROWS = 2_000
_MOST_ROIS = 50
_MOST_CORNERS = 5_000
_LONGEST_TEXT = 10_000
_MOST_FACTS = 100
_HELP = "Give a *.reading.json of OVFRisk that nobody has edited, or read the exam again."
_ROW = ("level", "compartment", "name", "value", "unit", "protocol_id", "image", "mask", "quality", "note")
_FIELDS = {
    "reader": str,
    "time": str,
    "subject": str,
    "regions": dict,
    "measurements": list,
    "statistic": str,
    "fractured": list,
    "images": dict,
    "acquisition": dict,
    "software": str,
}


def to_plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a reading as plain data for JSON."""
    return {
        "schema": SCHEMA,
        **fields,
        "time": fields["time"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "regions": fields["regions"].to_dict(),
        "measurements": [_plain_row(row) for row in fields["measurements"]],
        "fractured": [str(level) for level in fields["fractured"]],
        "images": {str(sequence): found for sequence, found in fields["images"].items()},
        "acquisition": {str(sequence): dict(facts) for sequence, facts in fields["acquisition"].items()},
    }


def _plain_row(row: Measurement) -> dict[str, Any]:
    return {
        "level": row.level and str(row.level),
        "compartment": row.compartment and str(row.compartment),
        "name": row.name,
        "value": row.value,
        "unit": row.unit,
        "protocol_id": row.protocol_id,
        "image": row.source.image,
        "mask": row.source.mask,
        "quality": str(row.quality),
        "note": row.note,
    }


def write_plain(path: Path, data: Mapping[str, Any], overwrite: bool) -> None:
    """Write `data` as JSON by rename from a file beside it.

    Raises
    ------
    UserError
        When the file exists and may not be replaced, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise UserError(f"The reading {path} exists.", "Choose another name, or allow to overwrite it.")
    text = json.dumps(data, indent=1, allow_nan=False) + "\n"
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.write_text(text, "utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise UserError(f"The reading {path} cannot be written: {error.strerror}.", "Choose another folder.") from error
    finally:
        partial.unlink(missing_ok=True)


def read_plain(path: Path) -> dict[str, Any]:
    """Return what the file holds, with its version and its entries' names and kinds checked.

    Raises
    ------
    UserError
        When it cannot be read, is too large, no JSON, of another version or has other entries.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path} is too large for a reading (over {_MOST_BYTES:,} bytes).", _HELP)
        data = json.loads(path.read_text("utf-8"), parse_constant=_no_number, parse_float=_finite)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"The reading {path} cannot be read: {error}.", _HELP) from error
    if not isinstance(data, dict) or not isinstance(data.get("schema"), str):
        raise UserError(f"{path} is no reading.", _HELP)
    if data["schema"] != SCHEMA:
        raise UserError(
            f"{path} is of version '{data['schema'][:40]}'; this OVFRisk reads '{SCHEMA}'.",
            "Use the version of OVFRisk that wrote it.",
        )
    _check_entries(f"The reading {path}", data)
    return data


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # 1e999
        raise ValueError(f"{text} is too large")
    return value


def _check_entries(name: str, data: Mapping[str, Any]) -> None:
    wanted, found = {"schema", *_FIELDS}, set(data)
    if wanted != found:
        wrong = [f"lacks {key}" for key in sorted(wanted - found)]
        wrong += [f"has the unknown {key[:40]}" for key in sorted(found - wanted)]
        raise UserError(f"{name} does not have the right entries: it {', '.join(wrong)}.", _HELP)
    for key, kind in _FIELDS.items():
        if not isinstance(data[key], kind):
            raise UserError(f"{name}: '{key}' is not valid.", _HELP)


def from_plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a reading from the plain data of a file whose entries `read_plain` has checked.

    Raises
    ------
    UserError
        When an entry is missing or not valid.
    """
    try:
        _check_sizes(data)
        _check_settings(data["regions"]["settings"])
        subject = _text(data["subject"])
        return {
            "reader": _text(data["reader"]),
            "time": _time(data["time"]),
            "subject": subject,
            "regions": Regions.from_dict(data["regions"]),
            "measurements": MeasurementTable(_row(subject, row) for row in data["measurements"]),
            "statistic": _text(data["statistic"]),
            "fractured": tuple(VertebralLevel(level) for level in data["fractured"]),
            "images": {Modality(sequence): _text(found) for sequence, found in data["images"].items()},
            "acquisition": {Modality(sequence): _facts(facts) for sequence, facts in data["acquisition"].items()},
            "software": _text(data["software"]),
        }
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        kind = "an entry is missing: " if isinstance(error, KeyError) else ""
        raise UserError(f"{kind}{error}.", _HELP) from None


def _check_sizes(data: Mapping[str, Any]) -> None:
    rois, exclusions = data["regions"]["rois"], data["regions"].get("exclusions", ())
    sizes = [
        (len(data["measurements"]), _MOST_ROWS, "measurements"),
        (len(data["fractured"]), len(VertebralLevel), "fractured levels"),
        (len(rois), _MOST_ROIS, "regions"),
        (len(exclusions), _MOST_ROIS, "exclusions"),
        (len(data["regions"].get("motions", {})), len(Modality), "motions"),
        *((len(drawn["outline"]), _MOST_CORNERS, "corners") for drawn in (*rois, *exclusions)),
        *((len(facts), _MOST_FACTS, "acquisition facts") for facts in data["acquisition"].values()),
    ]
    for size, most, what in sizes:
        if size > most:
            raise ValueError(f"{size} {what}, more than {most}")


def _check_settings(settings: Mapping[str, Any]) -> None:
    """What a setting is by default (a number, a range) it is in the file; unknown ones `RegionSettings` refuses."""
    for name, default in asdict(RegionSettings()).items():
        if name in settings and isinstance(default, float | tuple):
            numbers = settings[name] if isinstance(default, tuple) else [settings[name]]
            if not isinstance(numbers, list) or not all(type(n) in (int, float) for n in numbers):
                raise ValueError(f"the setting {name} of the regions is no number")


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{str(value)[:40]!r} is not valid text")
    return value


def _time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    if time.utcoffset() is None:
        raise ValueError(f"the time {value} has no time zone")
    return time


def _facts(facts: Mapping[str, object]) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in facts.items()}


def _row(subject: str, row: Mapping[str, Any]) -> Measurement:
    if set(row) != set(_ROW):
        raise ValueError(f"a measurement needs exactly {', '.join(_ROW)}")
    value = row["value"]
    if value is not None and (type(value) not in (int, float) or not math.isfinite(value)):
        raise ValueError(f"{str(value)[:40]!r} is no finite number")
    return Measurement(
        subject,
        None if row["level"] is None else VertebralLevel(row["level"]),
        None if row["compartment"] is None else _part(row["compartment"]),
        _text(row["name"]),
        None if value is None else float(value),
        _text(row["unit"]),
        _text(row["protocol_id"]),
        Source(_text(row["image"]), _text(row["mask"])),
        Quality(row["quality"]),
        _text(row["note"]),
    )


def _part(text: str) -> Compartment | Structure:
    return Compartment(text) if text in set(Compartment) else Structure(text)
