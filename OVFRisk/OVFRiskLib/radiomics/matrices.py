"""Texture matrices: how grey levels lie beside each other.

All work on one padded, flattened copy of the grey levels, where a step in a direction is one number and the padding
(level 0) ends every walk. Directions, merging and quirks are PyRadiomics' (``src/cmatrices.c``), checked against it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, TypeVar

import numpy as np

from .kernels.binning import number_levels
from .kernels.cooccurrence import count_pairs
from .kernels.neighbourhood import look_around, mark_alike
from .kernels.runs import count_runs
from .kernels.zones import measure_zones

T = TypeVar("T")


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
    return np.array([step for step in steps if flat is None or step[flat] == 0], dtype=np.int64)


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
    flat : ndarray of int32
        The padded grey levels.
    voxels : ndarray of uint32
        Where the region is in `flat`, ascending.
    present : ndarray
        The grey levels that occur, ascending.
    ranks : ndarray of uint32
        As `flat`, levels numbered from 1 without gaps.
    """

    def __init__(self, levels: np.ndarray, reach: int = 1) -> None:
        self.shape = tuple(n + 2 * reach for n in levels.shape)
        padded = np.zeros(self.shape, dtype=np.int32)
        padded[(slice(reach, -reach),) * 3] = levels
        self.strides = np.array([self.shape[1] * self.shape[2], self.shape[2], 1], dtype=np.int64)
        self.flat = padded.ravel()
        rank_of, self.ranks = (np.zeros(n, dtype=np.uint32) for n in (levels.max() + 1, self.flat.size))
        voxels = np.empty(self.flat.size + 1, dtype=np.uint32)
        self.voxels = voxels[: number_levels(self.flat, rank_of, voxels, self.ranks)]
        self.present = np.flatnonzero(rank_of)
        self._found: dict[tuple, Any] = {}

    @cached_property
    def counts(self) -> np.ndarray:
        """Voxels of each grey level present."""
        return np.bincount(self.ranks[self.voxels])[1:]

    @cached_property
    def coordinates(self) -> np.ndarray:
        """Padded (k, j, i) of the voxels, shape (voxels, 3)."""
        return np.stack(np.unravel_index(self.voxels, self.shape), axis=1)

    def jumps(self, steps: np.ndarray) -> np.ndarray:
        """Return steps of `directions` as differences of places in `flat`; all are positive."""
        return (steps @ self.strides).astype(np.uint32)

    def alike(self, steps: np.ndarray) -> np.ndarray:
        """Return for each place of `flat` whether it equals the voxel a step before: bit d for step d, 16 at most."""
        return self._kept("alike", steps, self._mark_alike)

    def _mark_alike(self, steps: np.ndarray) -> np.ndarray:
        bits = np.zeros(self.flat.size, dtype=np.uint16)
        mark_alike(self.ranks, self.voxels[0], self.voxels[-1], steps @ self.strides, bits)
        return bits

    def surroundings(self, steps: np.ndarray, alpha: int) -> tuple[np.ndarray, np.ndarray]:
        """Return counts (levels, dependent voxels from 0) and sums of tone differences (levels,) in one pass."""
        return self._kept(alpha, steps, lambda steps: self._look_around(steps, alpha))

    def _look_around(self, steps: np.ndarray, alpha: int) -> tuple[np.ndarray, np.ndarray]:
        differences = np.zeros(self.present.size)
        dependences = np.zeros((self.present.size, 2 * len(steps) + 1), dtype=np.int64)
        ends = self.voxels[[0, -1]]
        look_around(self.flat, self.ranks, *ends, steps @ self.strides, alpha, dependences, differences)
        return dependences, differences

    def _kept(self, what: object, steps: np.ndarray, find: Callable[[np.ndarray], T]) -> T:
        """Return what `find` says of the steps, kept because two classes ask for the same."""
        key = (what, steps.tobytes())
        if key not in self._found:
            self._found[key] = find(steps)
        return self._found[key]


def cooccurrence(grid: LevelGrid, steps: np.ndarray) -> np.ndarray:
    """Count neighbouring grey levels (GLCM, IBSI LFYI).

    Returns
    -------
    ndarray, shape (directions, levels present, levels present)
        Asymmetric counts: element (a, i, j) counts voxels of level i whose neighbour at step a has level j.
    """
    n = grid.present.size + 1
    counts = np.zeros((len(steps), n, n), dtype=np.uint32)
    count_pairs(grid.ranks, grid.voxels, grid.jumps(steps), counts)
    return counts[:, 1:, 1:].astype(float)


