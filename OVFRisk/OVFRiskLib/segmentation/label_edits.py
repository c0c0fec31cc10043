"""Corrections of a label map's levels: shift, rename, merge, split. Each returns a new, checked map."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from scipy import ndimage

from ..anatomy import RIBS, Compartment, Region, VertebralLevel
from ..errors import UserError
from ..image import LabelMap
from .level_numbering import TRANSITIONAL

_CROSS = ndimage.generate_binary_structure(3, 1)
_ROW = tuple(level for level in VertebralLevel if level not in TRANSITIONAL)


def shift_all(labels: LabelMap, by: int) -> LabelMap:
    """Rename all vertebrae (their discs, too) by one level; sacrum, S1 and ribs keep their names.

    T13 and L6 are passed over: a map that names one is renamed level by level.

    Parameters
    ----------
    labels : LabelMap
    by : int
        +1 towards the feet (L1 becomes L2), -1 towards the head.

    Raises
    ------
    UserError
        When `by` is something else, the map names T13 or L6, or a level would run over C1 or into the sacrum.
    """
    if by not in (1, -1):
        raise UserError(f"Levels cannot be shifted by {by}.", "Shift by +1 (towards the feet) or -1.")
    moving = [level for level in labels.levels() if level is not VertebralLevel.S1]
    odd = [level for level in moving if level in TRANSITIONAL]
    if odd:
        raise UserError(f"The map names {', '.join(odd)}, which has no fixed place in the row.", "Rename it first.")
    over = [level for level in moving if not 0 <= _ROW.index(level) + by < len(_ROW) - 1]
    if over:
        end = "C1" if by < 0 else "the sacrum"
        raise UserError(f"{over[0]} would run over {end}.", f"Rename {over[0]} first, e.g. to L6, or take it out.")
    return rename(labels, {level: _ROW[_ROW.index(level) + by] for level in moving})


def rename(labels: LabelMap, names: Mapping[VertebralLevel, VertebralLevel]) -> LabelMap:
    """Give levels (with their discs) other names, all at once; two may change places.

    Parameters
    ----------
    labels : LabelMap
    names : mapping
        Present to new name.

    Raises
    ------
    UserError
        When a level is not in the map, or two would have one name.
    """
    _check_present(labels, names)
    meant = [region for region in labels.regions if region.level in names and region.part not in RIBS]
    moved = {region: replace(region, level=names[region.level]) for region in meant}
    new = {value: moved.get(region, region) for value, region in labels.labels.items()}
    twice = [region for region in new.values() if list(new.values()).count(region) > 1]
    if twice:
        raise UserError(f"Two labels would be called {twice[0]}.", "Rename or merge the other one first.")
    return replace(labels, labels=new)


def merge(labels: LabelMap, levels: tuple[VertebralLevel, ...], name: VertebralLevel) -> LabelMap:
    """Join several levels, part by part, into one called `name`.

    Raises
    ------
    UserError
        When a level is not in the map, or `name` is that of another vertebra.
    """
    _check_present(labels, levels)
    if name in labels.levels() and name not in levels:
        raise UserError(f"{name} is another vertebra.", f"Name it among those to merge: {', '.join(levels)}, {name}.")
    array, kept = labels.array.copy(), dict(labels.labels)
    for part in Compartment:
        values = [value for value, region in labels.labels.items() if region.level in levels and region.part == part]
        for value in values:
            array[labels.array == value] = values[0]
            del kept[value]
        if values:
            kept[values[0]] = Region(part, name)
    return replace(labels, array=array, labels=kept)


def split_at(
    labels: LabelMap,
    level: VertebralLevel,
    names: tuple[VertebralLevel, VertebralLevel],
    point: np.ndarray,
    normal: np.ndarray = (0.0, 0.0, 1.0),
) -> LabelMap:
    """Cut a level in two at a plane.

    Parameters
    ----------
    labels : LabelMap
    level : VertebralLevel
    names : (upper, lower)
        Of what lies where `normal` points to, and of the rest.
    point : ndarray, shape (3,)
        On the plane, RAS mm.
    normal : ndarray, shape (3,)
        Of the plane, RAS.

    Raises
    ------
    UserError
        When the level is not in the map, a name is taken, or nothing lies on one side.
    """
    return _split(labels, level, names, lambda ras: (ras - point) @ np.asarray(normal) > 0)


def split_in_two(
    labels: LabelMap, level: VertebralLevel, names: tuple[VertebralLevel, VertebralLevel], share: float = 0.6
) -> LabelMap:
    """Cut a label that holds two vertebrae: each voxel goes to the body that is fewer steps away within the label.

    Bodies are the two largest parts deeper than `share` of the greatest depth.

    Raises
    ------
    UserError
        When the label does not hold two bodies.
    """
    _check_present(labels, (level,))
    mask = labels.mask(*(Region(part, level) for part in Compartment))
    box = mask.box(margin=1)
    inside, sampling = mask.array[box], labels.spacing[::-1]
    depth = ndimage.distance_transform_edt(inside, sampling=sampling)
    cores, count = ndimage.label(depth >= share * depth.max())
    if count < 2:
        raise UserError(f"{level} does not hold two bodies.", "Cut it at a plane.")
    first, second = np.argsort(np.bincount(cores.ravel())[1:])[-2:] + 1
    middles = [labels.cropped(box).to_ras(np.argwhere(cores == n).mean(axis=0)[::-1])[2] for n in (first, second)]
    upper, lower = (first, second) if middles[0] > middles[1] else (second, first)
    grown = np.select([cores == upper, cores == lower], [1, 2], 0).astype(np.uint8)
    left = -1
    while left != (left := np.count_nonzero(inside & (grown == 0))):  # voxel by voxel, within the label
        grown = np.where(inside & (grown == 0), ndimage.grey_dilation(grown, footprint=_CROSS), grown)
    belongs = np.zeros(mask.array.shape, dtype=bool)
    belongs[box] = grown == 1
    return _split(labels, level, names, lambda ras: belongs[tuple(np.rint(labels.to_ijk(ras)).astype(int)[:, ::-1].T)])


def _split(
    labels: LabelMap, level: VertebralLevel, names: tuple, is_upper: Callable[[np.ndarray], np.ndarray]
) -> LabelMap:
    _check_present(labels, (level,))
    taken = [name for name in names if name != level and name in labels.levels()]
    if taken or names[0] == names[1]:
        raise UserError(f"{(*taken, names[0])[0]} cannot name a second vertebra.", "Rename or merge the other first.")
    array = labels.array.astype(np.int32)
    kept = dict(labels.labels)
    for value, region in labels.labels.items():
        if region.level != level or not isinstance(region.part, Compartment):
            continue
        kji = np.argwhere(labels.array == value)
        upper = is_upper(labels.to_ras(kji[:, ::-1]))
        free = max(*kept, int(array.max())) + 1
        array[tuple(kji[~upper].T)] = free
        kept |= {value: Region(region.part, names[0]), free: Region(region.part, names[1])}
    result = replace(labels, array=array, labels=kept)
    if not set(names) <= set(result.levels()):
        raise UserError(f"The cut leaves nothing of {level} on one side.", "Move the plane into the vertebra.")
    return result


def _check_present(labels: LabelMap, levels: Mapping | tuple) -> None:
    missing = [level for level in levels if level not in labels.levels()]
    if missing:
        found = ", ".join(labels.levels())
        raise UserError(f"The label map holds no {', '.join(missing)}.", f"Choose among its levels: {found}.")
