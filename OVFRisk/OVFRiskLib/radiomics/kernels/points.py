"""The farthest pair of points."""

import numpy as np

from .compiling import kernel


@kernel("float64(float64[:, ::1], float64[::1], int64[::1])")
def farthest(points: np.ndarray, reach: np.ndarray, starts: np.ndarray) -> float:
    """Return the largest squared distance between points of one group.

    Group n is ``points[starts[n] : starts[n + 1]]``, in descending order of `reach`, the distance to some centre. No
    pair is farther apart than its reaches add up to, so that most pairs are never looked at.
    """
    found = 0.0
    for group in range(starts.size - 1):
        for a in range(starts[group], starts[group + 1]):
            if 4 * reach[a] * reach[a] <= found:
                break
            for b in range(a + 1, starts[group + 1]):
                if (reach[a] + reach[b]) * (reach[a] + reach[b]) <= found:
                    break
                distance = 0.0
                for axis in range(points.shape[1]):
                    distance += (points[a, axis] - points[b, axis]) ** 2
                found = max(found, distance)
    return found
