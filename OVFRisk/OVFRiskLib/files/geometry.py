"""Do a label map and an image belong together, and how the one comes onto the other's grid."""

import numpy as np
from scipy import ndimage

from ..errors import UserError
from ..image import LabelMap, Volume
from .bone_fit import check_labels_fit_ct

__all__ = ["check_labels_fit_ct", "on_grid_of"]

MIN_INSIDE = 0.5  # of the labelled voxels; below, label map and image are of different places
_WHOLE_NUMBER = 0.02  # voxels; up to here one grid is the other's, flipped or permuted


def on_grid_of(labels: LabelMap, volume: Volume) -> tuple[LabelMap, str]:
    """Return the label map on the image's grid, and what was done to it.

    Grids that differ in storage only (axes flipped, permuted, cropped) are matched voxel for voxel; others are
    resampled with nearest neighbour: each image voxel gets the label at its centre.

    Parameters
    ----------
    labels : LabelMap
    volume : Volume

    Returns
    -------
    labels : LabelMap
        Same grid as `volume`.
    note : str
        For the report; empty where the grids were the same.

    Raises
    ------
    UserError
        When they do not overlap, or more than half of the labelled voxels lie outside the image.
    """
    if labels.same_grid(volume):
        return labels, ""
    to_labels = np.linalg.inv(labels.ijk_to_ras) @ volume.ijk_to_ras
    exact = _is_relabelling(to_labels, volume.array.shape)
    if exact:
        to_labels = np.rint(to_labels)
    ijk = _labelled_in(labels, to_labels)
    outside = _share_outside(ijk, labels, volume)
    result = LabelMap(
        _sampled(labels, volume, to_labels, ijk), volume.ijk_to_ras, labels.labels, labels.name, labels.corrections
    )
    if not result.labels:
        raise UserError(f"No label of {_name(labels)} meets a voxel of the image.", "Give the label map of this image.")
    return result, _note(labels, result, volume, exact, outside)


def _labelled_in(labels: LabelMap, to_labels: np.ndarray) -> np.ndarray:
    """Return the image coordinates (i, j, k) of the labelled voxels, shape (n, 3)."""
    kji = np.argwhere(labels.array != 0)
    if kji.size == 0:
        raise UserError(f"{_name(labels)} is empty.", "Give the label map of this image.")
    back = np.linalg.inv(to_labels)
    return kji[:, ::-1] @ back[:3, :3].T + back[:3, 3]


def _share_outside(ijk: np.ndarray, labels: LabelMap, volume: Volume) -> float:
    """Share of the labelled voxels whose centre lies outside the image; too many are a UserError."""
    size = np.array(volume.array.shape[::-1])
    inside = np.all((ijk >= -0.5) & (ijk <= size - 0.5), axis=1).mean()
    if inside < MIN_INSIDE:
        how = (
            "do not overlap" if inside == 0 else f"hardly overlap: {1 - inside:.0%} of the labelled voxels lie outside"
        )
        raise UserError(
            f"{_name(labels)} and {volume.name or 'the image'} {how} (label map around"
            f" {_around(volume.to_ras(ijk.mean(axis=0)))}, image around {_around(volume.to_ras((size - 1) / 2))}).",
            "Give the label map that was made on this image.",
        )
    return float(1 - inside)


def _sampled(labels: LabelMap, volume: Volume, to_labels: np.ndarray, ijk: np.ndarray) -> np.ndarray:
    """Return the label at each image voxel's centre; only the part of the image near labels is worked through."""
    reach = np.abs(np.linalg.inv(to_labels)[:3, :3]).sum(axis=1) / 2 + 1  # a label voxel's extent in image voxels
    low = np.maximum(np.floor(ijk.min(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(ijk.max(axis=0) + reach) + 1, volume.array.shape[::-1]).astype(int)
    offset = to_labels[:3, :3] @ low + to_labels[:3, 3]
    array = np.zeros(volume.array.shape, labels.array.dtype)
    box = tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))
    ndimage.affine_transform(
        labels.array, to_labels[:3, :3][::-1, ::-1], offset[::-1], array[box].shape, array[box], 0, "grid-constant"
    )
    return array


def _name(labels: LabelMap) -> str:
    return labels.name or "The label map"


def _around(ras: np.ndarray) -> str:
    r, a, s = ras
    return f"R {r:.0f}, A {a:.0f}, S {s:.0f} mm"


def _is_relabelling(to_labels: np.ndarray, shape_kji: tuple[int, ...]) -> bool:
    """Whether voxels map to voxels over the whole image, one to one."""
    size = np.array([*shape_kji[::-1], 1])
    axes = np.abs(np.rint(to_labels[:3, :3]))
    if not (np.all(axes.sum(axis=0) == 1) and np.all(axes.sum(axis=1) == 1)):
        return False
    return bool(np.all(np.abs(to_labels - np.rint(to_labels)) @ size <= _WHOLE_NUMBER))


def _note(labels: LabelMap, result: LabelMap, volume: Volume, exact: bool, outside: float) -> str:
    if exact:
        note = f"The label map is stored {labels.orientation} ({_size(labels)}), the image {volume.orientation}"
        note += f" ({_size(volume)}): matched voxel for voxel."
    else:
        note = (
            f"The label map ({_size(labels)}) was resampled onto the image's grid ({_size(volume)}), nearest neighbour."
        )
    if outside > 0:
        note += f" {max(outside, 0.001):.1%} of the labelled voxels lie outside the image."
    lost = [str(region) for region in labels.regions if region not in result.regions]
    return note + (f" Lost altogether: {', '.join(lost)}." if lost else "")


def _size(grid: LabelMap | Volume) -> str:
    count = " x ".join(str(n) for n in grid.array.shape[::-1])
    return f"{count} voxels of {' x '.join(f'{mm:.3g}' for mm in grid.spacing)} mm"
