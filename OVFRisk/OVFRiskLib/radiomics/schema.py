"""What a protocol file may hold, as JSON Schema: for editors that complete and check while a protocol is written."""

from collections.abc import Iterable, Mapping

from .classes import FEATURES
from .settings import FILTERS, OURS, PREPROCESSING, TEXTURE, Setting

_TEXT = {"type": "string", "minLength": 1}


def protocol_schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of protocol files; `Protocol` accepts exactly what is valid."""
    general = PREPROCESSING | TEXTURE | OURS
    settings = general | {name: known for own in FILTERS.values() for name, known in own.items()}
    texts = dict.fromkeys(("name", "title", "purpose", "source"), _TEXT)
    blocks = {
        "setting": _settings(general),
        "imageType": _object({name: _image_type(own) for name, own in FILTERS.items()}) | {"minProperties": 1},
        "featureClass": _object({name: _features(known) for name, known in FEATURES.items()}) | {"minProperties": 1},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Radiomics protocol of OVFRisk",
        **_object({"$schema": {"type": "string"}, **texts, **blocks}),
        "required": [*texts, "imageType", "featureClass"],
        "$defs": {name: _definition(settings[name]) for name in sorted(settings)},
    }


def _definition(known: Setting) -> dict[str, object]:
    return dict(known.rule.schema) if known.required else {**known.rule.schema, "default": known.default}


def _settings(names: Iterable[str]) -> dict[str, object]:
    return _object({name: {"$ref": f"#/$defs/{name}"} for name in sorted(names)})


def _image_type(own: Mapping[str, Setting]) -> dict[str, object]:
    settings = _settings({**own, **TEXTURE})
    required = [name for name, known in own.items() if known.required]
    return settings | {"required": required} if required else {"anyOf": [settings, {"type": "null"}]}


def _features(known: Iterable[str]) -> dict[str, object]:
    features = {"type": "array", "items": {"enum": list(known)}}
    return {"description": "[] or null: all usual ones", "anyOf": [features, {"type": "null"}]}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}
