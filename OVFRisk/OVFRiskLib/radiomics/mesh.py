"""The surface between a mask and what surrounds it: marching cubes with vertices halfway between voxels.

A cube joins the centres of 2 x 2 x 2 voxels. Corners are numbered 4k + 2j + i; an edge of the cube is named by the two
corners it joins, and the vertex on it lies in its middle. Groups of inside corners that edges connect are cut off one
by one along the patterns of Lorensen and Cline (Comput Graph 1987;21:163-169), up to the 24 rotations of the cube. A
cube whose corner 6 is inside is cut as its complement, turned inside out: diagonal neighbours are joined there and
apart elsewhere, so that the surface may have cracks. That is PyRadiomics' convention (``src/cshape.c``), and the reason
why a mask and its mirror image differ a little in volume.
"""

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np

from .kernels.points import farthest

_PATTERNS = {  # corners inside: triangles of three edges each, anti-clockwise seen from outside
    "0": "01.04.02",
    "01": "13.04.02 13.15.04",
    "013": "23.04.02 23.37.04 37.15.04",
    "0123": "15.04.37 26.37.04",
    "0134": "23.37.15 23.15.46 23.46.02 45.46.15",
    "0124": "45.46.26 15.45.26 26.23.15 13.15.23",
    "0234": "26.37.13 13.45.26 13.01.45 45.46.26",
    "01234": "45.46.26 45.26.15 15.26.37",
    "02345": "57.46.01 57.01.15 46.26.01 37.13.01 26.37.01",
    "012345": "26.37.57 57.46.26",
    "012347": "67.57.15 67.15.26 45.46.15 46.26.15",
    "023457": "01.15.13 67.46.26",
    "0123457": "67.46.26",
}
_TURNED = 6  # the corner whose side decides between a pattern and its complement
_CORNERS = np.array(list(product((0, 1), repeat=3)))

Triangle = tuple[frozenset[int], ...]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Measures of a closed surface: mm³ and mm²."""

    volume: float
    area: float


def mesh(mask: np.ndarray, spacing: np.ndarray) -> Mesh:
    """Return the surface of `mask`.

    Parameters
    ----------
    mask : ndarray of bool, shape (nk, nj, ni)
        Cropped to its bounding box: where the surface has cracks the volume depends on the box.
    spacing : ndarray, shape (3,)
        Voxel size along k, j, i in mm.
    """
    inside = np.pad(mask, 1)
    cases = _cases(inside)
    cut = np.argwhere((cases > 0) & (cases < 255))
    case = cases[tuple(cut.T)]
    counts = np.bincount(case, minlength=256)
    places = np.stack([np.bincount(case, cut[:, axis], minlength=256) for axis in range(3)], axis=1)
    area, moment, normal = _measures(spacing)
    return Mesh((counts @ moment + (places * spacing * normal).sum()) / 6, float(counts @ area))


def outermost(inside: np.ndarray, along: int) -> np.ndarray:
    """Return the first and last vertex of every line along an axis: among these are those farthest apart.

    Vertices are places halfway between neighbours of which one is inside.

    Parameters
    ----------
    inside : ndarray of bool
        The mask, padded.
    along : int
        The axis.

    Returns
    -------
    ndarray of int, shape (n, dimensions)
        In half voxels.
    """
    found = []
    for axis, step in enumerate(np.eye(inside.ndim, dtype=np.int64)):
        cut = np.diff(inside, axis=axis)
        lines = np.argwhere(cut.any(axis=along))
        for ends in (cut.argmax(axis=along), cut.shape[along] - 1 - np.flip(cut, along).argmax(axis=along)):
            places = np.insert(lines, along, ends[tuple(lines.T)], axis=1)
            found.append(2 * places + step)
    return np.concatenate(found)


def diameter(points: np.ndarray, spacing: np.ndarray) -> float:
    """Return the largest distance in mm between `points`, given in half voxels, shape (n, dimensions)."""
    return _diameter(points, spacing, np.zeros(len(points), dtype=np.int64))


def diameter_within_planes(points: np.ndarray, spacing: np.ndarray, axis: int) -> float:
    """Return the largest distance in mm between `points` that share their coordinate along `axis`."""
    return _diameter(np.delete(points, axis, axis=1), np.delete(spacing, axis), points[:, axis])


def _diameter(points: np.ndarray, spacing: np.ndarray, plane: np.ndarray) -> float:
    places = points * (spacing / 2)
    reach = np.sqrt(((places - places.mean(axis=0)) ** 2).sum(axis=1))
    order = np.lexsort((-reach, plane))
    starts = np.flatnonzero(np.diff(plane[order], prepend=plane.min() - 1, append=plane.max() + 1))
    return float(np.sqrt(farthest(places[order], reach[order], starts)))


def _cases(inside: np.ndarray) -> np.ndarray:
    """Return for each cube the sum of 2^c over its corners c that are inside."""
    cases = np.zeros(np.array(inside.shape) - 1, dtype=np.uint8)
    for corner, offset in enumerate(_CORNERS):
        part = tuple(slice(o, o + n) for o, n in zip(offset, cases.shape))
        cases |= inside[part].astype(np.uint8) << np.uint8(corner)
    return cases


def _measures(spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of the triangles of each case: area, six times the volume towards the cube's origin, sum of normals."""
    triangles, case = _triangles()
    a, b, c = (triangles * spacing).transpose(1, 0, 2)
    normals = np.cross(a, b) + np.cross(b, c) + np.cross(c, a)
    area = np.bincount(case, np.linalg.norm(normals, axis=1) / 2, 256)
    moment = np.bincount(case, (np.cross(a, b) * c).sum(axis=1), 256)
    return area, moment, np.stack([np.bincount(case, normals[:, axis], 256) for axis in range(3)], axis=1)


