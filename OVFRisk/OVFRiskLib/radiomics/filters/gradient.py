"""Gradient magnitude: how steep the image is, per mm or per voxel."""

from collections.abc import Iterator

import numpy as np

from ...errors import import_optional
from ..region import Region
from .image_type import ImageType, Settings, around


def _images(region: Region, settings: Settings) -> Iterator[tuple[str, np.ndarray]]:
    sitk = import_optional("SimpleITK", "The gradient")
    part, inner = around(region, np.ones(3, int))
    image = sitk.GetImageFromArray(part)
    image.SetSpacing(region.spacing[::-1].tolist())
    gradient = sitk.GradientMagnitude(image, useImageSpacing=settings["gradientUseSpacing"])
    yield "gradient", sitk.GetArrayFromImage(gradient)[inner]


GRADIENT = ImageType(lambda _settings: ("gradient",), _images)
