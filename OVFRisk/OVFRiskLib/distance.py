"""Distances to the surface of a mask, in mm."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage


def depth_mm(mask: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return how deep each voxel centre lies below the mask's surface, mm; zero outside.

    The surface runs along the faces of the voxels, not through their centres. Outside the array nothing is masked.

    Parameters
    ----------
    mask : ndarray of bool, shape (k, j, i)
    spacing : sequence of float
        Voxel size along i, j, k, mm.
    """
    sampling = np.asarray(spacing, dtype=float)[::-1]
    # The nearest voxel outside is the one with the nearest face only where voxels are about cubes: cut thick ones up.
    cuts = 2 * np.round((sampling / sampling.min() - 1) / 2).astype(int) + 1
    fine = np.pad(mask, 1)
    for axis, times in enumerate(cuts):
        fine = fine.repeat(times, axis)
    distance = _to_faces(fine, sampling / cuts)
    centres = tuple(slice(times + times // 2, -times, times) for times in cuts)
    return distance[centres]


def _to_faces(mask: np.ndarray, sampling: np.ndarray) -> np.ndarray:
    """Distance from each centre inside to the nearest centre outside, less half a voxel along the way."""
    distance, nearest = ndimage.distance_transform_edt(mask, sampling=sampling, return_indices=True)
    steps = np.abs(nearest - np.indices(mask.shape)) * sampling[:, None, None, None]
    half_voxel = 0.5 * np.tensordot(sampling, steps, axes=1) / np.maximum(distance, 1e-9)
    return np.where(mask, distance - half_voxel, 0.0)
