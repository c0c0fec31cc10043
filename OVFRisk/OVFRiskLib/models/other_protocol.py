"""Why a value of one protocol cannot stand for that of another, in words."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..radiomics import Protocol

_MOST = 4


def other_protocol(found: str, needed: str, known: Mapping[str, Mapping[str, object]]) -> str:
    """Return which protocol was found and which is needed, with the settings that differ where both are known.

    Parameters
    ----------
    found, needed : str
        Ids.
    known : mapping of str to mapping
        Radiomics protocols by id, besides those that come with OVFRisk.

    Raises
    ------
    UserError
        When one of the two in `known` is no protocol.
    """
    text = f"measured with the protocol {found or '(none stated)'}, the model needs {needed}"
    settings = _settings(found, needed, known)
    unlike = f" ({settings})" if settings else ""
    return f"{text}{unlike}; measure it again as the model needs it"


def _settings(found: str, needed: str, known: Mapping[str, Mapping[str, object]]) -> str:
    if needed not in known:  # no radiomics protocol
        return ""
    from ..radiomics.differences import differences

    theirs, ours = _protocol(found, known), _protocol(needed, known)
    if theirs is None or ours is None:
        return ""
    rows = [f"{name}: {_plain(a)} instead of {_plain(b)}" for name, a, b in differences(theirs, ours)]
    more = f" and {len(rows) - _MOST} more" if len(rows) > _MOST else ""
    return ", ".join(rows[:_MOST]) + more


def _plain(value: object) -> str:
    return {True: "yes", False: "no", None: "none"}[value] if isinstance(value, bool | None) else str(value)


def _protocol(wanted: str, known: Mapping[str, Mapping[str, object]]) -> "Protocol | None":
    from ..radiomics import Protocol

    if wanted in known:
        return Protocol.from_dict(known[wanted], f"The protocol {wanted}")
    return _bundled().get(wanted)


@cache
def _bundled() -> "Mapping[str, Protocol]":
    from ..radiomics import Protocol, protocol_names

    protocols = (Protocol.load(name) for name in protocol_names())
    return {protocol.id: protocol for protocol in protocols}
