"""Cobb angles between levels, from the normals of their end plates."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..anatomy import VertebralLevel
from .heights import Heights

_UPPER, _LOWER = 0, 1
# name: (level, its plate) above, (level, its plate) below, sign that makes the angle positive where it is usual
_SAGITTAL = {
    "lordosis_l1_l5": (("L1", _UPPER), ("L5", _LOWER), -1),
    "lordosis_l1_s1": (("L1", _UPPER), ("S1", _UPPER), -1),
    "kyphosis_t11_l2": (("T11", _UPPER), ("L2", _LOWER), 1),
}
ANGLES = (*_SAGITTAL, "scoliosis_cobb_angle")


@dataclass(frozen=True)
class Angle:
    """An angle, degrees, or None with the reason in `note`."""

    degrees: float | None
    note: str = ""


def angles(heights: Mapping[VertebralLevel, Heights | str]) -> dict[str, Angle]:
    """Return lordosis, kyphosis and scoliosis, by name.

    Lordosis L1-L5 is between the upper plate of L1 and the lower one of L5, L1-S1 the upper ones, kyphosis T11-L2 the
    upper one of T11 and the lower one of L2; scoliosis is the largest coronal angle between an upper plate and a lower
    plate below it. The planes are the spine's own (mean of the levels' axes), so a turned patient changes nothing.
    """
    known = {level: h for level, h in heights.items() if not isinstance(h, str)}
    if not known:
        return dict.fromkeys(ANGLES, Angle(None, "no level has heights"))
    axes = _axes([h for level, h in known.items() if level is not VertebralLevel.S1] or list(known.values()))
    found = {name: _sagittal(heights, axes, *ends) for name, ends in _SAGITTAL.items()}
    return {**found, "scoliosis_cobb_angle": _scoliosis(known, axes)}


def _axes(found: list[Heights]) -> np.ndarray:
    """Return the spine's right, forward and up, rows, RAS."""
    up = np.mean([normal for h in found for normal in h.normals], axis=0)
    right = np.mean([h.right for h in found], axis=0)
    up = up / np.linalg.norm(up)
    right = right - (right @ up) * up
    right = right / np.linalg.norm(right)
    return np.array([right, np.cross(up, right), up])


def _lean(h: Heights, plate: int, axes: np.ndarray, axis: int) -> float:
    """Angle by which a plate's normal leans to the right (axis 0) or forwards (1), degrees."""
    normal = axes @ h.normals[plate]
    return float(np.degrees(np.arctan2(normal[axis], normal[2])))


def _sagittal(
    heights: Mapping[VertebralLevel, Heights | str],
    axes: np.ndarray,
    above: tuple[str, int],
    below: tuple[str, int],
    sign: int,
) -> Angle:
    leans = []
    for name, plate in (above, below):
        h = heights.get(VertebralLevel(name), "not labelled")
        if isinstance(h, str):
            return Angle(None, f"{name}: {h}")
        leans.append(_lean(h, plate, axes, 1))
    return Angle(sign * (leans[0] - leans[1]))


def _scoliosis(known: Mapping[VertebralLevel, Heights], axes: np.ndarray) -> Angle:
    order = sorted((v for v in known if v is not VertebralLevel.S1), key=lambda v: v.rank)
    pairs = {
        (a, b): abs(_lean(known[a], _UPPER, axes, 0) - _lean(known[b], _LOWER, axes, 0))
        for a, b in combinations(order, 2)
    }
    if not pairs:
        return Angle(None, "fewer than two levels have heights")
    a, b = max(pairs, key=pairs.get)
    return Angle(pairs[a, b], f"between the upper plate of {a} and the lower plate of {b}")
