"""Muscle infiltrated by fat as a mixture of the two, and the attenuation of its lean part."""

import numpy as np
from scipy import optimize, special

_SHARES = np.linspace(0, 1, 81)
_MOST_LEAN_POWER = 0.6  # of the Beta distribution at no fat: below 1, voxels without fat are the most frequent
_STARTS = ((60.0, 0.0, 0.7), (50.0, -1.0, 1.1))
_USUAL_HU, _USUAL_SPREAD = 55.0, 30.0  # of muscle; worth one voxel
_BINS = 160
_HIGHEST_HU = 200.0
_LEAST_ERROR, _FATTY_ERROR, _BOUND_ERROR = 1.5, 0.12, 3.0  # HU; HU per HU lost to fat; HU where the bound decides


def lean_of(values: np.ndarray, fat_hu: float, noise: float) -> tuple[float, float]:
    """Return the attenuation of muscle without fat, HU, and about how well it is known.

    Every voxel holds lean muscle with a share of fat that follows a Beta distribution, and Gaussian noise; the lean
    attenuation is the most likely one.

    Parameters
    ----------
    values : ndarray
        HU of muscle with infiltrating fat.
    fat_hu, noise : float
        Pure fat and the standard deviation of homogeneous tissue, HU.
    """
    noise = max(noise, 4.0)
    edges = np.linspace(fat_hu - 4 * noise, _HIGHEST_HU + 4 * noise, _BINS)
    counts, middles = np.histogram(values, edges)[0], (edges[1:] + edges[:-1]) / 2
    shares = (_SHARES[1:] + _SHARES[:-1]) / 2

    def unlikelihood(parameters: np.ndarray) -> float:
        lean = parameters[0]
        powers = _MOST_LEAN_POWER * special.expit(parameters[1]), np.exp(parameters[2])
        weights = np.diff(special.betainc(*powers, _SHARES))
        means = lean - (lean - fat_hu) * shares
        density = np.exp(-0.5 * ((middles[:, None] - means) / noise) ** 2) @ weights / noise
        unusual = 0.5 * ((lean - _USUAL_HU) / _USUAL_SPREAD) ** 2
        return float((unusual - counts @ np.log(density + 1e-12)) / max(counts.sum(), 1))

    fits = [optimize.minimize(unlikelihood, start, method="Nelder-Mead", options={"maxiter": 300}) for start in _STARTS]
    best = min(fits, key=lambda fit: fit.fun).x
    lost = max(float(best[0] - values.mean()), 0.0)
    at_bound = special.expit(best[1]) > 0.95  # HU
    noisy = 0.05 * noise
    return float(best[0]), float(np.hypot(_LEAST_ERROR + noisy, _FATTY_ERROR * lost) + _BOUND_ERROR * at_bound)
