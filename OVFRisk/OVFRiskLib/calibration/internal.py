"""Internal calibration: a patient's own muscle and fat in place of a phantom."""

from dataclasses import asdict, dataclass
from types import MappingProxyType

import numpy as np

from ..errors import UserError
from ..image import LabelMap, Volume
from .density_line import DensityLine, Reference, kvp_notes
from .equivalents import Mineral, hu_per_density, muscle_hu
from .rods import kvp_of
from .tissue import Tissue, lean_muscle, pure_fat, thinned

_LEAST_APART_HU = 80.0  # muscle lies about 160 HU above fat
_KEV = 70.0  # effective energy of a 120 kVp beam in a trunk: an assumption, carried by the stated errors
_FAT_HU = -106.0  # middle of the reference interval of abdominal fat, -123 to -89 HU (PubMed 37296765)
SOURCE = (
    "muscle: NIST attenuation coefficients (ICRU-44) at 70 keV and 1.06 g/cm3; "
    "fat: -106 HU (reference interval -123 to -89 HU, PubMed 37296765); per mg/cm3 of K2HPO4 in water at 70 keV"
)


@dataclass(frozen=True)
class InternalReference:
    """Which densities muscle and fat are taken to have.

    Parameters
    ----------
    muscle, fat : float
        Equivalent density of lean muscle and of subcutaneous fat, mg/cm³.
    muscle_error, fat_error : float
        Their standard deviation between patients and scanners, mg/cm³: that of 5 keV and of 0.5 % of density.
    kvp : float
        Tube voltage that they hold at.
    source : str
    """

    muscle: float = round(muscle_hu(_KEV) / hu_per_density(Mineral.K2HPO4, _KEV), 1)
    fat: float = round(_FAT_HU / hu_per_density(Mineral.K2HPO4, _KEV), 1)
    muscle_error: float = 6.0
    fat_error: float = 10.0
    kvp: float = 120.0
    source: str = SOURCE


def internal_line(
    ct: Volume, labels: LabelMap | None = None, reference: InternalReference | None = None
) -> DensityLine:
    """Return the line through lean paraspinal muscle and subcutaneous fat of the same scan.

    Parameters
    ----------
    ct : Volume
        Without contrast medium, which raises muscle.
    labels : LabelMap, optional
        Muscles and subcutaneous fat where known, vertebrae to find the muscle by; else they are sought in the image.
    reference : InternalReference, optional

    Raises
    ------
    UserError
        When muscle or fat cannot be read, or the CT was taken at another tube voltage.
    """
    reference = reference or InternalReference()
    notes = kvp_notes(reference.kvp, ct, "internal reference")
    few, labels = thinned(ct, labels)
    try:
        fat = pure_fat(few, labels)
        muscle = lean_muscle(few, labels, fat)
    except ValueError as error:
        raise UserError(f"There is no internal calibration: {error}.", _HELP) from error
    if muscle.hu - fat.hu < _LEAST_APART_HU:
        raise UserError(f"Muscle ({muscle.hu:.0f} HU) and fat ({fat.hu:.0f} HU) hardly differ.", _HELP)
    return _line(fat, muscle, reference, notes, kvp_of(ct))


_HELP = "Label the muscles and the subcutaneous fat, or calibrate by rods or by the scanner's line."


def _line(
    fat: Tissue, muscle: Tissue, reference: InternalReference, notes: tuple[str, ...], kvp: float | None
) -> DensityLine:
    slope = (reference.muscle - reference.fat) / (muscle.hu - fat.hu)
    ends = (
        (fat.hu, float(np.hypot(reference.fat_error, slope * fat.error))),
        (muscle.hu, float(np.hypot(reference.muscle_error, slope * muscle.error))),
    )
    found = (("fat", reference.fat, fat), ("muscle", reference.muscle, muscle))
    return DensityLine(
        slope=float(slope),
        intercept=float(reference.muscle - slope * muscle.hu),
        method=f"internal reference (fat {fat.how}, muscle {muscle.how})",
        ends=ends,
        notes=notes,
        kvp=kvp,
        references=tuple(Reference(name, density, tissue.hu, tissue.error) for name, density, tissue in found),
        settings=MappingProxyType(asdict(reference)),
    )
