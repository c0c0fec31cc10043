"""How an MR image was acquired, and why two scores are therefore not to be compared.

VBQ is a ratio of signals: it differs with field strength, TR, TE and TI, and with the scanner. Published: a mean VBQ-T1
of 2.77 at 1.5 T and of 2.20 at 3 T.
"""

from collections.abc import Collection, Mapping

import numpy as np

from ..image import Modality, Volume
from .sequence_facts import field_strength, inverts, number

UNKNOWN = "unknown"
# Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995: scanner and field; the paper gives no TR, TE or TI.
HUANG_2025: Mapping[str, str] = {
    "MagneticFieldStrength": "1.5",
    "Manufacturer": "GE",
    "ManufacturerModelName": "Signa HDX",
}
# Name: keyword, unit, share of the larger one up to which they count as equal, least difference. By the signal
# equations of spin echo and inversion recovery (marrow: T1 300-600 ms, T2 60-90 ms; CSF: 4 s, 1.5 s) VBQ changes by
# 3-6 % for 10 % of TR, by 5-8 % for 5 % of the TE of T2 weighting, by 3-17 % for 5 % of TI: observers may differ by
# 10 % (Huang).
_NUMBERS: Mapping[str, tuple[str, str, float, float]] = {
    "repetition_time": ("RepetitionTime", "ms", 0.1, 0.0),
    "echo_time": ("EchoTime", "ms", 0.05, 2.0),  # short ones: 2 ms change VBQ by 2-3 %
    "inversion_time": ("InversionTime", "ms", 0.05, 0.0),
    "flip_angle": ("FlipAngle", "deg", 0.25, 0.0),  # of a turbo spin echo it is the refocusing angle: 120 to 180
    "echo_train_length": ("EchoTrainLength", "", 0.5, 0.0),  # fat gets brighter with it
    "bandwidth": ("PixelBandwidth", "Hz", 0.25, 0.0),  # shift of fat against water
    "slice_thickness": ("SliceThickness", "mm", 0.25, 0.0),  # partial volume of sac and body
}
_TEXTS = {"manufacturer": "Manufacturer", "model": "ManufacturerModelName"}
_NEEDED = (*("field_strength", "repetition_time", "echo_time", "inversion_time", "bandwidth"), *_TEXTS)
_MAKERS = {
    "GE": "GE", "GENERAL": "GE", "SIEMENS": "SIEMENS", "PHILIPS": "PHILIPS", "TOSHIBA": "CANON", "CANON": "CANON",
    "HITACHI": "FUJIFILM", "FUJIFILM": "FUJIFILM", "UIH": "UIH", "UNITED": "UIH",
}  # fmt: skip
_NOMINAL_TESLA = np.array([0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.55, 0.6, 1.0, 1.2, 1.5, 3.0, 5.0, 7.0])
_SAME_FIELD = 0.07  # 1.494 T is 1.5 T, 2.89 T is 3 T
FIELD_NOTE = "VBQ differs by field strength (published mean VBQ-T1: 2.77 at 1.5 T, 2.20 at 3 T)"
_SAME_GAIN = 0.001


def acquisition_facts(image: Volume | Mapping[str, str]) -> dict[str, str]:
    """Return how an image was acquired, in words with units; ``unknown`` where its file does not say.

    Parameters
    ----------
    image : Volume, or mapping of str to str
        Or its `acquisition`, by DICOM keyword.

    Returns
    -------
    dict of str to str
        ``field_strength`` (T), ``repetition_time``, ``echo_time``, ``inversion_time`` (ms; ``none`` where the header
        states a sequence without inversion), ``flip_angle`` (deg), ``echo_train_length``, ``bandwidth`` (Hz),
        ``slice_thickness`` (mm), ``manufacturer``, ``model``.
    """
    facts = _acquisition(image)
    field = field_strength(facts)
    found = {"field_strength": UNKNOWN if field is None else f"{field:g} T"}
    for name, (key, unit, *_) in _NUMBERS.items():
        value = number(facts, key)
        found[name] = UNKNOWN if value is None else f"{value:g} {unit}".strip()
    if found["inversion_time"] == UNKNOWN and inverts(facts) is False:
        found["inversion_time"] = "none"
    return found | {name: facts.get(key, "").strip() or UNKNOWN for name, key in _TEXTS.items()}


def comparability(a: Volume | Mapping[str, str], b: Volume | Mapping[str, str]) -> tuple[str, ...]:
    """Return why scores of one sequence, measured on two images, are not to be compared.

    What either does not state of field strength, TR, TE, TI, bandwidth, manufacturer and model is a warning, too.

    Parameters
    ----------
    a, b : Volume, or mapping of str to str
        Or their `acquisition`, by DICOM keyword.
    """
    first, second = acquisition_facts(a), acquisition_facts(b)
    warnings = [*_field_warning(_acquisition(a), _acquisition(b)), *_scanner_warning(first, second)]
    warnings += [_difference(name, first[name], second[name]) for name in _NUMBERS if _differ(name, first, second)]
    unknown = [name for name in _NEEDED if UNKNOWN in (first[name], second[name])]
    if unknown:
        warnings.append(f"{_listed(unknown)} unknown: whether the scores can be compared is not certain")
    return tuple(warnings)


