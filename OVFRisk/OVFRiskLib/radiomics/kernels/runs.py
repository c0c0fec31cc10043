"""Runs of one grey level."""

import numpy as np

from .compiling import kernel


@kernel("int64(uint32[::1], uint32[::1], uint32, uint32[::1], uint32[::1], int64[:, ::1])")
def count_runs(
    ranks: np.ndarray, voxels: np.ndarray, jump: int, length: np.ndarray, ends: np.ndarray, counts: np.ndarray
) -> int:
    """Count runs along one jump in ``counts[rank, length]`` and return the longest.

    `voxels` ascend, so that the run a voxel continues has its length in `length` already. What ends here is written to
    `ends` first, without branches that a processor would guess wrong, and counted then.
    """
    columns, table = np.uint32(counts.shape[1]), counts.ravel()
    longest, n_ends = np.uint32(1), np.uint32(0)
    for n in range(voxels.size):
        place = voxels[n]
        rank, before = ranks[place], place - jump
        so_far = length[before] * np.uint32(ranks[before] == rank) + np.uint32(1)
        length[place] = so_far
        longest = max(longest, so_far)
        ends[n_ends] = rank * columns + so_far
        n_ends += np.uint32(ranks[place + jump] != rank)
    for n in range(n_ends):
        table[ends[n]] += 1
    return longest