@cache
def _triangles() -> tuple[np.ndarray, np.ndarray]:
    """Return all triangles of the 256 cases, vertices within the unit cube, shape (n, 3, 3), and the case of each."""
    cuts = _cuts()
    cases = [_triangles_of(case, cuts) for case in range(256)]
    points = [[_CORNERS[list(edge)].mean(axis=0) for edge in triangle] for cut in cases for triangle in cut]
    return np.array(points), np.repeat(np.arange(256), [len(cut) for cut in cases])


def _triangles_of(case: int, cuts: dict[frozenset[int], tuple[Triangle, ...]]) -> list[Triangle]:
    inside = {corner for corner in range(8) if case >> corner & 1}
    if _TURNED in inside:
        return [triangle[::-1] for triangle in _triangles_of(255 - case, cuts)]
    return [triangle for group in _connected(inside) for triangle in cuts[group]]


def _cuts() -> dict[frozenset[int], tuple[Triangle, ...]]:
    """Return the patterns in all rotations, by their inside corners."""
    cuts: dict[frozenset[int], tuple[Triangle, ...]] = {}
    for (corners, text), turn in product(_PATTERNS.items(), _rotations()):
        triangles = ((frozenset(turn[int(c)] for c in edge) for edge in cut.split(".")) for cut in text.split())
        cuts.setdefault(frozenset(turn[int(c)] for c in corners), tuple(tuple(cut) for cut in triangles))
    return cuts


def _rotations() -> list[np.ndarray]:
    """Return the 24 rotations of the cube as maps from corner to corner."""
    maps = []
    for order, flips in product(permutations(range(3)), product((0, 1), repeat=3)):
        matrix = np.eye(3)[list(order)] * (1 - 2 * np.array(flips))
        if np.linalg.det(matrix) > 0:
            turned = (((2 * _CORNERS - 1) @ matrix + 1) / 2).round().astype(int)
            maps.append(turned @ (4, 2, 1))
    return maps


def _connected(corners: set[int]) -> list[frozenset[int]]:
    """Return the groups of `corners` that edges of the cube connect."""
    groups, left = [], set(corners)
    while left:
        group, new = set(), {left.pop()}
        while new:
            group |= new
            new = {c ^ bit for c in new for bit in (1, 2, 4)} & left
            left -= new
        groups.append(frozenset(group))
    return groups
