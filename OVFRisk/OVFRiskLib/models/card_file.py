"""Model cards as JSON values, and back; what comes from a file is trusted in nothing."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum

import numpy as np

from ..errors import UserError
from .card import ModelCard
from .card_reading import Misfit, check_plain, read
from .card_rules import check_card

_HELP = "Correct it there (Resources/Schemas/model.schema.json says what may stand where), or get the model again."


def card_to_dict(card: ModelCard) -> dict[str, object]:
    """Return a card as JSON values; fields at their default are left out.

    Raises
    ------
    ValueError
        When a number is not finite.
    """
    return _plain(card)


def card_from_dict(values: object, where: str) -> ModelCard:
    """Return the card that JSON values describe.

    Parameters
    ----------
    values : object
        As `card_to_dict` returns them.
    where : str
        How to call them in messages, e.g. ``model.json``.

    Raises
    ------
    UserError
        Names the first place that is not as it must be: ``model.json, inputs[3].scale: must be a number above 0``.
    """
    try:
        check_plain(values)
        card = read(ModelCard, {}, values, "")
        check_card(card)
    except Misfit as misfit:
        raise refusal(misfit, where) from None
    return card


def refusal(misfit: Misfit, where: str) -> UserError:
    """Return what to tell of a misfit in the file that is called `where`."""
    place = f"{where}, {misfit.place}" if misfit.place else where
    return UserError(f"{place}: {misfit.what}.", _HELP)


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {known.name: _plain(getattr(value, known.name)) for known in fields(value) if not _usual(value, known)}
    if isinstance(value, Mapping):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} cannot stand in a model card")
    return str(value) if isinstance(value, StrEnum) else value


def _key(key: object) -> str:
    """Return the key of an object: numbers as JSON writes them."""
    return str(key) if isinstance(key, str) else repr(float(key))


def _usual(owner: object, known: Field) -> bool:
    """Return whether a field is at its default."""
    default = known.default if known.default_factory is MISSING else known.default_factory()
    return default is not MISSING and getattr(owner, known.name) == default
