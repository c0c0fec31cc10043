"""What the features of run-length, size-zone and dependence matrices are made of."""

import numpy as np

from .compiling import kernel


@kernel("void(float64[:, :, ::1], float64[::1], float64[::1], float64[::1], float64, float64[:, ::1], float64[::1])")
def summarise_sizes(
    counts: np.ndarray,
    totals: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
    epsilon: float,
    moments: np.ndarray,
    found: np.ndarray,
) -> None:
    """Add up what features are made of, for each direction of ``counts[direction, i, j]`` whose total is not 0.

    `moments` (u, v) takes the mean of i^u·j^v, u and v being -2, 0 or 2. `found` takes the variances of i and j, their
    non-uniformities over n and over n², the entropy, and n over the number of voxels. All are sums over directions.
    """
    rows, columns = np.empty(i.size), np.empty(j.size)
    for d in range(counts.shape[0]):
        n = totals[d]
        if n == 0:
            continue
        rows[:], columns[:] = 0, 0
        for a in range(i.size):
            below, above = 0.0, 0.0
            for b in range(j.size):
                p = counts[d, a, b] / n
                if p > 0:
                    rows[a] += p
                    columns[b] += p
                    below += p / (j[b] * j[b])
                    above += p * (j[b] * j[b])
                    found[6] -= p * np.log2(p + epsilon)
            square = i[a] * i[a]
            for u, weight in enumerate((1 / square, 1.0, square)):
                moments[u, 0] += weight * below
                moments[u, 1] += weight * rows[a]
                moments[u, 2] += weight * above
        for of, (x, p) in enumerate(((i, rows), (j, columns))):
            mean, variance, squares = 0.0, 0.0, 0.0
            for a in range(x.size):
                mean += x[a] * p[a]
            for a in range(x.size):
                variance += p[a] * (x[a] - mean) ** 2
                squares += p[a] * p[a]
            found[of] += variance
            found[2 + of] += squares * n
            found[4 + of] += squares
        found[7] += 1 / mean
