"""Does an image show what the user says it shows? Only what is certain is refused."""

from collections.abc import Mapping

import numpy as np

from ..errors import UserError
from ..image import Modality, Volume

MR = (Modality.T1, Modality.T2, Modality.STIR)
_BONE_HU = 100.0  # no spine lacks a voxel of it, however osteoporotic: cortical bone at 5 mm slices exceeds 200 HU
_BELOW_MR = -50.0  # magnitude images have none; interpolation undershoots by a few units
_SHARE_BELOW = 0.01
_T1_MAX_TE = 60.0  # ms; T1-weighted spin and gradient echoes use 2-30
_T2_MIN_TE_TR = (40.0, 1200.0)  # ms; both below: T1-weighted
_STIR_TI = (80.0, 350.0)  # ms; nulls fat at 0.3-7 T; T1 FLAIR and MP-RAGE use 600 and more


def check_intensities(volume: Volume, name: str) -> None:
    """Raise a UserError when the values cannot be those of the volume's modality.

    A CT in HU has values below 0 (fat, air, or the masked-out surroundings' noise) and above 100 (bone); an MR
    magnitude image has not one voxel in a hundred below -50.
    """
    low, high = _range(volume.array, name)
    if low == high:
        raise UserError(f"{name} holds one single value ({low:g}).", "Give the image itself.")
    if volume.modality is Modality.CT:
        _check_ct(low, high, name)
    elif volume.modality in MR:
        below = np.count_nonzero(volume.array < _BELOW_MR) / volume.array.size if low < _BELOW_MR else 0
        if below > _SHARE_BELOW:
            raise UserError(
                f"{name} is given as {volume.modality}, but {below:.0%} of its voxels lie below {_BELOW_MR:g}"
                f" (lowest {low:g}): that is a CT in HU, or a phase image.",
                "Give a CT with the option for the CT, and the magnitude image as MRI.",
            )


def check_weighting(acquisition: Mapping[str, str], modality: Modality, name: str) -> None:
    """Raise a UserError when echo, repetition or inversion time exclude the weighting the user named.

    Parameters
    ----------
    acquisition : mapping of str to str
        DICOM keywords; times in ms.
    """
    echo, repetition, inversion = (_number(acquisition, key) for key in ("EchoTime", "RepetitionTime", "InversionTime"))
    stated = f"TE {echo:g} ms, TR {repetition:g} ms, TI {inversion:g} ms".replace("nan", "unknown")
    fat_nulled = _STIR_TI[0] <= inversion <= _STIR_TI[1]
    t1_times = echo < _T2_MIN_TE_TR[0] and repetition < _T2_MIN_TE_TR[1]
    wrong = {
        Modality.T1: "a STIR image" if fat_nulled else "T2-weighted" if echo >= _T1_MAX_TE else "",
        Modality.T2: "a STIR image" if fat_nulled else "T1-weighted" if t1_times else "",
        Modality.STIR: "an inversion recovery that does not null fat" if inversion > _STIR_TI[1] else "",
    }.get(modality)
    if wrong:
        raise UserError(f"{name} is given as {modality}, but is {wrong} ({stated}).", "Give each image as what it is.")


def _check_ct(low: float, high: float, name: str) -> None:
    found = f"its values run from {low:g} to {high:g}"
    if low >= 0:
        raise UserError(
            f"{name} is no CT in Hounsfield units: {found}, none below 0 (fat and air are negative).",
            "If it is an MRI, give it as such; if an offset (often 1024) is missing, convert it again from DICOM.",
        )
    if high < _BONE_HU:
        raise UserError(
            f"{name} is no CT of bone in Hounsfield units: {found}.", "Give the CT in HU, not windowed or normalised."
        )


def _range(array: np.ndarray, name: str) -> tuple[float, float]:
    """Lowest and highest finite value."""
    if array.dtype.kind == "f":
        array = array[np.isfinite(array)]
        if array.size == 0:
            raise UserError(f"{name} holds no numbers (every voxel is NaN or infinite).", "Give the image itself.")
    return float(array.min()), float(array.max())


def _number(acquisition: Mapping[str, str], key: str) -> float:
    try:
        return float(acquisition.get(key, "nan"))
    except ValueError:
        return float("nan")
