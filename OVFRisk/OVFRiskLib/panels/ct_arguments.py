"""The choices of the panels as options of ``ovfrisk analyze``."""

from collections.abc import Iterator

from ..anatomy import Structure
from ..errors import UserError
from .parameters import CalibrationChoice, Parameters, PhaseChoice
from .words import _

_PARTS = {"ct_whole": "whole", "ct_cortical": "cortical", "ct_cancellous": "cancellous"}
_MUSCLES = (
    Structure.ERECTOR_SPINAE_LEFT,
    Structure.ERECTOR_SPINAE_RIGHT,
    Structure.PSOAS_LEFT,
    Structure.PSOAS_RIGHT,
)
_REFERENCES = {
    CalibrationChoice.RODS: (Structure.CALIBRATION_ROD,),
    CalibrationChoice.INTERNAL: (Structure.SUBCUTANEOUS_FAT, *_MUSCLES),
}


def options_of(chosen: Parameters) -> list[str]:
    """Return how the CT is to be measured, and what is known of the patient; no file of the scene.

    Raises
    ------
    UserError
        When a calibration lacks its figures.
    """
    return [text for option in _options(chosen) for text in option]


def reference_structures(chosen: Parameters) -> tuple[Structure, ...]:
    """Return what density is calibrated with in the scan itself."""
    return _REFERENCES.get(chosen.calibration, ())


def _options(chosen: Parameters) -> Iterator[tuple[str, ...]]:
    yield "--subject", chosen.subject
    yield "--protocol", chosen.protocol
    yield "--parts", ",".join(part for name, part in _PARTS.items() if getattr(chosen, name)) or "none"
    if chosen.ct_levels.strip():
        yield "--levels", chosen.ct_levels.strip()
    if chosen.sex.value:
        yield "--sex", chosen.sex.value
    if chosen.age > 0:
        yield "--age", f"{chosen.age:g}"
    if chosen.phase is not PhaseChoice.NOT_GIVEN:
        yield "--phase", chosen.phase.value
    if chosen.include_lesions:
        yield ("--include-lesions",)
    if chosen.synthetic:
        yield ("--synthetic",)
    yield from _calibration(chosen)


def _calibration(chosen: Parameters) -> Iterator[tuple[str, ...]]:
    if chosen.calibration is CalibrationChoice.LINE:
        if not chosen.calibration_file:
            raise UserError(_("The calibration has no file."), _("Choose the scanner's line in the tab Images."))
        yield "--calibration", chosen.calibration_file
    elif chosen.calibration is CalibrationChoice.RODS:
        if not chosen.rods:
            raise UserError(
                _("The densities of the rods are missing."), _("Give them in the tab Images: 0,50,100,200.")
            )
        yield "--rods", chosen.rods
    elif chosen.calibration is CalibrationChoice.INTERNAL:
        yield ("--internal-calibration",)
