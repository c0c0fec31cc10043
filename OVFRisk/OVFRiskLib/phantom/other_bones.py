"""Ribs and iliac bones: scenery that a CT of the spine shows too; no label names them."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..anatomy import VertebralLevel
from .bones import BonePainter, BonePiece
from .posterior import Rod
from .spine import Spine
from .trunk import SKIN_MM, Trunk

# Ribs 8 to 12: height above the middle of T10 where it starts at the back (mm), last angle (degrees from the back).
_RIBS = ((58, 165), (30, 155), (5, 140), (-22, 100), (-50, 62))
_RIB_13 = (-78, 45)
_RIB_DROP_MM = 46.0  # per radian
_ILIUM = ((44, -72), (58, -60), (84, -36), (110, -2), (120, 26))  # crest seen from above, mm right and anterior


def draw_other_bones(painter: BonePainter, spine: Spine, trunk: Trunk) -> Iterator[BonePiece]:
    """Draw ribs 8 to 12 and the upper part of the iliac bones."""
    ribs = [*_RIBS, _RIB_13] if VertebralLevel.T13 in spine.vertebrae else _RIBS
    for height, last in ribs:
        rods = _rib(spine, trunk, spine[VertebralLevel.T10].frame.origin[2] + height * spine.scale, last)
        yield from painter.rods([*rods, *(rod.mirrored() for rod in rods)])
    for side in (1, -1):
        yield from _ilium(painter, spine, side)


def _rib(spine: Spine, trunk: Trunk, start: float, last: float) -> list[Rod]:
    angles = np.radians(np.linspace(16, last, 12))
    z = start - _RIB_DROP_MM * spine.scale * (angles - angles[0])
    sides, front, back = (thickness + SKIN_MM + 7 for thickness in trunk.fat)
    behind, ahead = trunk.back(z) + back + 14, trunk.front(z) - front
    x = (trunk.half_width(z) - sides) * np.sin(angles)
    y = (behind + ahead) / 2 - (ahead - behind) / 2 * np.cos(angles)
    points = list(zip(x.tolist(), y.tolist(), z.tolist(), strict=True))
    radius = 3.3 * spine.scale
    return [Rod(a, b, (radius, radius), (1, 1, 1.6)) for a, b in pairwise(points)]


def _ilium(painter: BonePainter, spine: Spine, side: int) -> Iterator[BonePiece]:
    s = spine.scale
    crest = [*spine.vertebrae.values()][-2].frame.origin[2] + 14 * s
    low = (min(side * 20 * s, side * 135 * s), -95 * s, crest - 130 * s)
    high = (max(side * 20 * s, side * 135 * s), 60 * s, crest + 8)
    box = painter.raster.box(low, high)
    if any(part.stop <= part.start for part in box):
        return
    x, y, z = painter.raster.points(box)
    flare = np.float32(0.42) * (crest - z) * np.clip((y / s + 72) / 98, 0, 1)  # the wing leans inwards below
    flat = np.stack([side * x + flare, y, np.zeros_like(z)])
    corners = [(a * s, b * s, 0.0) for a, b in _ILIUM]
    wings = [Rod(a, b, (4.2 * s, 4.2 * s)).distance(flat) for a, b in pairwise(corners)]
    edge = z - (crest - 0.011 / s * (y + 8 * s) ** 2)  # the crest's arch
    yield painter.shape(box, np.maximum(np.min(wings, axis=0), edge))
