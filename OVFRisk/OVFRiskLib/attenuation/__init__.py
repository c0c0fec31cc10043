"""CT attenuation of cancellous bone, and the contrast phase that raises it."""

from .corrections import NO_CORRECTION, PUBLISHED, PhaseCorrection, checked, load_correction, phase_correction
from .ellipse import AxialEllipse, read_axial_ellipse
from .exclusions import find_exclusions
from .findings import ExclusionSettings, Finding
from .phase import Phase, PhaseProposal, propose_phase
from .summary import non_fractured_mean
from .trabecular import (
    Attenuation,
    TrabecularReading,
    TrabecularSettings,
    attenuation,
    read_trabecular,
    trabecular_region,
)

__all__ = [
    "NO_CORRECTION",
    "PUBLISHED",
    "Attenuation",
    "AxialEllipse",
    "ExclusionSettings",
    "Finding",
    "Phase",
    "PhaseCorrection",
    "PhaseProposal",
    "TrabecularReading",
    "TrabecularSettings",
    "attenuation",
    "checked",
    "find_exclusions",
    "load_correction",
    "non_fractured_mean",
    "phase_correction",
    "propose_phase",
    "read_axial_ellipse",
    "read_trabecular",
    "trabecular_region",
]
