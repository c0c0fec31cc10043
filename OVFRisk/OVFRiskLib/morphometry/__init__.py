"""Heights of the vertebral bodies, and what they tell: fractures, angles."""

from .angles import Angle, angles
from .fractures import FractureKind, FractureSummary, Grading, fracture_summary, grade_fractures
from .heights import Heights, HeightSettings, measure_heights
from .rows import Morphometry, measure_morphometry, morphometry_rows

__all__ = [
    "Angle",
    "FractureKind",
    "FractureSummary",
    "Grading",
    "HeightSettings",
    "Heights",
    "Morphometry",
    "angles",
    "fracture_summary",
    "grade_fractures",
    "measure_heights",
    "measure_morphometry",
    "morphometry_rows",
]
