"""Attenuation of a muscle in a slab, and its shares of fat and lean tissue."""

from dataclasses import dataclass

import numpy as np

from .settings import MuscleSettings

_SOFT_HU = 500.0  # beyond, metal or gas: says nothing of the muscle's spread
_LEAST_FACTOR = 0.3


@dataclass(frozen=True)
class MuscleValues:
    """What a muscle looks like in a slab.

    Parameters
    ----------
    mean, sd : float
        HU; the standard deviation holds the image's noise.
    fat, lean : float
        Shares of the labelled volume, 0 to 1.
    counted_fat : float
        The share of fat without the correction for noise.
    """

    mean: float
    sd: float
    fat: float
    lean: float
    counted_fat: float


def muscle_values(hu: np.ndarray, share: np.ndarray, noise: float | None, settings: MuscleSettings) -> MuscleValues:
    """Return the statistics of voxels of which a `share` (0 to 1) lies in the slab.

    Parameters
    ----------
    hu, share : ndarray, shape (n,)
    noise : float or None
        Standard deviation of the image's noise, HU.
    settings : MuscleSettings

    Raises
    ------
    ValueError
        When there are too few voxels or a value is not finite.
    """
    total = float(share.sum(dtype=np.float64))
    if total < settings.fewest_voxels:
        raise ValueError(f"only {total:.0f} voxels of it lie in the slab")
    if not np.all(np.isfinite(hu)):
        raise ValueError("the muscle holds values that are no numbers")
    mean, sd = _moments(hu, share)
    calm = _calmed(hu, share, noise, settings.ordinary_noise_hu)
    return MuscleValues(
        mean,
        sd,
        _within(calm, share, settings.fat_hu) / total,
        _within(calm, share, settings.lean_hu) / total,
        _within(hu, share, settings.fat_hu) / total,
    )


def _calmed(hu: np.ndarray, share: np.ndarray, noise: float | None, ordinary: float) -> np.ndarray:
    """Narrow the values about their mean, so that their variance loses what the noise adds beyond an ordinary one.

    Noise throws lean voxels over the border to fat: at 60 HU by nine points of the fraction. The mean does not move.
    """
    if noise is None or noise <= ordinary:
        return hu
    soft = np.abs(hu) < _SOFT_HU
    mean, sd = _moments(hu[soft], share[soft])
    left = max(1 - (noise**2 - ordinary**2) / max(sd**2, 1e-6), _LEAST_FACTOR**2)
    return mean + (hu - mean) * np.float32(np.sqrt(left))


def _moments(hu: np.ndarray, share: np.ndarray) -> tuple[float, float]:
    total = share.sum(dtype=np.float64)
    mean = float((share * hu).sum(dtype=np.float64) / total)
    return mean, float(np.sqrt((share * np.square(hu - mean)).sum(dtype=np.float64) / total))


def _within(hu: np.ndarray, share: np.ndarray, limits: tuple[float, float]) -> float:
    """Return the voxels within whole HU: -30 reaches up to -29.5, where -29 begins."""
    return float(share[(hu >= limits[0] - 0.5) & (hu < limits[1] + 0.5)].sum(dtype=np.float64))
