"""What the user knows of a CT: contrast phase, density calibration, further label maps."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from ..anatomy import Compartment
from ..attenuation import PUBLISHED, Phase, PhaseCorrection, TrabecularSettings, load_correction, phase_correction
from ..calibration import Calibration, CalibrationRequest, InternalReference, RodPhantom
from ..ct_features import FEATURE_PARTS
from ..errors import UserError
from ..image import Volume
from ..level_measurements import PARTS
from ..models.strict_json import read_json

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

    parts: Annotated[str, typer.Option(help="Parts with features: whole, body, cortical, cancellous; or none.")] = (
        ",".join(FEATURE_PARTS)
    )
    acquisition: Annotated[
        Path | None, typer.Option(help="JSON: how the CT was acquired, by DICOM keyword, if its file does not say it.")
    ] = None
    synthetic: Annotated[bool, typer.Option("--synthetic", help="The images are of a simulated patient.")] = False

    @property
    def measured_parts(self) -> tuple[Compartment, ...]:
        """Whose features are extracted."""
        names = [] if self.parts.strip() == "none" else [name.strip() for name in self.parts.split(",")]
        if unknown := [name for name in names if name not in set(PARTS)]:
            raise UserError(f"'{unknown[0]}' is no part with features.", f"Name of {', '.join(PARTS)}, or none.")
        return tuple(dict.fromkeys(map(Compartment, names)))

    def acquired(self, ct: Volume) -> Volume:
        """Return the CT with how it was acquired."""
        if self.acquisition is None:
            return ct
        try:
            found = read_json(self.acquisition.read_bytes(), str(self.acquisition))
        except OSError as error:
            what = f"{self.acquisition} cannot be read: {error.strerror}."
            raise UserError(what, "Give a JSON file, or leave it out.") from error
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise UserError(f"{self.acquisition} holds no texts by DICOM keyword.", 'Write {"KVP": "120"}.')
        return replace(ct, acquisition=MappingProxyType({**ct.acquisition, **found}))

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
