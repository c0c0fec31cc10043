"""MRI vertebral bone quality: regions kept in patient space, and the scores VBQ-T1, -T2, -STIR and -T2-STIR."""

from .plane import Plane
from .proposal import propose_from_sections, propose_regions
from .regions import Regions, RegionSettings
from .roi import Roi
from .scores import measure_vbq

__all__ = ["Plane", "RegionSettings", "Regions", "Roi", "measure_vbq", "propose_from_sections", "propose_regions"]
