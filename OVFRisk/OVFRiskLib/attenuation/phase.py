"""The contrast phase of a CT: an explicit input, never a silent default; here it can be proposed from labelled vessels.

Contrast medium fills the aorta first, then the kidneys and the veins of the gut, then all veins alike. So the aorta
tells whether there is any, and the veins relative to the aorta tell how long ago it was given. Ratios of enhancement
hardly hang on tube voltage and dose; attenuation itself does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..anatomy import Region, Structure
from ..distance import depth_mm
from ..image import LabelMap, Volume, bounding_box

_UNENHANCED_HU = 45.0  # blood; 30 (anaemia) to 60
_BLOOD_MOST_HU = 75.0  # unenhanced blood, with noise and a little to spare
_KIDNEY_MOST_HU = 60.0  # unenhanced kidney: usually 25 to 45
_ENHANCED_HU = 100.0
_ARTERIAL_AORTA_HU = 150.0  # an arterial phase shows at least this
_ARTERIAL_VEINS, _VENOUS_VEINS = 0.5, 0.65  # enhancement of the veins over that of the aorta: at most, at least
_LATE_AORTA_HU = 120.0  # less, and all alike: long after the portal venous phase
_CORE_MM = 3.0  # below the surface: walls, partial volume and a label's errors stay out
_LEAST_CORE_MM = 1.5
_LEAST_CM3 = 0.2
_ARTERIES = (Structure.AORTA,)
_VEINS = (Structure.PORTAL_VEIN, Structure.INFERIOR_VENA_CAVA)
_KIDNEYS = (Structure.KIDNEY_LEFT, Structure.KIDNEY_RIGHT)


class Phase(StrEnum):
    """Contrast phase of a CT."""

    NONE = "none"
    ARTERIAL = "arterial"
    PORTAL_VENOUS = "portal-venous"


@dataclass(frozen=True)
class PhaseProposal:
    """A contrast phase read from the image, to be confirmed by a human being.

    Parameters
    ----------
    phase : Phase or None
        None where the image does not tell.
    reason : str
        What it was read from, or why nothing is proposed.
    readings : mapping of Structure to float
        Median attenuation in the core of each structure, HU.
    doubt : str
        What may be wrong with the proposal; empty where nothing speaks against it.
    """

    phase: Phase | None
    reason: str
    readings: Mapping[Structure, float]
    doubt: str = ""


def propose_phase(ct: Volume, labels: LabelMap) -> PhaseProposal:
    """Propose the contrast phase from the aorta, portal vein, inferior vena cava and kidneys of a label map.

    Parameters
    ----------
    ct : Volume
        HU.
    labels : LabelMap
        On the CT's grid.

    Raises
    ------
    ValueError
        When the label map lies on another grid.

    Notes
    -----
    The bounds are judged from physiology (unenhanced blood 30-60 HU; in the late arterial phase the aorta reads
    290-360 HU and the portal vein 145 ± 20 HU, Radiopaedia, "Late arterial phase"); they are not fitted to patients.
    """
    if not ct.same_grid(labels):
        raise ValueError("the label map lies on another grid than the CT")
    readings = {}
    for structure in (*_ARTERIES, *_VEINS, *_KIDNEYS):
        value = _core(ct, labels, structure)
        if value is not None:
            readings[structure] = value
    phase, reason, doubt = _judged(readings)
    said = ", ".join(f"{structure} {value:.0f} HU" for structure, value in readings.items())
    return PhaseProposal(phase, f"{reason} ({said})" if said else reason, readings, doubt)


def _core(ct: Volume, labels: LabelMap, structure: Structure) -> float | None:
    """Return the median attenuation deep inside a structure; None where there is too little of it."""
    mask = labels.mask(Region(structure)).array
    if not mask.any():
        return None
    box = bounding_box(mask, 1)
    depth = depth_mm(mask[box], ct.spacing)
    values = ct.array[box]
    for least in (_CORE_MM, _LEAST_CORE_MM):
        core = depth >= least
        if np.count_nonzero(core) * ct.voxel_volume / 1000 >= _LEAST_CM3:
            return float(np.median(values[core]))
    return None


def _judged(readings: Mapping[Structure, float]) -> tuple[Phase | None, str, str]:
    """Return phase, reason and doubt."""
    aorta = readings.get(Structure.AORTA)
    veins = [readings[vein] for vein in _VEINS if vein in readings]
    kidneys = [readings[kidney] for kidney in _KIDNEYS if kidney in readings]
    if not readings:
        return None, "neither aorta, portal vein, inferior vena cava nor kidneys are labelled well enough", ""
    if aorta is None:
        return _without_aorta(veins, kidneys)
    if aorta <= _BLOOD_MOST_HU:
        return _unenhanced(veins, kidneys)
    if aorta < _ENHANCED_HU:
        return None, "the aorta is hardly enhanced: anaemia, a little contrast medium, or a late phase", ""
    if kidneys and max(kidneys) <= _KIDNEY_MOST_HU and aorta < _ARTERIAL_AORTA_HU:
        return None, "aorta and kidneys contradict each other", ""
    return _enhanced(aorta, veins)


def _unenhanced(veins: list[float], kidneys: list[float]) -> tuple[Phase | None, str, str]:
    if any(value > _BLOOD_MOST_HU for value in veins):
        return None, "a vein is enhanced and the aorta is not", ""
    if any(value > _KIDNEY_MOST_HU for value in kidneys):
        return None, "a kidney is enhanced and the aorta is not: contrast medium given earlier?", ""
    doubt = "" if veins or kidneys else "read from the aorta alone"
    return Phase.NONE, "nothing is enhanced", doubt


def _without_aorta(veins: list[float], kidneys: list[float]) -> tuple[Phase | None, str, str]:
    if all(v <= _BLOOD_MOST_HU for v in veins) and all(k <= _KIDNEY_MOST_HU for k in kidneys) and kidneys:
        return Phase.NONE, "nothing is enhanced", "the aorta is not labelled"
    return None, "the aorta is not labelled: without it the phase cannot be told", ""


def _enhanced(aorta: float, veins: list[float]) -> tuple[Phase | None, str, str]:
    if not veins:
        return None, "there is contrast medium, but no labelled vein to tell the phase", ""
    shares = [(vein - _UNENHANCED_HU) / (aorta - _UNENHANCED_HU) for vein in veins]
    doubt = "" if len(veins) > 1 else "read from one vein alone"
    said = " and ".join(f"{max(share, 0):.0%}" for share in shares)
    if max(shares) <= _ARTERIAL_VEINS and aorta >= _ARTERIAL_AORTA_HU:
        return Phase.ARTERIAL, f"the veins are enhanced by {said} of the aorta", doubt
    # Below the kidneys the inferior vena cava fills last: the vein that is filled most tells.
    if max(shares) >= _VENOUS_VEINS:
        if aorta < _LATE_AORTA_HU:
            return None, "all vessels are enhanced a little, and alike: later than the portal venous phase?", ""
        if min(shares) < _ARTERIAL_VEINS:
            doubt = "the veins differ: between two phases?"
        return Phase.PORTAL_VENOUS, f"the veins are enhanced by {said} of the aorta", doubt
    return None, f"the veins are enhanced by {said} of the aorta: between two phases", ""
