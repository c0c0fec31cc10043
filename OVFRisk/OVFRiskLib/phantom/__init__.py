"""The synthetic patient: sample data, and the exact oracle of the tests.

CT of T10 to S1 with calibration rods, sagittal T1, T2 and STIR of the same patient, label maps, and a table of
everything that was set. No human being was imaged.
"""

from .cohort import make_cohort
from .dimensions import Anatomy
from .patient import Phantom, make_patient
from .settings import Fracture, FractureKind, PhantomSettings
from .writing import write_patient

__all__ = [
    "Anatomy",
    "Fracture",
    "FractureKind",
    "Phantom",
    "PhantomSettings",
    "make_cohort",
    "make_patient",
    "write_patient",
]
