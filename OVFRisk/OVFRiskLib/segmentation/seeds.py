"""Points in vertebral bodies, and the levels they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..anatomy import VertebralLevel
from ..errors import UserError

_LEVELS = tuple(VertebralLevel)
_OPTIONAL = (VertebralLevel.T13, VertebralLevel.L6)


@dataclass(frozen=True, eq=False)
class Seed:
    """A click somewhere in a vertebral body.

    Parameters
    ----------
    point : ndarray, shape (3,)
        RAS mm.
    level : VertebralLevel or None
        None: to be named from the other seeds.
    """

    point: np.ndarray
    level: VertebralLevel | None = None

    def __post_init__(self) -> None:
        point = np.array(self.point, dtype=float)
        if point.shape != (3,) or not np.all(np.isfinite(point)):
            raise ValueError(f"a seed is a point of three finite numbers, not {self.point}")
        object.__setattr__(self, "point", point)


def named_seeds(seeds: Sequence[Seed]) -> tuple[Seed, ...]:
    """Return the seeds from head to foot, each with its level.

    Seeds without a level are counted from those that have one: each is taken as the next vertebra.

    Raises
    ------
    UserError
        When no level is known, one is given twice, or levels and places contradict each other.
    """
    if not seeds:
        raise UserError("No point was given.", "Click once into each vertebral body.")
    ordered = sorted(seeds, key=lambda seed: -seed.point[2])
    known = [n for n, seed in enumerate(ordered) if seed.level]
    if not known:
        raise UserError("None of the points has a level.", "Name at least one of them, such as L1.")
    levels = _counted(ordered[: known[0]], ordered[known[0]].level, towards_head=True)
    for n, after in zip(known, [*known[1:], None], strict=True):
        levels.append(ordered[n].level)
        if after is None:
            levels += _counted(ordered[n + 1 :], ordered[n].level, towards_head=False)
        elif after > n + 1:
            levels += levels_between(ordered[n].level, ordered[after].level, after - n - 1)
    _check_order(levels)
    return tuple(replace(seed, level=level) for seed, level in zip(ordered, levels, strict=True))


def levels_between(first: VertebralLevel, last: VertebralLevel, count: int) -> tuple[VertebralLevel, ...]:
    """Return the `count` levels between two; T13 or L6 only where the count asks for the one that fits.

    Raises
    ------
    UserError
        When so many vertebrae do not lie between the two.
    """
    inside = _LEVELS[first.rank + 1 : last.rank]
    usual = tuple(level for level in inside if level not in _OPTIONAL)
    extra = [level for level in inside if level in _OPTIONAL]
    if count == len(usual):
        return usual
    if count == len(usual) + len(extra):
        return inside
    raise UserError(
        f"{count} vertebrae were given between {first} and {last}; usually there are {len(usual)}.",
        "Check the levels, or click every vertebra and name T13 or L6 where there is one.",
    )


def _counted(seeds: Sequence[Seed], level: VertebralLevel, towards_head: bool) -> list[VertebralLevel]:
    """Return the levels of the next vertebrae above or below `level`, from head to foot."""
    outside = _LEVELS[: level.rank] if towards_head else _LEVELS[level.rank + 1 :]
    usual = [other for other in outside if other not in _OPTIONAL]
    if len(seeds) > len(usual):
        raise UserError(f"There are more points beyond {level} than vertebrae.", "Check the points and their levels.")
    return usual[len(usual) - len(seeds) :] if towards_head else usual[: len(seeds)]


def _check_order(levels: Sequence[VertebralLevel]) -> None:
    for upper, lower in pairwise(levels):
        if upper == lower:
            raise UserError(f"Two points stand for {upper}.", "Give one point a vertebra.")
        if upper.rank > lower.rank:
            raise UserError(f"The point of {upper} lies above that of {lower}.", "Check the points and their levels.")
