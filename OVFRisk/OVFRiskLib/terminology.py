"""How a region is named, coloured and coded wherever it is shown (``Resources/Terminology/OVFRisk.term.json``).

Codes are SNOMED CT where there is one: vertebrae (DICOM PS3.16 CID 7603), arch (CID 6115), vertebral body. T13, L6, S1
and the cortical and cancellous bone of a vertebra carry codes of our own scheme 99OVFRISK (PS3.16, section 8: private
designators begin with 99). Hues are those of Okabe and Ito, which readers with a colour vision deficiency can tell
apart; neighbouring levels never share one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .anatomy import Compartment, Region, Structure
from .resources import resource

_MEANING = {
    Compartment.BODY: "Vertebral body",
    Compartment.CORTICAL: "Cortical bone",
    Compartment.CANCELLOUS: "Cancellous bone",
    Compartment.POSTERIOR: "Arch of vertebra",
}
_NO_CODE = "^^"
_ANATOMIC_CONTEXT = "Anatomic codes - DICOM master list"
_GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class Term:
    """How a region is shown.

    Parameters
    ----------
    rgb : tuple of int
        0-255.
    entry : str
        Slicer's terminology entry in seven parts: context, category, type, type modifier, anatomic context, region,
        region modifier. Empty where no code is known.
    """

    rgb: tuple[int, int, int]
    entry: str

    @property
    def color(self) -> tuple[float, float, float]:
        """Red, green, blue, 0-1."""
        return tuple(value / 255 for value in self.rgb)


def term(region: Region) -> Term:
    """Return colour and codes of `region`; other structures than vertebrae are grey and have no code here."""
    if region.level is None or isinstance(region.part, Structure):
        return Term(_GREY, "")
    context, category, types = _terminology()
    level = types[f"{region.level} vertebra"]
    modifiers = {modifier["CodeMeaning"]: modifier for modifier in level["Modifier"]}
    modifier = modifiers.get(_MEANING.get(region.part, ""))
    parts = (context, category, _code(level), _code(modifier) if modifier else _NO_CODE)
    return Term(
        tuple((modifier or level)["recommendedDisplayRGBValue"]),
        "~".join((*parts, _ANATOMIC_CONTEXT, _NO_CODE, _NO_CODE)),
    )


def segment_id(region: Region) -> str:
    """Return the id of a region's segment, e.g. ``L1_cortical``."""
    return str(region).replace(" ", "_")


@cache
def _terminology() -> tuple[str, str, Mapping[str, dict]]:
    """Return the context's name, the category's code and the types by meaning."""
    document = json.loads(resource("Terminology", "OVFRisk.term.json").read_text("utf-8"))
    category = document["SegmentationCodes"]["Category"][0]
    types = {entry["CodeMeaning"]: entry for entry in category["Type"]}
    return document["SegmentationCategoryTypeContextName"], _code(category), types


def _code(entry: Mapping[str, str]) -> str:
    return f"{entry['CodingSchemeDesignator']}^{entry['CodeValue']}^{entry['CodeMeaning']}"
