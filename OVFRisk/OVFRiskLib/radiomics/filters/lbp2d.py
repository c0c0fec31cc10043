"""Local binary patterns within slices: which neighbours on a circle are at least as bright as a voxel.

Ojala et al., Pattern Recognition 1996;29:51-59, by the formulas of scikit-image's ``local_binary_pattern``, which
PyRadiomics calls for each slice across `force2Ddimension`. Beyond the image everything is 0.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..region import Region
from .image_type import Image, ImageType, Settings

Pattern = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Intensities of the neighbours and which are at least as bright as the voxel, both (samples, ...), to codes."""


def _number(_neighbours: np.ndarray, brighter: np.ndarray) -> np.ndarray:
    return np.tensordot(2.0 ** np.arange(len(brighter)), brighter, axes=1)


def _smallest_rotation(neighbours: np.ndarray, brighter: np.ndarray) -> np.ndarray:
    turned = (np.roll(brighter, turn, axis=0) for turn in range(len(brighter)))
    return np.min([_number(neighbours, pattern) for pattern in turned], axis=0)


def _uniform(_neighbours: np.ndarray, brighter: np.ndarray) -> np.ndarray:
    """Count the brighter ones where they lie together; as in scikit-image the last and first do not touch."""
    changes = np.count_nonzero(brighter[1:] != brighter[:-1], axis=0)
    return np.where(changes <= 2, brighter.sum(axis=0), len(brighter) + 1).astype(float)


def _variance(neighbours: np.ndarray, _brighter: np.ndarray) -> np.ndarray:
    total, squares = np.zeros((2, *neighbours.shape[1:]))
    for x in neighbours:  # one by one: the order of summing decides whether rounding leaves exactly 0
        total += x
        squares += x * x
    variance = (squares - total * total / len(neighbours)) / len(neighbours)
    return np.where(variance != 0, variance, np.nan)


PATTERNS: Mapping[str, Pattern] = {
    "default": _number,
    "ror": _smallest_rotation,
    "uniform": _uniform,
    "var": _variance,
}
"""What becomes of a pattern, by `lbp2DMethod`."""


def _images(region: Region, settings: Settings) -> Iterator[tuple[str, Image]]:
    axis = settings["force2Ddimension"]
    slices = np.moveaxis(region.image, axis, 0)[region.box[axis]].astype(float)
    rows, columns = (np.arange(side.start, side.stop) for n, side in enumerate(region.box) if n != axis)
    neighbours = _neighbours(slices, rows, columns, settings)
    brighter = neighbours - slices[np.ix_(range(len(slices)), rows, columns)] >= 0
    codes = np.moveaxis(PATTERNS[settings["lbp2DMethod"]](neighbours, brighter), 0, axis)
    if not np.isfinite(codes[region.mask[region.box]]).all():
        yield "lbp-2D", "the variance of equal neighbours has no code"
    else:  # PyRadiomics keeps the type of the image, so that codes of integers are integers
        yield "lbp-2D", np.nan_to_num(codes).astype(region.image.dtype)


def _neighbours(slices: np.ndarray, rows: np.ndarray, columns: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the intensities on the circle around each voxel, linear between voxels; shape (samples, nk, nj, ni)."""
    radius, samples = settings["lbp2DRadius"], settings["lbp2DSamples"]
    angles = 2 * np.pi * np.arange(samples) / samples
    margin = int(np.ceil(radius)) + 1
    padded = np.pad(slices, ((0, 0), (margin, margin), (margin, margin)))
    offsets = zip(np.round(-radius * np.sin(angles), 5), np.round(radius * np.cos(angles), 5))
    return np.stack([_interpolated(padded, margin, rows + down, columns + right) for down, right in offsets])


def _interpolated(padded: np.ndarray, margin: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    above, left = np.floor(rows), np.floor(columns)
    down, right = (rows - above)[:, None], columns - left
    first, second = (side.astype(int) + margin for side in (left, np.ceil(columns)))
    upper, lower = (padded[:, line.astype(int) + margin] for line in (above, np.ceil(rows)))
    upper, lower = ((1 - right) * line[..., first] + right * line[..., second] for line in (upper, lower))
    return (1 - down) * upper + down * lower


LBP2D = ImageType(lambda _settings: ("lbp-2D",), _images, of_mask=True)
