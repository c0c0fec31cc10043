"""Texture matrices: how grey levels lie beside each other.

All work on one padded, flattened copy of the grey levels, where a step in a direction is one number and the padding
(level 0) ends every walk. Directions, merging and quirks are PyRadiomics' (``src/cmatrices.c``), checked against it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import product

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def directions(distances: Iterable[int], settings: Mapping[str, object]) -> np.ndarray:
    """Return the steps (k, j, i) to neighbours at the given Chebyshev distances, one of each opposite pair.

    With `force2D` no step moves along the axis `force2Ddimension` (0 = k, 1 = j, 2 = i): texture within slices.

    Returns
    -------
    ndarray of int, shape (directions, 3)
    """
    wanted = set(distances)
    flat = settings["force2Ddimension"] if settings["force2D"] else None
    reach = range(max(wanted), -max(wanted) - 1, -1)
    steps = (step for step in product(reach, repeat=3) if max(map(abs, step)) in wanted and step > (0, 0, 0))
    return np.array([step for step in steps if flat is None or step[flat] == 0])


class LevelGrid:
    """Grey levels of a region, prepared for walking.

    Parameters
    ----------
    levels : ndarray of int, shape (nk, nj, ni)
        Grey levels from 1; 0 outside the region.
    reach : int
        Longest step that will be taken, voxels.

    Attributes
    ----------
    present : ndarray
        The grey levels that occur, ascending.
    """

    def __init__(self, levels: np.ndarray, reach: int = 1) -> None:
        padded = np.pad(levels, reach)
        self.strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
        self.flat = padded.ravel()
        self.voxels = np.flatnonzero(self.flat)
        self.coordinates = np.argwhere(padded)
        self.at_voxels = self.flat[self.voxels]
        self.present, self.rank = np.unique(self.at_voxels, return_inverse=True)

    @cached_property
    def rank_at(self) -> np.ndarray:
        """Index of the grey level within `present`, at every place of `flat`; meaningless outside the region."""
        ranks = np.zeros(self.flat.size, dtype=np.int64)
        ranks[self.voxels] = self.rank
        return ranks

    def neighbours(self, steps: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield for every step the pairs of voxels it joins: indices into `voxels`, and places in `flat`."""
        for step in steps @ self.strides:
            place = self.voxels + step
            inside = np.flatnonzero(self.flat[place])
            yield inside, place[inside]


def cooccurrence(grid: LevelGrid, steps: np.ndarray) -> np.ndarray:
    """Count neighbouring grey levels (GLCM, IBSI LFYI).

    Returns
    -------
    ndarray, shape (directions, levels present, levels present)
        Asymmetric counts: element (a, i, j) counts voxels of level i whose neighbour at step a has level j.
    """
    n = grid.present.size
    pairs = (grid.rank[voxel] * n + grid.rank_at[place] for voxel, place in grid.neighbours(steps))
    return np.stack([np.bincount(pair, minlength=n * n).reshape(n, n) for pair in pairs]).astype(float)


def run_lengths(grid: LevelGrid, steps: np.ndarray) -> np.ndarray:
    """Count runs of one grey level along each direction (GLRLM, IBSI TP0I).

    Returns
    -------
    ndarray, shape (directions, levels present, longest run)
        All zero for directions along which every line meets the region in at most one voxel.
    """
    counts = [_runs_along(grid, step) for step in steps]
    longest = max(c.shape[1] for c in counts)
    return np.stack([np.pad(c, ((0, 0), (0, longest - c.shape[1]))) for c in counts]).astype(float)


def _runs_along(grid: LevelGrid, step: np.ndarray) -> np.ndarray:
    jump = int(step @ grid.strides)
    starts = np.flatnonzero(grid.flat[grid.voxels - jump] != grid.at_voxels)
    head, rank, columns = grid.voxels[starts], grid.rank[starts], []
    while head.size:
        onward = grid.flat[head + jump] == grid.flat[head]
        columns.append(np.bincount(rank[~onward], minlength=grid.present.size))
        head, rank = head[onward] + jump, rank[onward]
    counts = np.stack(columns, axis=1)
    return counts if len(columns) > 1 or _meets_a_line_twice(grid, step) else np.zeros_like(counts)


def _meets_a_line_twice(grid: LevelGrid, step: np.ndarray) -> bool:
    """Whether any two voxels lie on one line along `step` (PyRadiomics drops the direction otherwise)."""
    axis = int(np.flatnonzero(step)[0])
    foot = grid.coordinates - grid.coordinates[:, [axis]] * step * step[axis]
    return len(np.unique(foot, axis=0)) < len(foot)


def zone_sizes(grid: LevelGrid, steps: np.ndarray) -> np.ndarray:
    """Count connected zones of one grey level by size (GLSZM, IBSI 9SAK).

    Returns
    -------
    ndarray, shape (1, levels present, largest zone)
    """
    number = np.zeros(grid.flat.size, dtype=np.int64)
    number[grid.voxels] = np.arange(grid.voxels.size)
    links = []
    for voxel, place in grid.neighbours(steps):
        same = grid.at_voxels[voxel] == grid.flat[place]
        links.append(np.stack([voxel[same], number[place[same]]]))
    one, other = np.concatenate(links, axis=1)
    n = grid.voxels.size
    _, zone = connected_components(coo_matrix((np.ones(one.size, bool), (one, other)), (n, n)), directed=False)
    size = np.bincount(zone)
    rank = np.zeros_like(size)
    rank[zone] = grid.rank
    return _histogram(grid, rank, size)


def dependences(grid: LevelGrid, steps: np.ndarray, alpha: int) -> np.ndarray:
    """Count voxels by how many neighbours differ by at most `alpha` grey levels (GLDM; IBSI's NGLDM, REK0).

    Returns
    -------
    ndarray, shape (1, levels present, most dependent voxels)
        The voxel itself counts, so the first column is of voxels that depend on none.
    """
    size = np.ones(grid.voxels.size, dtype=np.int64)
    for voxel, place in grid.neighbours(np.concatenate([steps, -steps])):
        size[voxel] += np.abs(grid.at_voxels[voxel] - grid.flat[place]) <= alpha
    return _histogram(grid, grid.rank, size)


def tone_differences(grid: LevelGrid, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum how far voxels lie from the mean of their neighbourhood (NGTDM, IBSI IPET).

    Returns
    -------
    counts : ndarray, shape (levels present,)
        Voxels of each grey level, those without a neighbour included (IBSI leaves these out).
    differences : ndarray, shape (levels present,)
        Sum of absolute differences; voxels without a neighbour add nothing.
    """
    count, total = np.zeros((2, grid.voxels.size))
    for voxel, place in grid.neighbours(np.concatenate([steps, -steps])):
        count[voxel] += 1
        total[voxel] += grid.flat[place]
    mean = np.divide(total, count, out=grid.at_voxels.astype(float), where=count > 0)
    difference = np.abs(grid.at_voxels - mean)
    return np.bincount(grid.rank).astype(float), np.bincount(grid.rank, difference)


def _histogram(grid: LevelGrid, rank: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Count (rank, size) pairs, sizes from 1; shape (1, levels, largest size)."""
    largest = int(size.max())
    counts = np.bincount(rank * largest + size - 1, minlength=grid.present.size * largest)
    return counts.reshape(1, grid.present.size, largest).astype(float)
