"""What an image type is, and which part of an image a filter needs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..region import Region

Settings = Mapping[str, object]
Image = np.ndarray | str
"""Intensities of a region's bounding box (k, j, i), or the reason why the filter has none for this region."""


@dataclass(frozen=True, slots=True)
class ImageType:
    """A family of filtered images.

    Parameters
    ----------
    names : callable
        The settings to the names of the images they make, by PyRadiomics, in its order.
    images : callable
        A region and the settings to an iterator of (name, image), one for each of the names.
    of_mask : bool
        Whether the images depend on the mask itself; otherwise on its bounding box alone.
    """

    names: Callable[[Settings], tuple[str, ...]]
    images: Callable[[Region, Settings], Iterator[tuple[str, Image]]]
    of_mask: bool = False


def around(region: Region, margin: np.ndarray) -> tuple[np.ndarray, tuple[slice, ...]]:
    """Return the image around the region's bounding box, and where in it the box lies.

    Parameters
    ----------
    region : Region
        What will be described.
    margin : ndarray of int, shape (3,)
        Voxels to take with it along k, j, i on either side, as far as the image goes.
    """
    low = [max(side.start - m, 0) for side, m in zip(region.box, margin)]
    high = [side.stop + m for side, m in zip(region.box, margin)]
    inner = tuple(slice(side.start - first, side.stop - first) for side, first in zip(region.box, low))
    return region.image[tuple(map(slice, low, high))], inner
