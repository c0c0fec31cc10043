"""A scanner's own line from attenuation to bone mineral density, from a file."""

import datetime
import json
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import UserError
from ..image import Volume
from ..measurement import protocol_id
from .density_line import DensityLine, kvp_notes

# A line drifts with the scanner; how long it holds is the site's to say. One year is a default, no published limit.
DEFAULT_VALIDITY = datetime.timedelta(days=365)


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
    valid_until : str
        Last day it may be used without a warning (ISO 8601); empty is a year after `date`.
    error_mg_cm3 : float or None
        Its standard deviation, mg/cm³; None where it was not stated.
    """

    slope: float
    intercept: float
    kvp: float
    date: str
    source: str
    valid_until: str = ""
    error_mg_cm3: float | None = None

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read a calibration from a JSON file with the fields of this class; the last two may be left out.

        Raises
        ------
        UserError
            When the file is no such JSON.
        """
        try:
            found = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"The calibration {path} cannot be read: {error}.", _CALIBRATION_HELP) from error
        if not isinstance(found, dict) or not _REQUIRED <= set(found) <= _KNOWN:
            raise UserError(f"The calibration {path} does not have the right fields.", _CALIBRATION_HELP)
        _check_values(found, path)
        return cls(**found)

    @property
    def protocol_id(self) -> str:
        """Identifies this line in every density computed with it."""
        return protocol_id("vbmd", asdict(self))

    def line(self, ct: Volume, today: datetime.date) -> DensityLine:
        """Return the line for a CT, with what to keep in mind.

        Parameters
        ----------
        ct : Volume
        today : date
            Of the scan where it is known (it is not kept with the image, for privacy), else of the analysis.

        Raises
        ------
        UserError
            When the CT was taken at another tube voltage.
        """
        unstated = ("the calibration states no error",) if self.error_mg_cm3 is None else ()
        return DensityLine(
            slope=self.slope,
            intercept=self.intercept,
            method=f"scanner's line ({self.source})",
            fixed_error=self.error_mg_cm3,
            notes=(*kvp_notes(self.kvp, ct, "calibration"), *self._age_notes(today), *unstated),
            kvp=self.kvp,
            settings=MappingProxyType(asdict(self)),
        )

    def _age_notes(self, today: datetime.date) -> tuple[str, ...]:
        measured, last = _day(self.date), _day(self.valid_until)
        if measured is None:
            return (f"the calibration's date '{self.date}' is no date: its age is unknown",)
        if today < measured:
            return (f"the calibration was measured after the scan ({measured})",)
        if today > (last or measured + DEFAULT_VALIDITY):
            return (f"the calibration expired on {last or measured + DEFAULT_VALIDITY} (measured {measured})",)
        return ()

    def check(self, volume: Volume) -> str:
        """Return what to keep in mind about the tube voltage when the line is used on `volume`.

        Raises
        ------
        UserError
            When the CT was taken at another tube voltage.
        """
        return "; ".join(kvp_notes(self.kvp, volume, "calibration"))

    def vbmd(self, hu: float) -> float:
        """Return the bone mineral density (mg/cm³) at an attenuation (HU)."""
        return self.slope * hu + self.intercept


def _check_values(found: dict[str, Any], path: Path) -> None:
    numbers = [found[name] for name in ("slope", "intercept", "kvp")]
    error = found.get("error_mg_cm3")
    if not all(_is_number(n) for n in numbers) or found["slope"] <= 0 or found["kvp"] <= 0:
        raise UserError(
            f"The calibration {path} has a value that is no number, or no positive slope.", _CALIBRATION_HELP
        )
    if error is not None and not (_is_number(error) and error >= 0):
        raise UserError(f"The calibration {path} has an error that is no number.", _CALIBRATION_HELP)
    texts = [found.get(name, "") for name in ("date", "source", "valid_until")]
    if not all(isinstance(text, str) for text in texts) or (texts[2] and _day(texts[2]) is None):
        raise UserError(f"The calibration {path} has a date or source that is none.", _CALIBRATION_HELP)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and bool(np.isfinite(value))


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


_KNOWN = frozenset(field.name for field in fields(Calibration))
_REQUIRED = frozenset(field.name for field in fields(Calibration) if field.default is MISSING)
_CALIBRATION_HELP = (
    "Write a JSON object with slope (mg/cm3 per HU), intercept (mg/cm3), kvp, date (YYYY-MM-DD) and source; "
    "valid_until (YYYY-MM-DD) and error_mg_cm3 are optional."
)
