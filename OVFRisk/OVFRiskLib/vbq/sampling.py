"""Images and masks sampled at points of a plane."""

import numpy as np
from scipy import ndimage

from ..image import Grid, Mask

STEP_MM = 0.5  # of every in-plane sampling: half a voxel of a usual sagittal MR or finer


def interpolated(mask: Mask, ras: np.ndarray) -> np.ndarray:
    """Return whether each RAS point, shape (..., 3), lies in the mask, with its surface between voxel centres."""
    kji = np.moveaxis(mask.to_ijk(ras)[..., ::-1], -1, 0)
    values = ndimage.map_coordinates(mask.array.astype(np.float32), kji, order=1, mode="nearest", prefilter=False)
    return (values >= 0.5) & _within(mask, ras)


def nearest(grid: Grid, ras: np.ndarray) -> np.ndarray:
    """Return the value of the voxel that holds each RAS point, shape (..., 3); NaN outside the image."""
    inside = _within(grid, ras)
    ijk = np.rint(grid.to_ijk(ras)).astype(int)
    k, j, i = (np.clip(ijk[..., 2 - n], 0, size - 1) for n, size in enumerate(grid.array.shape))
    return np.where(inside, grid.array[k, j, i].astype(float), np.nan)


def _within(grid: Grid, ras: np.ndarray) -> np.ndarray:
    ijk = grid.to_ijk(ras)
    return np.all((ijk >= -0.5) & (ijk <= np.array(grid.array.shape[::-1]) - 0.5), axis=-1)
