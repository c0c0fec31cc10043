"""Which levels a score is made of: L1-L4, with T12 and L5 in the place of those that cannot be used."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..anatomy import VertebralLevel

SCORED = VertebralLevel.span("L1-L4")
_SUBSTITUTES = (VertebralLevel.T12, VertebralLevel.L5)
_MOST_LOST = 2  # Huang et al.: more than two fractured levels of L1-L4 exclude the patient


@dataclass(frozen=True)
class Choice:
    """The levels of a score.

    Parameters
    ----------
    levels : tuple of VertebralLevel
        From head to foot; empty where there can be no score.
    notes : tuple of str
        What was left out and what took its place.
    reason : str
        Why there can be no score.
    """

    levels: tuple[VertebralLevel, ...]
    notes: tuple[str, ...] = ()
    reason: str = ""


def choose_levels(
    measured: Collection[VertebralLevel],
    fractured: Collection[VertebralLevel],
    unmeasured: Mapping[VertebralLevel, str],
) -> Choice:
    """Choose the levels of a score.

    A fractured level, or one without a signal, is replaced by T12 or L5, the nearer first; more than two of L1-L4 lost
    leave no score (Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995).

    Parameters
    ----------
    measured : collection of VertebralLevel
        Levels with a signal.
    fractured : collection of VertebralLevel
    unmeasured : mapping of VertebralLevel to str
        Why a level has no signal.
    """
    lost = {
        level: _why(level, fractured, unmeasured) for level in SCORED if level in fractured or level not in measured
    }
    if len(lost) > _MOST_LOST:
        named = "; ".join(f"{level} {why}" for level, why in lost.items())
        return Choice((), reason=f"more than {_MOST_LOST} of L1–L4 cannot be used: {named}")
    spare = [level for level in _SUBSTITUTES if level in measured and level not in fractured]
    used = [level for level in SCORED if level not in lost]
    notes = []
    for level, why in lost.items():
        substitute = min(spare, key=lambda other, at=level: abs(other.rank - at.rank), default=None)
        notes.append(
            f"{level} left out ({why}), {f'replaced by {substitute}' if substitute else 'without a substitute'}"
        )
        if substitute:
            spare.remove(substitute)
            used.append(substitute)
    return Choice(tuple(sorted(used, key=lambda level: level.rank)), tuple(notes))


def _why(level: VertebralLevel, fractured: Collection[VertebralLevel], unmeasured: Mapping[VertebralLevel, str]) -> str:
    return "fractured" if level in fractured else unmeasured.get(level, "no region")
