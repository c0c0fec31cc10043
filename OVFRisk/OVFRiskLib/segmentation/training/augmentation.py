"""What makes one CT look like another scanner's: applied to training patches, in HU."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

_TURN = np.deg2rad(12)
_STRETCH = 0.15  # voxel sizes and patients of other sizes
_CHANCE = 0.3  # of each change of the intensities

Change = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def random_frame(rng: np.random.Generator) -> np.ndarray:
    """Return how a patch lies in the image, shape (3, 3): turned a little, stretched, half of them left-right flipped.

    Parameters
    ----------
    rng : Generator
    """
    a, b, c = rng.uniform(-_TURN, _TURN, 3)
    turns = (
        [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]],
        [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]],
        [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]],
    )
    stretch = rng.uniform(1 - _STRETCH, 1 + _STRETCH, 3) * (rng.choice((-1, 1)), 1, 1)
    return np.linalg.multi_dot([np.array(turn) for turn in turns]) @ np.diag(stretch)


def cut(image: np.ndarray, centre: np.ndarray, frame: np.ndarray, size: int, outside: str = "nearest") -> np.ndarray:
    """Return the cube of `size` voxels around `centre` (voxels) that lies in the image as `frame` says, float32.

    Outside the image the nearest voxel goes on, or (`outside` is ``constant``) there is nothing.
    """
    reach = np.abs(frame).sum(axis=1) * (size - 1) / 2 + 2
    start = np.clip(np.floor(centre - reach), 0, np.array(image.shape) - 1).astype(int)
    stop = np.clip(np.ceil(centre + reach), 1, image.shape).astype(int)
    block = np.asarray(image[tuple(slice(a, max(b, a + 1)) for a, b in zip(start, stop))])
    offset = centre - start - frame @ np.full(3, (size - 1) / 2)
    return ndimage.affine_transform(block, frame, offset, (size,) * 3, np.float32, 1, outside, prefilter=False)


def changed(rng: np.random.Generator, hu: np.ndarray) -> np.ndarray:
    """Return the patch (HU) with some of the changes below, each drawn by chance."""
    for change in _CHANGES:
        if rng.random() < _CHANCE:
            hu = change(rng, hu)
    return hu


def _coarser(rng: np.random.Generator, hu: np.ndarray) -> np.ndarray:
    """Thick slices: the patch averaged over 1.5 to 3 voxels along the spine, and interpolated again."""
    times = rng.uniform(1.5, 3)
    few = max(round(hu.shape[2] / times), 2)
    thick = ndimage.uniform_filter1d(hu, max(round(times), 1), axis=2)
    low = ndimage.zoom(thick, (1, 1, few / hu.shape[2]), order=1)
    return ndimage.zoom(low, (1, 1, hu.shape[2] / few), order=1)


def _blurred(rng: np.random.Generator, hu: np.ndarray) -> np.ndarray:
    """Another reconstruction kernel."""
    return ndimage.gaussian_filter(hu, rng.uniform(0.3, 0.8))


def _noisy(rng: np.random.Generator, hu: np.ndarray) -> np.ndarray:
    """Less dose."""
    return hu + rng.uniform(5, 40) * rng.standard_normal(hu.shape, dtype=np.float32)


def _contrasted(rng: np.random.Generator, hu: np.ndarray) -> np.ndarray:
    """Another tube voltage: bone, far from water, changes most."""
    return hu * np.float32(rng.uniform(0.85, 1.15))


def _shifted(rng: np.random.Generator, hu: np.ndarray) -> np.ndarray:
    """A scanner out of calibration."""
    return hu + np.float32(rng.normal(0, 15))


_CHANGES: tuple[Change, ...] = (_coarser, _blurred, _noisy, _contrasted, _shifted)
