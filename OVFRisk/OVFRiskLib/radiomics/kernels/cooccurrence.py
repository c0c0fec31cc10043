"""Counting neighbouring grey levels, and what the features of a co-occurrence matrix are made of."""

import numpy as np

from .compiling import kernel


@kernel("void(uint32[::1], uint32[::1], uint32[::1], uint32[:, :, ::1])")
def count_pairs(ranks: np.ndarray, voxels: np.ndarray, jumps: np.ndarray, counts: np.ndarray) -> None:
    """Count pairs of ranks (from 1; 0 is outside) a jump apart in ``counts[jump, rank, other rank]``.

    Two jumps at a time: adding to one table often waits for what was just added to it.
    """
    columns = np.uint32(counts.shape[2])
    spare = np.zeros(counts.shape[1] * counts.shape[2], dtype=np.uint32)
    for d in range(0, jumps.size, 2):
        paired = d + 1 < jumps.size
        table, jump = counts[d].ravel(), jumps[d]
        other, leap = (counts[d + 1].ravel(), jumps[d + 1]) if paired else (spare, jump)
        for n in range(voxels.size):
            place = voxels[n]
            row = ranks[place] * columns
            table[row + ranks[place + jump]] += np.uint32(1)
            other[row + ranks[place + leap]] += np.uint32(1)


