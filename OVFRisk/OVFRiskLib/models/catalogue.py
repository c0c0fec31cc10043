"""The models that come with OVFRisk: published cut-offs, and models whose numbers were not published."""

from functools import cache
from pathlib import Path

from ..errors import UserError
from ..resources import resource
from .card import Origin
from .model import Model


def model_names() -> tuple[str, ...]:
    """Return the names of the models that come with OVFRisk."""
    return tuple(sorted(path.stem for path in resource("Models").glob("*.json")))


@cache
def catalogued(name: str) -> Model:
    """Return the model of this name.

    Raises
    ------
    UserError
        When there is none, or its file is damaged.
    """
    if name not in model_names():
        raise UserError(f"There is no model '{name}'.", f"Give a bundle's file, or one of: {', '.join(model_names())}.")
    return Model.load(resource("Models", f"{name}.json"))


@cache
def published_models() -> tuple[Model, ...]:
    """Return the models whose numbers are published: those that every patient is compared with."""
    models = map(catalogued, model_names())
    return tuple(model for model in models if model.card.origin is Origin.PUBLISHED)


def model_of(name_or_path: str) -> Model:
    """Return the model of a bundle's file, or one that comes with OVFRisk by its name.

    Raises
    ------
    UserError
        Says what is wrong with the file, or which names there are.
    """
    path = Path(name_or_path)
    return Model.load(path) if path.suffix or path.exists() else catalogued(name_or_path)
