"""Sums and central moments."""

import numpy as np

from .compiling import kernel


@kernel("void(float64[::1], float64, float64[::1])")
def central_moments(x: np.ndarray, shift: float, found: np.ndarray) -> None:
    """Write the mean of `x`; the means of |d|, d², d³ and d⁴, d = x - mean; and the sum of (x + shift)²."""
    total = 0.0
    for n in range(x.size):
        total += x[n]
    mean = total / x.size
    absolute, second, third, fourth, energy = 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(x.size):
        d = x[n] - mean
        square = d * d
        absolute += abs(d)
        second += square
        third += square * d
        fourth += square * square
        energy += (x[n] + shift) * (x[n] + shift)
    found[0], found[1], found[2] = mean, absolute / x.size, second / x.size
    found[3], found[4], found[5] = third / x.size, fourth / x.size, energy


@kernel("void(float64[::1], float64, float64[::1])", exact=True)
def compensated_sums(x: np.ndarray, largest: float, found: np.ndarray) -> None:
    """Write number, sum, its rest, sum of squares, its rest, minimum and maximum of what is below `largest` in `x`.

    The rest is what rounding took from a sum (Knuth's TwoSum), so that both together are as good as exact.
    """
    n, low, high = 0, np.inf, -np.inf
    total, rest, squares, squares_rest = 0.0, 0.0, 0.0, 0.0
    for value in x:
        if abs(value) < largest:  # also false for NaN
            n += 1
            low, high = min(low, value), max(high, value)
            before, total = total, total + value
            added = total - before
            rest += (before - (total - added)) + (value - added)
            square = value * value
            before, squares = squares, squares + square
            added = squares - before
            squares_rest += (before - (squares - added)) + (square - added)
    found[0], found[1], found[2], found[3], found[4] = n, total, rest, squares, squares_rest
    found[5], found[6] = low, high


@kernel("void(int32[::1], int64[::1])")
def whole_number_sums(x: np.ndarray, found: np.ndarray) -> None:
    """Write sum, sum of squares, minimum and maximum of `x`, exactly; magnitudes up to 65,535."""
    total, squares = np.int64(0), np.int64(0)
    low, high = x[0], x[0]
    for n in range(x.size):
        total += x[n]
        squares += np.int64(x[n]) * x[n]
        low, high = min(low, x[n]), max(high, x[n])
    found[0], found[1], found[2], found[3] = total, squares, low, high
