"""Filters of the intensities alone: square, square root, logarithm, exponential.

All are scaled by the largest absolute intensity of the whole filtered image, not of the region: values depend on what
lies around it (and, without resampling or pre-cropping, on the field of view).
"""

from collections.abc import Callable, Iterator

import numpy as np

from ..region import Region
from .image_type import Image, ImageType, Settings

Curve = Callable[[np.ndarray, float], np.ndarray]
"""Intensities and the largest absolute one of the image to filtered intensities."""


def _square(x: np.ndarray, largest: float) -> np.ndarray:
    return (1 / np.sqrt(largest) * x) ** 2


def _square_root(x: np.ndarray, largest: float) -> np.ndarray:
    return np.sign(x) * np.sqrt(np.abs(x) * largest)


def _logarithm(x: np.ndarray, largest: float) -> np.ndarray:
    return np.sign(x) * np.log(np.abs(x) + 1) * (largest / np.log(largest + 1))


def _exponential(x: np.ndarray, largest: float) -> np.ndarray:
    return np.exp(np.log(largest) / largest * x)


def _image_type(name: str, curve: Curve) -> ImageType:
    def images(region: Region, _settings: Settings) -> Iterator[tuple[str, Image]]:
        largest = max(abs(float(region.image.min())), abs(float(region.image.max())))
        x = region.image[region.box].astype(float)
        yield name, curve(x, largest) if largest > 0 else "the image is zero everywhere: its filter has no scale"

    return ImageType(lambda _settings: (name,), images)


SQUARE = _image_type("square", _square)
SQUARE_ROOT = _image_type("squareroot", _square_root)
LOGARITHM = _image_type("logarithm", _logarithm)
EXPONENTIAL = _image_type("exponential", _exponential)
