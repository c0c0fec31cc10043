"""The image itself."""

from collections.abc import Iterator

import numpy as np

from ..region import Region
from .image_type import ImageType, Settings


def _images(region: Region, _settings: Settings) -> Iterator[tuple[str, np.ndarray]]:
    yield "original", region.image[region.box]


ORIGINAL = ImageType(lambda _settings: ("original",), _images)
