"""Undecimated wavelet transform: low (L) and high (H) frequencies along each axis."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from ...errors import import_optional
from ..kernels.convolution import convolve_periodically
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
    kind = np.float32 if image.dtype == np.float32 else np.float64
    taps = _taps(wavelet, kind)
    image = np.pad(np.array(image, dtype=kind, order="C"), [(0, n % 2) for n in image.shape], "wrap")
    everywhere = tuple(slice(0, n) for n in image.shape)
    for level in range(1 - settings["start_level"], settings["level"] + 1):
        wanted = inner if level == settings["level"] else everywhere
        bands = _bands(image, taps, axes, wanted)
        _, image = next(bands)
        for band, detail in bands if level > 0 else ():
            yield _name(level, band), detail if wanted is inner else detail[inner]
    yield _name(settings["level"], "L" * len(axes)), image


def _taps(wavelet: Any, kind: type) -> np.ndarray:
    """Return the low and the high filter, as PyWavelets has them in single or double precision: its answer to a 1."""
    pywt = import_optional("pywt", "The wavelet transform")
    pulse = np.zeros(2 * wavelet.dec_len, dtype=kind)
    pulse[wavelet.dec_len // 2] = 1
    return np.stack(pywt.swt(pulse, wavelet, level=1)[0])[:, : wavelet.dec_len]


def _bands(
    image: np.ndarray, taps: np.ndarray, axes: tuple[int, ...], wanted: tuple[slice, ...]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the letters of each band and the wanted part of it, low before high along the first axis."""
    if not axes:
        yield "", image[wanted]
        return
    axis, *others = axes
    for letter, own in zip("LH", taps):
        part = _along(image, axis, own, wanted[axis])
        rest = tuple(slice(None) if n == axis else side for n, side in enumerate(wanted))
        for letters, band in _bands(part, taps, tuple(others), rest):
            yield letter + letters, band


def _along(image: np.ndarray, axis: int, taps: np.ndarray, wanted: slice) -> np.ndarray:
    """Filter along one axis; return what is wanted of it."""
    before, after = image.shape[:axis], image.shape[axis + 1 :]
    found = np.zeros((*before, wanted.stop - wanted.start, *after), dtype=image.dtype)
    lines, filtered = (array.reshape(int(np.prod(before)), -1) for array in (image, found))
    convolve_periodically(lines, taps, wanted.start, int(np.prod(after)), filtered)
    return found


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
