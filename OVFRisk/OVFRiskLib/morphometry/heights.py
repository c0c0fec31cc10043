"""Heights of a vertebral body in its own frame, their ratios, and volumes.

Anterior, middle and posterior heights after Genant et al., J Bone Miner Res 1993;8:1137-1148: distances between the end
plates at the anterior wall, halfway, and at the posterior wall, on the mid-sagittal plane.
"""

from dataclasses import asdict, dataclass

import numpy as np

from ..body_shape import BodyShape, robust_fit
from ..measurement import protocol_id

_FEWEST_COLUMNS = 8
_LIP_MM = 1.0  # a parabola may rise above the highest column seen by this, for the rounding of the rim


@dataclass(frozen=True)
class HeightSettings:
    """How heights are measured.

    Parameters
    ----------
    band_mm : float
        Half-width of the mid-sagittal band over which the end plates are averaged.
    rim : float
        Share of the depth left out at both ends: rounded corners and osteophytes.
    """

    band_mm: float = 5.0
    rim: float = 0.03

    @property
    def protocol_id(self) -> str:
        """Identifies how the heights were measured."""
        return protocol_id("heights", asdict(self))


@dataclass(frozen=True)
class Heights:
    """Heights and depth of one vertebral body, mm, and the angle between its end plates, degrees.

    A positive wedge angle opens backwards: the body is lower in front.
    """

    anterior: float
    middle: float
    posterior: float
    depth: float
    wedge_angle: float

    @property
    def anterior_posterior_ratio(self) -> float:
        """Ha / Hp."""
        return self.anterior / self.posterior

    @property
    def middle_posterior_ratio(self) -> float:
        """Hm / Hp."""
        return self.middle / self.posterior


def measure_heights(shape: BodyShape, settings: HeightSettings) -> Heights:
    """Measure the heights of one body.

    Each end plate's mid-sagittal profile is fitted by a robust parabola over the depth without its rims; the heights
    are the distances of the two parabolas at the anterior wall, halfway and at the posterior wall, along the normal of
    the mean end plate.

    Raises
    ------
    ValueError
        When the end plates are not seen well enough.
    """
    depth = shape.anterior - shape.posterior
    u = (shape.anterior - shape.y) / depth  # 0 at the anterior wall, 1 at the posterior wall
    profiles = [_parabola(u, profile, settings.rim, shape.resolution) for profile in shape.band(settings.band_mm)]
    top, bottom = (np.polyval(profile, [0.0, 0.5, 1.0]) for profile in profiles)
    seen = np.subtract(*shape.band(settings.band_mm))
    # On a lipped rim a parabola runs away: no height exceeds what its third of the body shows.
    limits = [np.nanmax(seen[third]) + _LIP_MM for third in (u <= 1 / 3, np.abs(u - 0.5) <= 1 / 6, u >= 2 / 3)]
    anterior, middle, posterior = np.minimum(top - bottom, limits)
    if min(anterior, middle, posterior) <= 0:
        raise ValueError("the end plates cross each other")
    wedge = np.degrees(2 * np.arctan((posterior - anterior) / (2 * depth)))
    return Heights(float(anterior), float(middle), float(posterior), float(depth), float(wedge))


def _parabola(u: np.ndarray, profile: np.ndarray, rim: float, resolution: float) -> np.ndarray:
    seen = np.isfinite(profile) & (u >= rim) & (u <= 1 - rim)
    if np.count_nonzero(seen) < _FEWEST_COLUMNS:
        raise ValueError("an end plate is seen on too few columns")
    return robust_fit(u[seen], profile[seen], degree=2, tolerance=resolution)
