"""Label maps as the corrections of `levels` need them."""

from collections.abc import Collection, Sequence

import numpy as np

from ..anatomy import Compartment, Region, VertebralLevel
from ..image import LabelMap

SPLIT = (Compartment.CORTICAL, Compartment.CANCELLOUS)


def vertebrae_of(labels: LabelMap) -> LabelMap:
    """Return the map without what is no part of a vertebra."""
    return labels.restricted(region for region in labels.regions if isinstance(region.part, Compartment))


def one_voxel_each(regions: Collection[Region]) -> LabelMap:
    """Return a map that names regions and has one voxel of each: enough for the rules of names."""
    names = dict(enumerate(regions, start=1))
    return LabelMap(np.arange(len(names) + 1, dtype=np.int16).reshape(1, 1, -1), np.eye(4), names)


def joined(labels: LabelMap, levels: Sequence[VertebralLevel]) -> LabelMap:
    """Return these levels with one body each."""
    array, names = labels.array.copy(), dict(labels.labels)
    for level in levels:
        values = [value for value, region in names.items() if region.level == level and region.part in SPLIT]
        array[np.isin(array, values)] = values[0]
        names = {value: region for value, region in names.items() if value not in values}
        names[values[0]] = Region(Compartment.BODY, level)
    return LabelMap(array, labels.ijk_to_ras, names, labels.name)
