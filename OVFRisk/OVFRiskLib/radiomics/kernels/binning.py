"""Sorting intensities into bins."""

import numpy as np

from .compiling import kernel


@kernel("void(float64[::1], float64[::1], int64[::1])")
def bin_numbers(values: np.ndarray, edges: np.ndarray, found: np.ndarray) -> None:
    """Write for each value how many `edges` (ascending) are not above it: ``np.digitize`` for bins of one width."""
    last = edges.size - 1
    per_unit = last / (edges[last] - edges[0])
    for n in range(values.size):
        x = values[n]
        guess = int((x - edges[0]) * per_unit)
        guess = min(max(guess, 0), last)
        while guess < last and edges[guess + 1] <= x:
            guess += 1
        while guess >= 0 and edges[guess] > x:
            guess -= 1
        found[n] = guess + 1
