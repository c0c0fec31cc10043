"""What the segments of a Slicer segmentation (``.seg.nrrd``) mean, and how they become one label map.

The keys are those of Slicer's ``vtkMRMLSegmentationStorageNode``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..anatomy import Compartment, Region, Structure, VertebralLevel, label_scheme
from ..errors import UserError
from ..terminology import term
from .stored_image import StoredImage

_LEVEL = r"(?P<level>[ctls]\d{1,2})"
_PARTS = {
    Compartment.WHOLE: "whole|",
    Compartment.BODY: "vertebral body|body|corpus",
    Compartment.CORTICAL: "cortical|cortical bone|cortex",
    Compartment.CANCELLOUS: "cancellous|cancellous bone|trabecular|trabecular bone",
    Compartment.POSTERIOR: "posterior|posterior elements|arch",
    Structure.DISC: "disc|disk|ivd",
    Structure.RIB_LEFT: "rib left|left rib",
    Structure.RIB_RIGHT: "rib right|right rib",
}
_OTHERS = {
    Structure.SACRUM: "sacrum",
    Structure.SPINAL_CANAL: "spinal canal",
    Structure.CSF: "csf|cerebrospinal fluid",
    Structure.ERECTOR_SPINAE_LEFT: "(erector spinae|autochthon) left|left erector spinae",
    Structure.ERECTOR_SPINAE_RIGHT: "(erector spinae|autochthon) right|right erector spinae",
    Structure.PSOAS_LEFT: "(psoas|psoas major|iliopsoas) left|left (psoas|psoas major|iliopsoas)",
    Structure.PSOAS_RIGHT: "(psoas|psoas major|iliopsoas) right|right (psoas|psoas major|iliopsoas)",
    Structure.SUBCUTANEOUS_FAT: "subcutaneous fat",
    Structure.CALIBRATION_ROD: "calibration rod",
    Structure.AORTA: "aorta",
    Structure.INFERIOR_VENA_CAVA: "inferior vena cava",
    Structure.PORTAL_VEIN: "portal vein( and splenic vein)?",
    Structure.KIDNEY_LEFT: "kidney left|left kidney",
    Structure.KIDNEY_RIGHT: "kidney right|right kidney",
}
_WITHIN = {  # a part that may lie inside another segment of its level, and takes its place there
    Compartment.BODY: {Compartment.WHOLE},
    Compartment.CORTICAL: {Compartment.WHOLE, Compartment.BODY},
    Compartment.CANCELLOUS: {Compartment.WHOLE, Compartment.BODY},
    Compartment.POSTERIOR: {Compartment.WHOLE},
    Structure.CSF: {Structure.SPINAL_CANAL},
}


@dataclass(frozen=True)
class Segment:
    """One segment of the file: where its voxels are, and the names it carries."""

    name: str
    layer: int
    value: int
    entry: str  # Slicer's terminology entry


def segments(header: Mapping[str, str]) -> list[Segment]:
    """Return the segments that a ``.seg.nrrd`` header describes, in file order; none for other NRRD files."""
    numbers = sorted(int(m[1]) for key in header if (m := re.fullmatch(r"Segment(\d+)_ID", key)))
    return [_segment(header, n) for n in numbers]


def region_of(segment: Segment) -> Region | None:
    """Return what a segment means by its name, or else by its SNOMED CT code; None where neither says.

    Raises
    ------
    UserError
        When name and code stand for different levels.
    """
    named, coded = region_named(segment.name), _coded_regions().get(_codes(segment.entry))
    if named and coded and named.level != coded.level:
        raise UserError(
            f"The segment '{segment.name}' is coded as {coded.level or coded}.",
            "Correct its name or its terminology in the Segmentations module: it cannot be both.",
        )
    return named or coded


def region_named(name: str) -> Region | None:
    """Return the region that a name such as ``L1``, ``vertebrae_L1``, ``L1 cortical`` or ``disc_L1_L2`` stands for."""
    text = re.sub(r"[\s_/-]+", " ", name).strip().lower()
    for part, words in _OTHERS.items():
        if re.fullmatch(words, text):
            return Region(part)
    if match := re.fullmatch(rf"(?:disc|disk|ivd) {_LEVEL} (?P<below>[ctls]\d?)\d*", text):
        return _region(Structure.DISC, match["level"])
    text = re.sub(r"\bvertebrae?\b", "", text).strip()
    for part, words in _PARTS.items():
        if match := re.fullmatch(rf"{_LEVEL} ?(?:{words})|(?:{words}) ?{_LEVEL.replace('level', 'last')}", text):
            return _region(part, match["level"] or match["last"])
    return None


def merged(stored: StoredImage, found: Mapping[Region, Segment]) -> np.ndarray:
    """Return one label array with the values of the scheme ``ovfrisk``.

    Where segments overlap, a part takes the place of the whole it belongs to (cortical bone over body over vertebra,
    CSF over canal).

    Raises
    ------
    UserError
        When other segments overlap: one voxel cannot be two vertebrae.
    """
    values = {region: value for value, region in label_scheme("ovfrisk").regions.items()}
    layers = stored.array if stored.array.ndim == 4 else stored.array[..., None]
    result = np.zeros(layers.shape[:3], np.int16)
    owners: dict[int, Region] = {}
    for region in sorted(found, key=_nesting):
        mask = layers[..., found[region].layer] == found[region].value
        _check_overlap(region, result[mask], owners, found)
        result[mask] = values[region]
        owners[values[region]] = region
    return result


def _segment(header: Mapping[str, str], n: int) -> Segment:
    tags = dict(tag.split(":", 1) for tag in header.get(f"Segment{n}_Tags", "").split("|") if ":" in tag)
    try:  # Slicer before 4.11 stored one layer a segment and no label values
        layer, value = int(header.get(f"Segment{n}_Layer", n)), int(header.get(f"Segment{n}_LabelValue", 1))
    except ValueError as error:
        raise UserError(
            f"Segment {n} has no valid label value.", "Save the segmentation again in 3D Slicer."
        ) from error
    return Segment(header.get(f"Segment{n}_Name", ""), layer, value, tags.get("TerminologyEntry", ""))


def _region(part: Compartment | Structure, level: str) -> Region | None:
    known = level.upper() in set(VertebralLevel)
    return Region(part, VertebralLevel(level.upper())) if known else None


@cache
def _coded_regions() -> Mapping[tuple[str, ...], Region]:
    regions = [Region(part, level) for level in VertebralLevel for part in Compartment]
    return {_codes(entry): region for region in regions if (entry := term(region).entry)}


def _codes(entry: str) -> tuple[str, ...]:
    """Return scheme and code of a terminology entry's type and type modifier, without their wording."""
    return tuple("^".join(part.split("^")[:2]) for part in entry.split("~")[2:4])


def _nesting(region: Region) -> tuple[int, tuple[int, str]]:
    return (len(_WITHIN.get(region.part, ())), region.sort_key)


def _check_overlap(
    region: Region, below: np.ndarray, owners: Mapping[int, Region], found: Mapping[Region, Segment]
) -> None:
    for value in np.unique(below[below != 0]):
        other = owners[int(value)]
        if other.level != region.level or other.part not in _WITHIN.get(region.part, ()):
            count = int(np.count_nonzero(below == value))
            raise UserError(
                f"The segments '{found[other].name}' and '{found[region].name}' overlap in {count} voxels.",
                "Separate them in the Segment Editor (masking: allow overlap off), then save again.",
            )
