"""JSON values into the data classes of a model card, by their type hints and the rules of `card_schema`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import get_args, get_origin, get_type_hints

from .card_schema import ANY_TEXT, NUMBER, Schema, is_required, merged, rules_of, types_of

MOST_NESTED = 40
MOST_VALUES = 1_000_000


class Misfit(Exception):
    """A value that is not what its place needs.

    Parameters
    ----------
    place : str
        E.g. ``inputs[3].scale``; empty for the whole.
    what : str
        What it must be, or what is wrong with it.
    """

    def __init__(self, place: str, what: str) -> None:
        super().__init__(place, what)
        self.place = place
        self.what = what


def read(hint: object, schema: Schema, value: object, place: str) -> object:
    """Return a JSON value as what `hint` says.

    Parameters
    ----------
    hint : type
        Of a field of a model card; the card itself, too.
    schema : dict
        What it must be, as `card_schema.rules_of` gives it; the data classes below have their own.
    value : object
        Nested no deeper than `MOST_NESTED` (see `check_plain`).
    place : str

    Raises
    ------
    Misfit
    """
    options = types_of(hint)
    if len(options) > 1:
        return _one_of(options, schema, value, place)
    kind = get_origin(hint) or hint
    if kind is object:
        return value
    if is_dataclass(kind):
        return _object(kind, value, place)
    if kind not in _READERS:
        return _member(kind, value, place)
    if not fits(value, schema):
        raise _misfit(value, _words(schema), place)
    return _READERS[kind](hint, schema, value, place)


def fits(value: object, schema: Schema) -> bool:
    """Return whether a value itself (not what it holds) is what a schema says."""
    if "type" in schema and not _is(value, schema["type"]):
        return False
    return all(test(value, schema[keyword]) for keyword, test in _TESTS.items() if keyword in schema)


def check_plain(value: object, place: str = "") -> None:
    """Make sure that JSON values hold only finite numbers and texts of usual length, and are neither many nor deep.

    Raises
    ------
    Misfit
    """
    waiting: list[tuple[object, tuple, int]] = [(value, (), 0)]
    count = 0
    while waiting:
        found, trail, depth = waiting.pop()
        count += len(found) if isinstance(found, dict | list) else 0
        if count > MOST_VALUES:
            raise Misfit(place, f"more than {MOST_VALUES:,} values")
        if depth > MOST_NESTED:
            raise Misfit(place, f"nested more than {MOST_NESTED} deep")
        if isinstance(found, dict):
            wrong = [key for key in found if not fits(key, ANY_TEXT)]
            if wrong:
                raise _misfit(wrong[0], _words(ANY_TEXT), f"{_at(place, *_keys(trail))}, key".removeprefix(", "))
            waiting += [(inner, (trail, key), depth + 1) for key, inner in found.items()]
        elif isinstance(found, list):
            waiting += [(inner, (trail, n), depth + 1) for n, inner in enumerate(found)]
        elif not (found is None or isinstance(found, bool)):
            schema = ANY_TEXT if isinstance(found, str) else NUMBER
            if not fits(found, schema):
                raise _misfit(found, _words(schema), _at(place, *_keys(trail)))


def _keys(trail: tuple) -> list[object]:
    """Return the keys that lead to a place, outermost first."""
    keys: list[object] = []
    while trail:
        trail, key = trail
        keys.insert(0, key)
    return keys


def _at(place: str, *keys: object) -> str:
    for key in keys:
        place += f"[{key}]" if isinstance(key, int) else f".{short(key)}"
    return place.removeprefix(".")


def short(value: object, most: int = 60) -> str:
    """Return a value from a file as it can stand in a message: one short line."""
    text = value if isinstance(value, str) else _called(value)
    text = text[:most] + ("…" if len(text) > most else "")
    return "".join(character if character.isprintable() else "?" for character in text)


def _misfit(value: object, must: str, place: str) -> Misfit:
    """Return what to say of a value that is something else than it must be."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    found = _number_text(value) if is_number else short(value)
    return Misfit(place, f"must be {must}, not " + (f"'{found}'" if isinstance(value, str) else found))


def _words(schema: Schema) -> str:
    """Return what a value must be."""
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    return schema.get("description") or _NAMES[schema["type"]]


def _number_text(value: float) -> str:
    try:
        return f"{value:.6g}"
    except OverflowError:  # a whole number above 1e308
        return "a number with hundreds of digits"


