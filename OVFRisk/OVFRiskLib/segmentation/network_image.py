"""A CT as a network wants it, and the way back onto the CT's own grid."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ..errors import UserError, import_optional
from ..image import Grid, Volume
from .sliding_window import Reference

_FEATURE = "Preparing an image for a network"
_PARALLEL = 1e-3  # of a voxel
_SLAB = 16  # planes that are resampled at a time


def network_image(
    volume: Volume, transforms: Sequence[Mapping[str, Any]], report: Callable[[float], None] = lambda _: None
) -> tuple[Any, np.ndarray]:
    """Return the image after MONAI's transforms, and its place.

    Parameters
    ----------
    volume : Volume
    transforms : sequence of mapping
        From a `BundleConfig`: a class of monai.transforms under ``_target_``, and its arguments.
    report : callable
        Is told the share done.

    Returns
    -------
    image : Tensor, shape (1, x, y, z), float32
    ijk_to_ras : ndarray, shape (4, 4)
        Of its voxels (x, y, z).

    Raises
    ------
    UserError
        When a transform refuses its arguments.
    """
    image = _tensor(volume)
    for n, step in enumerate(transforms):
        image = _transformed(step, image, lambda share, n=n: report((n + share) / len(transforms)))
    return image.as_tensor().contiguous(), image.affine.numpy().astype(float)


def onto_ct(labels: Callable[[Reference], np.ndarray], volume: Volume, affine: np.ndarray) -> np.ndarray:
    """Return on the CT's grid, shape (k, j, i), what `labels` makes on a grid parallel to the network's.

    Raises
    ------
    UserError
        When the network's image is turned against the CT.
    """
    work = Grid(np.zeros((1, 1, 1), dtype=np.uint8), affine)
    parallel = volume.reoriented(work.orientation)
    matrix = np.linalg.inv(affine) @ parallel.ijk_to_ras
    scale = np.diag(matrix)[:3]
    if np.abs(matrix[:3, :3] - np.diag(scale)).max() > _PARALLEL:
        raise UserError("The bundle turns the image against the CT's axes.", "Use a bundle that keeps them.")
    found = labels(Reference(parallel.array.shape[::-1], scale, matrix[:3, 3])).T
    return Grid(found, parallel.ijk_to_ras).reoriented(volume.orientation).array


def _tensor(grid: Grid) -> Any:
    """Return MONAI's tensor of an image: axes x, y, z, and its place."""
    torch, data = import_optional("torch", _FEATURE), import_optional("monai.data", _FEATURE)
    array = np.ascontiguousarray(grid.array.T, dtype=np.float32)[None]
    return data.MetaTensor(torch.from_numpy(array), affine=torch.from_numpy(grid.ijk_to_ras.copy()))


def _transformed(step: Mapping[str, Any], image: Any, report: Callable[[float], None]) -> Any:
    report(0.0)
    arguments = dict(step)
    name = arguments.pop("_target_")
    try:
        if name == "Orientation":  # MONAI's own needs one more package for the same
            return _tensor(_grid(image).reoriented(arguments["axcodes"]))
        if name == "Spacing":  # MONAI's own needs four times the memory for the same
            return _tensor(_spaced(_grid(image), report, **arguments))
        return getattr(import_optional("monai.transforms", _FEATURE), name)(**arguments)(image)
    except (TypeError, ValueError, RuntimeError, IndexError, KeyError) as error:
        raise UserError(
            f"The bundle's step {name} cannot be done: {error}", "Check preprocessing in its inference.json."
        ) from error


def _grid(image: Any) -> Grid:
    return Grid(image[0].numpy().T, image.affine.numpy())


def _spaced(grid: Grid, report: Callable[[float], None], pixdim: Sequence[float], mode: str = "bilinear") -> Grid:
    """Return the grid with other voxel sizes; the first voxel stays where it is, as MONAI's Spacing has it."""
    scale = np.array(pixdim) / grid.spacing
    shape = np.round((np.array(grid.array.shape[::-1]) - 1) / scale + 1).astype(int)
    array = np.empty(shape[::-1], dtype=np.float32)
    order = ("nearest", "bilinear").index(mode)
    for first in range(0, len(array), _SLAB):
        report(first / len(array))
        slab = array[first : first + _SLAB]
        low = int(np.clip(first * scale[2] - 1, 0, grid.array.shape[0] - 1))
        part = grid.array[low : int((first + _SLAB) * scale[2]) + 2]
        offset = (first * scale[2] - low, 0, 0)
        ndimage.affine_transform(part, scale[::-1], offset, slab.shape, slab, order, "nearest", prefilter=False)
    return Grid(array, grid.ijk_to_ras @ np.diag([*scale, 1.0]))
