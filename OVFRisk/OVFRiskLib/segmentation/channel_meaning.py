"""What a bundle's output channels mean: its names in our levels and parts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..errors import UserError

_PARTS = {
    **dict.fromkeys(("cortical", "cortex", "corticalis", "shell"), Compartment.CORTICAL),
    **dict.fromkeys(("cancellous", "trabecular", "spongy", "spongiosa"), Compartment.CANCELLOUS),
    **dict.fromkeys(("body", "bodies", "corpus", "vb"), Compartment.BODY),
    **dict.fromkeys(("posterior", "arch", "elements"), Compartment.POSTERIOR),
}
_VERTEBRA = {"vertebra", "vertebrae", "vertebral", "whole", "bone", "label"}
_BACKGROUND = {"background", "bg", "unlabeled", "unlabelled"}
_LEVEL = re.compile(r"[ctl]\d{1,2}|s1")


@dataclass(frozen=True)
class Meaning:
    """What the channels stand for.

    Parameters
    ----------
    regions : mapping of int to Region
        Channels that name level and part.
    parts : mapping of int to Compartment
        Channels of every level alike.
    others : tuple of str
        Channels that mean nothing to us.
    """

    regions: Mapping[int, Region]
    parts: Mapping[int, Compartment]
    others: tuple[str, ...]


def channel_meaning(names: Sequence[str]) -> Meaning:
    """Return the meaning of channel names such as ``vertebrae_L1``, ``T12 body`` or ``cancellous``.

    Raises
    ------
    UserError
        When channel 0 is no background, none is a part of a vertebra, two mean the same, or some name levels and
        others do not.
    """
    if names[0].strip().lower() not in _BACKGROUND:
        raise UserError(
            f"Channel 0 of the bundle is '{names[0]}', not background.", "Only networks with a background channel fit."
        )
    found = {n: _region(name) for n, name in enumerate(names) if n}
    regions = {n: each for n, each in found.items() if isinstance(each, Region)}
    parts = {n: each for n, each in found.items() if isinstance(each, Compartment)}
    others = tuple(names[n] for n, each in found.items() if each is None)
    vertebrae = [region for region in regions.values() if region.level]
    if not vertebrae and not parts:
        raise UserError(
            f"No output channel of the bundle is a part of a vertebra: {', '.join(others[:10])}.",
            "Its metadata.json names them under channel_def, e.g. vertebrae_L1, or cortical and cancellous.",
        )
    if vertebrae and parts:
        raise UserError("Some channels of the bundle name a level and others do not.", "Use a bundle of one kind.")
    for known in (list(regions.values()), list(parts.values())):
        if len(set(known)) < len(known):
            raise UserError("Two output channels of the bundle mean the same.", "Check channel_def in metadata.json.")
    return Meaning(regions, parts, others)


def _region(name: str) -> Region | Compartment | None:
    """Return what one name means; None where any word of it is not understood."""
    words = re.findall(r"[a-z]+\d*|\d+", name.lower())
    if words == ["sacrum"]:
        return Region(Structure.SACRUM)
    levels = [word for word in words if _LEVEL.fullmatch(word) and word.upper() in set(VertebralLevel)]
    parts = {_PARTS[word] for word in words if word in _PARTS}
    known = {*levels, *_PARTS, *_VERTEBRA}
    if (
        not words
        or set(words) - known
        or len(levels) > 1
        or len(parts) > 1
        or not (levels or parts or _vertebra(words))
    ):
        return None
    part = parts.pop() if parts else Compartment.WHOLE
    return Region(part, VertebralLevel(levels[0].upper())) if levels else part


def _vertebra(words: Sequence[str]) -> bool:
    return any(word in ("vertebra", "vertebrae") for word in words)
