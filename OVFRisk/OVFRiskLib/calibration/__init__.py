"""Volumetric bone mineral density (vBMD): from attenuation by an explicit calibration."""

from .density_line import DensityLine, Reference
from .internal import InternalReference, internal_line
from .line import Calibration
from .request import CalibrationRequest, RodPhantom, density_line
from .rods import rod_line

__all__ = [
    "Calibration",
    "CalibrationRequest",
    "DensityLine",
    "InternalReference",
    "Reference",
    "RodPhantom",
    "density_line",
    "internal_line",
    "rod_line",
]
