"""Many synthetic patients with varied anatomy, density and fractures."""

from collections.abc import Iterator

import numpy as np

from ..anatomy import VertebralLevel
from .dimensions import WHOLE_LEVELS
from .fractures import Fracture, FractureKind
from .settings import PhantomSettings

# Osteoporotic fractures crowd at the thoracolumbar junction: weights for T11, T12, L1 ... L5.
_WHERE = (0.16, 0.24, 0.28, 0.13, 0.08, 0.07, 0.04)
_KINDS = {FractureKind.WEDGE: 0.5, FractureKind.BICONCAVE: 0.35, FractureKind.CRUSH: 0.15}
_LOSSES = (0.20, 0.45)
_MOST = 2  # fractures a patient
_EVEN_ODDS_HU = 95.0  # attenuation of L1 at which every second patient has a fracture
_ODDS_SCALE_HU = 22.0


def make_cohort(n: int, seed: int, spacing: float = 1.0) -> Iterator[PhantomSettings]:
    """Yield the settings of `n` patients; the lower the attenuation of L1, the likelier are fractures.

    Parameters
    ----------
    n : int
    seed : int
        The patients' own seeds are drawn from it and differ from each other. Another `n` gives other patients.
    spacing : float
        CT voxel size, mm.
    """
    rng = np.random.default_rng((seed, 6))
    for patient in rng.choice(2**31, size=n, replace=False).tolist():
        hu = PhantomSettings(patient).cancellous_hu[VertebralLevel.L1]
        yield PhantomSettings(patient, spacing, tuple(_fractures(rng, hu)))


def _fractures(rng: np.random.Generator, hu: float) -> Iterator[Fracture]:
    chance = 1 / (1 + np.exp((hu - _EVEN_ODDS_HU) / _ODDS_SCALE_HU))
    count = rng.binomial(_MOST, 1 - np.sqrt(1 - chance))
    levels = rng.choice(len(WHOLE_LEVELS), size=_MOST, replace=False, p=_WHERE)[:count]
    for level in sorted(levels.tolist()):
        kind = rng.choice(len(_KINDS), p=list(_KINDS.values()))
        yield Fracture(WHOLE_LEVELS[level], list(_KINDS)[kind], round(float(rng.uniform(*_LOSSES)), 3))
