"""Laplacian of Gaussian: blobs and edges of the size sigma, mm."""

from collections.abc import Iterator

import numpy as np

from ..recursive_gaussian import laplacian
from ..region import Region
from .image_type import Image, ImageType, Settings, around

FEWEST_VOXELS = 4
REACH = 27
"""Standard deviations: ITK's recursive Gaussian decays as exp(-1.37 x / sigma), so by this to less than 1e-16."""


def _names(settings: Settings) -> tuple[str, ...]:
    return tuple(_name(sigma) for sigma in settings["sigma"])


def _name(sigma: float) -> str:
    """Return the image's name; a sigma written 1 gives another one than 1.0, as with PyRadiomics."""
    return f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D"


def _images(region: Region, settings: Settings) -> Iterator[tuple[str, Image]]:
    for sigma in settings["sigma"]:
        yield _name(sigma), _filtered(region, sigma)


def _filtered(region: Region, sigma: float) -> Image:
    shape = np.array(region.image.shape)
    if shape.min() < FEWEST_VOXELS:
        return f"the image of {_size(shape)} voxels is too small: it needs {FEWEST_VOXELS} along every axis"
    if np.any(shape < np.ceil(sigma / region.spacing) + 1):
        return f"the image of {_size(shape)} voxels is too small for a sigma of {sigma:g} mm"
    part, inner = around(region, np.ceil(REACH * sigma / region.spacing).astype(int))
    return laplacian(part, region.spacing, sigma, inner)


def _size(shape: np.ndarray) -> str:
    return " × ".join(map(str, shape[::-1]))


LAPLACIAN = ImageType(_names, _images)
