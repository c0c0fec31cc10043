"""What can go wrong in an MR exam: parse what a user writes, and check it."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..anatomy import VertebralLevel
from ..errors import UserError
from .dimensions import WHOLE_LEVELS

SEQUENCES = ("t1", "t2", "stir")
Motion = tuple[float, float, float]
_MOST_MM, _MOST_DEGREES, _MOST_STENOSIS, _MOST_SHADING = 40.0, 20.0, 0.9, 100.0
# Typical of spine imaging (ms; turbo factor): what a comparison across scanners has to notice.
_TYPICAL = {
    "1.5": {
        "t1": {"RepetitionTime": "560", "EchoTime": "10", "EchoTrainLength": "3", "PixelBandwidth": "180"},
        "t2": {"RepetitionTime": "3500", "EchoTime": "100", "EchoTrainLength": "18", "PixelBandwidth": "190"},
        "stir": {
            "RepetitionTime": "3800", "EchoTime": "48", "InversionTime": "160", "EchoTrainLength": "10",
            "PixelBandwidth": "180",
        },
    },
    "3": {
        "t1": {"RepetitionTime": "620", "EchoTime": "9", "EchoTrainLength": "3", "PixelBandwidth": "250"},
        "t2": {"RepetitionTime": "3700", "EchoTime": "105", "EchoTrainLength": "19", "PixelBandwidth": "260"},
        "stir": {
            "RepetitionTime": "4200", "EchoTime": "45", "InversionTime": "220", "EchoTrainLength": "10",
            "PixelBandwidth": "250",
        },
    },
}  # fmt: skip


def typical_acquisition(
    field_strength: str, manufacturer: str = "OVFRisk (synthetic)", model: str = "phantom"
) -> dict[str, dict[str, str]]:
    """Return DICOM keywords and values of each sequence at ``1.5`` or ``3`` T, for `PhantomSettings.mr_acquisition`.

    Raises
    ------
    UserError
        When the field strength is another.
    """
    if field_strength not in _TYPICAL:
        raise UserError(f"There is no typical protocol at '{field_strength}' T.", "Give 1.5 or 3.")
    fixed = {
        "MagneticFieldStrength": field_strength,
        "Manufacturer": manufacturer,
        "ManufacturerModelName": model,
    }
    return {
        sequence: {**fixed, "SeriesDescription": f"{sequence.upper()} sagittal", **times}
        for sequence, times in _TYPICAL[field_strength].items()
    }


def parse_acquisition(text: str) -> tuple[str, str, str]:
    """Return sequence, DICOM keyword and value of ``t1:EchoTime=9.5``.

    Raises
    ------
    UserError
        When the text names none.
    """
    sequence, _, pair = text.partition(":")
    keyword, equals, value = pair.partition("=")
    if sequence.strip().lower() not in SEQUENCES or not equals or not keyword.strip().isidentifier():
        raise UserError(f"'{text}' sets nothing of a sequence.", "Write SEQUENCE:KEYWORD=VALUE, e.g. t1:EchoTime=9.5.")
    return sequence.strip().lower(), keyword.strip(), value.strip()


def parse_motion(text: str) -> tuple[str, Motion]:
    """Return sequence and (anterior mm, up mm, rotation in degrees) of ``t2:3,-2,4``.

    Raises
    ------
    UserError
        When the text is no motion.
    """
    sequence, _, numbers = text.partition(":")
    try:
        anterior, up, rotation = (float(n) for n in numbers.split(","))
    except ValueError as error:
        how = "Write SEQUENCE:ANTERIOR,UP,ROTATION in mm and degrees, e.g. t2:3,-2,4."
        raise UserError(f"'{text}' is no motion ({error}).", how) from error
    return sequence.strip().lower(), (anterior, up, rotation)


def parse_stenosis(text: str) -> tuple[VertebralLevel, float]:
    """Return level and share of the canal's depth that is lost, of ``L3:0.5``.

    Raises
    ------
    UserError
        When the text is no stenosis.
    """
    level, _, share = text.partition(":")
    try:
        return VertebralLevel(level.strip().upper()), float(share)
    except ValueError as error:
        raise UserError(f"'{text}' is no stenosis ({error}).", "Write LEVEL:SHARE, e.g. L3:0.5.") from error


def checked_motion(motion: Mapping[str, Sequence[float]]) -> Mapping[str, Motion]:
    """Return the motions as tuples.

    Raises
    ------
    UserError
        When a sequence is unknown or a number is out of range (40 mm, 20 degrees).
    """
    found = {}
    for sequence, values in motion.items():
        limits = (_MOST_MM, _MOST_MM, _MOST_DEGREES)
        # not <=: NaN is out of range, too
        if sequence not in SEQUENCES or len(values) != 3 or not all(abs(v) <= m for v, m in zip(values, limits)):
            raise UserError(
                f"The motion {list(values)} of '{sequence}' is out of range.",
                "Name t1, t2 or stir; up to 40 mm and 20 degrees.",
            )
        found[sequence] = tuple(float(v) for v in values)
    return MappingProxyType(found)


def checked_stenosis(stenosis: Mapping[VertebralLevel, float]) -> Mapping[VertebralLevel, float]:
    """Return the stenoses.

    Raises
    ------
    UserError
        When a level is not one of T11 to L5 or a share is out of 0 to 0.9.
    """
    for level, share in stenosis.items():
        if level not in WHOLE_LEVELS or not 0 <= share <= _MOST_STENOSIS:
            raise UserError(f"A stenosis of {share:g} at {level} is impossible.", "Choose T11 to L5, and 0 to 0.9.")
    return MappingProxyType({VertebralLevel(level): float(share) for level, share in stenosis.items()})


def checked_acquisition(given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, str]]:
    """Return the acquisition's keywords of each sequence as text.

    Raises
    ------
    UserError
        When a sequence is unknown.
    """
    if unknown := set(given) - set(SEQUENCES):
        raise UserError(f"The sequence '{min(unknown)}' is unknown.", "Name t1, t2 or stir.")
    return MappingProxyType({s: MappingProxyType({k: str(v) for k, v in m.items()}) for s, m in given.items()})


def check_shading(percent: float, clip: float | None) -> None:
    """Raise a UserError where the shading is over 100 % or the largest signal is not positive."""
    if not (abs(percent) <= _MOST_SHADING and math.isfinite(percent)):
        raise UserError(f"A shading of {percent:g} % is out of range.", "Give -100 to 100.")
    if clip is not None and not 0 < clip <= 32767:
        raise UserError(f"The largest signal {clip:g} is out of range.", "Give 1 to 32767, e.g. 255.")
