"""Cubic B-spline interpolation, as ITK does it (Unser et al., IEEE Trans Signal Process 1993;41)."""

import numpy as np

from .compiling import kernel

BLOCK = 256
"""Lines that are worked on at a time: they stay in the processor's cache."""


@kernel("void(float64[:, :, ::1], float64[::1], float64)", exact=True)
def filter_lines(c: np.ndarray, start: np.ndarray, divisor: float) -> None:  # noqa: C901, PLR0912 - calls no other
    """Turn samples into spline coefficients along the middle axis, mirrored at both ends.

    `start` has the weights of the samples in the first coefficient, before it is divided by `divisor`; if all of them
    count, the last one does first.
    """
    pole = np.sqrt(3.0) - 2
    gain = (1 - pole) * (1 - 1 / pole)
    n = c.shape[1]
    for o in range(c.shape[0]):
        for first in range(0, c.shape[2], BLOCK):
            line = c[o, :, first : first + BLOCK]
            width = line.shape[1]
            for j in range(n):
                for i in range(width):
                    line[j, i] *= gain
            if start.size == n:
                for i in range(width):
                    line[0, i] += start[n - 1] * line[n - 1, i]
            for j in range(1, min(start.size, n - 1)):
                for i in range(width):
                    line[0, i] += start[j] * line[j, i]
            for i in range(width):
                line[0, i] /= divisor
            for j in range(1, n):
                for i in range(width):
                    line[j, i] += pole * line[j - 1, i]
            for i in range(width):
                line[n - 1, i] = pole / (pole * pole - 1) * (pole * line[n - 2, i] + line[n - 1, i])
            for j in range(n - 2, -1, -1):
                for i in range(width):
                    line[j, i] = pole * (line[j + 1, i] - line[j, i])


@kernel("void(float64[:, :, ::1], int64[:, ::1], float64[:, ::1], float64[:, :, ::1])")
def combine(c: np.ndarray, index: np.ndarray, weight: np.ndarray, found: np.ndarray) -> None:
    """Write weighted sums of four planes of the middle axis: ``found[o, m] = Σ weight[m, t] c[o, index[m, t]]``."""
    for o in range(c.shape[0]):
        for m in range(index.shape[0]):
            a, b, d, e = index[m, 0], index[m, 1], index[m, 2], index[m, 3]
            wa, wb, wd, we = weight[m, 0], weight[m, 1], weight[m, 2], weight[m, 3]
            for i in range(c.shape[2]):
                found[o, m, i] = wa * c[o, a, i] + wb * c[o, b, i] + wd * c[o, d, i] + we * c[o, e, i]


_AXIS = "int64[:, ::1], float64[:, ::1]"


@kernel(f"void(float64[:, :, :, ::1], {_AXIS}, {_AXIS}, float64[:, ::1], float64[:, :, ::1])", exact=True)
def combine_in_order(
    c: np.ndarray,
    index_k: np.ndarray,
    weight_k: np.ndarray,
    index_j: np.ndarray,
    weight_j: np.ndarray,
    weight_i: np.ndarray,
    found: np.ndarray,
) -> None:
    """Add to `found` the sum over 4 x 4 x 4 coefficients in ITK's order, to the last bit.

    ``c[k, j, t, m]`` is the coefficient that ``weight_i[t, m]`` belongs to.
    """
    for k in range(found.shape[0]):
        for j in range(found.shape[1]):
            row = found[k, j]
            for s in range(4):
                for r in range(4):
                    wj, wk = weight_j[j, r], weight_k[k, s]
                    line = c[index_k[k, s], index_j[j, r]]
                    for m in range(row.size):
                        row[m] = (
                            row[m]
                            + weight_i[0, m] * wj * wk * line[0, m]
                            + weight_i[1, m] * wj * wk * line[1, m]
                            + weight_i[2, m] * wj * wk * line[2, m]
                            + weight_i[3, m] * wj * wk * line[3, m]
                        )
