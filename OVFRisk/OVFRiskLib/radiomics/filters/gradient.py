"""Gradient magnitude: how steep the image is, per mm or per voxel."""

from collections.abc import Iterator

import numpy as np

from ..kernels.convolution import gradient_magnitude
from ..region import Region
from .image_type import ImageType, Settings, around


def _images(region: Region, settings: Settings) -> Iterator[tuple[str, np.ndarray]]:
    part, inner = around(region, np.ones(3, int))
    missing = [(1 - side.start, 1 - (n - side.stop)) for side, n in zip(inner, part.shape)]
    part = np.pad(np.array(part, dtype=float, order="C"), missing, "edge")
    found = np.empty(region.size, dtype=np.float32)
    gradient_magnitude(part, 0.5 / (region.spacing if settings["gradientUseSpacing"] else np.ones(3)), found)
    yield "gradient", found


GRADIENT = ImageType(lambda _settings: ("gradient",), _images)
