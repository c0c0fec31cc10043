"""The line from attenuation to bone mineral density, however it was found, and how well it is known."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import UserError
from ..image import Volume
from ..measurement import protocol_id

SAME_KVP = 1.0


@dataclass(frozen=True)
class Reference:
    """What the line was found from: a rod or a tissue.

    Parameters
    ----------
    name : str
        ``rod``, ``muscle`` or ``fat``.
    density : float
        Known or assumed, mg/cm³.
    hu, error : float
        Measured, HU, and how well it is known.
    centre : (R, A, S) or None
        mm; of a rod.
    radius : float or None
        mm; of a rod.
    ends : list of two points or None
        Of a rod's axis, RAS mm.
    """

    name: str
    density: float
    hu: float
    error: float
    centre: tuple[float, ...] | None = None
    radius: float | None = None
    ends: list[list[float]] | None = None


@dataclass(frozen=True)
class DensityLine:
    """vBMD = slope HU + intercept, mg/cm³, with its uncertainty.

    Parameters
    ----------
    slope : float
        mg/cm³ per HU.
    intercept : float
        mg/cm³ at 0 HU.
    method : str
        How it was found, in words for the report.
    centre_hu, spread_hu : float
        Mean attenuation of the references, HU, and the root of their summed squared distances from it.
    scatter : float
        Standard deviation of one reference about the line, mg/cm³.
    count : int
        Number of references; 0 where the line was measured elsewhere.
    fixed_error : float
        Uncertainty that is the same at every attenuation, mg/cm³.
    ends : two pairs (HU, error), or none
        References whose own uncertainty (mg/cm³) is known: the line's then follows from theirs.
    r_squared : float or None
        Of the fit.
    residuals : tuple of float
        Density by the line less the known one, mg/cm³, in ascending order of attenuation.
    notes : tuple of str
        What to keep in mind.
    kvp : float or None
        Tube voltage that it holds at; None is unknown.
    references : tuple of Reference
        What it was found from, for the manifest and for drawing.
    settings : mapping
        What was given or assumed.
    """

    slope: float
    intercept: float
    method: str
    centre_hu: float = 0.0
    spread_hu: float = 0.0
    scatter: float = 0.0
    count: int = 0
    fixed_error: float | None = 0.0
    ends: tuple[tuple[float, float], ...] = ()
    r_squared: float | None = None
    residuals: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    kvp: float | None = None
    references: tuple[Reference, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def vbmd(self, hu: float) -> float:
        """Return the bone mineral density (mg/cm³) at an attenuation (HU)."""
        return self.slope * hu + self.intercept

    def error(self, hu: float) -> float:
        """Return one standard deviation of the line at an attenuation (HU), mg/cm³.

        Of a fit it is that of the mean response, s sqrt(1/n + (x - mean)² / Sxx); of two references whose own errors
        are known, theirs as the straight line carries them.

        Raises
        ------
        ValueError
            When the line was measured elsewhere and its error was not stated.
        """
        if self.fixed_error is None:
            raise ValueError("the calibration states no error")
        parts = [self.fixed_error]
        if self.count:
            parts.append(self.scatter * np.sqrt(1 / self.count + ((hu - self.centre_hu) / self.spread_hu) ** 2))
        if self.ends:
            (low, low_error), (high, high_error) = self.ends
            share = (hu - low) / (high - low)
            parts += [(1 - share) * low_error, share * high_error]
        return float(np.sqrt(np.sum(np.square(parts))))

    @cached_property
    def protocol_id(self) -> str:
        """Identifies this line in every density computed with it."""
        fixed = {"slope": round(self.slope, 9), "intercept": round(self.intercept, 9), "method": self.method}
        return protocol_id("vbmd", fixed | {"kvp": self.kvp})

    def check(self, ct: Volume) -> tuple[str, ...]:
        """Return what to keep in mind when the line is used on `ct`.

        Raises
        ------
        UserError
            When the CT was taken at another tube voltage.
        """
        return (*self.notes, *kvp_notes(self.kvp, ct, "calibration"))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values, for the run's manifest."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found["references"] = [asdict(reference) for reference in self.references]
        found["settings"] = dict(self.settings)
        return {**found, "hu_per_density": 1 / self.slope, "protocol_id": self.protocol_id}


def kvp_notes(kvp: float | None, ct: Volume, what: str) -> tuple[str, ...]:
    """Compare a calibration's tube voltage with the CT's.

    Raises
    ------
    UserError
        When both are known and differ.
    """
    taken = ct.acquisition.get("KVP")
    if kvp is None:
        return (f"the {what}'s tube voltage is unknown",) if taken else ()
    if not taken:
        return (f"the CT's tube voltage is unknown; the {what} holds at {kvp:g} kVp only",)
    if abs(float(taken) - kvp) > SAME_KVP:
        raise UserError(
            f"The CT was taken at {float(taken):g} kVp, the {what} at {kvp:g} kVp.",
            "Give a calibration measured at the CT's tube voltage, or none.",
        )
    return ()
