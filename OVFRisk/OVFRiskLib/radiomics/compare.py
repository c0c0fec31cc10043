"""How far two tables of the same features are apart."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..anatomy import Label, Region
from .extraction import Features

NEGLIGIBLE = 1e-12
"""Smaller differences are rounding of values that are zero, e.g. the skewness of a symmetric region."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference within one feature class.

    Parameters
    ----------
    group : str
        Feature class, e.g. ``glcm``.
    compared : int
        Number of values that both tables have.
    feature, region : str
        Where the largest difference is; empty when nothing was compared.
    ours, theirs : float or None
        The two values there.
    relative : float
        Their difference over the larger magnitude; 0 where the difference is NEGLIGIBLE.
    only_ours, only_theirs : tuple of str
        ``region: feature`` of the values that one table has alone.
    """

    group: str
    compared: int
    feature: str
    region: str
    ours: float | None
    theirs: float | None
    relative: float
    only_ours: tuple[str, ...]
    only_theirs: tuple[str, ...]


Table = Mapping[Region | Label, Features]


def largest_differences(ours: Table, theirs: Table) -> tuple[Difference, ...]:
    """Return the largest relative difference of each feature class, over all regions."""
    a, b = _values(ours), _values(theirs)
    groups = dict.fromkeys(_group(key) for key in (*a, *b))
    return tuple(_largest(group, _of(group, a), _of(group, b)) for group in groups)


def relative_difference(a: float, b: float) -> float:
    """Return the difference over the larger magnitude; 0 where the difference is NEGLIGIBLE."""
    return 0.0 if abs(a - b) <= NEGLIGIBLE else abs(a - b) / max(abs(a), abs(b))


Key = tuple[str, str]


def _values(table: Table) -> dict[Key, float]:
    return {(str(region), name): value for region, found in table.items() for name, value in found.values.items()}


def _group(key: Key) -> str:
    return key[1].rsplit("_", 2)[1]


def _of(group: str, values: Mapping[Key, float]) -> dict[Key, float]:
    return {key: value for key, value in values.items() if _group(key) == group}


def _largest(group: str, a: Mapping[Key, float], b: Mapping[Key, float]) -> Difference:
    alone = [tuple(": ".join(key) for key in one if key not in other) for one, other in ((a, b), (b, a))]
    apart = {key: relative_difference(a[key], b[key]) for key in a if key in b}
    if not apart:
        return Difference(group, 0, "", "", None, None, 0.0, *alone)
    worst = max(apart, key=apart.__getitem__)
    return Difference(group, len(apart), worst[1], worst[0], a[worst], b[worst], apart[worst], *alone)
