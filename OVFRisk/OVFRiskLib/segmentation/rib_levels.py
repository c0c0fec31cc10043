"""Which vertebra each labelled rib meets."""

from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from ..anatomy import RIBS, Region, VertebralLevel
from ..image import LabelMap, Mask

_RIB_REACH_MM = 12.0  # from a rib's head to its vertebra, over cartilage; the next one is 20 off


def rib_levels(labels: LabelMap, levels: Mapping[VertebralLevel, Mask]) -> dict[VertebralLevel, VertebralLevel]:
    """Return the vertebra that each labelled rib comes nearest to, where its head is in the image."""
    found = {}
    for level in VertebralLevel:
        rib = labels.mask(*(Region(part, level) for part in RIBS))
        if not rib.array.any() or not levels:
            continue
        box = rib.box()
        distance = {v: _least_distance(e, rib, box) for v, e in levels.items()}
        nearest = min(distance, key=distance.get)
        if distance[nearest] <= _RIB_REACH_MM:
            found[level] = nearest
    return found


def _least_distance(vertebra: Mask, rib: Mask, box: tuple[slice, ...]) -> float:
    bone = vertebra.to_ras(np.argwhere(vertebra.array)[:, ::-1])
    part = rib.cropped(box)
    return float(cKDTree(bone).query(part.to_ras(np.argwhere(part.array)[:, ::-1]))[0].min())
