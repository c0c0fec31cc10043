"""Whole vertebrae from their bodies: bone belongs to the body that is nearest through bone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from ..anatomy import Compartment, Region, label_scheme
from ..image import LabelMap, Volume
from .bodies import Body, usual_size

_STEP_MM = 1.5  # of the working grid; finer images are averaged
_BEHIND_MM, _BESIDE_MM, _BELOW_MM, _ABOVE_MM = 65.0, 50.0, 40.0, 28.0  # reach of a lumbar arch from the body's middle
_FACET_MM = 5.0  # facets lie no further beside the body; what does, above or below it, is rib or sacrum
_ROOT_MM = 8.0  # pedicles and transverse processes begin that far before the posterior wall
_BONE_SHARE = 0.5  # of the way from soft tissue to the body's shell
_GAP_COST = 10.0  # at the threshold of bone a mm counts that many times a mm of solid bone
_NEIGHBOUR_MM = (3.0, 20.0)  # below the lowest disc and above the highest, where the next body lies
_LUMBAR_HALF_WIDTH_MM = 23.0
_STRANGER = -1


def whole_vertebrae(ct: Volume, bodies: Sequence[Body], labels: LabelMap) -> LabelMap:
    """Return the vertebrae of `bodies` (from head to foot), whole, in the scheme ``ovfrisk``.

    Parameters
    ----------
    ct : Volume
    bodies : sequence of Body
    labels : LabelMap
        The bodies drawn on the CT's grid.

    Notes
    -----
    A geodesic Voronoi division of the bone. The next body above and below compete for theirs. Ribs are cut off where
    they leave the processes' usual reach.
    """
    values = {region: value for value, region in label_scheme("ovfrisk").regions.items()}
    part = {values[Region(Compartment.BODY, body.level)]: n + 1 for n, body in enumerate(bodies)}
    box = _box(ct, bodies)
    factors = tuple(max(int(_STEP_MM / step), 1) for step in ct.spacing[::-1])
    image = _averaged(ct.array[box], factors)
    ras = _places(ct, box, factors, image.shape)
    seeds = np.zeros(image.shape, dtype=np.int16)
    coarse = labels.array[box][tuple(slice(f // 2, f * n, f) for f, n in zip(factors, image.shape, strict=True))]
    for value, number in part.items():
        seeds[coarse == value] = number
    strangers = _next_bodies(ras, bodies) & (seeds == 0)
    seeds[strangers] = _STRANGER
    owner = _nearest(image, seeds, ct.spacing[::-1] * factors, *_bone_range(bodies))
    owner[~_reached(ras, bodies, owner)] = 0
    return _drawn(ct, bodies, labels, box, factors, owner)


def _box(ct: Volume, bodies: Sequence[Body]) -> tuple[slice, slice, slice]:
    corners = [
        body.frame.to_ras([x, y, z])
        for body in bodies
        for x in (-_BESIDE_MM, _BESIDE_MM)
        for y in (-_BEHIND_MM, 30.0)
        for z in (-_BELOW_MM, _BELOW_MM)
    ]
    kji = ct.to_ijk(corners)[:, ::-1]
    low = np.maximum(np.floor(kji.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(kji.max(axis=0)) + 1, ct.array.shape).astype(int)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _averaged(array: np.ndarray, factors: Sequence[int]) -> np.ndarray:
    """Mean of blocks of `factors` voxels; an incomplete last block is left out."""
    shape = [n // f for n, f in zip(array.shape, factors, strict=True)]
    whole = array[tuple(slice(n * f) for n, f in zip(shape, factors, strict=True))]
    blocks = [size for pair in zip(shape, factors, strict=True) for size in pair]
    return whole.reshape(blocks).mean(axis=(1, 3, 5), dtype=np.float32)


def _places(ct: Volume, box: Sequence[slice], factors: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """RAS of the working grid's voxels, shape (k, j, i, 3)."""
    axes = [s.start + (f - 1) / 2 + f * np.arange(n) for s, f, n in zip(box, factors, shape, strict=True)]
    return ct.to_ras(np.stack(np.meshgrid(*axes, indexing="ij")[::-1], axis=-1))


