"""How points that are clicked one after another are named: each is the next vertebra, down or up, by where it lies.

Numbering runs outward from the first point of the list, whose level the reader has chosen. Points are given in the
order of the list; heights are S (towards the head), mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..anatomy import VertebralLevel
from ..errors import UserError
from .words import _

_OPTIONAL = (VertebralLevel.T13, VertebralLevel.L6)  # only where the reader names them
_ROW = tuple(level for level in VertebralLevel if level not in _OPTIONAL)
DOWN, UP = 1, -1


@dataclass(frozen=True)
class Named:
    """A point: its height, and its level where it has one."""

    height: float
    level: VertebralLevel | None = None


def stepped(level: VertebralLevel, steps: int) -> VertebralLevel:
    """Return the level so many vertebrae below `level` (above it where negative), T13 and L6 passed over.

    Raises
    ------
    UserError
        When there is none.
    """
    if steps == 0:
        return level
    beyond = [other for other in _ROW if (other.rank - level.rank) * steps > 0][:: 1 if steps > 0 else -1]
    if abs(steps) > len(beyond):
        where = _("below") if steps > 0 else _("above")
        what = _("There are not so many vertebrae {where} {level}.").format(where=where, level=level)
        raise UserError(what, _("Check the level of the first point."))
    return beyond[abs(steps) - 1]


def name_point(points: Sequence[Named], n: int, first: VertebralLevel) -> dict[int, VertebralLevel]:
    """Return the levels that change when point `n` is to be named: its own, and those that must make room for it.

    Between two points with a gap it becomes the missing level; between neighbours it becomes the next one outward, and
    what lies further outward moves on.

    Parameters
    ----------
    points : sequence of Named
        In the order of the list; `n` has no level yet.
    n : int
    first : VertebralLevel
        What the first point is called.
    """
    origin = next((m for m, point in enumerate(points) if point.level), None)
    if origin is None:
        return {n: first}
    way = DOWN if points[n].height <= points[origin].height else UP
    inward, outward = _neighbours(points, n, way)
    here = points[inward[-1]].level
    new = {n: _between(points, inward[-1], n, outward[0]) if outward else stepped(here, way)}
    last = new[n]
    for m in outward:  # only as far as it takes
        if (points[m].level.rank - last.rank) * way > 0:
            break
        last = new[m] = stepped(last, way)
    return new


def rename_point(points: Sequence[Named], n: int, level: VertebralLevel) -> dict[int, VertebralLevel]:
    """Return the levels that change when point `n` is called `level`: all that lie further outward follow it.

    Raises
    ------
    UserError
        When `level` does not fit between what stays: it would stand twice, or out of order.
    """
    origin = next((m for m, point in enumerate(points) if point.level), n)
    new = {n: level}
    for way in (DOWN, UP):
        if n == origin or (points[n].height - points[origin].height) * way <= 0:
            before = n
            for m in _neighbours(points, n, way)[1]:
                new[m] = stepped(new[before], _steps(points[before].level or level, points[m].level))
                before = m
    _check([(point.height, new.get(m, point.level)) for m, point in enumerate(points)], level)
    return {m: name for m, name in new.items() if name != points[m].level}


def out_of_order(points: Sequence[Named]) -> tuple[VertebralLevel, VertebralLevel] | None:
    """Return two neighbours whose names contradict their places, or that have one name; None where all is well."""
    ordered = [p.level for p in sorted(points, key=lambda p: -p.height) if p.level]
    return next((pair for pair in pairwise(ordered) if pair[0].rank >= pair[1].rank), None)


def _neighbours(points: Sequence[Named], n: int, way: int) -> tuple[list[int], list[int]]:
    """Return the named points inward of `n` (nearest last) and those outward of it (nearest first)."""
    named = [m for m, point in enumerate(points) if point.level and m != n]
    named.sort(key=lambda m: -points[m].height * way)
    inward = [m for m in named if (points[m].height - points[n].height) * way >= 0]
    return inward, [m for m in named if m not in inward]


def _between(points: Sequence[Named], inward: int, n: int, outward: int) -> VertebralLevel:
    """Return the level between two points that a third stands for, by its place; the next one where none is missing."""
    upper, lower = sorted((inward, outward), key=lambda m: points[m].level.rank)
    low, high = points[upper].level.rank, points[lower].level.rank
    missing = [level for level in _ROW if low < level.rank < high]
    if not missing:
        return stepped(points[inward].level, DOWN if inward == upper else UP)
    down = (points[upper].height - points[n].height) / (points[upper].height - points[lower].height)
    return missing[min(max(round(down * (len(missing) + 1)) - 1, 0), len(missing) - 1)]


def _steps(one: VertebralLevel, other: VertebralLevel) -> int:
    """Return how many vertebrae `other` lies below `one` (above: negative); T13 and L6 count where they are named."""
    if other.rank < one.rank:
        return -max(sum(other.rank <= level.rank < one.rank for level in _ROW), 1)
    return max(sum(one.rank < level.rank <= other.rank for level in _ROW), int(one != other))


def _check(found: list[tuple[float, VertebralLevel | None]], level: VertebralLevel) -> None:
    if wrong := out_of_order([Named(*row) for row in found]):
        what = _("{level} does not fit there: {upper} would lie above {lower}.").format(
            level=level, upper=wrong[0], lower=wrong[1]
        )
        raise UserError(what, _("Rename the first point, delete the other one, or move the points."))
