"""What surrounds each voxel."""

import numpy as np

from .compiling import kernel

_BLOCK = 2048  # places worked on at a time: their sums stay in the processor's nearest memory


@kernel("void(uint32[::1], int64, int64, int64[::1], uint16[::1])")
def mark_alike(ranks: np.ndarray, first: int, last: int, jumps: np.ndarray, alike: np.ndarray) -> None:
    """Set bit d of `alike`, from place `first` to `last`, where the rank equals that a jump d before."""
    for start in range(first, last + 1, _BLOCK):
        stop = min(start + _BLOCK, last + 1)
        here, bits = ranks[start:stop], alike[start:stop]
        for d in range(jumps.size):
            before, bit = ranks[start - jumps[d] : stop - jumps[d]], np.uint16(1 << d)
            for n in range(here.size):  # plain and without branches, so that many places are worked on at a time
                bits[n] |= bit if here[n] == before[n] else np.uint16(0)


@kernel("void(int32[::1], uint32[::1], int64, int64, int64[::1], int32, int64[:, ::1], float64[::1])")
def look_around(
    levels: np.ndarray,
    ranks: np.ndarray,
    first: int,
    last: int,
    jumps: np.ndarray,
    alpha: int,
    dependences: np.ndarray,
    differences: np.ndarray,
) -> None:
    """Count voxels by rank (from 1) and dependence; add by rank how far voxels lie from their neighbours' mean.

    Neighbours lie a jump before or after, inside the region (level above 0). Dependent are those that differ by at most
    `alpha` levels.
    """
    alike, count, total = np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32)
    apart, beneath = np.empty(_BLOCK), np.int32(-alpha)
    for start in range(first, last + 1, _BLOCK):
        stop = min(start + _BLOCK, last + 1)
        here = levels[start:stop]
        alike[:], count[:], total[:] = 0, 0, 0
        for d in range(jumps.size):
            after, before = levels[start + jumps[d] : stop + jumps[d]], levels[start - jumps[d] : stop - jumps[d]]
            for n in range(here.size):  # as above, and in 32 bits
                up, down = np.int32(here[n] - after[n]), np.int32(here[n] - before[n])
                a, b = after[n] > 0, before[n] > 0
                alike[n] += np.int32(a & (up <= alpha) & (up >= beneath))
                alike[n] += np.int32(b & (down <= alpha) & (down >= beneath))
                count[n] += np.int32(a) + np.int32(b)
                total[n] += after[n] + before[n]
        for n in range(here.size):
            near = np.float64(count[n])
            apart[n] = abs(here[n] - total[n] / max(near, 1.0)) * min(near, 1.0)
        for n in range(here.size):
            if here[n]:
                rank = ranks[start + n] - np.uint32(1)
                dependences[rank, alike[n]] += 1
                differences[rank] += apart[n]
