"""What a model.json may hold, as JSON Schema: for editors, and the rules by which `card_reading` reads one.

Types are those of the fields of `ModelCard` and what it holds; `RULES` says what else a field must be.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

from ..attenuation.phase import Phase
from .card import SCHEMA, Calibration, Input, ModelCard, Performance, Population, Rate, Summary, Threshold

Schema = dict[str, object]

MOST_INPUTS = 10_000
MOST_CHARACTERS = 20_000
LARGEST = 1e100
"""Numbers stay below it, so that what is calculated with them stays finite."""

_NO_CONTROLS = r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
_NO_BREAKS = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"


def _like(description: str, **keywords: object) -> Schema:
    return {"description": description, **keywords}


def _text(description: str, pattern: str, longest: int = MOST_CHARACTERS) -> Schema:
    return _like(f"{description}, at most {longest:,} characters", pattern=f"^{pattern}$", maxLength=longest)


def _list_to(longest: int, **keywords: object) -> Schema:
    return _like(f"a list of at most {longest:,} entries", maxItems=longest, **keywords)


def _object_to(longest: int, **keywords: object) -> Schema:
    return _like(f"an object of at most {longest:,} entries", maxProperties=longest, **keywords)


ANY_TEXT: Schema = {"type": "string", **_text("text without control characters", f"{_NO_CONTROLS}*")}
NUMBER: Schema = {"type": "number", **_like("a number", exclusiveMinimum=-LARGEST, exclusiveMaximum=LARGEST)}
_COUNT: Schema = {"type": "integer", **_like("a whole number from 0 to 1,000,000,000", minimum=0, maximum=10**9)}
_TEXT = _text("text, not empty and without control characters", rf"(?=\s*\S){_NO_CONTROLS}*")
_LINE = _text("one line of text, not empty", rf"(?=\s*\S){_NO_BREAKS}*", 500)
_LINE_OR_NONE = _text("one line of text", f"{_NO_BREAKS}*", 500)
_SHARE = _like("a number from 0 to 1", minimum=0, maximum=1)
_POSITIVE = _like("a number above 0", exclusiveMinimum=0)
_ONCE = _like("a list without repetitions", uniqueItems=True)
KIND: Schema = {**ANY_TEXT, **_LINE}
_LINES = {"propertyNames": _LINE, "additionalProperties": _LINE_OR_NONE}
_PROBABILITY = _like(
    "a probability, written as 0.05", pattern=r"^(0(\.[0-9]{1,25})?|1(\.0)?|[0-9](\.[0-9]{1,25})?e-[0-9]{1,3})$"
)

RULES: Mapping[tuple[type, str], Schema] = {
    (ModelCard, "name"): _text("lower-case letters, digits and hyphens between them", "[a-z0-9]+(-[a-z0-9]+)*", 100),
    (ModelCard, "version"): _text("a version such as 1.0", "[0-9A-Za-z]+([.+-][0-9A-Za-z]+)*", 50),
    **{(ModelCard, name): _LINE for name in ("title", "outcome", "licence")},
    **{(ModelCard, name): _TEXT for name in ("intended_use", "not_for", "citation")},
    (ModelCard, "inputs"): _list_to(MOST_INPUTS) | _like(f"a list of 1 to {MOST_INPUTS:,} inputs", minItems=1),
    (ModelCard, "levels"): _ONCE,
    (ModelCard, "protocols"): _object_to(100),
    (ModelCard, "settings"): _object_to(1_000, **_LINES),
    (ModelCard, "thresholds"): _list_to(100),
    (ModelCard, "performance"): _list_to(1_000),
    **{(Input, name): _LINE for name in ("name", "title", "unit")},
    (Input, "protocol_id"): _LINE_OR_NONE,
    (Input, "levels"): _ONCE,
    (Input, "least"): _like("a whole number from 1", minimum=1),
    (Input, "scale"): _POSITIVE,
    (Input, "terms"): _list_to(MOST_INPUTS),
    (Input, "coefficients"): _list_to(MOST_INPUTS),
    (Summary, "sd"): _like("a number from 0", minimum=0),
    (Summary, "quantiles"): _object_to(1_000, propertyNames=_PROBABILITY),
    (Rate, "value"): _SHARE,
    (Rate, "interval"): {"items": _SHARE},
    **{(Threshold, name): _LINE for name in ("name", "below", "above")},
    (Threshold, "at_value"): {"enum": ["below", "above"]},
    (Performance, "data"): {"enum": ["apparent", "internal", "external"]},
    (Performance, "metric"): _LINE,
    (Population, "text"): _TEXT,
    (Population, "sex"): {"items": {"enum": ["F", "M"]}, **_ONCE},
    (Population, "age"): {"items": _like("an age in years", minimum=0, maximum=150)},
    (Population, "acquisitions"): _list_to(1_000, items=_LINES),
    (Population, "phases"): {"items": {"enum": [str(phase) for phase in Phase]}, **_ONCE},
    (Population, "groups"): _object_to(100, propertyNames=_LINE),
    (Calibration, "kind"): {"enum": ["logistic", "isotonic"]},
    (Calibration, "slope"): _POSITIVE,
    (Calibration, "x"): _list_to(MOST_INPUTS, items=_SHARE),
    (Calibration, "y"): _list_to(MOST_INPUTS, items=_SHARE),
}
"""What a field must be besides its type, in the words of JSON Schema."""


def model_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of model.json.

    What concerns several fields at once (their order, what belongs to what) it cannot say; `card_file` checks it.
    """
    kind = {"type": "object", "properties": {"kind": KIND}, "required": ["kind"]}
    own: Schema = {
        "$schema": {"type": "string"},
        "schema": {"type": "integer", "minimum": 1, "maximum": SCHEMA},
        "predictor": {"anyOf": [kind, {"type": "null"}]},
    }
    found = schema_of_kind(ModelCard, "Risk model of OVFRisk")
    found["properties"] = own | found["properties"]
    found["required"] = ["schema", "predictor", *found["required"]]
    return found


