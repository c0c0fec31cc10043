"""Short filters along the axes of an image; to the last bit those of PyWavelets and ITK, whose sums these are."""

import numpy as np

from .compiling import kernel

BLOCK = 1024
"""Places that are worked on at a time: they stay in the processor's cache."""


@kernel([f"void({t}[:, ::1], {t}[::1], int64, int64, {t}[:, ::1])" for t in ("float64", "float32")], exact=True)
def convolve_periodically(x: np.ndarray, taps: np.ndarray, begin: int, step: int, found: np.ndarray) -> None:
    """Add to `found` the filtered lines of `x` from the place `begin` on; they continue periodically.

    Neighbours along a line are `step` numbers apart. The place p gets ``Σ taps[n] x[p + taps.size // 2 - n]``, in this
    order, but where the sum starts beyond the end, what lies there comes first, from its far side.
    """
    size, half = x.shape[1], taps.size // 2
    straight = min(max(size - (begin + half) * step, 0), found.shape[1])
    for o in range(x.shape[0]):
        for first in range(0, straight, BLOCK):
            end = min(first + BLOCK, straight)
            for n in range(taps.size):
                shift = (begin + half - n) * step % size
                turn = min(max(size - shift, first), end)
                for low, high, move in ((first, turn, shift), (turn, end, shift - size)):
                    sums, moved = found[o, low:high], x[o, low + move : high + move]
                    for p in range(sums.size):
                        sums[p] += taps[n] * moved[p]
        for first in range(straight, found.shape[1], step):
            place = begin + half + first // step
            beyond = place - size // step
            for m in range(taps.size):
                n = beyond - m if m <= beyond else m
                low = (place - n) * step % size
                sums, moved = found[o, first : first + step], x[o, low : low + step]
                for p in range(step):
                    sums[p] += taps[n] * moved[p]


@kernel("void(float64[:, :, ::1], float64[::1], float32[:, :, ::1])", exact=True)
def gradient_magnitude(x: np.ndarray, halves: np.ndarray, found: np.ndarray) -> None:
    """Write the length of the gradient by central differences for every voxel but the outermost ones of `x`.

    `halves` are 0.5 / spacing along k, j, i.
    """
    a, b, c = halves[0], halves[1], halves[2]
    for k in range(found.shape[0]):
        for j in range(found.shape[1]):
            for i in range(found.shape[2]):
                along_i = c * x[k + 1, j + 1, i + 2] - c * x[k + 1, j + 1, i]
                along_j = b * x[k + 1, j + 2, i + 1] - b * x[k + 1, j, i + 1]
                along_k = a * x[k + 2, j + 1, i + 1] - a * x[k, j + 1, i + 1]
                found[k, j, i] = np.float32(np.sqrt(along_i * along_i + along_j * along_j + along_k * along_k))
