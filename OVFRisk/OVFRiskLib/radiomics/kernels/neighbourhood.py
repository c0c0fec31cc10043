"""What surrounds each voxel: for dependences and tone differences at once."""

import numpy as np

from .compiling import kernel


@kernel("void(int32[::1], int64, int64, int64[::1], int32, int32[::1], int32[::1], int32[::1])")
def look_around(
    levels: np.ndarray,
    first: int,
    last: int,
    jumps: np.ndarray,
    alpha: int,
    alike: np.ndarray,
    count: np.ndarray,
    total: np.ndarray,
) -> None:
    """Write for each place from `first` to `last` about its neighbours inside the region (level above 0).

    How many differ by at most `alpha` levels, how many there are, and the sum of their levels.
    """
    for d in range(jumps.size):
        here, there = levels[first : last + 1], levels[first + jumps[d] : last + 1 + jumps[d]]
        like, near, tone = alike[first : last + 1], count[first : last + 1], total[first : last + 1]
        for n in range(here.size):  # plain and without branches, so that many places are worked on at a time
            inside = np.int32(there[n] > 0)
            like[n] += inside * np.int32(abs(here[n] - there[n]) <= alpha)
            near[n] += inside
            tone[n] += there[n]


@kernel("void(uint32[::1], uint32[::1], int32[::1], int32[::1], int32[::1], int32[::1], int64[:, ::1], float64[::1])")
def sum_up(
    voxels: np.ndarray,
    ranks: np.ndarray,
    levels: np.ndarray,
    alike: np.ndarray,
    count: np.ndarray,
    total: np.ndarray,
    dependences: np.ndarray,
    differences: np.ndarray,
) -> None:
    """Count voxels by rank (from 1) and dependence; add by rank how far voxels lie from their neighbours' mean."""
    for n in range(voxels.size):
        place = voxels[n]
        rank = ranks[place] - np.uint32(1)
        dependences[rank, alike[place]] += 1
        if count[place]:
            differences[rank] += abs(levels[place] - total[place] / count[place])
