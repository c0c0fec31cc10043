"""Sizes of an adult thoracolumbar spine (mm, degrees): typical values, scaled to each synthetic patient.

Bodies after Zhou et al., Eur Spine J 2000;9:242-248 (lumbar, CT) and Panjabi et al., Spine 1991;16:888-901 (thoracic),
rounded.
"""

from dataclasses import dataclass
from enum import StrEnum

from ..anatomy import VertebralLevel

LEVELS = tuple(VertebralLevel.span("T10-S1"))
LIKE = {VertebralLevel.T13: VertebralLevel.T12, VertebralLevel.L6: VertebralLevel.L5}  # whose form they have
WHOLE_LEVELS = LEVELS[1:-1]  # T10 is cut by the image's top, S1 belongs to the sacrum


class Anatomy(StrEnum):
    """Which vertebrae there are; transitional anatomy has one more or one less."""

    USUAL = "usual"
    T13 = "T13"
    L6 = "L6"
    SACRALISED_L5 = "sacralised-L5"  # L4 is the lowest free vertebra

    @property
    def levels(self) -> tuple[VertebralLevel, ...]:
        """The vertebrae from T10 to S1."""
        if self is Anatomy.SACRALISED_L5:
            return tuple(level for level in LEVELS if level is not VertebralLevel.L5)
        extra = {Anatomy.T13: VertebralLevel.T13, Anatomy.L6: VertebralLevel.L6}.get(self)
        return tuple(level for level in VertebralLevel if level in LEVELS or level is extra)


@dataclass(frozen=True, slots=True)
class BodySize:
    """Typical size of one level, mm.

    Parameters
    ----------
    width, depth : float
        Of the end plates; the depth on the mid-sagittal plane.
    anterior, posterior : float
        Unfractured heights at the walls.
    disc : float
        Height of the disc below, between the end plates' rims.
    disc_wedge : float
        Angle of the disc below, degrees, open to the front.
    """

    width: float
    depth: float
    anterior: float
    posterior: float
    disc: float
    disc_wedge: float


BODY_SIZES = dict(
    zip(
        LEVELS,
        (
            BodySize(34, 28.5, 21.8, 23.0, 4.0, -0.5),
            BodySize(37, 29.5, 22.8, 24.2, 4.5, 0.5),
            BodySize(41, 30.5, 24.3, 25.6, 5.5, 2.0),
            BodySize(43.5, 32, 25.8, 27.2, 6.8, 5.0),
            BodySize(45.5, 33, 27.0, 27.8, 8.0, 7.0),
            BodySize(47.5, 34, 27.8, 27.8, 9.0, 8.5),
            BodySize(49.5, 34.5, 28.0, 27.2, 9.5, 11.0),
            BodySize(51.5, 34.5, 28.6, 25.2, 9.0, 14.0),
            BodySize(50, 32, 30.0, 25.0, 0.0, 0.0),
        ),
        strict=True,
    )
)
BODY_SIZES |= {
    VertebralLevel.T13: BodySize(42, 31, 25, 26.4, 6.2, 3.5),
    VertebralLevel.L6: BODY_SIZES[VertebralLevel.L5],
}
