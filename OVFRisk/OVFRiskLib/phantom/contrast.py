"""Contrast medium: what it does to vessels, organs and marrow on CT.

Rise of blood over the unenhanced scan after Bartenschlager et al., Eur J Radiol 2025, doi:10.1016/j.ejrad.2025.111923
(abstract): arterial 210 HU in the aorta and 47 HU in the inferior vena cava, portal venous 110 and 73 HU. Portal vein,
kidneys and other organs: typical, rounded, without a source. Muscles are left as they are (below 5 HU in the arterial
phase, ibid.).
"""

from collections.abc import Mapping

import numpy as np

from ..attenuation.phase import Phase
from .settings import PhantomSettings
from .tissues import Tissue, appearance

BLOOD_HU = 42.0
_ARTERIES = (Tissue.AORTA, Tissue.ILIAC_ARTERY)
_VEINS = (Tissue.VENA_CAVA, Tissue.ILIAC_VEIN)
_ATTENUATION: Mapping[Phase, Mapping[Tissue, float]] = {
    Phase.NONE: {},
    Phase.ARTERIAL: {
        **dict.fromkeys(_ARTERIES, BLOOD_HU + 210),
        **dict.fromkeys(_VEINS, BLOOD_HU + 47),
        Tissue.PORTAL_VEIN: 85.0,
        Tissue.KIDNEY: 140.0,
        Tissue.ORGAN: 72.0,
    },
    Phase.PORTAL_VENOUS: {
        **dict.fromkeys(_ARTERIES, BLOOD_HU + 110),
        **dict.fromkeys(_VEINS, BLOOD_HU + 73),
        Tissue.PORTAL_VEIN: 170.0,
        Tissue.KIDNEY: 180.0,
        Tissue.ORGAN: 108.0,
    },
}


def enhance(values: np.ndarray, settings: PhantomSettings) -> None:
    """Change the attenuations indexed by `Tissue` (HU) to those of the contrast phase, in place."""
    for tissue, hu in _ATTENUATION[settings.phase].items():
        values[tissue] = hu
    values[Tissue.BONE] += np.float32(settings.enhancement_hu)  # marrow of ribs and pelvis


def attenuation_in(settings: PhantomSettings, tissue: Tissue) -> float:
    """Return a soft tissue's attenuation in the set phase, HU."""
    values = appearance(settings, "hu")
    enhance(values, settings)
    return float(values[tissue])
