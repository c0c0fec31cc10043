"""Set lesions of single vertebrae: what must stay outside of a trabecular region."""

import math
from dataclasses import dataclass
from enum import StrEnum

from ..anatomy import VertebralLevel
from ..errors import UserError
from .dimensions import WHOLE_LEVELS

_HELP = (
    "Write LEVEL:KIND, LEVEL:KIND:RADIUS or LEVEL:KIND:RADIUS:HU, e.g. L2:haemangioma or L4:cement:7:1500; kinds: "
    "sclerosis, haemangioma, cement, metal, schmorl, basivertebral-vein; radius in mm, 1 to 15."
)
_RADII_MM = (1.0, 15.0)
_HU = (-200.0, 20000.0)


class LesionKind(StrEnum):
    """What it is, and how it is drawn (numbers are typical, rounded)."""

    SCLEROSIS = "sclerosis"  # a compact bright ball, as a bone island; dark on MR
    HAEMANGIOMA = "haemangioma"  # coarse bright vertical trabeculae in fat and vessels; bright on T1, T2 and STIR
    CEMENT = "cement"  # joined balls of bone cement; no signal on MR
    METAL = "metal"  # a pedicle screw on each side; no signal on MR, 3 mm around them
    SCHMORL = "schmorl"  # a notch in the upper end plate, filled with disc
    BASIVERTEBRAL = "basivertebral-vein"  # a vein on the midline from the posterior wall to the body's middle


DEFAULT_RADIUS = {  # mm; of the screws' and the vein's shaft
    LesionKind.SCLEROSIS: 5.0,
    LesionKind.HAEMANGIOMA: 8.0,
    LesionKind.CEMENT: 7.0,
    LesionKind.METAL: 2.75,
    LesionKind.SCHMORL: 5.0,
    LesionKind.BASIVERTEBRAL: 2.2,
}
DEFAULT_HU = {  # of the haemangioma: its trabeculae
    LesionKind.SCLEROSIS: 500.0,
    LesionKind.HAEMANGIOMA: 320.0,
    LesionKind.CEMENT: 1500.0,
    LesionKind.METAL: 3500.0,
}
MATRIX_HU = -25.0  # between a haemangioma's trabeculae: fat with vessels


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion.

    Parameters
    ----------
    level : VertebralLevel
        One of T11 to L5.
    kind : LesionKind
    radius : float or None
        mm; None for the kind's typical one.
    hu : float or None
        Attenuation without contrast medium before blur, HU (of a haemangioma: of its trabeculae); None for the kind's
        typical one. Schmorl's node and the vein have that of disc and blood, which cannot be set.
    centre : (x, y, z) or None
        In the body's frame (x right, y anterior, z along the axis, origin in its middle), mm; None for the kind's
        usual place. Screws and veins run where the pedicles and the foramen are, whatever is given: it is refused.

    Raises
    ------
    UserError
        When the level is not wholly in the image or a number is out of range.
    """

    level: VertebralLevel
    kind: LesionKind
    radius: float | None = None
    hu: float | None = None
    centre: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.level not in WHOLE_LEVELS:
            raise UserError(f"The phantom has no whole level {self.level} for a lesion.", "Choose one of T11 to L5.")
        if self.radius is not None and not _RADII_MM[0] <= self.radius <= _RADII_MM[1]:
            raise UserError(f"A radius of {self.radius:g} mm at {self.level} is out of range.", _HELP)
        if self.hu is not None and (self.kind not in DEFAULT_HU or not _HU[0] <= self.hu <= _HU[1]):
            raise UserError(f"{self.hu:g} HU cannot be set for the {self.kind} at {self.level}.", _HELP)
        if self.centre is None:
            return
        if self.kind in (LesionKind.METAL, LesionKind.BASIVERTEBRAL):
            raise UserError(f"The place of the {self.kind} at {self.level} cannot be set.", "Leave the centre out.")
        if len(self.centre) != 3 or not all(math.isfinite(v) for v in self.centre):
            raise UserError(f"The centre of the {self.kind} at {self.level} is no point.", "Give x, y and z in mm.")

    @property
    def radius_mm(self) -> float:
        """The set or typical radius, mm."""
        return DEFAULT_RADIUS[self.kind] if self.radius is None else self.radius

    @property
    def attenuation(self) -> float:
        """The set or typical attenuation, HU, of kinds that have one of their own."""
        return DEFAULT_HU[self.kind] if self.hu is None else self.hu

    @classmethod
    def parse(cls, text: str) -> "Lesion":
        """Return the lesion written as ``L2:haemangioma``, ``L2:cement:7`` or ``L2:cement:7:1500``.

        A centre in the body's frame may follow: ``L2:sclerosis:5:500@-6,3,2``.

        Raises
        ------
        UserError
            When the text does not name a level and a kind.
        """
        named, at, place = text.partition("@")
        try:
            level, kind, *numbers = (part.strip() for part in named.split(":"))
            radius, hu, *more = [*(float(n) if n else None for n in numbers), None, None]
            centre = tuple(float(v) for v in place.split(",")) if at else None
            if any(n is not None for n in more):
                raise ValueError("too many parts")
            return cls(VertebralLevel(level.upper()), LesionKind(kind.lower()), radius, hu, centre)
        except ValueError as error:
            raise UserError(f"'{text}' is no lesion ({error}).", _HELP) from error

    def __str__(self) -> str:
        numbers = ["" if n is None else f"{n:g}" for n in (self.radius, self.hu)]
        place = "@" + ",".join(f"{v:g}" for v in self.centre) if self.centre else ""
        return ":".join([self.level, self.kind, *numbers]).rstrip(":") + place
