"""The JSON Schema of a design file."""

from ...models.card_schema import Schema, schema_of_kind
from .design import SCHEMA, Design


def design_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a design; what concerns several places `checks` looks at."""
    found = schema_of_kind(Design, "Study design of OVFRisk")
    found["properties"]["schema"] = {"type": "integer", "minimum": 1, "maximum": SCHEMA}
    return found
