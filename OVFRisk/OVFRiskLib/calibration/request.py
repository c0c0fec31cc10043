"""How a density calibration is asked for: a scanner's line, the rods of a phantom, or the patient's own tissue."""

from dataclasses import dataclass
from datetime import date

from ..attenuation import Phase
from ..image import LabelMap, Volume
from .density_line import DensityLine
from .internal import InternalReference, internal_line
from .line import Calibration
from .rods import rod_line


@dataclass(frozen=True)
class RodPhantom:
    """A phantom that was scanned with the patient.

    Parameters
    ----------
    densities : tuple of float
        Of its rods, mg/cm³, best in their order in space.
    """

    densities: tuple[float, ...]


CalibrationRequest = Calibration | RodPhantom | InternalReference


def density_line(
    request: CalibrationRequest | None, ct: Volume, labels: LabelMap | None, phase: Phase | None, today: date
) -> DensityLine | str:
    """Return the line from attenuation to density, or the reason why there can be no density.

    Parameters
    ----------
    request : CalibrationRequest or None
    ct : Volume
    labels : LabelMap or None
        Rods, muscles and subcutaneous fat where they are labelled; on any grid.
    phase : Phase or None
        Contrast medium raises attenuation: density is that of a CT without.
    today : date
        A scanner's line may have expired.

    Raises
    ------
    UserError
        When the line does not hold for this CT, or what it is to be found from is not there.
    """
    if request is None:
        return "no calibration given"
    if phase is not Phase.NONE:
        return f"vBMD needs a CT without contrast medium; the phase is {phase or 'not given'}"
    if isinstance(request, Calibration):
        return request.line(ct, today)
    if isinstance(request, RodPhantom):
        return rod_line(ct, request.densities, labels)
    return internal_line(ct, labels, request)
