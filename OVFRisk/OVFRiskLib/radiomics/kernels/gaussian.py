"""Recursive Gaussian filters along one axis."""

import numpy as np

from .compiling import kernel

LANES = 32
"""Lines that are filtered at a time; fixed, so that the compiler can work on many of them at once."""
_REST = "boolean, float64[:, ::1], int64, float64[:, :, ::1], float32[:, :, ::1])"


@kernel([f"void(float64[:, :, ::1], {_REST}", f"void(float32[:, :, ::1], {_REST}"])
def filter_recursively(  # noqa: C901, PLR0912 - kernels call no others
    x: np.ndarray, last: bool, by: np.ndarray, begin: int, work: np.ndarray, found: np.ndarray
) -> None:
    """Filter along the last axis or else the middle one, forwards by N and D, backwards by M and D, the rows of `by`.

    The ends go on as they are. Of the places only those from `begin` on, as many as `found` has, are written, rounded
    to single precision. `work` has the shape (3, voxels of the axis + 8, LANES).
    """
    length, lines, count = x.shape[1], x.shape[2], found.shape[1]
    if last:
        length, lines, count = x.shape[2], x.shape[1], found.shape[2]
    source, forward, backward = work[0], work[1], work[2]
    n0, n1, n2, n3 = by[0, 0], by[0, 1], by[0, 2], by[0, 3]
    m1, m2, m3, m4 = by[1, 0], by[1, 1], by[1, 2], by[1, 3]
    d1, d2, d3, d4 = by[2, 0], by[2, 1], by[2, 2], by[2, 3]
    steady_n = (n0 + n1 + n2 + n3) / (1 + d1 + d2 + d3 + d4)
    steady_m = (m1 + m2 + m3 + m4) / (1 + d1 + d2 + d3 + d4)
    for o in range(x.shape[0]):
        for first in range(0, lines, LANES):
            lanes = min(LANES, lines - first)
            if last:
                for t in range(lanes):
                    for j in range(length):
                        source[j + 4, t] = x[o, first + t, j]
            else:
                for j in range(length):
                    for t in range(lanes):
                        source[j + 4, t] = x[o, j, first + t]
            for j, t in np.ndindex(4, LANES):
                source[j, t], source[length + 4 + j, t] = source[4, t], source[length + 3, t]
                forward[j, t], backward[length + 4 + j, t] = steady_n * source[4, t], steady_m * source[length + 3, t]
            for j in range(4, begin + count + 4):
                for t in range(LANES):
                    forward[j, t] = (
                        n0 * source[j, t] + n1 * source[j - 1, t] + n2 * source[j - 2, t] + n3 * source[j - 3, t]
                    ) - (
                        d1 * forward[j - 1, t] + d2 * forward[j - 2, t]
                        + d3 * forward[j - 3, t] + d4 * forward[j - 4, t]
                    )  # fmt: skip
            for j in range(length + 3, begin + 3, -1):
                for t in range(LANES):
                    backward[j, t] = (
                        m1 * source[j + 1, t] + m2 * source[j + 2, t] + m3 * source[j + 3, t] + m4 * source[j + 4, t]
                    ) - (
                        d1 * backward[j + 1, t] + d2 * backward[j + 2, t]
                        + d3 * backward[j + 3, t] + d4 * backward[j + 4, t]
                    )  # fmt: skip
            if last:
                for t in range(lanes):
                    for j in range(count):
                        found[o, first + t, j] = np.float32(forward[begin + j + 4, t] + backward[begin + j + 4, t])
            else:
                for j in range(count):
                    for t in range(lanes):
                        found[o, j, first + t] = np.float32(forward[begin + j + 4, t] + backward[begin + j + 4, t])


@kernel("void(float32[:, :, ::1], float64, float32[:, :, ::1])")
def add_share(part: np.ndarray, divisor: float, total: np.ndarray) -> None:
    """Add ``part / divisor`` to `total`, rounded to single precision once."""
    for k in range(total.shape[0]):
        for j in range(total.shape[1]):
            for i in range(total.shape[2]):
                total[k, j, i] = np.float32(total[k, j, i] + part[k, j, i] / divisor)
