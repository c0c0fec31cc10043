"""The result folder of an earlier analysis, read for an update: what it was made from, and its features.

The folder comes from outside: everything in it is checked before it is used.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..anatomy import Region, VertebralLevel
from ..ct_features import EarlierFeatures
from ..errors import UserError
from ..level_measurements import PARTS
from ..measurement import MeasurementTable
from ..models.strict_json import read_json
from ..radiomics import Features
from .read_features import read_features

_HELP = "Analyse the patient afresh, without --update."
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class EarlierResult:
    """An analysis that is to be updated.

    Parameters
    ----------
    folder : Path
    subject, version : str
        Version of OVFRisk that made it.
    settings : mapping
    ct_regions : mapping of str to str
        Fingerprint of each region of the CT's label map, by name.
    features : EarlierFeatures
    """

    folder: Path
    subject: str
    version: str
    settings: Mapping[str, object]
    ct_regions: Mapping[str, str]
    features: EarlierFeatures


def read_earlier_result(folder: Path) -> EarlierResult:
    """Read the folder that `ovfrisk analyze` wrote.

    Raises
    ------
    UserError
        When it cannot be read, or is no such folder.
    """
    run = read_run(folder)
    image = _object(folder, _object(folder, run, "images"), "CT")
    regions = _object(folder, run, "regions")
    warnings = _object(folder, run, "warnings")
    table = read_features(folder / "features.csv") if regions else MeasurementTable()
    features = {
        region: _features(folder, table, region, _object(folder, regions, name), warnings.get(name, []))
        for name, region in _named(folder, regions).items()
    }
    masks = {region: _text(folder, regions[str(region)], "mask") for region in features}
    return EarlierResult(
        folder=folder,
        subject=_text(folder, run, "subject"),
        version=_text(folder, _object(folder, run, "software"), "ovfrisk"),
        settings=_object(folder, run, "settings"),
        ct_regions=_texts(folder, run, "ct_regions"),
        features=EarlierFeatures(_text(folder, image, "hash"), features, masks),
    )


def read_run(folder: Path) -> dict[str, object]:
    """Return what the run manifest of a result folder holds.

    Raises
    ------
    UserError
        When it cannot be read or is no manifest.
    """
    path = folder / "run.json"
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{folder} holds no result of an analysis ({error.strerror}).", _HELP) from error
    run = read_json(data, str(path)) if len(data) <= _MOST_BYTES else None
    if not isinstance(run, dict):
        raise UserError(f"{path} is no manifest of an analysis.", _HELP)
    return run


def _named(folder: Path, regions: Mapping[str, object]) -> dict[str, Region]:
    known = {str(region): region for region in (Region(part, level) for level in VertebralLevel for part in PARTS)}
    for name in regions:
        if name not in known:
            raise _wrong(folder, f"'{name}' under 'regions' is no region")
    return {name: known[name] for name in regions}


def _features(
    folder: Path, table: MeasurementTable, region: Region, facts: Mapping[str, object], warnings: object
) -> Features:
    """Return the features of one region: values from the table, the rest from the manifest."""
    rows = table.where(level=region.level, compartment=region.part).rows
    protocols = {row.protocol_id for row in rows}
    if len(protocols) != 1:
        raise UserError(f"The table of features in {folder} does not fit its run.json ({region}).", _HELP)
    values = {row.name: row.value for row in rows if row.value is not None}
    absent = _texts(folder, facts, "absent")
    if {row.name for row in rows if row.value is None and row.name in absent} != set(absent):
        raise UserError(f"The table of features in {folder} does not fit its run.json ({region}).", _HELP)
    if not isinstance(warnings, list) or not all(isinstance(text, str) for text in warnings):
        raise _wrong(folder, f"the warnings on {region} are no texts")
    diagnostics = _object(folder, facts, "diagnostics")
    if not _plain(diagnostics):
        raise _wrong(folder, f"the diagnostics of {region} are not valid")
    return Features(values, absent, diagnostics, tuple(warnings), protocols.pop())


def _plain(value: object, depth: int = 0) -> bool:
    """Whether a value is what diagnostics hold: finite numbers and texts, in lists and objects."""
    if isinstance(value, dict):
        return depth < 4 and all(_plain(part, depth + 1) for part in value.values())
    if isinstance(value, list):
        return depth < 4 and all(_plain(part, depth + 1) for part in value)
    return isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))


def _object(folder: Path, values: Mapping[str, object], key: str) -> dict[str, object]:
    found = values.get(key)
    if not isinstance(found, dict):
        raise _wrong(folder, f"'{key}' is missing")
    return found


def _text(folder: Path, values: Mapping[str, object], key: str) -> str:
    found = values.get(key)
    if not isinstance(found, str):
        raise _wrong(folder, f"'{key}' is missing")
    return found


def _texts(folder: Path, values: Mapping[str, object], key: str) -> dict[str, str]:
    found = _object(folder, values, key)
    if not all(isinstance(text, str) for text in found.values()):
        raise _wrong(folder, f"'{key}' holds other things than texts")
    return found


def _wrong(folder: Path, why: str) -> UserError:
    return UserError(f"{folder / 'run.json'} is not valid, or of an older OVFRisk: {why}.", _HELP)
