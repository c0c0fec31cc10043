"""Sorting intensities into bins, and numbering the grey levels that occur."""

import numpy as np

from .compiling import kernel


@kernel("void(float64[::1], float64[::1], int64[::1], int32[::1])")
def bin_numbers(values: np.ndarray, edges: np.ndarray, places: np.ndarray, found: np.ndarray) -> None:
    """Write to its place for each value how many `edges` (ascending) are not above it.

    It is ``np.digitize`` for bins of one width.
    """
    last = edges.size - 1
    per_unit = last / (edges[last] - edges[0])
    for n in range(values.size):
        x = values[n]
        guess = int((x - edges[0]) * per_unit)
        guess = min(max(guess, 0), last)
        while guess < last and edges[guess + 1] <= x:
            guess += 1
        while guess >= 0 and edges[guess] > x:
            guess -= 1
        found[places[n]] = guess + 1


@kernel("int64(int32[::1], uint32[::1], uint32[::1], uint32[::1])")
def number_levels(levels: np.ndarray, rank_of: np.ndarray, voxels: np.ndarray, ranks: np.ndarray) -> int:
    """Number the `levels` above 0 that occur, from 1 and ascending; return how many voxels have one.

    `rank_of` (zeros) gets the number of each level, `voxels` (one longer than needed) the places of the voxels, and
    `ranks` the number of each.
    """
    for place in range(levels.size):
        rank_of[levels[place]] = 1
    rank_of[0] = 0
    total = np.uint32(0)
    for level in range(rank_of.size):
        total += rank_of[level]
        rank_of[level] *= total
    found = 0
    for place in range(levels.size):
        voxels[found] = place
        found += levels[place] > 0
        ranks[place] = rank_of[levels[place]]
    return found
