"""What the user knows of a CT: contrast phase, density calibration, further label maps."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..attenuation import PUBLISHED, Phase, PhaseCorrection, TrabecularSettings, load_correction, phase_correction
from ..calibration import Calibration, CalibrationRequest, InternalReference, RodPhantom
from ..errors import UserError

_NAMES = ", ".join(correction.name for correction in PUBLISHED)


@dataclass(frozen=True)
class CtFacts:
    """Options of `analyze` about its CT."""

    phase: Annotated[Phase | None, typer.Option(help="Contrast phase of the CT.")] = None
    phase_correction: Annotated[
        str | None, typer.Option(help=f"Corrects attenuation for contrast medium: {_NAMES}, or a JSON file.")
    ] = None
    calibration: Annotated[Path | None, typer.Option(help="JSON file with the scanner's HU to density line.")] = None
    rods: Annotated[
        str | None, typer.Option(help="Densities (mg/cm3) of the rods of a phantom in the scan: 0,50,100,200.")
    ] = None
    internal_calibration: Annotated[
        bool, typer.Option("--internal-calibration", help="Density from the patient's own muscle and fat.")
    ] = False
    structures: Annotated[Path | None, typer.Option(help="Label map of muscles and vessels, if not in --labels.")] = (
        None
    )
    structures_scheme: Annotated[str | None, typer.Option(help="Its label scheme; else as --scheme.")] = None
    include_lesions: Annotated[
        bool, typer.Option("--include-lesions", help="Leave nothing out of trabecular attenuation.")
    ] = False

    @property
    def trabecular(self) -> TrabecularSettings:
        """How trabecular attenuation is read."""
        return TrabecularSettings(exclude=not self.include_lesions)

    def correction(self) -> PhaseCorrection | None:
        """Return the correction for contrast medium; None where none is asked for."""
        if self.phase_correction is None:
            return None
        if self.phase_correction.endswith(".json"):
            return load_correction(Path(self.phase_correction))
        return phase_correction(self.phase_correction, self.phase)

    def request(self) -> CalibrationRequest | None:
        """Return how density is calibrated; None where nothing was given."""
        given = [name for name in ("calibration", "rods", "internal_calibration") if getattr(self, name)]
        if len(given) > 1:
            named = " and ".join(f"--{name.replace('_', '-')}" for name in given)
            raise UserError(f"{named} are two calibrations.", "Give one of them.")
        if self.calibration:
            return Calibration.load(self.calibration)
        if self.rods:
            return RodPhantom(_densities(self.rods))
        return InternalReference() if self.internal_calibration else None


def _densities(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise UserError(f"'{text}' are no densities.", "Write numbers in mg/cm3: --rods 0,50,100,200.") from None
