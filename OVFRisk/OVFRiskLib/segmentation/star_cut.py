"""The best star-convex surface around a point, by minimum cut.

Rays from the centre carry nodes at growing radii; the surface cuts each ray once, where bright lies inside and dark
outside, and neighbouring rays at nearly the same radius (Li, Wu, Chen and Sonka, IEEE TPAMI 2006;28:119-134).
Radii count in a template: an elliptic cylinder with rounded edges and the half sizes of the body.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from scipy.spatial import ConvexHull, cKDTree

from ..image import Grid
from ..level_frame import LevelFrame
from .spine_curve import sample

_RAYS = 1000
_RADII = np.linspace(0.4, 1.75, 46)
_ROUNDING = 4.0  # exponent of the template: 2 is an ellipsoid, much more a cylinder with sharp rims
_LEAST_HU = -150.0  # air beside the spine counts as fat
# A thin bright shell, blurred by the voxels, is steepest outside of itself: by this share of a voxel less this much of
# its thickness, on synthetic bodies with shells of 0.6 to 1.2 mm and voxels of 1 to 3 mm. On thicker slices the end
# plate is lost in the step from cancellous bone to disc, and the shift grows no more.
_SHELL_BLUR, _SHELL_MM, _MOST_SHIFT_MM = 0.4, 0.15, 1.0
_SIDES_MM = (0.4, 1.1)  # where inside and outside of an edge are looked at
_SMOOTHNESS = 0.03  # cost of one step between neighbouring rays; a clear edge is worth 1
_CROSSED = 0.4  # cost of an edge that lies further inside
# Width and depth are known from the level and the neighbours, so a surface well within the template is rather a dense
# lesion's; heights are not, since bodies may be crushed. Cost at the innermost radius, where it begins.
_SHRUNK, _SHRUNK_FROM = 1.0, 0.85
_AROUND = 1.3  # radius beyond which lies mostly soft tissue
_BLIND_STEPS = 3  # the edge itself is that wide
_WHOLE = 1000  # costs are counted in thousandths
_BEYOND = 100.0  # cost outside the limits


@dataclass(frozen=True, eq=False)
class StarSurface:
    """A closed surface around a frame's origin.

    Parameters
    ----------
    frame : LevelFrame
    half_size : ndarray, shape (3,)
        Of the template along x, y, z of the frame, mm.
    radii : ndarray, shape (n,)
        In units of the template, for each of the rays.
    strength : ndarray, shape (n,)
        Edge that each ray ends on, 1 for a clear one.
    rim, tissue : float
        Typical brightness of the shell and of what lies around, HU.
    """

    frame: LevelFrame
    half_size: np.ndarray
    radii: np.ndarray
    strength: np.ndarray
    rim: float
    tissue: float

    @property
    def points(self) -> np.ndarray:
        """Where the rays cut the surface, in the frame, mm, shape (n, 3)."""
        return self.radii[:, None] * _rays() * self.half_size

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Whether points of the frame, shape (..., 3), mm, lie inside."""
        scaled = np.asarray(points) / self.half_size
        length = np.linalg.norm(scaled, axis=-1)
        unit = scaled / np.maximum(length, 1e-9)[..., None]
        azimuth = (np.arctan2(unit[..., 1], unit[..., 0]) / (2 * np.pi) % 1) * _TABLE[1]
        polar = np.arccos(np.clip(unit[..., 2], -1, 1)) / np.pi * (_TABLE[0] - 1)
        table = np.einsum("pk,pk->p", self.radii[_table()[0]], _table()[1]).reshape(_TABLE)
        table = np.concatenate([table, table[:, :1]], axis=1)
        return length <= ndimage.map_coordinates(table, [polar, azimuth], order=1) * _template(unit)


