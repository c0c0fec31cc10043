"""How well two masks agree."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..image import bounding_box


def dice(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return the Dice coefficient of two masks, 0 to 1; None where both are empty."""
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else None


def surface_distance(a: np.ndarray, b: np.ndarray, spacing: Sequence[float]) -> tuple[float, float] | None:
    """Return the mean and the 95th percentile of the distance between two surfaces, mm; None where one is empty.

    Both ways, between the centres of the masks' outermost voxels (Heimann et al., IEEE TMI 2009;28:1251-1265).

    Parameters
    ----------
    a, b : ndarray of bool, shape (k, j, i)
    spacing : sequence of float
        Voxel size along i, j, k, mm.
    """
    if not a.any() or not b.any():
        return None
    box = bounding_box(a | b, margin=1)
    one, other = _surface(a[box]), _surface(b[box])
    sampling = tuple(spacing)[::-1]
    away = [ndimage.distance_transform_edt(~to, sampling=sampling)[of] for of, to in ((one, other), (other, one))]
    every = np.concatenate(away)
    return float(every.mean()), float(np.percentile(every, 95))


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)
