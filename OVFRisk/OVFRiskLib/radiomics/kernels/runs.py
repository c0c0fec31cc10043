"""Runs of one grey level."""

import numpy as np

from .compiling import kernel


@kernel(
    "void(uint32[::1], uint16[::1], uint32[::1], uint32[::1], uint16[::1], uint32[::1], int64[:, :, ::1], int64[::1])"
)
def count_runs(
    ranks: np.ndarray,
    alike: np.ndarray,
    voxels: np.ndarray,
    jumps: np.ndarray,
    length: np.ndarray,
    ends: np.ndarray,
    counts: np.ndarray,
    longest: np.ndarray,
) -> None:
    """Count runs of two or more voxels in ``counts[jump, rank, length]``; write the `longest` along each jump, or 1.

    Bit d of `alike` tells whether a voxel is as the one a jump d before. `voxels` ascend, so that the run a voxel
    continues has its length in `length` already. Where a run ends is written to `ends` first, without branches that a
    processor would guess wrong, and counted then.
    """
    columns, one = np.uint32(counts.shape[2]), np.uint32(1)
    for d in range(jumps.size):
        table, jump, n_ends = counts[d].ravel(), jumps[d], np.uint32(0)
        for n in range(voxels.size):
            place = voxels[n]
            same = np.uint32(alike[place] >> d) & one
            length[place] = length[place - jump] * same + one
            ends[n_ends] = place
            n_ends += same & ~np.uint32(alike[place + jump] >> d)
        most = one
        for n in range(n_ends):
            so_far = np.uint32(length[ends[n]])
            most = max(most, so_far)
            table[ranks[ends[n]] * columns + so_far] += 1
        longest[d] = most
