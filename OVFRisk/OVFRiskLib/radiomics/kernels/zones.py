"""Connected zones of one grey level."""

import numpy as np

from .compiling import kernel


@kernel("int64(uint32[::1], uint16[::1], uint32[::1], uint32[::1], uint32[::1], uint32[::1], uint32[::1], uint32[::1])")
def measure_zones(
    ranks: np.ndarray,
    alike: np.ndarray,
    voxels: np.ndarray,
    jumps: np.ndarray,
    groups: np.ndarray,
    root: np.ndarray,
    rank: np.ndarray,
    size: np.ndarray,
) -> int:
    """Join equal neighbours; return how many zones there are, and write the `rank` and `size` of each.

    Union-find over the `voxels` in ascending order. Bit d of `alike` tells whether a voxel is as the one a jump d
    before. Of those some touch each other, and are joined already: ``groups[alike]`` has a hexadecimal digit, d + 1, of
    one in each group.
    """
    for n in range(voxels.size):
        place = voxels[n]
        top, left = place, groups[alike[place]]
        while left:
            other = root[place - jumps[(left & np.uint32(15)) - np.uint32(1)]]
            while root[other] != other:
                root[other] = root[root[other]]
                other = root[other]
            root[max(top, other)] = min(top, other)
            top = min(top, other)
            left >>= np.uint32(4)
        root[place] = top
    zones = np.uint32(0)
    for n in range(voxels.size):  # now `root` gets the zone's number; a root comes before all others of its zone
        place = voxels[n]
        if root[place] == place:
            root[place], rank[zones], size[zones] = zones, ranks[place], 1
            zones += np.uint32(1)
        else:
            root[place] = root[root[place]]
            size[root[place]] += np.uint32(1)
    return zones
