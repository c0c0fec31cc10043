"""What is to be said of inputs and levels, each text once."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ..anatomy import VertebralLevel


class Remark(NamedTuple):
    """What is to be said of one input at one level."""

    title: str
    level: VertebralLevel | None
    text: str


def told(remarks: Iterable[Remark], named: bool = True, most: int = 3) -> tuple[str, ...]:
    """Return each text once, behind the inputs and levels that it is of (where `named`)."""
    where: dict[str, dict[str, list[str]]] = {}
    for title, level, text in remarks:
        levels = where.setdefault(text, {}).setdefault(title, [])
        if level is not None and level not in levels:
            levels.append(str(level))
    if not named:
        return tuple(where)
    return tuple(f"{listed([_place(*one) for one in found.items()], most)}: {text}" for text, found in where.items())


def listed(texts: Collection[str], most: int = 3, by: str = ", ") -> str:
    """Return the first texts, and how many more there are."""
    shown, more = list(texts)[:most], len(texts) - most
    return by.join(shown) + (f" and {more} more" if more > 0 else "")


def by_reason(why: Mapping[VertebralLevel, str]) -> str:
    """Return each reason once, behind its levels: ``T12, L1: not measured; L2: cut off``."""
    levels: dict[str, list[str]] = {}
    for level, text in why.items():
        levels.setdefault(text, []).append(str(level))
    return "; ".join(f"{', '.join(at)}: {text}" for text, at in levels.items())


def _place(title: str, levels: list[str]) -> str:
    return f"{title} ({', '.join(levels)})" if levels else title
