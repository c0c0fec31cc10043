"""What each tissue looks like on CT and on MR."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ..anatomy import Structure
from .settings import PhantomSettings


class Tissue(IntEnum):
    """Values of a tissue map."""

    AIR = 0
    SKIN = 1
    SUBCUTANEOUS_FAT = 2
    WALL_MUSCLE = 3
    FAT = 4
    ORGAN = 5
    KIDNEY = 6
    BOWEL = 7
    STOOL = 8
    GAS = 9
    AORTA = 10
    ERECTOR_LEFT = 11
    ERECTOR_RIGHT = 12
    PSOAS_LEFT = 13
    PSOAS_RIGHT = 14
    EPIDURAL_FAT = 15
    CSF = 16
    CORD = 17
    ANNULUS = 18
    NUCLEUS = 19
    LIGAMENT = 20
    PAD = 21
    COUCH = 22
    BONE = 23  # ribs and pelvis: their marrow
    CORTEX = 24
    BOWEL_WALL = 25
    VENA_CAVA = 26
    ILIAC_ARTERY = 27
    ILIAC_VEIN = 28
    PORTAL_VEIN = 29


@dataclass(frozen=True, slots=True)
class Look:
    """HU, and MR signal in the units of `PhantomSettings.csf_signal`'s defaults."""

    hu: float
    t1: float
    t2: float
    stir: float


_LOOKS = {
    Tissue.AIR: Look(-1000, 0, 0, 0),
    Tissue.SKIN: Look(30, 250, 130, 60),
    Tissue.WALL_MUSCLE: Look(52, 210, 110, 70),
    Tissue.ORGAN: Look(58, 290, 160, 105),
    Tissue.KIDNEY: Look(34, 230, 330, 220),
    Tissue.BOWEL: Look(28, 230, 250, 130),
    Tissue.BOWEL_WALL: Look(55, 190, 120, 80),
    Tissue.STOOL: Look(-40, 270, 170, 60),
    Tissue.GAS: Look(-930, 5, 5, 5),
    Tissue.CSF: Look(8, 90, 600, 360),
    Tissue.CORD: Look(34, 250, 230, 140),
    Tissue.ANNULUS: Look(98, 190, 75, 45),
    Tissue.NUCLEUS: Look(78, 215, 390, 190),
    Tissue.LIGAMENT: Look(40, 210, 120, 40),
    Tissue.PAD: Look(-62, 0, 0, 0),
    Tissue.COUCH: Look(-480, 0, 0, 0),
    Tissue.BONE: Look(130, 340, 300, 95),
    Tissue.CORTEX: Look(700, 35, 30, 15),
}
_FAT = Look(-102, 560, 400, 22)
_BLOOD = Look(42, 60, 45, 40)  # flowing
_MUSCLE = Look(58, 215, 105, 75)
_VESSELS = (Tissue.AORTA, Tissue.VENA_CAVA, Tissue.ILIAC_ARTERY, Tissue.ILIAC_VEIN, Tissue.PORTAL_VEIN)
_FATTY = (Tissue.SUBCUTANEOUS_FAT, Tissue.FAT, Tissue.EPIDURAL_FAT)
MUSCLE_OF = {
    Structure.ERECTOR_SPINAE_LEFT: Tissue.ERECTOR_LEFT,
    Structure.ERECTOR_SPINAE_RIGHT: Tissue.ERECTOR_RIGHT,
    Structure.PSOAS_LEFT: Tissue.PSOAS_LEFT,
    Structure.PSOAS_RIGHT: Tissue.PSOAS_RIGHT,
}


def appearance(settings: PhantomSettings, contrast: str) -> np.ndarray:
    """Return each tissue's value in a contrast (``hu``, ``t1``, ``t2``, ``stir``), float32, indexed by `Tissue`."""
    same = ((_VESSELS, _BLOOD), (_FATTY, _FAT), (MUSCLE_OF.values(), _MUSCLE))
    looks = _LOOKS | {tissue: look for tissues, look in same for tissue in tissues}
    values = np.array([getattr(looks[tissue], contrast) for tissue in Tissue], dtype=np.float32)
    if contrast == "hu":
        values[list(_FATTY)] = settings.fat_hu
        values[list(MUSCLE_OF.values())] = settings.muscle_hu
        values[Tissue.CORTEX] = settings.cortical_hu
    else:
        values[Tissue.CSF] = settings.csf_signal[contrast]
    return values