def _next_bodies(ras: np.ndarray, bodies: Sequence[Body]) -> np.ndarray:
    """Where bodies lie that nobody asked for: beyond the outermost discs, straight on."""
    found = np.zeros(ras.shape[:-1], dtype=bool)
    for n, body in enumerate(bodies):
        for disc, way, other in zip(body.discs, (-1, 1), (n + 1, n - 1), strict=True):
            next_level = 0 <= other < len(bodies) and abs(bodies[other].level.rank - body.level.rank) <= 2
            if disc is None or next_level:
                continue
            height = way * disc.height(ras) - disc.thickness / 2
            points = replace(body.frame, origin=disc.point).aligned(disc.normal).from_ras(ras)
            across = np.hypot(points[..., 0] / body.surface.half_size[0], points[..., 1] / body.surface.half_size[1])
            found |= (height > _NEIGHBOUR_MM[0]) & (height < _NEIGHBOUR_MM[1]) & (across < 0.7)
    return found


def _bone_range(bodies: Sequence[Body]) -> tuple[float, float]:
    """HU from which on voxels are bone, and of solid bone."""
    tissue, rim = (float(np.median([getattr(body.surface, name) for body in bodies])) for name in ("tissue", "rim"))
    return tissue + _BONE_SHARE * (rim - tissue), rim


def _nearest(image: np.ndarray, seeds: np.ndarray, steps: np.ndarray, threshold: float, solid: float) -> np.ndarray:
    """Return for each voxel of bone the number of the seed region nearest through bone."""
    bone = (image >= threshold) | (seeds != 0)
    node = np.full(image.shape, -1)
    node[bone] = np.arange(np.count_nonzero(bone))
    cost = 1 + (_GAP_COST - 1) * np.clip((solid - image) / (solid - threshold), 0, 1)
    cost[seeds != 0] = 1
    rows, columns, lengths = [], [], []
    for axis in range(3):
        near, far = (
            tuple(slice(*ends) if a == axis else slice(None) for a in range(3)) for ends in ((0, -1), (1, None))
        )
        both = bone[near] & bone[far]
        rows.append(node[near][both])
        columns.append(node[far][both])
        lengths.append(steps[axis] * (cost[near][both] + cost[far][both]) / 2)
    count = np.count_nonzero(bone)
    graph = sparse.coo_array(
        (np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count)
    ).tocsr()
    sources = node[seeds != 0]
    _, _, origin = csgraph.dijkstra(graph, directed=False, indices=sources, min_only=True, return_predecessors=True)
    number = seeds[bone]
    owner = np.zeros(image.shape, dtype=np.int16)
    owner[bone] = np.where(origin >= 0, number[np.maximum(origin, 0)], 0)
    return owner


def _reached(ras: np.ndarray, bodies: Sequence[Body], owner: np.ndarray) -> np.ndarray:
    """Whether each voxel lies no further from its body than processes reach, and not in front of it."""
    reached = np.zeros(owner.shape, dtype=bool)
    for n, body in enumerate(bodies, 1):
        mine = owner == n
        points = body.frame.from_ras(ras[mine])
        scale = usual_size(body.level)[0] / _LUMBAR_HALF_WIDTH_MM
        half_width, half_depth, half_height = body.surface.half_size
        beside, behind, height = np.abs(points[:, 0]), -half_depth - points[:, 1], points[:, 2]
        facets = (height > -half_height) & (height < half_height) | (beside < half_width + _FACET_MM * scale)
        reached[mine] = (
            (beside < _BESIDE_MM * scale)
            & (behind > -_ROOT_MM)
            & (behind < _BEHIND_MM * scale)
            & (height > -_BELOW_MM * scale)
            & (height < _ABOVE_MM * scale)
            & facets
        )
    return reached


def _drawn(
    ct: Volume,
    bodies: Sequence[Body],
    labels: LabelMap,
    box: tuple[slice, slice, slice],
    factors: Sequence[int],
    owner: np.ndarray,
) -> LabelMap:
    """Return bodies and arches at the CT's own resolution; marrow enclosed in an arch belongs to it."""
    regions = label_scheme("ovfrisk").regions
    values = {region: value for value, region in regions.items()}
    array = np.zeros(ct.array.shape, dtype=np.int16)
    for n, body in enumerate(bodies, 1):
        arch = ndimage.binary_closing(np.pad(owner == n, 2), iterations=1)[2:-2, 2:-2, 2:-2]
        arch = ndimage.binary_fill_holes(arch)
        for axis, factor in enumerate(factors):
            arch = arch.repeat(factor, axis)
        target = array[box][tuple(slice(size) for size in arch.shape)]
        target[arch & (target == 0)] = values[Region(Compartment.WHOLE, body.level)]
    for body in bodies:
        array[labels.array == values[Region(Compartment.BODY, body.level)]] = values[
            Region(Compartment.WHOLE, body.level)
        ]
    return LabelMap(array, ct.ijk_to_ras, regions, ct.name)
