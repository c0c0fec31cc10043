"""Connected zones of one grey level."""

import numpy as np

from .compiling import kernel


@kernel("int64(uint32[::1], uint32[::1], uint32[::1], uint32[::1], uint32[::1])")
def measure_zones(ranks: np.ndarray, voxels: np.ndarray, jumps: np.ndarray, root: np.ndarray, size: np.ndarray) -> int:
    """Join equal neighbours; return the largest zone, its voxels counted in `size` at the root of each zone.

    Union-find over the `voxels` in ascending order, looking back along `jumps`. The first jump must lead to a voxel
    that all other jumps lead beside: where it has the same rank, the others are in its zone already.
    """
    for n in range(voxels.size):
        place = voxels[n]
        rank, mine = ranks[place], place
        if ranks[place - jumps[0]] == rank:
            root[place] = root[place - jumps[0]]
            continue
        root[place] = place
        for d in range(1, jumps.size):
            other = np.uint32(place - jumps[d])
            if ranks[other] == rank:
                while root[other] != other:
                    root[other] = root[root[other]]
                    other = root[other]
                root[max(mine, other)] = min(mine, other)
                mine = min(mine, other)
    largest = np.uint32(0)
    for n in range(voxels.size):
        place = voxels[n]
        top = root[root[place]]  # of all before, the root is known
        root[place] = top
        size[top] += np.uint32(1)
        largest = max(largest, size[top])
    return largest