def published_comparability(
    image: Volume | Mapping[str, str],
    modality: Modality,
    published: Collection[Mapping[str, str]] = (HUANG_2025,),
    what: str = "",
) -> tuple[str, ...]:
    """Return why a result is not to be compared with what was found on other scanners.

    Only what a publication states is compared: Huang et al. give no TR, TE or TI, and that is no warning of its own.

    Parameters
    ----------
    image : Volume, or mapping of str to str
    modality : Modality
    published : collection of mapping of str to str
        The acquisitions by DICOM keyword. One that matches is enough; where none does, the nearest speaks.
    what : str
        What is compared, the first words of each warning; empty for the cut-offs of VBQ.
    """
    facts = _acquisition(image)
    made = "the model was made" if what else "the cut-offs were found"
    found = min((_published_warnings(facts, one, made) for one in published), key=len, default=[])
    where = what or f"the cut-off of VBQ-{modality}"
    return tuple(f"{where}: {warning}" for warning in found)


def _published_warnings(facts: Mapping[str, str], published: Mapping[str, str], made: str) -> list[str]:
    first, second = acquisition_facts(facts), acquisition_facts(published)
    warnings = [*_field_warning(facts, published), *_scanner_warning(first, second)]
    unknown = [name for name in ("field_strength", *_TEXTS) if first[name] == UNKNOWN != second[name]]
    if unknown:
        scanner = " ".join(second[name] for name in _TEXTS if second[name] != UNKNOWN) or "scanner"
        field = "" if second["field_strength"] == UNKNOWN else f" at {second['field_strength']}"
        warnings.append(f"{_listed(unknown)} unknown: {made} on a {scanner}{field}")
    return warnings


def same_setting(t2: Volume, stir: Volume) -> tuple[str, ...]:
    """Return why T2 and STIR may not be subtracted (VBQ-T2-STIR); empty where nothing speaks against it.

    The difference only means something where both images keep the scanner's own scale of one setting: one scanner, one
    session, one receiver gain, one rescaling. Gain and session are compared where both are known; a scanner that is
    unknown is said.
    """
    a, b = t2.acquisition, stir.acquisition
    warnings = []
    if _scanner_warning(acquisition_facts(a), acquisition_facts(b)) or _field_warning(a, b):
        warnings.append("T2 and STIR come from different scanners: their difference means little")
    elif not _known_scanner(a) or not _known_scanner(b):
        warnings.append("whether T2 and STIR come from one scanner and setting is unknown: VBQ-T2-STIR needs that")
    if _both_differ(a, b, "Session"):
        warnings.append("T2 and STIR come from different sessions: their difference means little")
    if _both_differ(a, b, "ReceiverGain"):
        warnings.append(
            f"T2 and STIR were received with different gains ({a['ReceiverGain']}, {b['ReceiverGain']}):"
            " their difference means little"
        )
    slopes = [number(facts, "RescaleSlope") for facts in (a, b)]
    if all(slopes) and abs(slopes[0] / slopes[1] - 1) > _SAME_GAIN:
        warnings.append(
            f"T2 and STIR were rescaled by different factors ({slopes[0]:g}, {slopes[1]:g}):"
            " their difference means little"
        )
    if any(volume.array.dtype == np.uint8 for volume in (t2, stir)):
        warnings.append("8-bit images were rescaled one by one: the difference of T2 and STIR means little")
    return tuple(warnings)


def _acquisition(image: Volume | Mapping[str, str]) -> Mapping[str, str]:
    return image.acquisition if isinstance(image, Volume) else image


def _field_warning(a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    fields = [field_strength(facts) for facts in (a, b)]
    if None in fields or _nominal(fields[0]) == _nominal(fields[1]):
        return []
    return [f"field strength {_nominal(fields[0]):g} T and {_nominal(fields[1]):g} T: {FIELD_NOTE}"]


def _nominal(tesla: float) -> float:
    nearest = float(_NOMINAL_TESLA[np.abs(np.log(_NOMINAL_TESLA / tesla)).argmin()])
    return nearest if abs(tesla / nearest - 1) <= _SAME_FIELD else tesla


def _scanner_warning(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Return at most one warning: scanners of two makers have two models, too."""
    for name, plain in (("manufacturer", _maker), ("model", _letters)):
        pair = (first[name], second[name])
        if UNKNOWN not in pair and plain(pair[0]) != plain(pair[1]):
            return [f"{name} {pair[0]} and {pair[1]}"]
    return []


def _maker(text: str) -> str:
    """One name for what a maker calls itself in headers of different years."""
    words = text.upper().replace("-", " ").split()
    return _MAKERS.get(words[0], _letters(text)) if words else ""


def _letters(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())


def _differ(name: str, first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    pair = (first[name], second[name])
    if UNKNOWN in pair:
        return False
    if "none" in pair:
        return pair[0] != pair[1]
    low, high = sorted(float(text.split()[0]) for text in pair)
    _, _, share, least = _NUMBERS[name]
    return high - low > share * high and high - low >= least


def _difference(name: str, first: str, second: str) -> str:
    return f"{name.replace('_', ' ')} {first} and {second}"


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _known_scanner(facts: Mapping[str, str]) -> bool:
    return field_strength(facts) is not None and bool(facts.get("Manufacturer", "").strip())


def _both_differ(a: Mapping[str, str], b: Mapping[str, str], key: str) -> bool:
    return bool(a.get(key) and b.get(key)) and a[key] != b[key]
