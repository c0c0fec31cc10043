"""Recursive Gaussian filters along one axis."""

import numpy as np

from .compiling import kernel

LANES = 16
"""Lines that are filtered at a time; fixed, so that the compiler knows that they do not touch each other."""


@kernel("void(float64[:, :, :], float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, :, :])")
def filter_recursively(
    x: np.ndarray, n: np.ndarray, m: np.ndarray, d: np.ndarray, work: np.ndarray, found: np.ndarray
) -> None:
    """Filter along the middle axis, forwards by N and D, backwards by M and D; the ends go on as they are.

    The sum is rounded to single precision. `work` has four rows of LANES times 4 more than the axis has voxels.
    """
    length, width = x.shape[1], x.shape[2]
    ahead, forward, behind, backward = work[0], work[1], work[2], work[3]
    n0, n1, n2, n3 = n[0], n[1], n[2], n[3]
    m1, m2, m3, m4 = m[0], m[1], m[2], m[3]
    d1, d2, d3, d4 = d[0], d[1], d[2], d[3]
    steady_n = (n0 + n1 + n2 + n3) / (1 + d1 + d2 + d3 + d4)
    steady_m = (m1 + m2 + m3 + m4) / (1 + d1 + d2 + d3 + d4)
    for o in range(x.shape[0]):
        for first in range(0, width, LANES):
            lanes = min(LANES, width - first)
            for j in range(-4, length):
                there, back = x[o, max(j, 0)], x[o, min(length - 1 - j, length - 1)]
                for t in range(lanes):
                    ahead[(j + 4) * LANES + t], behind[(j + 4) * LANES + t] = there[first + t], back[first + t]
            for p in range(4 * LANES):
                forward[p], backward[p] = steady_n * ahead[p], steady_m * behind[p]
            for p in range(length * LANES):  # every term is LANES further: worked on many at a time
                forward[p + 4 * LANES] = (
                    n0 * ahead[p + 4 * LANES] + n1 * ahead[p + 3 * LANES]
                    + n2 * ahead[p + 2 * LANES] + n3 * ahead[p + LANES]
                ) - (
                    d1 * forward[p + 3 * LANES] + d2 * forward[p + 2 * LANES]
                    + d3 * forward[p + LANES] + d4 * forward[p]
                )  # fmt: skip
            for p in range(length * LANES):
                backward[p + 4 * LANES] = (
                    m1 * behind[p + 3 * LANES] + m2 * behind[p + 2 * LANES]
                    + m3 * behind[p + LANES] + m4 * behind[p]
                ) - (
                    d1 * backward[p + 3 * LANES] + d2 * backward[p + 2 * LANES]
                    + d3 * backward[p + LANES] + d4 * backward[p]
                )  # fmt: skip
            for j in range(length):
                for t in range(lanes):
                    both = forward[(j + 4) * LANES + t] + backward[(length + 3 - j) * LANES + t]
                    found[o, j, first + t] = np.float32(both)
