"""CT attenuation of bone, and vBMD where a calibration is given.

Trabecular attenuation is read well inside the shell: on CT of 1 to 5 mm it stops depending on the distance to the shell
at about 4 mm. Contrast medium raises it; the phase is an explicit input.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from .distance import depth_mm
from .errors import UserError
from .image import Volume
from .measurement import protocol_id


class Phase(StrEnum):
    """Contrast phase of a CT."""

    NONE = "none"
    ARTERIAL = "arterial"
    PORTAL_VENOUS = "portal-venous"


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


@dataclass(frozen=True)
class Calibration:
    """A scanner's line from attenuation to bone mineral density: vBMD = slope HU + intercept, mg/cm³.

    Parameters
    ----------
    slope : float
        mg/cm³ per HU.
    intercept : float
        mg/cm³ at 0 HU.
    kvp : float
        Tube voltage the line was measured at; it does not hold at another.
    date : str
        When it was measured (ISO 8601).
    source : str
        Phantom or method.
    """

    slope: float
    intercept: float
    kvp: float
    date: str
    source: str

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read a calibration from a JSON file with exactly the fields of this class.

        Raises
        ------
        UserError
            When the file is no such JSON.
        """
        try:
            fields = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"The calibration {path} cannot be read: {error}.", _CALIBRATION_HELP) from error
        if not isinstance(fields, dict) or set(fields) != set(cls.__annotations__):
            raise UserError(f"The calibration {path} does not have the right fields.", _CALIBRATION_HELP)
        numbers = [fields[name] for name in ("slope", "intercept", "kvp")]
        if not all(type(n) in (int, float) and np.isfinite(n) for n in numbers) or fields["slope"] <= 0:
            raise UserError(
                f"The calibration {path} has a value that is no number, or no positive slope.", _CALIBRATION_HELP
            )
        return cls(**fields)

    @property
    def protocol_id(self) -> str:
        """Identifies this line in every density computed with it."""
        return protocol_id("vbmd", asdict(self))

    def check(self, volume: Volume) -> str:
        """Return what to keep in mind when the line is used on `volume`.

        Raises
        ------
        UserError
            When the CT was taken at another tube voltage.
        """
        kvp = volume.acquisition.get("KVP")
        if not kvp:
            return f"the CT's tube voltage is unknown; the calibration holds at {self.kvp:g} kVp only"
        if abs(float(kvp) - self.kvp) > 1:
            raise UserError(
                f"The CT was taken at {float(kvp):g} kVp, the calibration at {self.kvp:g} kVp.",
                "Give a calibration measured at the CT's tube voltage, or none.",
            )
        return ""

    def vbmd(self, hu: float) -> float:
        """Return the bone mineral density (mg/cm³) at an attenuation (HU)."""
        return self.slope * hu + self.intercept


_CALIBRATION_HELP = (
    "Write a JSON object with slope (mg/cm3 per HU), intercept (mg/cm3), kvp, date (YYYY-MM-DD) and source."
)
