"""Middle and spread of values of which less than half is something else."""

from collections.abc import Sequence

import numpy as np

_SD_OF_HALF = 1.349  # width of the middle half of a normal distribution, in its standard deviations


def middle_and_spread(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the middle of the shortest half of the values, and their robust standard deviation.

    The shortest half (Rousseeuw & Leroy's "shorth") does not move while less than half of the values is something else.
    """
    ordered = np.sort(values)
    half = max(ordered.size // 2, 1)
    widths = ordered[half:] - ordered[: ordered.size - half]
    start = int(np.argmin(widths))
    return float((ordered[start] + ordered[start + half]) / 2), float(widths[start] / _SD_OF_HALF)
