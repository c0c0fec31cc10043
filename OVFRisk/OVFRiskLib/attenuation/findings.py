"""What may be found in cancellous bone, and how it is told from bone.

The figures are judged from physics and anatomy, and checked on phantoms; they are not validated on patients.
"""

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """What was found in the cancellous bone."""

    METAL = "metal"
    CEMENT = "cement"
    HAEMANGIOMA = "haemangioma"
    SCLEROSIS = "sclerosis"
    VESSEL = "vessel"

    @property
    def words(self) -> str:
        """How a note calls it: CT alone does not prove what it is."""
        return _WORDS[self]


_WORDS = {
    Finding.METAL: "metal",
    Finding.CEMENT: "cement, metal or very dense bone",
    Finding.HAEMANGIOMA: "haemangioma-like bone",
    Finding.SCLEROSIS: "sclerosis",
    Finding.VESSEL: "basivertebral vessel",
}


@dataclass(frozen=True)
class ExclusionSettings:
    """How parts that are no cancellous bone are found; HU and mm.

    Parameters
    ----------
    metal_hu : float
        No bone and hardly any cement reads so high; titanium and steel do, where the CT's range does not end below.
    metal_grown_hu : float
        What touches metal and reads at least this belongs to it (partial volume, glare).
    clipped_hu : float
        An image's largest value, shared by many voxels, is the end of its range if it is at least this.
    metal_margin_mm : float
        Left out around metal: glare. Streaks reach further.
    cement_hu : float
        Dense bone seen through a clinical CT's blur reads less.
    smoothing_mm : float
        Standard deviation of the smoothing before bright and dark parts are looked for.
    bright_hu, bright_spreads : float
        A bright part exceeds the level's usual attenuation by both: HU, and robust standard deviations of the smoothed
        bone.
    dense_hu : float
        Smoothed bone beyond this is no usual cancellous bone, whatever the level's own is.
    bright_cm3 : float
        Smaller bright parts are left in: in a lumbar body (about 10 cm³ well inside the shell) they move the mean by
        little.
    margin_mm : float
        Left out around bright parts and vessels: blur.
    vessel_hu, vessel_bright_hu, vessel_spreads, vessel_cm3 : float
        As for bright parts, but darker or (blood with contrast medium in bone of low density) brighter, and only where
        the basivertebral vessels run.
    vessel_most_hu : float
        Enhanced blood in them reads less.
    coarse_hu, coarse_spreads : float
        In a haemangioma fat and thick trabeculae lie side by side: both differ from the usual by so much.
    coarse_fat, coarse_bone : float
        Least shares of both around a voxel.
    upright_mm : float
        Standard deviation of the smoothing along the upright trabeculae, which it spares.
    coarse_smoothing_mm, coarse_core_mm, coarse_window_mm, coarse_unevenness : float
        Thin trabeculae do not stand out of the usual bone: then the part must be darker than usual, smoothed so wide,
        and the standard deviation in its core, so far inside it, that many times the usual one in a window.
    coarse_margin_mm : float
        Left out around coarse parts: the wide smoothing finds less than there is.
    coarse_cm3 : float
        Smaller coarse parts are left in.
    """

    metal_hu: float = 2500.0
    metal_grown_hu: float = 1500.0
    clipped_hu: float = 2000.0
    metal_margin_mm: float = 5.0
    cement_hu: float = 900.0
    smoothing_mm: float = 1.5
    bright_hu: float = 120.0
    bright_spreads: float = 5.0
    dense_hu: float = 500.0
    bright_cm3: float = 0.1
    margin_mm: float = 1.5
    vessel_hu: float = 40.0
    vessel_bright_hu: float = 80.0
    vessel_spreads: float = 3.5
    vessel_cm3: float = 0.05
    vessel_most_hu: float = 350.0
    coarse_hu: float = 60.0
    coarse_spreads: float = 2.5
    coarse_fat: float = 0.2
    coarse_bone: float = 0.06
    coarse_smoothing_mm: float = 2.5
    coarse_core_mm: float = 2.0
    coarse_window_mm: float = 3.0
    upright_mm: float = 2.0
    coarse_unevenness: float = 1.25
    coarse_margin_mm: float = 3.0
    coarse_cm3: float = 0.3