def schema_of_kind(kind: type, title: str) -> Schema:
    """Return the JSON Schema (draft 2020-12) of a data class and of what it holds."""
    own = _object(kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **own,
        "$defs": {held.__name__: _definition(held) for held in sorted(_held(kind, set()), key=_name)},
    }


def rules_of(owner: type, name: str, hint: object) -> Schema:
    """Return the schema of one field: that of its type, and its `RULES`."""
    return merged(schema_of(hint), RULES.get((owner, name), {}))


def schema_of(hint: object) -> Schema:
    """Return the schema of a type that stands in a model card."""
    options, arguments = types_of(hint), get_args(hint)
    if len(options) > 1:
        return {"anyOf": [schema_of(option) for option in options]}
    match get_origin(hint) or hint:
        case origin if origin is tuple and arguments[-1] is ...:
            return {"type": "array", "items": schema_of(arguments[0])}
        case origin if origin is tuple:  # all of one type
            return {"type": "array", "items": schema_of(arguments[0])} | _sizes(len(arguments))
        case origin if origin is Mapping:
            return {"type": "object", "propertyNames": dict(ANY_TEXT), "additionalProperties": schema_of(arguments[1])}
        case origin:
            return dict(_PLAIN[origin]) if origin in _PLAIN else {"$ref": f"#/$defs/{origin.__name__}"}


def types_of(hint: object) -> tuple[object, ...]:
    """Return the types of a union; of anything else, itself."""
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)


def is_required(known: Field) -> bool:
    """Return whether a field has no default, so that a file has to give it."""
    return known.default is MISSING and known.default_factory is MISSING


_PLAIN: Mapping[object, Schema] = {
    str: ANY_TEXT,
    float: NUMBER,
    int: _COUNT,
    bool: {"type": "boolean", "description": "true or false"},
    NoneType: {"type": "null"},
    object: {},
}


def _object(kind: type) -> dict[str, dict]:
    hints = get_type_hints(kind)
    properties = {known.name: rules_of(kind, known.name, hints[known.name]) for known in fields(kind)}
    required = [known.name for known in fields(kind) if is_required(known)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _definition(kind: type) -> Schema:
    return _object(kind) if is_dataclass(kind) else {"enum": [str(member) for member in kind]}


def _held(hint: object, found: set[type]) -> set[type]:
    """Return the data classes and enumerations that a type leads to."""
    for inner in get_args(hint):
        _held(inner, found)
    if is_dataclass(hint) and hint not in found:
        found.add(hint)
        for inner in get_type_hints(hint).values():
            _held(inner, found)
    elif isinstance(hint, type) and issubclass(hint, StrEnum):
        found.add(hint)
    return found


def _sizes(size: int) -> Schema:
    return {"description": f"a list of {size} numbers", "minItems": size, "maxItems": size}


def merged(schema: Schema, more: Schema) -> Schema:
    """Return a schema with the keywords of another added, or in place of its own."""
    nested = {key: merged(schema[key], more[key]) for key in more if isinstance(schema.get(key), dict)}
    return {**schema, **more, **nested}


def _name(kind: type) -> str:
    return kind.__name__
