"""Counting neighbouring grey levels, and what the features of a co-occurrence matrix are made of."""

import numpy as np

from .compiling import kernel


@kernel("void(uint32[::1], uint32[::1], uint32[::1], uint32[:, :, ::1])")
def count_pairs(ranks: np.ndarray, voxels: np.ndarray, jumps: np.ndarray, counts: np.ndarray) -> None:
    """Count pairs of ranks (from 1; 0 is outside) a jump apart in ``counts[jump, rank, other rank]``."""
    columns = np.uint32(counts.shape[2])
    for d in range(jumps.size):
        table, jump = counts[d].ravel(), jumps[d]
        for n in range(voxels.size):
            place = voxels[n]
            table[ranks[place] * columns + ranks[place + jump]] += np.uint32(1)


@kernel(
    "void(float64[:, :, ::1], int64[::1], float64, float64[:, ::1], float64[:, ::1], float64[:, ::1],"
    " float64[:, ::1], float64[:, ::1])"
)
def summarise_pairs(
    p: np.ndarray,
    levels: np.ndarray,
    epsilon: float,
    px: np.ndarray,
    py: np.ndarray,
    p_minus: np.ndarray,
    p_plus: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Add up the probabilities ``p[direction, i, j]`` in one pass over those that are not 0.

    Marginals of i, of j, of |i - j| and of i + j go where they are named; `sums` takes a direction's sum of p·i·j, sum
    of p², largest p, joint entropy HXY, HXY1, and the covariance of i and j.
    """
    for d in range(p.shape[0]):
        total, energy, largest, joint = 0.0, 0.0, 0.0, 0.0
        for a in range(levels.size):
            for b in range(levels.size):
                q = p[d, a, b]
                if q != 0:
                    px[d, a] += q
                    py[d, b] += q
                    p_minus[d, abs(levels[a] - levels[b])] += q
                    p_plus[d, levels[a] + levels[b]] += q
                    total += q * levels[a] * levels[b]
                    energy += q * q
                    largest = max(largest, q)
                    joint -= q * np.log2(q + epsilon)
        ux, uy = 0.0, 0.0
        for a in range(levels.size):
            ux += px[d, a] * levels[a]
            uy += py[d, a] * levels[a]
        covariance, apart = 0.0, 0.0
        for a in range(levels.size):
            for b in range(levels.size):
                q = p[d, a, b]
                if q != 0:
                    covariance += q * (levels[a] - ux) * (levels[b] - uy)
                    apart -= q * np.log2(px[d, a] * py[d, b] + epsilon)
        sums[d, 0], sums[d, 1], sums[d, 2] = total, energy, largest
        sums[d, 3], sums[d, 4], sums[d, 5] = joint, apart, covariance