def star_cut(
    image: Grid, frame: LevelFrame, half_size: Sequence[float], limits: Sequence[tuple[np.ndarray, float]] = ()
) -> StarSurface:
    """Return the optimal surface around the origin of `frame`.

    Parameters
    ----------
    image : Grid
        CT; only contrasts count, in units of the clearest edges around.
    frame : LevelFrame
    half_size : sequence of 3 floats
        Of the template, mm.
    limits : sequence of (ndarray, float)
        Half spaces of the frame, normal @ point <= offset, that the surface may not leave.
    """
    half_size = np.asarray(half_size, dtype=float)
    rays = _rays() * half_size
    points = _RADII[None, :, None] * rays[:, None, :]
    outside = np.zeros(points.shape[:2], dtype=bool)
    for normal, offset in limits:
        outside |= points @ normal > offset
    normals = _normals(half_size)
    edges, rim, tissue = _edges(image, frame, points, normals)
    crossed = np.cumsum(np.maximum(edges, 0), axis=1) * (_RADII[1] - _RADII[0]) / 0.03
    crossed = np.concatenate([np.zeros((_RAYS, _BLIND_STEPS)), crossed[:, :-_BLIND_STEPS]], axis=1)
    cost = -edges + _CROSSED * np.minimum(crossed / 4, 3) + _BEYOND * outside + _shrunk()
    index = _minimum_cut(cost)
    along = np.linalg.norm(normals @ frame.axes @ (image.ijk_to_ras[:3, :3] / image.spacing) * image.spacing, axis=1)
    inwards = np.clip(_SHELL_BLUR * along - _SHELL_MM, 0, _MOST_SHIFT_MM) / np.einsum("nk,nk->n", rays, normals)
    return StarSurface(frame, half_size, _RADII[index] - inwards, edges[np.arange(_RAYS), index], rim, tissue)


@cache
def _shrunk() -> np.ndarray:
    """Cost of radii much smaller than the template's width and depth, shape (rays, radii)."""
    across = np.hypot(*_directions()[:, :2].T)
    return _SHRUNK * across[:, None] * np.maximum((_SHRUNK_FROM - _RADII) / (_SHRUNK_FROM - _RADII[0]), 0)


def _edges(image: Grid, frame: LevelFrame, points: np.ndarray, normals: np.ndarray) -> tuple:
    """Return how much brighter it is inside of each point than outside, 1 for a clear edge; HU of rim and tissue."""
    offsets = np.array([*(-np.array(_SIDES_MM)), *_SIDES_MM])
    places = points[..., None, :] + offsets[:, None] * normals[:, None, None, :]
    values = sample(image, frame.to_ras(places))
    inside, outside = values[..., :2].mean(axis=-1), values[..., 2:].mean(axis=-1)
    rim = np.median(np.fmax.reduce(inside, axis=1))
    difference = np.nan_to_num(np.minimum(inside, rim) - np.maximum(outside, _LEAST_HU))
    scale = max(np.median(difference.max(axis=1)), 1e-3)
    tissue = float(np.nan_to_num(np.nanmedian(outside[:, _RADII > _AROUND])))
    return np.clip(difference / scale, -1, 1), float(rim), tissue


def _minimum_cut(cost: np.ndarray) -> np.ndarray:
    """Return the index on each ray where the sum of costs and steps is least."""
    graph = _graph()
    weight = np.rint(_WHOLE * np.diff(cost, axis=1, prepend=0)).astype(np.int64)
    weight[:, 0] = -1_000_000_000
    weight = weight.ravel()
    data = graph.fixed.copy()
    data[graph.from_source] = np.maximum(-weight, 0)
    data[graph.to_sink] = np.maximum(weight, 0)
    matrix = sparse.csr_array((data, graph.indices, graph.indptr), shape=graph.shape)
    source, sink = len(weight), len(weight) + 1
    flow = csgraph.maximum_flow(matrix, source, sink).flow
    left = matrix - flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    inside = np.zeros(graph.shape[0], dtype=bool)
    inside[csgraph.breadth_first_order(left, source, return_predecessors=False)] = True
    return inside[:source].reshape(cost.shape).sum(axis=1) - 1


