"""What contrast medium adds to trabecular attenuation, and how to take it off: by published figures or the user's own.

The published means differ by a factor of two and a single patient by more: Pompe 2015 (in the table), Perez 2021
(in the table), Pickhardt et al., Osteoporos Int 2016;27:147-152 (enhanced less unenhanced L1 11.2 ± 19.2 HU in 157
adults), Gruenewald, European Congress of Radiology (288 patients; late arterial 14.4, portal venous 25.7 HU). So
nothing is corrected unless the user asks for it by name, the uncorrected value always stays, and the error is stated.
Read were the abstracts, not the papers.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..measurement import protocol_id
from .phase import Phase

NO_CORRECTION = "none"
_HELP = "Write name, phase (arterial or portal-venous), slope, offset (HU), error (HU or null) and source, as JSON."


@dataclass(frozen=True)
class PhaseCorrection:
    """A line from the attenuation with contrast medium to that without: corrected = slope x measured + offset.

    Parameters
    ----------
    name : str
    phase : Phase
        The phase it holds for; at another it is refused.
    slope : float
    offset : float
        HU.
    error : float or None
        Standard deviation of the difference in a single patient, HU; None where it was not published.
    source : str
    """

    name: str
    phase: Phase
    slope: float
    offset: float
    error: float | None
    source: str

    @property
    def formula(self) -> str:
        """The correction in words."""
        return f"{self.slope:g} x measured {'-' if self.offset < 0 else '+'} {abs(self.offset):g} HU"

    @property
    def protocol_id(self) -> str:
        """Identifies the correction in every value it was applied to."""
        return protocol_id("phase-correction", asdict(self))

    @property
    def note(self) -> str:
        """What to say beside a corrected value."""
        error = f"in one patient ± {self.error:g} HU" if self.error is not None else "its error is not published"
        return f"{self.formula}, {error} ({self.source})"

    def corrected(self, hu: float) -> float:
        """Return the attenuation without contrast medium (HU) that belongs to a measured one (HU)."""
        return self.slope * hu + self.offset


_POMPE = (
    "Pompe et al., Eur Radiol 2015;25:283-289: L1 in 99 patients without malignancy, mean 128.8 HU unenhanced, "
    "142.3 arterial, 147.0 portal venous"
)
PUBLISHED = (
    PhaseCorrection("pompe-arterial", Phase.ARTERIAL, 1.0, 128.8 - 142.3, None, _POMPE),
    PhaseCorrection("pompe-portal-venous", Phase.PORTAL_VENOUS, 1.0, 128.8 - 147.0, None, _POMPE),
    PhaseCorrection(
        "perez-portal-venous",
        Phase.PORTAL_VENOUS,
        0.87,
        0.0,
        27.2,
        "Perez et al., Abdom Radiol 2021: L1 in 1,211 healthy adults (kidney donors, mean age 45), parenchymal phase, "
        "r2 0.72",
    ),
)


def phase_correction(name: str, phase: Phase | None) -> PhaseCorrection | None:
    """Return the published correction called `name`, for a CT of this phase; None for ``none``.

    Raises
    ------
    UserError
        When the name is unknown, or the correction holds for another phase.
    """
    if name == NO_CORRECTION:
        return None
    found = next((correction for correction in PUBLISHED if correction.name == name), None)
    if found is None:
        known = ", ".join((NO_CORRECTION, *(correction.name for correction in PUBLISHED)))
        raise UserError(f"The phase correction '{name}' is unknown.", f"Known are: {known}; or give a JSON file.")
    return checked(found, phase)


def checked(correction: PhaseCorrection, phase: Phase | None) -> PhaseCorrection:
    """Return the correction if it holds for a CT of this phase.

    Raises
    ------
    UserError
        When it does not.
    """
    if phase is not correction.phase:
        raise UserError(
            f"The correction '{correction.name}' holds for the {correction.phase} phase; the CT's is "
            f"{'not given' if phase is None else phase}.",
            "Give the CT's phase and a correction for it, or none.",
        )
    return correction


def load_correction(path: Path) -> PhaseCorrection:
    """Read a correction of the user's own from a JSON file with exactly the fields of `PhaseCorrection`.

    Raises
    ------
    UserError
        When the file is no such JSON.
    """
    try:
        fields = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"The phase correction {path} cannot be read: {error}.", _HELP) from error
    if not isinstance(fields, dict) or set(fields) != set(PhaseCorrection.__annotations__):
        raise UserError(f"The phase correction {path} does not have the right fields.", _HELP)
    if problem := _problem(fields):
        raise UserError(f"The phase correction {path} {problem}.", _HELP)
    return PhaseCorrection(**{**fields, "phase": Phase(fields["phase"])})


def _problem(fields: dict) -> str:
    """Return what is wrong with the fields of a file; empty where nothing is."""
    numbers = [fields[name] for name in ("slope", "offset")] + ([] if fields["error"] is None else [fields["error"]])
    if not all(type(n) in (int, float) and np.isfinite(n) for n in numbers):
        return "has a value that is no number"
    if not 0 < fields["slope"] <= 2 or abs(fields["offset"]) > 100:
        return "has a slope outside 0 to 2, or an offset beyond 100 HU"
    if fields["error"] is not None and fields["error"] < 0:
        return "has a negative error"
    if not all(isinstance(fields[name], str) and fields[name].strip() for name in ("name", "source")):
        return "has no name or no source"
    if fields["phase"] not in (Phase.ARTERIAL, Phase.PORTAL_VENOUS):
        return "holds for no phase with contrast medium"
    return ""
