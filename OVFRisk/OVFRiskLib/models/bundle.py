"""Bundles: a model in one file, either a zip (``.ovfrisk``) or, where it has no weights, its ``model.json`` alone."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UserError
from .bundle_zip import MOST_BYTES, pack, unpack
from .card import SCHEMA, ModelCard, Origin
from .card_file import card_from_dict, card_to_dict, refusal
from .card_reading import Misfit, check_plain, fits
from .card_schema import KIND
from .predictors.base import Predictor
from .strict_json import read_json

SUFFIX = ".ovfrisk"
CARD = "model.json"
_MOST_BYTES = {SUFFIX: MOST_BYTES + 2**20, ".json": 16 * 2**20}
_NOT_OF_CARD = ("$schema", "schema", "predictor")
_HELP = f"Give a model of OVFRisk: a file {SUFFIX}, or a {CARD}."


@dataclass(frozen=True)
class Bundle:
    """What a model's file holds.

    Parameters
    ----------
    card : ModelCard
    predictor : mapping or None
        The JSON object that describes the predictor, with its ``kind``; None where nothing is published. Only its
        layout as JSON is checked here.
    parts : mapping of str to bytes
        The weight files, by name.
    id : str
        ``name-version-<hash>`` of all that is in it, however the file is laid out.
    """

    card: ModelCard
    predictor: Mapping[str, object] | None
    parts: Mapping[str, bytes] = field(repr=False)
    id: str


def read_bundle(path: Path) -> Bundle:
    """Return what a model's file holds; nothing of it is run or written anywhere.

    Raises
    ------
    UserError
        When it cannot be read, or anything in it is not as it must be: the first such thing is named.
    """
    if path.suffix not in _MOST_BYTES:
        raise UserError(f"{path.name} is no model.", _HELP)
    return _bundle(_content(path), path)


def write_bundle(path: Path, card: ModelCard, predictor: Predictor | None) -> None:
    """Write a model; the same model always gives the same bytes.

    Parameters
    ----------
    path : Path
        ``.ovfrisk``, or ``.json`` where the predictor has no weight files. An existing file is replaced.
    card : ModelCard
    predictor : Predictor or None
        None where its numbers are not published.

    Raises
    ------
    UserError
        When `read_bundle` would refuse it, or the file cannot be written.
    """
    if path.suffix not in _MOST_BYTES:
        raise UserError(f"{path.name} is no name of a model.", f"Give it the suffix {SUFFIX}.")
    spec, parts = predictor.parts() if predictor is not None else (None, {})
    if path.suffix == ".json" and parts:
        raise UserError(f"The model has weights: {', '.join(parts)}.", f"Give its file the suffix {SUFFIX}.")
    document = {"schema": SCHEMA, "predictor": spec, **card_to_dict(card)}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    data = text if path.suffix == ".json" else pack({**parts, CARD: text})
    _bundle(data, path)
    _replace(path, data)


def _content(path: Path) -> bytes:
    most = _MOST_BYTES[path.suffix]
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UserError(f"The model {path} cannot be read: {error.strerror}.", _HELP) from error
    if len(data) > most:
        raise UserError(f"{path.name} is larger than {most // 2**20} MiB.", _HELP)
    return data


def _bundle(data: bytes, path: Path) -> Bundle:
    """Return what the bytes of a file hold; its path is for the messages, and says of which kind it is."""
    if path.suffix == ".json":
        return _checked(data, {}, path.name)
    members = unpack(data, path.name)
    if CARD not in members:
        raise UserError(f"{path.name} has no {CARD}.", _HELP)
    return _checked(members.pop(CARD), members, f"{path.name}: {CARD}")


def _checked(data: bytes, parts: Mapping[str, bytes], where: str) -> Bundle:
    document = _document(data, where)
    try:
        predictor = _predictor(document, parts)
    except Misfit as misfit:
        raise refusal(misfit, where) from None
    card = card_from_dict({key: value for key, value in document.items() if key not in _NOT_OF_CARD}, where)
    if (predictor is None) != (card.origin is Origin.NOT_PUBLISHED):
        raise refusal(Misfit("predictor", f"must be null exactly where origin is '{Origin.NOT_PUBLISHED}'"), where)
    return Bundle(card, predictor, parts, _id(card, predictor, parts))


def _document(data: bytes, where: str) -> dict[str, object]:
    """Return the object in model.json, with its version checked."""
    if len(data) > _MOST_BYTES[".json"]:
        raise UserError(f"{where} is larger than {_MOST_BYTES['.json'] // 2**20} MiB.", _HELP)
    found = read_json(data, where)
    version = found.get("schema") if isinstance(found, dict) else None
    whole = isinstance(version, int | float) and not isinstance(version, bool) and version % 1 == 0
    if not whole or version < 1:
        raise UserError(f"{where} is no model: it has no 'schema' that is a whole number from 1.", _HELP)
    if version > SCHEMA:
        raise UserError(f"{where} was made by a newer OVFRisk.", "Update OVFRisk to use this model.")
    return found


def _predictor(document: Mapping[str, object], parts: Mapping[str, bytes]) -> Mapping[str, object] | None:
    """Return the description of the predictor, of which only the layout as JSON and `kind` are checked."""
    if not isinstance(document.get("$schema", ""), str):
        raise Misfit("$schema", "must be text")
    if "predictor" not in document:
        raise Misfit("", "'predictor' is missing")
    predictor = document["predictor"]
    check_plain(predictor, "predictor")
    if predictor is None and parts:
        raise Misfit("predictor", f"is null, but there are weights ({', '.join(parts)})")
    if predictor is not None and not (isinstance(predictor, dict) and fits(predictor.get("kind"), KIND)):
        raise Misfit("predictor", "must be an object with its 'kind', or null")
    return predictor


def _id(card: ModelCard, predictor: Mapping[str, object] | None, parts: Mapping[str, bytes]) -> str:
    document = {"schema": SCHEMA, "predictor": predictor, **card_to_dict(card)}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    sums = [f"{hashlib.sha256(parts[name]).hexdigest()}  {name}" for name in sorted(parts)]
    found = hashlib.sha256("\n".join([text, *sums]).encode())
    return f"{card.name}-{card.version}-{found.hexdigest()[:12]}"


def _replace(path: Path, data: bytes) -> None:
    """Write a file by rename from one beside it."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UserError(f"The model {path} cannot be written: {error.strerror}.", "Choose another folder.") from error
