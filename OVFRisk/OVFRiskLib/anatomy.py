"""Vertebral levels, their parts, and what the numbers of a label map mean."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from .errors import UserError
from .resources import resource


class VertebralLevel(StrEnum):
    """One vertebra, in cranio-caudal order; T13 and L6 exist in transitional anatomy."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"
    C6 = "C6"
    C7 = "C7"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"
    T9 = "T9"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    T13 = "T13"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"
    L5 = "L5"
    L6 = "L6"
    S1 = "S1"

    @property
    def rank(self) -> int:
        """Position along the spine, counted from C1 = 0 towards the sacrum."""
        return _RANK[self]

    @classmethod
    def from_label(cls, value: int, scheme: str) -> "VertebralLevel":
        """Return the level that `value` stands for in the label scheme named `scheme`."""
        region = label_scheme(scheme).regions.get(value)
        if region is None or region.level is None:
            raise UserError(f"Label {value} is no vertebra in the scheme '{scheme}'.", "Check the label scheme.")
        return region.level

    @classmethod
    def span(cls, text: str) -> tuple["VertebralLevel", ...]:
        """Return the levels of a list such as ``T11-L2`` or ``L1,L3`` (T13 and L6 only where named).

        Raises
        ------
        UserError
            When a level is unknown or a range runs towards the head.
        """
        levels: list[VertebralLevel] = []
        for part in text.upper().replace(" ", "").split(","):
            first, dash, last = part.partition("-")
            try:
                top, bottom = cls(first), cls(last if dash else first)
            except ValueError:
                raise UserError(f"'{part}' names no vertebral levels.", "Write levels as T11-L2 or L1,L3.") from None
            if top.rank > bottom.rank:
                raise UserError(f"The levels '{part}' run towards the head.", f"Write {bottom}-{top}.")
            within = [level for level in cls if top.rank <= level.rank <= bottom.rank]
            levels += [level for level in within if level in (top, bottom) or level not in _TRANSITIONAL]
        return tuple(dict.fromkeys(levels))


_RANK = {level: rank for rank, level in enumerate(VertebralLevel)}
_TRANSITIONAL = (VertebralLevel.T13, VertebralLevel.L6)


class Compartment(StrEnum):
    """A part of one vertebra."""

    WHOLE = "whole"
    BODY = "body"
    CORTICAL = "cortical"
    CANCELLOUS = "cancellous"
    POSTERIOR = "posterior"


class Structure(StrEnum):
    """What else an image shows, is measured, or serves as a reference."""

    DISC = "disc"
    SPINAL_CANAL = "spinal-canal"
    CSF = "csf"
    SACRUM = "sacrum"
    RIB_LEFT = "rib-left"
    RIB_RIGHT = "rib-right"
    ERECTOR_SPINAE_LEFT = "erector-spinae-left"
    ERECTOR_SPINAE_RIGHT = "erector-spinae-right"
    PSOAS_LEFT = "psoas-left"
    PSOAS_RIGHT = "psoas-right"
    SUBCUTANEOUS_FAT = "subcutaneous-fat"
    CALIBRATION_ROD = "calibration-rod"
    AORTA = "aorta"
    INFERIOR_VENA_CAVA = "inferior-vena-cava"
    PORTAL_VEIN = "portal-vein"
    KIDNEY_LEFT = "kidney-left"
    KIDNEY_RIGHT = "kidney-right"
    ERECTOR_SPINAE = "erector-spinae"  # both sides
    PSOAS = "psoas"  # both sides


RIBS = (Structure.RIB_LEFT, Structure.RIB_RIGHT)


@dataclass(frozen=True, slots=True)
class Region:
    """What one label means: a compartment of a level, or another structure (of a level or of none)."""

    part: Compartment | Structure
    level: VertebralLevel | None = None

    def __post_init__(self) -> None:
        if isinstance(self.part, Compartment) and self.level is None:
            raise ValueError(f"the compartment {self.part} needs a level")

    def __str__(self) -> str:
        return f"{self.level} {self.part}" if self.level else str(self.part)

    @property
    def sort_key(self) -> tuple[int, str]:
        """Cranio-caudal order, then by part."""
        return (self.level.rank if self.level else len(_RANK), self.part)


@dataclass(frozen=True, slots=True)
class Label:
    """A region that is known by its label value alone; it stands where a `Region` does."""

    value: int
    part: None = None
    level: None = None

    def __str__(self) -> str:
        return f"label {self.value}"

    @property
    def sort_key(self) -> tuple[int, str]:
        """After all levels, by value."""
        return (len(_RANK), f"{self.value:020d}")


@dataclass(frozen=True, slots=True)
class LabelScheme:
    """A named meaning of label values, with where it was taken from."""

    name: str
    title: str
    source: str
    regions: Mapping[int, Region]


@cache
def label_schemes() -> Mapping[str, LabelScheme]:
    """Return the known label schemes by name (``Resources/Terminology/label_schemes.json``)."""
    entries = json.loads(resource("Terminology", "label_schemes.json").read_text("utf-8"))
    return {entry["name"]: _scheme(entry) for entry in entries}


def label_scheme(name: str) -> LabelScheme:
    """Return the label scheme called `name`; a UserError lists the known ones."""
    schemes = label_schemes()
    if name not in schemes:
        raise UserError(f"The label scheme '{name}' is unknown.", f"Known schemes: {', '.join(schemes)}.")
    return schemes[name]


def _scheme(entry: dict) -> LabelScheme:
    regions = {int(value): _region(text) for value, text in entry["labels"].items()}
    return LabelScheme(entry["name"], entry["title"], entry["source"], regions)


def _region(text: str) -> Region:
    level, _, part = text.rpartition(" ")
    kinds = Compartment if part in set(Compartment) else Structure
    return Region(kinds(part), VertebralLevel(level) if level else None)
