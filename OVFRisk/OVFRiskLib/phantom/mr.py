"""Sagittal T1, T2 and STIR of the same patient."""

import numpy as np
from scipy import ndimage

from ..anatomy import VertebralLevel
from .ct import vertical_span
from .mr_changes import SEQUENCES, Motion
from .raster import Axis, Raster
from .scene import Scene
from .settings import VBQ_LEVELS, PhantomSettings
from .spine import Spine
from .trunk import Trunk

_HALF_WIDTH_MM = 32.0
_AIR_MM = 15.0
_TEXTURE = 0.045  # of the marrow's signal
_SPREAD = 0.03  # of the marrow's signal from level to level
_LEAST_SHADING = 0.1  # far from the middle, where a straight line would turn negative
_MOVED_ORDER = 3  # of the spline: less would blur
_BLUR_PIXELS = 0.4  # standard deviation, in plane

Marrow = dict[VertebralLevel, float]


def mr_raster(settings: PhantomSettings, spine: Spine) -> Raster:
    """Return the MR grid: sagittal slices, i backwards, j down, k to the right; the middle one is mid-sagittal."""
    low, high = vertical_span(spine)
    _, back, front = Trunk(settings, spine).bounds(np.linspace(low, high, 60))
    slices = 2 * round(_HALF_WIDTH_MM / settings.mr_slice) + 1
    half = slices * settings.mr_slice / 2 * (1 - 1e-9)
    return Raster(
        Axis.spanning(-half, half, settings.mr_slice),
        Axis.spanning(back - _AIR_MM, front + _AIR_MM, settings.mr_pixel, descending=True),
        Axis.spanning(low, high, settings.mr_pixel, descending=True),
        order="yzx",
    )


def marrow_signals(settings: PhantomSettings) -> dict[str, Marrow]:
    """Return the marrow's mean signal per sequence and level.

    Levels of L1 to L4 differ by a few percent about the set score; fractured ones and all others have exactly the mean,
    so that the score holds whichever of them takes a fractured level's place.
    """
    rng = np.random.default_rng((settings.seed, 3))
    intact = [level for level in VBQ_LEVELS if settings.fracture(level) is None]
    signals = {}
    for sequence in SEQUENCES:
        spread = _SPREAD * rng.standard_normal(len(VBQ_LEVELS))[: len(intact)]
        spread -= spread.mean() if intact else 0.0
        mean = settings.vbq[sequence] * settings.csf_signal[sequence]
        signals[sequence] = dict.fromkeys(settings.levels, mean) | {
            level: float(mean * (1 + s)) for level, s in zip(intact, spread, strict=True)
        }
    return signals


def mr_array(scene: Scene, settings: PhantomSettings, spine: Spine, sequence: str) -> np.ndarray:
    """Return one sequence, int16, shape (k, j, i), with Rician noise."""
    marrow = marrow_signals(settings)[sequence]
    fine = scene.image(settings, sequence, marrow, _TEXTURE * float(np.mean(list(marrow.values()))))
    fine = _moved(fine, scene.raster, settings.motion.get(sequence))
    image = ndimage.gaussian_filter(scene.raster.averaged(fine), (0, _BLUR_PIXELS, _BLUR_PIXELS), mode="nearest")
    image *= _bias(image.shape[2], settings.bias_field)
    if settings.shading_percent:
        image *= _shading(scene.raster, spine, settings.shading_percent)[:, None]
    rng = np.random.default_rng((settings.seed, 5, SEQUENCES.index(sequence)))
    noise = settings.mr_noise * rng.standard_normal((2, *image.shape), dtype=np.float32)
    signal = np.hypot(image + noise[0], noise[1])
    return np.rint(np.minimum(signal, np.float32(settings.mr_clip or np.inf))).astype(np.int16)


def _bias(count: int, strength: float) -> np.ndarray:
    """Brighter towards the back (i grows backwards), as with a spine coil; 1 in the middle of the image."""
    return (1 + strength * np.sin(np.linspace(-1, 1, count))).astype(np.float32)


def _shading(raster: Raster, spine: Spine, percent: float) -> np.ndarray:
    """Factor of each row (j): straight along head to foot, 1 halfway between the middles of L1 and L4."""
    top, bottom = (spine[level].frame.origin[2] for level in (VBQ_LEVELS[0], VBQ_LEVELS[-1]))
    rows = raster.z.start + raster.z.step * np.arange(raster.z.count)
    factor = 1 + percent / 100 * (rows - (top + bottom) / 2) / (top - bottom)
    return np.clip(factor, _LEAST_SHADING, None).astype(np.float32)


def _moved(fine: np.ndarray, raster: Raster, motion: Motion | None) -> np.ndarray:
    """Return the fine image (z, y, x) of the patient moved in the sagittal plane (see `PhantomSettings.motion`)."""
    if motion is None or not any(motion):
        return fine
    anterior, up, degrees = motion
    turn = np.radians(degrees)
    # A point (z, y) of the moved patient was at back @ ((z, y) - (up, anterior)) before.
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    step = np.array([raster.z.step / raster.z.samples, raster.y.step / raster.y.samples])
    first = np.array([raster.z.fine[0], raster.y.fine[0]])
    matrix = back * step[None, :] / step[:, None]
    offset = (back @ (first - [up, anterior]) - first) / step
    moved = np.empty_like(fine)
    for n in range(fine.shape[2]):
        moved[..., n] = ndimage.affine_transform(fine[..., n], matrix, offset, order=_MOVED_ORDER, mode="nearest")
    return np.clip(moved, 0, None)
