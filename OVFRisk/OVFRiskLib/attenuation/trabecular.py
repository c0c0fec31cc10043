"""CT attenuation of cancellous bone.

Trabecular attenuation is read well inside the shell: on CT of 1 to 5 mm it stops depending on the distance to the shell
at about 4 mm. Contrast medium raises it; the phase is an explicit input.
"""

from dataclasses import asdict, dataclass

import numpy as np

from ..distance import depth_mm
from ..image import Volume
from ..measurement import protocol_id


@dataclass(frozen=True)
class TrabecularSettings:
    """Where trabecular attenuation is read.

    Parameters
    ----------
    inset_mm : float
        Least depth below the surface of the vertebral body.
    fewest_voxels : int
        Fewer give no value.
    """

    inset_mm: float = 4.0
    fewest_voxels: int = 30

    @property
    def protocol_id(self) -> str:
        """Identifies how the attenuation was read."""
        return protocol_id("trabecular", asdict(self))


@dataclass(frozen=True)
class Attenuation:
    """Statistics of a region, HU."""

    mean: float
    sd: float
    median: float
    voxels: int


def trabecular_region(body: np.ndarray, volume: Volume, settings: TrabecularSettings) -> np.ndarray:
    """Return the part of a vertebral body (bool, shape (k, j, i)) deeper than the inset.

    Raises
    ------
    ValueError
        When fewer voxels are left than `settings.fewest_voxels`.
    """
    region = depth_mm(body, volume.spacing) >= settings.inset_mm
    count = np.count_nonzero(region)
    if count < settings.fewest_voxels:
        raise ValueError(f"only {count} voxels lie deeper than {settings.inset_mm:g} mm in the body")
    return region


def attenuation(values: np.ndarray) -> Attenuation:
    """Return mean, sample SD, and median of the CT values (HU) of a region.

    Raises
    ------
    ValueError
        When a value is not finite or there are fewer than two.
    """
    if values.size < 2:
        raise ValueError("the region holds fewer than two voxels")
    if not np.all(np.isfinite(values)):
        raise ValueError("the region holds values that are no numbers")
    values = values.astype(float)
    return Attenuation(float(values.mean()), float(values.std(ddof=1)), float(np.median(values)), values.size)
