"""The patient's CT: attenuation, scanner blur, noise, whole HU."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .dimensions import LEVELS
from .raster import Axis, Raster
from .scene import Scene
from .settings import PhantomSettings
from .spine import Spine
from .table import PAD_MM, CalibrationRod, rod_covers
from .trunk import Trunk

_AIR_MM = 8.0  # around the patient
_BELOW_S1_MM = 46.0
_LOWEST_HU, _HIGHEST_HU = -1024, 3071  # of 12 bits: metal is cut off there
_FWHM_PER_SIGMA = 2.3548  # of a Gaussian
_TRUNCATE = 4.0
_NOISE_REACH_MM = 9.0  # over more than this, the noise averages out


def vertical_span(spine: Spine) -> tuple[float, float]:
    """Return the lowest and highest z that the images show: from below S1 to the middle of T10, mm."""
    return float(spine[LEVELS[-1]].frame.origin[2] - _BELOW_S1_MM), float(spine[LEVELS[0]].frame.origin[2])


def ct_raster(settings: PhantomSettings, spine: Spine) -> Raster:
    """Return the CT's grid: axial slices, i to the left, j backwards, k towards the head."""
    low, high = vertical_span(spine)
    half, back, front = Trunk(settings, spine).bounds(np.linspace(low, high, 60))
    i, j, k = settings.spacing
    return Raster(
        Axis.spanning(-half - _AIR_MM, half + _AIR_MM, i, descending=True),
        Axis.spanning(back - PAD_MM - 2 * _AIR_MM, front + _AIR_MM, j, descending=True),
        Axis.spanning(low, high, k),
    )


def ct_array(scene: Scene, settings: PhantomSettings, rods: list[CalibrationRod]) -> np.ndarray:
    """Return the CT, int16 HU, shape (k, j, i)."""
    marrow = {level: hu + settings.enhancement_hu for level, hu in settings.cancellous_hu.items()}
    fine = scene.image(settings, "hu", marrow, settings.texture_hu)
    for rod, (rows, columns), cover in rod_covers(scene, rods):
        part = fine[:, rows, columns]
        part += cover * (np.float32(rod.hu) - part)
    sigmas = settings.psf_fwhm / _FWHM_PER_SIGMA / np.array(scene.raster.pitch)
    rng = np.random.default_rng((settings.seed, 4))
    # Noise is added before the blur, as strong as it takes: like a scanner's, it is then correlated as the image is.
    strength = np.float32(settings.noise_hu / _passed(scene.raster, sigmas))
    for n in range(len(fine)):
        fine[n] += strength * _axial_noise(rng, fine[n].shape, scene.raster.pitch[1:])
    blurred = ndimage.gaussian_filter(fine, sigmas, mode="nearest", truncate=_TRUNCATE, output=fine)
    array = scene.raster.averaged(blurred)
    highest = _HIGHEST_HU if settings.lesions else None
    return np.rint(np.clip(array, _LOWEST_HU, highest, out=array), out=array).astype(np.int16)


def _axial_noise(rng: np.random.Generator, shape: tuple[int, ...], pitch: Sequence[float]) -> np.ndarray:
    """White noise without slow variation: a CT's ramp filter leaves none in the axial plane (Riederer 1978)."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise -= ndimage.uniform_filter(noise, [round(_NOISE_REACH_MM / step) for step in pitch], mode="wrap")
    return noise


def _passed(raster: Raster, sigmas: np.ndarray) -> float:
    """Share of white noise's standard deviation left after blur and averaging."""
    left = 1.0
    for axis, sigma in zip(raster.axes, sigmas, strict=True):
        impulse = np.zeros(int(2 * _TRUNCATE * sigma) + 2 * axis.samples + 9)
        impulse[impulse.size // 2] = 1
        kernel = ndimage.gaussian_filter1d(impulse, sigma, truncate=_TRUNCATE)
        left *= np.sqrt(np.sum(np.convolve(kernel, np.full(axis.samples, 1 / axis.samples)) ** 2))
    return float(left)