def _one_of(options: tuple, schema: Schema, value: object, place: str) -> object:
    """Read a value that may be null, or a member of one of several enumerations."""
    if value is None and NoneType in options:
        return None
    usable = [(option, own) for option, own in zip(options, schema["anyOf"]) if option is not NoneType]
    rest = {key: rule for key, rule in schema.items() if key != "anyOf"}
    if len(usable) == 1:
        option, own = usable[0]
        return read(option, merged(own, rest), value, place)
    members = {str(member): member for option, _ in usable for member in option}
    if not isinstance(value, str) or value not in members:
        raise _misfit(value, f"one of {', '.join(members)}, or null", place)
    return members[value]


def _member(kind: type, value: object, place: str) -> object:
    members = [str(member) for member in kind]
    if not isinstance(value, str) or value not in members:
        raise _misfit(value, f"one of {', '.join(members)}", place)
    return kind(value)


@cache
def _plan(kind: type) -> Mapping[str, tuple[object, Schema, bool]]:
    """Return type, schema and whether it is required, of each field."""
    hints = get_type_hints(kind)
    return {
        known.name: (hints[known.name], rules_of(kind, known.name, hints[known.name]), is_required(known))
        for known in fields(kind)
    }


def _object(kind: type, value: object, place: str) -> object:
    if not isinstance(value, dict):
        raise _misfit(value, "an object", place)
    plan = _plan(kind)
    for key in value:
        if key not in plan:
            raise Misfit(place, f"'{short(key)}' is unknown (known are {', '.join(plan)})")
    missing = [name for name, (_, _, required) in plan.items() if required and name not in value]
    if missing:
        raise Misfit(place, f"'{missing[0]}' is missing")
    found = {name: read(*plan[name][:2], value[name], _at(place, name)) for name in plan if name in value}
    return kind(**found)


def _list(hint: object, schema: Schema, value: list, place: str) -> tuple:
    item = get_args(hint)[0]
    return tuple(read(item, schema["items"], inner, _at(place, n)) for n, inner in enumerate(value))


def _mapping(hint: object, schema: Schema, value: dict, place: str) -> dict:
    key_kind, kind = get_args(hint)
    for key in value:
        if not fits(key, schema["propertyNames"]):
            raise _misfit(key, _words(schema["propertyNames"]), f"{place}, key")
    inner = schema["additionalProperties"]
    found = {key_kind(key): read(kind, inner, one, _at(place, key)) for key, one in value.items()}
    if len(found) < len(value):
        raise Misfit(place, "has a key twice, written differently")
    return dict(sorted(found.items())) if key_kind is float else found


def _as_is(_hint: object, _schema: Schema, value: object, _place: str) -> object:
    return value


def _converted(hint: Callable, _schema: Schema, value: float, _place: str) -> float:
    return hint(value)


_READERS: Mapping[object, Callable] = {
    tuple: _list,
    Mapping: _mapping,
    str: _as_is,
    bool: _as_is,
    float: _converted,
    int: _converted,
}

_TESTS: Mapping[str, Callable[..., bool]] = {
    "minimum": lambda value, limit: value >= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
    "maxLength": lambda value, limit: len(value) <= limit,
    "pattern": lambda value, limit: re.fullmatch(limit, value) is not None,
    "minItems": lambda value, limit: len(value) >= limit,
    "maxItems": lambda value, limit: len(value) <= limit,
    "uniqueItems": lambda value, _: len({repr(item) for item in value}) == len(value),
    "minProperties": lambda value, limit: len(value) >= limit,
    "maxProperties": lambda value, limit: len(value) <= limit,
    "enum": lambda value, limit: value in limit,
}
"""Every keyword that `card_schema` uses; they are asked after the type."""

_NAMES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "array": "a list",
    "object": "an object",
    "boolean": "true or false",
    "null": "null",
}


def _is(value: object, name: str) -> bool:
    """Return whether a value is of a type of JSON Schema: 1.0 is an integer, too; true is none."""
    if name == "integer":
        return _is(value, "number") and float(value) == value and float(value).is_integer()
    kinds = {"string": str, "number": int | float, "array": list, "object": dict, "boolean": bool, "null": NoneType}
    return isinstance(value, kinds[name]) and (name == "boolean" or not isinstance(value, bool))


def _called(value: object) -> str:
    """Return what a value that is no text or number is called: ``true``, ``null``, ``a list``."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value):,}"
    return "a value that JSON has not"
