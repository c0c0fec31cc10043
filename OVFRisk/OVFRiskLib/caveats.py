"""What limits an analysis: facts that were not given, images that had to be changed, findings that do not agree."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .attenuation import Phase, PhaseProposal
from .calibration import DensityLine
from .ct_analysis import CtResult
from .image import Modality, Volume

if TYPE_CHECKING:
    from .analysis import Patient, Settings


def patient_caveats(patient: "Patient", ct: CtResult, density: DensityLine | str) -> list[str]:
    """Return what was not given of the patient, and what follows from that."""
    caveats = []
    if patient.synthetic:
        caveats.append("SYNTHETIC images of a simulated patient: for demonstration and tests only.")
    unknown = [what for what in ("sex", "age") if getattr(patient, what) is None]
    caveats += [f"The patient's {what} was not given; nothing was assumed." for what in unknown]
    if patient.ct and ct.phase:
        caveats += _phase_caveats(patient.phase, ct.phase)
    if patient.ct and patient.calibration is None:
        caveats.append("No density calibration was given: there is no bone mineral density (vBMD).")
    elif patient.ct and isinstance(density, str):
        caveats.append(f"There is no bone mineral density (vBMD): {density}.")
    return caveats


def _phase_caveats(given: Phase | None, proposal: PhaseProposal) -> list[str]:
    doubt = f"; but {proposal.doubt}" if proposal.doubt else ""
    read = f"{proposal.phase} ({proposal.reason}{doubt})" if proposal.phase else ""
    if given is None:
        seen = f" The image suggests: {read}. Confirm it with --phase." if read else ""
        return [f"The contrast phase of the CT was not given: contrast medium raises attenuation values.{seen}"]
    if read and proposal.phase is not given:
        return [f"The contrast phase was given as {given}; the image suggests {read}."]
    return []


def fracture_caveats(ct: CtResult, patient: "Patient", settings: "Settings") -> list[str]:
    """Return the levels that the CT shows deformed and the scores on MRI do not leave out."""
    if not patient.mr:
        return []
    rows = ct.measurements.where(name="genant_grade")
    seen = ", ".join(row.level for row in rows if row.value and row.level not in settings.vbq.fractured)
    return [f"Deformed on CT and yet used by VBQ: {seen}. --fractured leaves levels out."] if seen else []


def image_caveats(patient: "Patient", volumes: Mapping[Modality, Volume]) -> list[str]:
    """Return what reading changed in images and label maps."""
    read = {
        **volumes,
        "CT labels": patient.ct_labels,
        "CT structures": patient.structures,
        "MR labels": patient.mr_labels,
    }
    return [f"{what}: {text}" for what, image in read.items() if image is not None for text in image.corrections]
