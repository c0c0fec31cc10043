"""What a header says of an MR acquisition, as numbers and codes; what it does not say stays unknown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..files.dicom_words import words_in

_STIR_TI = (80.0, 350.0)  # ms; nulls fat at 0.2 to 7 T, as in files/plausibility.py
_TESLA = (0.05, 12.0)
_GAUSS = 5000.0  # more than this many tesla or millitesla has no scanner
_CLAIMS = {  # coded by the scanner in multi-frame objects (PS3.3 C.8.13.3.1)
    "T1": "T1", "T2": "T2", "STIR": "STIR", "FLUID_ATTENUATED": "FLAIR", "PROTON_DENSITY": "PD",
    "DIFFUSION": "DIFFUSION", "T2_STAR": "T2STAR",
}  # fmt: skip


def field_strength(acquisition: Mapping[str, str]) -> float | None:
    """Return the field strength in T as stated; old headers give gauss. None where it is unknown or impossible."""
    value = number(acquisition, "MagneticFieldStrength") or 0.0
    tesla = value / 10_000 if value >= _GAUSS else value
    return tesla if _TESLA[0] <= tesla <= _TESLA[1] else None


def number(acquisition: Mapping[str, str], key: str) -> float | None:
    """Return a positive number of the header; None where it is absent, 0, no number, or several."""
    try:
        value = float(acquisition.get(key) or "nan")
    except ValueError:
        return None
    return value if np.isfinite(value) and value > 0 else None


def inverts(acquisition: Mapping[str, str]) -> bool | None:
    """Return whether the sequence begins with an inversion; None where the header does not say."""
    codes = _codes(acquisition, "ScanningSequence")
    if "IR" in codes | _codes(acquisition, "ScanOptions") or acquisition.get("InversionRecovery") == "YES":
        return True
    return False if codes or acquisition.get("InversionRecovery") == "NO" else None


def _codes(acquisition: Mapping[str, str], key: str) -> frozenset[str]:
    return frozenset(code for text in acquisition.get(key, "").upper().split("\\") if (code := text.strip()))


@dataclass(frozen=True)
class Scan:
    """What the rules look at; None and empty where unknown. Times in ms, field strength in T, angles in degrees."""

    modality: str
    tr: float | None
    te: float | None
    ti: float | None
    field: float | None
    flip: float | None
    train: float | None
    stated_inversion: bool | None
    echoes: frozenset[str]  # of SPIN, GRADIENT, PLANAR
    options: frozenset[str]
    variant: frozenset[str]
    three_d: bool
    agent: bool
    several_echoes: bool
    words: frozenset[str]

    @classmethod
    def of(cls, facts: Mapping[str, str], words: Collection[str] = ()) -> Self:
        """Return what `facts` (DICOM keywords) and the words of a description say."""
        codes = _codes(facts, "ScanningSequence")
        coded = {"SE": "SPIN", "GR": "GRADIENT", "EP": "PLANAR"}
        echoes = {coded[code] for code in codes if code in coded} | {facts.get("EchoPulseSequence", "").upper()}
        options = _codes(facts, "ScanOptions") | _codes(facts, "SpectrallySelectedSuppression")
        variant = _codes(facts, "SequenceVariant")
        transfer = facts.get("MagnetizationTransfer", "NONE").upper() != "NONE"
        described = words_in(facts.get("SeriesDescription", ""), facts.get("ProtocolName", ""))
        return cls(
            facts.get("Modality", "MR").upper(),
            *(number(facts, key) for key in ("RepetitionTime", "EchoTime", "InversionTime")),
            field_strength(facts), number(facts, "FlipAngle"), number(facts, "EchoTrainLength"), inverts(facts),
            frozenset({"SPIN", "GRADIENT"} if "BOTH" in echoes else echoes - {""}), options,
            variant | ({"MTC"} if transfer else set()),
            facts.get("MRAcquisitionType", "").upper() == "3D", "ContrastBolusAgent" in facts,
            len(_codes(facts, "EchoTime")) > 1,
            frozenset({*words, *_codes(facts, "DescriptionWords"), *described} | _coded_claim(facts)),
        )  # fmt: skip

    @property
    def has_times(self) -> bool:
        """Whether the header states any of TR, TE and TI."""
        return any((self.tr, self.te, self.ti))

    @property
    def fat_suppressed(self) -> bool:
        """By spectral saturation (FS) or water excitation (WE)."""
        return bool(self.options & {"FS", "WE", "FAT"} or "FS" in self.words)

    @property
    def fat_nulled(self) -> bool:
        """Whether the inversion time is one that nulls fat."""
        return self.ti is not None and _STIR_TI[0] <= self.ti <= _STIR_TI[1]

    @property
    def inverts(self) -> bool:
        """Whether it does: stated, or told by its inversion time (that of spectral fat saturation does not count)."""
        if self.stated_inversion or self.stated_inversion is None:
            return bool(self.stated_inversion or self.ti)
        return self.ti is not None and self.ti >= _STIR_TI[0] and not self.fat_suppressed

    @property
    def claim(self) -> str:
        """The weighting that the description names; empty where it names none or several."""
        if self.words & {"STIR", "TIRM"}:
            return "FLAIR" if "FLAIR" in self.words else "STIR"
        named = sorted(self.words & {"T1", "T2", "PD", "T2STAR"})
        if "FLAIR" in self.words:
            return "T1" if named == ["T1"] else "FLAIR"
        return named[0] if len(named) == 1 else ""

    @property
    def said(self) -> str:
        """The times in words."""
        times = (("TR", self.tr), ("TE", self.te), ("TI", self.ti if self.inverts else None))
        return ", ".join(f"{name} {value:g} ms" for name, value in times if value is not None)


def _coded_claim(facts: Mapping[str, str]) -> set[str]:
    claim = _CLAIMS.get(facts.get("AcquisitionContrast", "").upper())
    return {claim} if claim else set()
