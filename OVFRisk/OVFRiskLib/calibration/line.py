"""A scanner's own line from attenuation to bone mineral density, from a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..image import Volume
from ..measurement import protocol_id


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
