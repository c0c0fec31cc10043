"""Volumetric bone mineral density (vBMD): from attenuation by an explicit calibration."""

from .line import Calibration

__all__ = ["Calibration"]
