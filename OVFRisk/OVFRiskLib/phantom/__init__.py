"""The synthetic patient: sample data, and the exact oracle of the tests.

CT of T10 to S1 (without or with contrast medium) with calibration rods, sagittal T1, T2 and STIR of the same patient,
label maps, and a table of everything that was set, lesions included. No human being was imaged.
"""

from .cohort import make_cohort
from .dimensions import Anatomy
from .fractures import Fracture, FractureKind
from .lesions import Lesion, LesionKind
from .mr_changes import parse_acquisition, parse_motion, parse_stenosis, typical_acquisition
from .outcome import EVENT_SHARE, FollowUp, follow_up, write_follow_up
from .patient import Phantom, make_patient
from .settings import PhantomSettings
from .writing import write_patient

__all__ = [
    "EVENT_SHARE",
    "Anatomy",
    "FollowUp",
    "Fracture",
    "FractureKind",
    "Lesion",
    "LesionKind",
    "Phantom",
    "PhantomSettings",
    "follow_up",
    "make_cohort",
    "make_patient",
    "parse_acquisition",
    "parse_motion",
    "parse_stenosis",
    "typical_acquisition",
    "write_follow_up",
    "write_patient",
]