def run_lengths(grid: LevelGrid, steps: np.ndarray) -> np.ndarray:
    """Count runs of one grey level along each direction (GLRLM, IBSI TP0I).

    Returns
    -------
    ndarray, shape (directions, levels present, longest run)
        All zero for directions along which every line meets the region in at most one voxel.
    """
    counts = np.zeros((len(steps), grid.present.size + 1, max(grid.shape)), dtype=np.int64)
    length, ends = np.zeros(grid.flat.size, dtype=np.uint16), np.empty(grid.voxels.size + 1, dtype=np.uint32)
    longest = np.empty(len(steps), dtype=np.int64)
    count_runs(grid.ranks, grid.alike(steps), grid.voxels, grid.jumps(steps), length, ends, counts, longest)
    kept = [n > 1 or _meets_a_line_twice(grid, step) for n, step in zip(longest, steps)]
    counts = counts[:, 1:, 1 : longest.max() + 1].astype(float)
    counts[kept, :, 0] = grid.counts - counts[kept] @ np.arange(1, counts.shape[2] + 1)  # all other voxels are alone
    return counts


def _meets_a_line_twice(grid: LevelGrid, step: np.ndarray) -> bool:
    """Whether any two voxels lie on one line along `step` (PyRadiomics drops the direction otherwise)."""
    axis = int(np.flatnonzero(step)[0])
    foot = grid.coordinates - grid.coordinates[:, [axis]] * step * step[axis]
    return len(np.unique(foot, axis=0)) < len(foot)


def zone_sizes(grid: LevelGrid, steps: np.ndarray) -> np.ndarray:
    """Count connected zones of one grey level by size (GLSZM, IBSI 9SAK).

    Returns
    -------
    ndarray, shape (1, levels present, sizes)
    ndarray, shape (sizes,)
        The sizes that occur, ascending.
    """
    root, rank, size = np.empty(grid.flat.size, np.uint32), *np.empty((2, grid.voxels.size), np.uint32)
    groups = _touching(steps.tobytes())
    n = measure_zones(grid.ranks, grid.alike(steps), grid.voxels, grid.jumps(steps), groups, root, rank, size)
    occurs = np.bincount(size[:n]) > 0
    sizes = np.flatnonzero(occurs)
    cell = (rank[:n].astype(np.int64) - 1) * sizes.size + np.cumsum(occurs)[size[:n]] - 1
    counts = np.bincount(cell, minlength=grid.present.size * sizes.size)
    return counts.reshape(1, grid.present.size, sizes.size).astype(float), sizes


@lru_cache(maxsize=8)
def _touching(steps: bytes) -> np.ndarray:
    """Return for each subset of the steps (bit d: step d) one step, as digit d + 1, of each group that touches."""
    ends = np.frombuffer(steps, dtype=np.int64).reshape(-1, 3)
    beside = (np.abs(ends[:, None] - ends).max(axis=2) <= 1) @ (1 << np.arange(len(ends)))
    left = subset = np.arange(1 << len(ends))
    found, digit = np.zeros_like(subset), 0
    while left.any():
        group, before = left & -left, 0
        found |= np.frexp(group)[1].astype(int) << 4 * digit  # the lowest bit, from 1; 0 where no group is left
        digit += 1
        while not np.array_equal(group, before):
            before = group
            for d, others in enumerate(beside):
                group = group | (group >> d & 1) * others & subset
        left = left & ~group
    return found.astype(np.uint32)


def dependences(grid: LevelGrid, steps: np.ndarray, alpha: int) -> np.ndarray:
    """Count voxels by how many neighbours differ by at most `alpha` grey levels (GLDM; IBSI's NGLDM, REK0).

    Returns
    -------
    ndarray, shape (1, levels present, most dependent voxels)
        The voxel itself counts, so the first column is of voxels that depend on none.
    """
    return grid.surroundings(steps, alpha)[0].astype(float)[None]


def tone_differences(grid: LevelGrid, steps: np.ndarray, alpha: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum how far voxels lie from the mean of their neighbourhood (NGTDM, IBSI IPET).

    Parameters
    ----------
    alpha : int
        Of `dependences`, which are counted in the same pass.

    Returns
    -------
    counts : ndarray, shape (levels present,)
        Voxels of each grey level, those without a neighbour included (IBSI leaves these out).
    differences : ndarray, shape (levels present,)
        Sum of absolute differences; voxels without a neighbour add nothing.
    """
    counts, differences = grid.surroundings(steps, alpha)
    return counts.sum(axis=1).astype(float), differences
