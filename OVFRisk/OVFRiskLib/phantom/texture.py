"""Random patterns that stay in place in the patient whatever the grid: tiles repeated through space."""

import numpy as np
from scipy import ndimage

from .raster import Box, Raster

_SIZE = 96


class Pattern:
    """A periodic Gaussian random field of mean 0 and standard deviation 1.

    Parameters
    ----------
    rng : Generator
    step : float
        Distance between the tile's samples, mm.
    smoothness : (float, float, float)
        Standard deviation of the smoothing along z, y, x, mm.
    coarsest : float or None
        Variation over distances beyond this (mm) is taken out: the mean over any larger region is then near zero.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        step: float,
        smoothness: tuple[float, float, float],
        coarsest: float | None = None,
    ) -> None:
        noise = rng.standard_normal((_SIZE,) * 3, dtype=np.float32)
        tile = ndimage.gaussian_filter(noise, np.array(smoothness) / step, mode="wrap", truncate=3.0)
        if coarsest is not None:
            tile -= ndimage.gaussian_filter(tile, coarsest / step, mode="wrap", truncate=3.0)
        self._tile = (tile - tile.mean()) / tile.std()
        self._step = step

    def sampled(self, raster: Raster, box: Box, shift: float = 0.0) -> np.ndarray:
        """Return the pattern on the fine samples of `box`, moved by `shift` mm along every axis."""
        index = [
            np.round((axis.fine[part] + shift) / self._step).astype(np.int64) % _SIZE
            for axis, part in zip(raster.axes, box, strict=True)
        ]
        return self._tile[np.ix_(*index)]


def share(pattern: np.ndarray, fraction: float, softness: float = 2.0) -> np.ndarray:
    """Turn a pattern into local shares between 0 and 1 with exactly the mean `fraction`.

    Parameters
    ----------
    pattern : ndarray
        Mean 0, standard deviation 1.
    fraction : float
        0 to 1.
    softness : float
        Width of the transition in units of the pattern.
    """
    if fraction in (0.0, 1.0):
        return np.full_like(pattern, fraction)
    low, high = float(pattern.min()) - softness, float(pattern.max()) + softness
    for _ in range(30):
        level = (low + high) / 2
        mean = np.clip(0.5 + (pattern - level) / softness, 0, 1).mean(dtype=np.float64)
        low, high = (level, high) if mean > fraction else (low, level)
    return np.clip(0.5 + (pattern - level) / softness, 0, 1).astype(np.float32)
