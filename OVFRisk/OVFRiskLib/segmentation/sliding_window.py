"""A network moved over an image window by window, in memory that does not grow with image and channels.

As MONAI's `sliding_window_inference` (same windows, same weights), but the scores of one tile of the image are held at
a time: they are interpolated onto the CT's grid, and only the best channel of each voxel is kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from scipy import ndimage

from ..errors import UserError, import_optional
from .bundle_config import Window
from .bundle_network import first_line

SCORE_BYTES = 2**30
"""Scores held at a time, at most, bytes."""

_SLAB = 16  # planes of the CT that are interpolated at a time
_RUNNING = 0.8  # of the time goes into the network


@dataclass(frozen=True)
class Reference:
    """The grid that the result is wanted on, parallel to the network's.

    Parameters
    ----------
    shape : tuple of 3 int
        Voxels along x, y, z.
    scale : ndarray, shape (3,)
        Voxels of the network's image a voxel of this grid.
    offset : ndarray, shape (3,)
        Where its first voxel lies in the network's image, voxels.
    """

    shape: tuple[int, int, int]
    scale: np.ndarray
    offset: np.ndarray


def classify(
    image: Any,
    network: Callable,
    window: Window,
    reference: Reference,
    channels: int,
    report: Callable[[float], None],
    score_bytes: int = SCORE_BYTES,
) -> np.ndarray:
    """Return the channel with the highest score of each voxel, uint8, shape `reference.shape`.

    Parameters
    ----------
    image : Tensor, shape (1, x, y, z)
        Preprocessed, on the CPU.
    network : callable
        Tensor (1, 1, ...) to scores (1, channels, ...).
    window : Window
    reference : Reference
    channels : int
    report : callable
        Is told the share done after each window; may raise to stop.
    score_bytes : int
        Bound of the memory for scores, unless one plane alone needs more.

    Raises
    ------
    UserError
        When the network's output has another number of channels or another size than its input.
    """
    tiles = list(_tiles(reference, image.shape[1:], channels, score_bytes))
    result = np.zeros(reference.shape, dtype=np.uint8)
    for n, (planes, box) in enumerate(tiles):
        begin, middle, end = np.array((n, n + _RUNNING, n + 1)) / len(tiles)
        scores = _scores(image, network, window, box, channels, _between(report, begin, middle))
        _interpolate(scores, box, reference, planes, result, _between(report, middle, end))
    return result


def tile_bytes(box: tuple[slice, ...], channels: int) -> int:
    """Return what the scores of a tile take: 4 bytes a channel and voxel, and its weights."""
    return 4 * (channels + 1) * int(np.prod([s.stop - s.start for s in box]))


def _between(report: Callable[[float], None], begin: float, end: float) -> Callable[[float], None]:
    return lambda share: report(float(begin + share * (end - begin)))


def _tiles(reference: Reference, shape: tuple, channels: int, limit: int) -> Iterator[tuple[slice, tuple[slice, ...]]]:
    """Yield planes of the reference grid along z, with the box of the image that their scores need."""
    count, most = 1, reference.shape[2]
    while True:
        ends = np.linspace(0, most, count + 1).round().astype(int)
        tiles = [(slice(a, b), _needed(reference, shape, a, b)) for a, b in pairwise(ends)]
        if count >= most or max(tile_bytes(box, channels) for _, box in tiles) <= limit:
            yield from tiles
            return
        count = min(2 * count, most)


def _needed(reference: Reference, shape: tuple, first: int, end: int) -> tuple[slice, ...]:
    """Return the voxels of the image around the planes [first, end) of the reference grid."""
    low = np.floor(reference.offset[2] + reference.scale[2] * first)
    high = np.ceil(reference.offset[2] + reference.scale[2] * (end - 1)) + 1
    start = int(np.clip(low, 0, shape[2] - 1))
    return slice(0, shape[0]), slice(0, shape[1]), slice(start, int(np.clip(high, start + 1, shape[2])))


def _scores(image: Any, network: Callable, window: Window, box: tuple, channels: int, report: Callable) -> np.ndarray:
    """Return the scores of all channels in the box, float32, shape (channels, ...)."""
    torch, data = (import_optional(name, "Segmenting with a network") for name in ("torch", "monai.data.utils"))
    padded, before = _padded(torch, image, window)
    weights = data.compute_importance_map(window.roi_size, mode=window.mode, sigma_scale=window.sigma_scale)
    total = torch.zeros((channels, *(s.stop - s.start for s in box)))
    weight = torch.zeros(total.shape[1:])
    starts = [s for s in _starts(padded.shape[1:], window) if _overlaps(s, window, box, before)]
    device = next((weight.device for weight in network.parameters()), "cpu")
    with torch.inference_mode():
        for n, start in enumerate(starts):
            report(n / len(starts))
            cube = tuple(slice(a, a + size) for a, size in zip(start, window.roi_size))
            found = _checked(_run(network, padded[(slice(None), *cube)][None].to(device)), channels, window)
            ours, theirs = _common(start, window, box, before)
            total[(slice(None), *ours)] += (found * weights)[(slice(None), *theirs)]
            weight[ours] += weights[theirs]
    total /= weight
    return total.numpy()


def _run(network: Callable, cube: Any) -> Any:
    try:
        return network(cube)
    except RuntimeError as error:
        raise UserError(
            f"The bundle's network failed on a window of {tuple(cube.shape[2:])} voxels: {first_line(error)}",
            "The window (roi_size) must fit the network, and both the memory.",
        ) from error


def _padded(torch: Any, image: Any, window: Window) -> tuple[Any, np.ndarray]:
    """Return the image, at least as large as the window, and how many voxels were put before it."""
    lacking = np.maximum(np.array(window.roi_size) - image.shape[1:], 0)
    before = lacking // 2
    pairs = [int(n) for axis in (2, 1, 0) for n in (before[axis], lacking[axis] - before[axis])]
    if not any(pairs):
        return image, before
    value = {"value": window.cval} if window.padding_mode == "constant" else {}
    return torch.nn.functional.pad(image[None], pairs, window.padding_mode, **value)[0], before


def _starts(shape: tuple, window: Window) -> list[tuple[int, ...]]:
    """Return where the windows begin, as MONAI lays them."""
    axes = []
    for length, size in zip(shape, window.roi_size):
        step = size if size == length else max(int(size * (1 - window.overlap)), 1)
        axes.append(sorted({min(start, length - size) for start in range(0, length, step)}))
    return list(product(*axes))


def _overlaps(start: tuple, window: Window, box: tuple, before: np.ndarray) -> bool:
    return all(
        a - b < side.stop and a - b + size > side.start for a, b, size, side in zip(start, before, window.roi_size, box)
    )


def _common(start: tuple, window: Window, box: tuple, before: np.ndarray) -> tuple[tuple, tuple]:
    """Return what a window and a box share, counted in the box and in the window."""
    first = [int(max(a - b, s.start)) for a, b, s in zip(start, before, box)]
    end = [int(min(a - b + size, s.stop)) for a, b, size, s in zip(start, before, window.roi_size, box)]
    ours = tuple(slice(f - s.start, e - s.start) for f, e, s in zip(first, end, box))
    theirs = tuple(slice(f - a + int(b), e - a + int(b)) for f, e, a, b in zip(first, end, start, before))
    return ours, theirs


def _checked(found: Any, channels: int, window: Window) -> Any:
    """Return the scores of the window, shape (channels, ...); networks with deep supervision give a list."""
    found = found[0] if isinstance(found, list | tuple) else found
    if tuple(found.shape) != (1, channels, *window.roi_size):
        raise UserError(
            f"The bundle's network gives {tuple(found.shape[1:])} values for a window of {window.roi_size} voxels;"
            f" its metadata names {channels} channels.",
            "Network, window (roi_size) and channel_def of the bundle must fit each other.",
        )
    return found[0].float().cpu()


def _interpolate(
    scores: np.ndarray, box: tuple, reference: Reference, planes: slice, result: np.ndarray, report: Callable
) -> None:
    """Write the best channel of the planes into `result`: scores are interpolated before they are compared."""
    for first in range(planes.start, planes.stop, _SLAB):
        report((first - planes.start) / (planes.stop - planes.start))
        slab = slice(first, min(first + _SLAB, planes.stop))
        start = np.array([0, 0, first])
        offset = reference.offset + reference.scale * start - [s.start for s in box]
        shape = (*reference.shape[:2], slab.stop - slab.start)
        best = np.full(shape, -np.inf, dtype=np.float32)
        for channel, score in enumerate(scores):
            found = ndimage.affine_transform(score, reference.scale, offset, shape, np.float32, 1, "nearest")
            better = found > best
            best[better] = found[better]
            result[..., slab][better] = channel
