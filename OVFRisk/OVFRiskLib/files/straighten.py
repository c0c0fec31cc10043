"""Grids whose axes are not at right angles: a CT gantry tilt, or the shear of an affine registration."""

import numpy as np
from scipy import ndimage

from ..errors import UserError

_HARMLESS_VOXELS = 0.01  # displacement of a corner that nobody needs to hear of (rounding in the header)
_ROUNDING_VOXELS = 0.2  # up to here the axes are turned to right angles, nothing is resampled
_MAX_TILT_DEGREES = 45.0  # gantries tilt to 30 degrees


def straightened(
    array: np.ndarray, ijk_to_ras: np.ndarray, interpolate: bool, name: str
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return an image with orthogonal axes.

    Deviations that move no voxel by more than a fifth of its size are taken for rounding. A tilted stack (two axes at
    right angles, the third not) is resampled: each slice is shifted in its own plane, the field grows so that nothing
    is cut off, and new voxels get the image's minimum.

    Parameters
    ----------
    array : ndarray, shape (nk, nj, ni[, layers])
    ijk_to_ras : ndarray, shape (4, 4)
    interpolate : bool
        Linear (True) or nearest neighbour.
    name : str
        For messages.

    Returns
    -------
    array, ijk_to_ras : ndarray
    note : str
        What was done; empty where the axes were orthogonal.

    Raises
    ------
    UserError
        When no two axes are orthogonal, or the tilt exceeds 45 degrees.
    """
    moved = _rounding(ijk_to_ras, array.shape)
    if moved <= _ROUNDING_VOXELS:
        matrix = ijk_to_ras if moved == 0 else _orthogonal(ijk_to_ras, array.shape)
        note = "" if moved <= _HARMLESS_VOXELS else "The voxel axes in the header were turned to exact right angles."
        return array, matrix, note
    axis = _stacking_axis(ijk_to_ras, array.shape, name)
    return _untilted(array, ijk_to_ras, axis, interpolate, name)


def tilt_degrees(ijk_to_ras: np.ndarray, axis: int = 2) -> float:
    """Return the angle between the stacking direction `axis` and the normal of its slices."""
    step, normal = ijk_to_ras[:3, axis], _normal(ijk_to_ras, axis)
    return float(np.degrees(np.arccos(np.clip(step @ normal / np.linalg.norm(step), -1, 1))))


def _normal(ijk_to_ras: np.ndarray, axis: int) -> np.ndarray:
    """Unit normal of the slices stacked along `axis`, on the side the stack grows to."""
    a, b = (ijk_to_ras[:3, n] for n in range(3) if n != axis)
    normal = np.cross(a, b)
    normal /= np.linalg.norm(normal)
    return normal * np.sign(normal @ ijk_to_ras[:3, axis])


def _orthogonal(ijk_to_ras: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Nearest matrix with orthogonal columns of the same lengths and the same image centre (polar decomposition)."""
    columns = ijk_to_ras[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    u, _, v = np.linalg.svd(columns / spacing)
    matrix = np.eye(4)
    matrix[:3, :3] = (u @ v) * spacing
    centre = (np.array(shape[2::-1]) - 1) / 2
    matrix[:3, 3] = ijk_to_ras[:3, 3] + (columns - matrix[:3, :3]) @ centre
    return matrix


def _rounding(ijk_to_ras: np.ndarray, shape: tuple[int, ...]) -> float:
    """By how many voxels a corner moves when the axes are turned to right angles; 0 where they are."""
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    directions = ijk_to_ras[:3, :3] / spacing
    if np.allclose(directions.T @ directions, np.eye(3), rtol=0, atol=1e-7):
        return 0.0
    change = (_orthogonal(ijk_to_ras, shape) - ijk_to_ras)[:3, :3]
    half = (np.array(shape[2::-1]) - 1) / 2
    return float(np.abs(change * half).sum(axis=1).max() / spacing.min())


def _stacking_axis(ijk_to_ras: np.ndarray, shape: tuple[int, ...], name: str) -> int:
    directions = ijk_to_ras[:3, :3] / np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    for axis in (2, 1, 0):
        a, b = (n for n in range(3) if n != axis)
        skew = abs(directions[:, a] @ directions[:, b]) * max(shape[2 - a], shape[2 - b])
        if skew <= _ROUNDING_VOXELS and tilt_degrees(ijk_to_ras, axis) <= _MAX_TILT_DEGREES:
            return axis
    raise UserError(
        f"The voxel axes of {name} are not at right angles, and not those of a tilted gantry either.",
        "Resample it onto an orthogonal grid first (in 3D Slicer: Resample Scalar/Vector/DWI Volume).",
    )


def _untilted(
    array: np.ndarray, ijk_to_ras: np.ndarray, axis: int, interpolate: bool, name: str
) -> tuple[np.ndarray, np.ndarray, str]:
    degrees = tilt_degrees(ijk_to_ras, axis)
    plane = [n for n in range(3) if n != axis]
    columns = ijk_to_ras[:3, :3]
    normal = _normal(ijk_to_ras, axis)
    step = columns[:, axis]
    drift = np.linalg.lstsq(columns[:, plane], step - (step @ normal) * normal, rcond=None)[0]  # pixels a slice
    count = array.shape[2 - axis]
    first = np.floor(np.minimum(0, drift * (count - 1)))
    grow = (np.ceil(np.maximum(0, drift * (count - 1))) - first).astype(int)
    slices = np.moveaxis(array, 2 - axis, 0)  # (count, plane[1], plane[0], ...)
    fill = array.min() if interpolate else 0
    moved = np.stack(
        [_shifted(layer, (drift * n - first)[::-1], grow[::-1], fill, interpolate) for n, layer in enumerate(slices)]
    )
    matrix = ijk_to_ras.copy()
    matrix[:3, axis] = (step @ normal) * normal
    matrix[:3, 3] += columns[:, plane] @ first
    matrix = _orthogonal(matrix, moved.shape)
    way = "linear interpolation" if interpolate else "nearest neighbour"
    note = f"A tilt of {degrees:.1f}° was removed: each slice of {name} was shifted in its plane ({way})."
    return np.ascontiguousarray(np.moveaxis(moved, 0, 2 - axis)), matrix, note


def _shifted(layer: np.ndarray, shift: np.ndarray, grow: np.ndarray, fill: float, interpolate: bool) -> np.ndarray:
    rest = layer.ndim - 2
    padded = np.pad(layer, [*((0, int(n)) for n in grow), *[(0, 0)] * rest], constant_values=fill)
    order = 1 if interpolate else 0
    exact = np.float64 if interpolate else layer.dtype
    result = ndimage.shift(padded, [*shift, *[0] * rest], exact, order=order, mode="grid-constant", cval=fill)
    return np.rint(result).astype(layer.dtype) if layer.dtype.kind in "iu" else result.astype(layer.dtype)
