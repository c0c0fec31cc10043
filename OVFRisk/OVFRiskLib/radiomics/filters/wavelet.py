"""Undecimated wavelet transform: low (L) and high (H) frequencies along each axis."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from ...errors import import_optional
from ..region import Region
from .image_type import ImageType, Settings


def _names(settings: Settings) -> tuple[str, ...]:
    """Return the names in PyRadiomics' order: the details of each level, then the last approximation."""
    levels, n = settings["level"], len(_axes(settings))
    details = [_name(level, band) for level in range(1, levels + 1) for band in _details(n)]
    return (*details, _name(levels, "L" * n))


def _name(level: int, band: str) -> str:
    return f"wavelet{level if level > 1 else ''}-{band}"


def _details(axes: int) -> list[str]:
    return ["".join(letters) for letters in product("LH", repeat=axes)][1:]


def _axes(settings: Settings) -> tuple[int, ...]:
    """Return the axes in the order of a name's letters: i, j, k."""
    flat = settings["force2Ddimension"] if settings["force2D"] else None
    return tuple(axis for axis in (2, 1, 0) if axis != flat)


def _images(region: Region, settings: Settings) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the sub-bands.

    As PyRadiomics does it (``imageoperations._swt3``): an axis of odd length is made even by repeating its first voxel
    at its end; the image continues periodically; and every level filters with the same short filter, where the
    usual transform would stretch it.
    """
    pywt = import_optional("pywt", "The wavelet transform")
    wavelet, axes = pywt.Wavelet(settings["wavelet"]), _axes(settings)
    steps = settings["start_level"] + settings["level"]
    image, inner = _needed(region, wavelet.dec_len // 2 * steps)
    image = np.pad(image, [(0, n % 2) for n in image.shape], "wrap")
    for level in range(1 - settings["start_level"], settings["level"] + 1):
        bands = pywt.swtn(image, wavelet, level=1, axes=axes)[0]
        image = bands["a" * len(axes)]
        for band in _details(len(axes)) if level > 0 else ():
            yield _name(level, band), bands[band.replace("L", "a").replace("H", "d")][inner]
    yield _name(settings["level"], "L" * len(axes)), image[inner]


def _needed(region: Region, margin: int) -> tuple[np.ndarray, tuple[slice, ...]]:
    """Return the image as far as the region's wavelets reach, and where in it the box lies.

    Along an axis where they reach beyond the image that is all of it: they go on at its other end.
    """
    sides = []
    for side, n in zip(region.box, region.image.shape):
        low, high = side.start - margin, side.stop + margin
        sides.append(slice(low, high) if low >= 0 and high <= n else slice(0, n))
    inner = tuple(slice(box.start - side.start, box.stop - side.start) for box, side in zip(region.box, sides))
    return region.image[tuple(sides)], inner


WAVELET = ImageType(_names, _images)
