"""Cubic B-spline interpolation along one axis, as ITK does it (Unser et al., IEEE Trans Signal Process 1993;41)."""

import numpy as np

from .compiling import kernel


@kernel("void(float64[:, :, ::1], float64[::1])")
def filter_lines(c: np.ndarray, start: np.ndarray) -> None:
    """Turn samples into spline coefficients along the middle axis, mirrored at both ends.

    `start` has the weights of the samples in the first coefficient.
    """
    pole = np.sqrt(3.0) - 2
    n = c.shape[1]
    for o in range(c.shape[0]):
        line = c[o]
        line *= 6
        line[0] *= start[0]
        for j in range(1, start.size):
            for i in range(c.shape[2]):
                line[0, i] += start[j] * line[j, i]
        for j in range(1, n):
            for i in range(c.shape[2]):
                line[j, i] += pole * line[j - 1, i]
        for i in range(c.shape[2]):
            line[n - 1, i] = pole / (pole * pole - 1) * (pole * line[n - 2, i] + line[n - 1, i])
        for j in range(n - 2, -1, -1):
            for i in range(c.shape[2]):
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