@kernel("void(float64[:, :, ::1], boolean, float64[::1], int64[::1], float64, float64[:, ::1], float64[:, :])")
def summarise_pairs(  # noqa: C901 - a kernel calls no other
    p: np.ndarray,
    symmetrical: bool,
    levels: np.ndarray,
    starts: np.ndarray,
    epsilon: float,
    marginals: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Turn counts ``p[direction, i, j]`` into probabilities, in place, and add up what features are made of.

    `symmetrical` counts each pair in both orders. A direction's marginals of i, of j, of |i - j| and of i + j lie in
    its row of `marginals` between successive `starts`. `sums` takes the number of pairs, the mean of i·j, the sum of
    p², the largest p, the entropy of p, Σ p / (px·py + ε) and the covariance of i and j; without pairs all remain 0.
    """
    n_levels = levels.size
    for d in range(p.shape[0]):
        count = 0.0
        for a in range(n_levels):
            for b in range(n_levels):
                count += p[d, a, b]
        if count == 0:
            continue
        px, py = marginals[d, starts[0] : starts[1]], marginals[d, starts[1] : starts[2]]
        p_minus, p_plus = marginals[d, starts[2] : starts[3]], marginals[d, starts[3] : starts[4]]
        product, energy, largest, entropy = 0.0, 0.0, 0.0, 0.0
        for a in range(n_levels):
            for b in range(a + 1):
                q, r = p[d, a, b] / count, p[d, b, a] / count  # exactly 1 where there is one pair of levels
                if symmetrical:
                    q = r = (q + r) / 2
                if q + r == 0:
                    continue
                p[d, a, b], p[d, b, a] = q, r
                if a == b:
                    r = 0.0
                px[a] += q
                py[b] += q
                px[b] += r
                py[a] += r
                logarithm = np.log2(q + epsilon)
                entropy -= q * logarithm + r * (logarithm if q == r else np.log2(r + epsilon))
                p_minus[int(levels[a] - levels[b])] += q + r
                p_plus[int(levels[a] + levels[b])] += q + r
                product += (q + r) * levels[a] * levels[b]
                energy += q * q + r * r
                largest = max(largest, q, r)
        ux, uy = 0.0, 0.0
        for a in range(n_levels):
            ux += px[a] * levels[a]
            uy += py[a] * levels[a]
        ratio, covariance = 0.0, 0.0
        for a in range(n_levels):
            row, chance, x = p[d, a], px[a], levels[a] - ux
            for b in range(n_levels):  # plain and without branches, so that many are worked on at a time
                ratio += row[b] / (chance * py[b] + epsilon)
                covariance += row[b] * x * (levels[b] - uy)
        sums[d, 0], sums[d, 1], sums[d, 2], sums[d, 3] = count, product, energy, largest
        sums[d, 4], sums[d, 5], sums[d, 6] = entropy, ratio, covariance


@kernel("void(float64[:, ::1], float64[::1], int64[::1], float64, float64[:, :])")
def summarise_marginals(
    marginals: np.ndarray, levels: np.ndarray, starts: np.ndarray, epsilon: float, sums: np.ndarray
) -> None:
    """Add up the `marginals` of `summarise_pairs`.

    `sums` takes of each direction how many values of i, of j, of |i - j| and of i + j occur; their entropies; means;
    variances; and the third and fourth central moments of i + j.
    """
    for d in range(marginals.shape[0]):
        for part in range(4):
            occurring, entropy, mean, second, third, fourth = 0, 0.0, 0.0, 0.0, 0.0, 0.0
            for t in range(starts[part], starts[part + 1]):
                q, k = marginals[d, t], t - starts[part] if part >= 2 else levels[t - starts[part]]
                if q != 0:
                    occurring += 1
                    mean += q * k
                    entropy -= q * np.log2(q + epsilon)
            for t in range(starts[part], starts[part + 1]):
                q, k = marginals[d, t], t - starts[part] if part >= 2 else levels[t - starts[part]]
                off = k - mean
                second += q * off**2
                third += q * off**3
                fourth += q * off**4
            sums[d, part], sums[d, 4 + part], sums[d, 8 + part], sums[d, 12 + part] = occurring, entropy, mean, second
        sums[d, 16], sums[d, 17] = third, fourth


@kernel("void(float64[:, ::1], float64[::1], float64[::1], float64, float64[:, ::1])")
def normalise_pairs(p: np.ndarray, px: np.ndarray, py: np.ndarray, epsilon: float, found: np.ndarray) -> None:
    """Write ``p / √(px·py + ε)``; levels that do not occur are 0."""
    half = np.zeros(py.size)
    for j in range(py.size):
        if py[j] > 0:
            half[j] = 1 / np.sqrt(py[j])
    for i in range(px.size):
        x, row, there = 1 / np.sqrt(px[i]) if px[i] > 0 else 0.0, p[i], found[i]
        for j in range(py.size):
            root = x * half[j]
            there[j] = row[j] * root * (1 - epsilon / 2 * root * root)


@kernel("float64(float64[:, ::1], float64[::1])")
def second_eigenvalue(a: np.ndarray, px: np.ndarray) -> float:  # noqa: C901, PLR0912 - a kernel calls no other
    """Return the second largest eigenvalue of A·Aᵀ, A from `normalise_pairs`; the largest is 1 and belongs to √px.

    Lanczos' method, orthogonal to √px, until the value grows by no more than 1e-14 (Golub and Van Loan, Matrix
    Computations, 10.1). Takes a few steps, and as many as there are levels at most.
    """
    n = px.size
    half, basis = np.empty(n), np.empty((n + 1, n))
    diagonal, beside = np.empty(n), np.zeros(n + 1)
    for i in range(n):
        basis[0, i] = np.sqrt(px[i])
        basis[1, i] = (i * 0.6180339887498949) % 1 - 0.5  # has a part of every singular vector
    value = 0.0
    for k in range(1, n):
        new, square = basis[k], 0.0
        for m in range(2 * k):  # twice, as the first time leaves rounding
            old, overlap, square = basis[m % k], 0.0, 0.0
            for i in range(n):
                overlap += old[i] * new[i]
            for i in range(n):
                new[i] -= overlap * old[i]
                square += new[i] * new[i]
        norm = np.sqrt(square)
        if norm < 1e-14:
            break
        half[:], square = 0.0, 0.0
        for i in range(n):
            new[i] /= norm
            x, row = new[i], a[i]
            for j in range(n):
                half[j] += x * row[j]
        for i in range(n):
            square += half[i] * half[i]
            product, row = 0.0, a[i]
            for j in range(n):
                product += row[j] * half[j]
            basis[k + 1, i] = product
        diagonal[k - 1], beside[k - 1] = square, norm
        before, centre = value, (value + square) / 2
        value = centre + np.sqrt((value - centre) ** 2 + norm * norm) if k > 1 else square
        last, step = 2.0, 1.0
        while 1e-15 < step < last:  # Newton's method falls to the largest eigenvalue from above, by less each time
            pivot, slope = diagonal[0] - value, -1.0
            total = slope / pivot
            for m in range(1, k):
                part = beside[m] * beside[m] / pivot
                slope = part / pivot * slope - 1
                pivot = diagonal[m] - value - part
                total += slope / pivot
            last, step = step, 1 / total
            value -= step
        if value - before <= 1e-14:  # it grows by about the residual's square over the value, or more
            break
    return value
