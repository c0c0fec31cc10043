"""Which density of bone mineral attenuates like muscle or fat, from tabulated attenuation coefficients."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

_KEV = (60.0, 80.0)
# Mass attenuation coefficients, cm2/g, at 60 and 80 keV. Water and muscle (ICRU-44): NIST X-Ray Mass Attenuation
# Coefficients, table 4. K2HPO4 and hydroxyapatite: as in Bonelab/Ogo's MassAttenuationTables.py, which
# Michalski et al. (2020, Med Eng Phys 78:55) use for internal calibration.
_WATER, _MUSCLE = (0.2059, 0.1837), (0.2048, 0.1823)


class Mineral(StrEnum):
    """What the phantom that a density refers to is made of."""

    K2HPO4 = "K2HPO4"
    HYDROXYAPATITE = "hydroxyapatite"


# The crystals take the place of water, by their own density (g/cm3).
_MINERALS: Mapping[Mineral, tuple[tuple[float, float], float]] = {
    Mineral.K2HPO4: ((0.3890, 0.2508), 2.44),
    Mineral.HYDROXYAPATITE: ((0.4067, 0.2589), 3.16),
}
MUSCLE_G_CM3 = 1.06  # as it is commonly taken (Mendez and Keys 1960)


def hu_per_density(mineral: Mineral, kev: float) -> float:
    """Return how many HU 1 mg/cm³ of a mineral adds to water, at an effective photon energy (keV)."""
    table, crystal = _MINERALS[mineral]
    water = _at(_WATER, kev)
    return (_at(table, kev) - water / crystal) / water


def muscle_hu(kev: float) -> float:
    """Return the attenuation of muscle without fat, HU, at an effective photon energy (keV)."""
    return 1000 * (MUSCLE_G_CM3 * _at(_MUSCLE, kev) / _at(_WATER, kev) - 1)


def _at(table: tuple[float, float], kev: float) -> float:
    """Interpolate between the tabulated energies, both on logarithmic scales."""
    return float(np.exp(np.interp(np.log(kev), np.log(_KEV), np.log(table))))