@dataclass(frozen=True, eq=False)
class _Graph:
    """Arcs of the rays in CSR; where the costs go in its data."""

    indices: np.ndarray
    indptr: np.ndarray
    fixed: np.ndarray
    from_source: np.ndarray
    to_sink: np.ndarray
    shape: tuple[int, int]


@cache
def _graph() -> _Graph:
    steps = len(_RADII)
    node = np.arange(_RAYS * steps).reshape(_RAYS, steps)
    source, sink = node.size, node.size + 1
    near, far = _neighbours().T
    every = node.ravel()
    arcs = [  # from, to, capacity
        (node[:, 1:].ravel(), node[:, :-1].ravel(), 1_000_000_000),
        (node[:, :-1].ravel(), node[:, 1:].ravel(), 0),
        (node[near].ravel(), node[far].ravel(), round(_WHOLE * _SMOOTHNESS)),
        (node[far].ravel(), node[near].ravel(), round(_WHOLE * _SMOOTHNESS)),
        (np.full(every.size, source), every, 0),
        (every, np.full(every.size, source), 0),
        (every, np.full(every.size, sink), 0),
        (np.full(every.size, sink), every, 0),
    ]
    rows, columns = (np.concatenate([arc[n] for arc in arcs]) for n in (0, 1))
    fixed = np.concatenate([np.full(arc[0].size, arc[2], dtype=np.int32) for arc in arcs])
    order = np.lexsort((columns, rows))
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    starts = np.cumsum([0, *(arc[0].size for arc in arcs)])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=node.size + 2))]).astype(np.int32)
    return _Graph(
        columns[order].astype(np.int32),
        indptr,
        fixed[order],
        place[starts[4] : starts[5]],
        place[starts[6] : starts[7]],
        (node.size + 2, node.size + 2),
    )


@cache
def _directions() -> np.ndarray:
    """Unit vectors evenly over the sphere (Fibonacci lattice), shape (n, 3)."""
    n = np.arange(_RAYS)
    z = 1 - (2 * n + 1) / _RAYS
    angle = n * np.pi * (3 - np.sqrt(5))
    return np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)


@cache
def _rays() -> np.ndarray:
    return _directions() * _template(_directions())[:, None]


def _template(unit: np.ndarray) -> np.ndarray:
    """Distance from the centre to the template's surface along unit vectors."""
    across = np.hypot(unit[..., 0], unit[..., 1])
    return (across**_ROUNDING + np.abs(unit[..., 2]) ** _ROUNDING) ** (-1 / _ROUNDING)


def _normals(half_size: np.ndarray) -> np.ndarray:
    """Unit normals of the template's surface where the rays meet it, shape (n, 3)."""
    x, y, z = _rays().T
    slope = np.hypot(x, y) ** (_ROUNDING - 2)
    normals = np.stack([x * slope, y * slope, np.sign(z) * np.abs(z) ** (_ROUNDING - 1)], axis=1) / half_size
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


@cache
def _neighbours() -> np.ndarray:
    """Pairs of neighbouring rays, shape (m, 2)."""
    triangles = ConvexHull(_directions()).simplices
    pairs = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    return np.unique(pairs, axis=0)


_TABLE = (91, 180)  # polar and azimuthal steps of the table that tells the radius between the rays


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """For each direction of the table, the nearest rays and their weights."""
    polar, azimuth = np.meshgrid(
        np.linspace(0, np.pi, _TABLE[0]), 2 * np.pi * np.arange(_TABLE[1]) / _TABLE[1], indexing="ij"
    )
    unit = np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=-1)
    distance, nearest = cKDTree(_directions()).query(unit.reshape(-1, 3), k=4)
    weight = 1 / np.maximum(distance, 1e-3) ** 2
    return nearest, weight / weight.sum(axis=1, keepdims=True)
