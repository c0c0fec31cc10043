"""Paraspinal muscle on CT: volume, cross-section, attenuation and fat of erector spinae and psoas."""

from .measure import measure_muscle
from .settings import SIDES, MuscleSettings
from .slabs import Plane, Slab, level_slab, lumbar_slab

__all__ = ["SIDES", "MuscleSettings", "Plane", "Slab", "level_slab", "lumbar_slab", "measure_muscle"]
