"""Heights of a vertebral body in its own frame, their ratios and angles.

Anterior, middle and posterior heights after Genant et al., J Bone Miner Res 1993;8:1137-1148: distances between the end
plates at the anterior wall, halfway, and at the posterior wall.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ..body_shape import BodyShape
from ..measurement import protocol_id
from .plates import Plates, fit_plates

_LIP_MM = 0.5  # the rounding of the rim
_OUTERMOST = 0.94  # of half the depth: corners are rounded from there on
PLACES = {"anterior": 1.0, "middle": 0.0, "posterior": -1.0}  # along the end plates


@dataclass(frozen=True)
class HeightSettings:
    """How heights are measured.

    Parameters
    ----------
    band_mm : float
        Half-width of the mid-sagittal band over which the end plates are averaged.
    """

    band_mm: float = 5.0

    @property
    def protocol_id(self) -> str:
        """Identifies how the heights were measured."""
        return protocol_id("heights", {**asdict(self), "plates": "parabolic"})


@dataclass(frozen=True)
class Heights:
    """Heights, depth and angles of one vertebral body.

    Parameters
    ----------
    anterior, middle, posterior : float
        Averaged over the mid-sagittal band, mm.
    depth : float
        Of the end plates, mm.
    wedge_angle : float
        Between the end plates, degrees, sagittal; positive where the body is lower in front.
    lateral_wedge_angle : float
        The same, coronal; positive where it is lower on the left.
    midsagittal : mapping of str to float
        The heights on the mid-sagittal plane alone, mm.
    uncertainties : mapping of str to float
        Standard uncertainty of each height, mm: what the mask's voxels leave open.
    lines : mapping of str to ndarray, shape (2, 3)
        Ends of the (averaged) heights, drawn on the mid-sagittal plane, upper first, RAS mm.
    normals : tuple of two ndarray, shape (3,)
        Unit normals of the upper and the lower end plate, towards the head, RAS.
    right : ndarray, shape (3,)
        Unit direction to the vertebra's right, RAS.
    """

    anterior: float
    middle: float
    posterior: float
    depth: float
    wedge_angle: float
    lateral_wedge_angle: float
    midsagittal: Mapping[str, float]
    uncertainties: Mapping[str, float]
    lines: Mapping[str, np.ndarray]
    normals: tuple[np.ndarray, np.ndarray]
    right: np.ndarray

    @property
    def anterior_posterior_ratio(self) -> float:
        """Ha / Hp."""
        return self.anterior / self.posterior

    @property
    def middle_posterior_ratio(self) -> float:
        """Hm / Hp."""
        return self.middle / self.posterior

    @property
    def uncertainty(self) -> float:
        """Standard uncertainty of a height, mm: the root mean square of the three."""
        return float(np.sqrt(np.mean(np.square(list(self.uncertainties.values())))))


def measure_heights(shape: BodyShape, settings: HeightSettings) -> Heights:
    """Measure the heights of one body.

    Each end plate is a smooth surface fitted to the ends of the mask's columns, without their rims; the heights are the
    distances of both along the normal of the mean end plate. The uncertainty covers where, between the voxels, the
    plates may lie (voxel size along the frame, number and spread of the columns), not a wrong mask.

    Raises
    ------
    ValueError
        When the end plates are not seen well enough.
    """
    plates, band = fit_plates(shape), settings.band_mm
    most = {name: _most(plates, v, band) for name, v in PLACES.items()}
    ends = {name: _ends(plates, v, band, most[name]) for name, v in PLACES.items()}
    heights = {name: float(upper - lower) for name, (upper, lower) in ends.items()}
    if min(heights.values()) <= 0:
        raise ValueError("the end plates cross each other")
    depth = shape.anterior - shape.posterior
    slope = (heights["posterior"] - heights["anterior"]) / depth
    return Heights(
        **heights,
        depth=float(depth),
        wedge_angle=_angle(slope),
        lateral_wedge_angle=_angle(plates.lateral_slope),
        midsagittal={name: float(np.subtract(*_ends(plates, v, 0.0, most[name]))) for name, v in PLACES.items()},
        uncertainties={name: plates.uncertainty(v, band) for name, v in PLACES.items()},
        lines={name: _line(plates, PLACES[name], z) for name, z in ends.items()},
        normals=plates.normals,
        right=shape.frame.axes[0],
    )


def _ends(plates: Plates, v: float, half_width_mm: float, most: float) -> tuple[float, float]:
    """Return z of both ends of the height at `v`, mm, together at most `most` apart."""
    upper, lower = plates.z(v, half_width_mm)
    excess = max(upper - lower - most, 0.0) / 2
    return upper - excess, lower + excess


def _most(plates: Plates, v: float, band_mm: float) -> float:
    """Return what the columns towards `v` allow, mm: on a rounded, lipped or broken rim a smooth surface runs away.

    The highest column seen, and what the surfaces still rise from the outermost one to the wall.
    """
    shape = plates.shape
    top, bottom = shape.band(band_mm)
    places = (2 * shape.y - shape.anterior - shape.posterior) / (shape.anterior - shape.posterior)
    near = np.isfinite(top - bottom) & (np.abs(places - v) <= (1 / 3 if v == 0 else 2 / 3))
    if not near.any():
        raise ValueError("an end plate is seen on too few columns")
    last = v * min(np.max(places[near] * v), _OUTERMOST)
    rise = np.subtract(*plates.z(v, band_mm)) - np.subtract(*plates.z(last, band_mm)) if v else 0.0
    return float(np.max((top - bottom)[near]) + max(rise, 0.0)) + _LIP_MM


def _angle(slope: float) -> float:
    """Angle between two planes that diverge by `slope` (mm/mm) about their middle plane, degrees."""
    return float(np.degrees(2 * np.arctan(slope / 2)))


def _line(plates: Plates, v: float, ends: tuple[float, float]) -> np.ndarray:
    return plates.shape.frame.to_ras(np.array([[0.0, plates.y(v), z] for z in ends]))
