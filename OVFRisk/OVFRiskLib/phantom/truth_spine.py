"""The ground truth of density, fractures, angles and muscles."""

from itertools import combinations

import numpy as np

from ..anatomy import Compartment, Structure, VertebralLevel
from ..attenuation.phase import Phase
from .muscle_truth import BOTH_SIDES, muscle_slabs
from .scene import Patterns
from .settings import MUSCLES, PhantomSettings
from .spine import Spine, Vertebra
from .truth_rows import HU, Truth

_GRADES = (0.20, 0.25, 0.40)  # least loss of grades 1, 2, 3 (Genant et al., J Bone Miner Res 1993;8:1137-1148)
_TYPES = {"none": 0, "wedge": 1, "biconcave": 2, "crush": 3}
_NO_SLAB = "there is no L5 for the slab of L1 to L5 to end at"
_NO_MUSCLE = "the slab holds less than 0.1 cm3 of this muscle"


def height_reduction(vertebra: Vertebra) -> float:
    """Return the largest loss of any height against the unfractured body, 0 to 1."""
    names = ("anterior", "middle", "posterior")
    return 1 - min(getattr(vertebra.form.heights, n) / getattr(vertebra.healthy, n) for n in names)


def genant_grade(reduction: float) -> int:
    """Return the grade, 0 to 3, of a height reduction (0 to 1); a bound belongs to the higher grade."""
    return sum(reduction >= least - 1e-9 for least in _GRADES)


def add_density(table: Truth, settings: PhantomSettings) -> None:
    """Add the density of each level, and what its attenuation is without contrast medium."""
    slope, intercept = settings.rod_line
    for level in settings.levels[1:-1]:
        hu = settings.cancellous_hu[level]
        table.add(level, Compartment.CANCELLOUS, "vbmd", (hu - intercept) / slope, "mg/cm3", "by the rods' line")
        if settings.phase is not Phase.NONE:
            table.add(level, Compartment.CANCELLOUS, "trabecular_attenuation_corrected", hu, HU, "without contrast")


def add_fractures(table: Truth, settings: PhantomSettings, spine: Spine) -> None:
    """Add Genant's grade and type of each level, and the patient's summary, by loss against the unfractured body."""
    grades: dict[VertebralLevel, int] = {}
    for level in settings.levels[1:-1]:
        fracture = settings.fracture(level)
        grades[level] = genant_grade(height_reduction(spine[level]))
        kind = str(fracture.kind) if fracture and grades[level] else "none"
        table.add(level, Compartment.BODY, "genant_grade", grades[level], "1")
        table.add(level, Compartment.BODY, "genant_type", _TYPES[kind], "1", kind)
    graded = ", ".join(f"{level} {grade}" for level, grade in grades.items() if grade) or "none"
    table.add(None, None, "fractured_levels", sum(grade > 0 for grade in grades.values()), "1", graded)
    table.add(None, None, "worst_genant_grade", max(grades.values()), "1", graded)
    table.add(None, None, "spinal_deformity_index", sum(grades.values()), "1", graded)


def add_angles(table: Truth, settings: PhantomSettings, spine: Spine) -> None:
    """Add lordosis, kyphosis (both positive as usual) and the largest coronal Cobb angle between T11 and the sacrum.

    Cobb angles lie between the upper end plate of the upper and the lower end plate of the lower vertebra; to S1, its
    upper end plate. End plates are planes through their rims; their normals are projected onto the patient's sagittal
    or coronal plane.
    """
    pairs = {
        "lordosis_l1_l5": (VertebralLevel.L1, VertebralLevel.L5, False),
        "lordosis_l1_s1": (VertebralLevel.L1, VertebralLevel.S1, True),
        "kyphosis_t11_l2": (VertebralLevel.T11, VertebralLevel.L2, False),
    }
    for name, (top, bottom, upper) in pairs.items():
        if bottom not in spine.vertebrae:
            table.absent(None, None, name, "deg", f"there is no {bottom}")
            continue
        angle = _lean(plate_normal(spine[bottom], upper=upper)) - _lean(plate_normal(spine[top], upper=True))
        table.add(None, None, name, -angle if name.startswith("kyphosis") else angle, "deg")
    coronal = {
        (a, b): abs(_tilt(plate_normal(spine[a], upper=True)) - _tilt(plate_normal(spine[b], upper=False)))
        for a, b in combinations(settings.levels[1:-1], 2)
    }
    (top, bottom), angle = max(coronal.items(), key=lambda item: item[1])
    table.add(None, None, "scoliosis_cobb_angle", angle, "deg", f"{top} to {bottom}" if angle else "")


def plate_normal(vertebra: Vertebra, *, upper: bool) -> np.ndarray:
    """Return the unit normal (towards the head, RAS) of the plane through an end plate's rim at both walls."""
    heights = vertebra.form.heights
    slope = (heights.posterior - heights.anterior) / (2 * vertebra.form.depth)
    normal = vertebra.frame.axes.T @ np.array([0, slope if upper else -slope, 1.0])
    return normal / np.linalg.norm(normal)


def _lean(normal: np.ndarray) -> float:
    """Forwards, degrees."""
    return float(np.degrees(np.arctan2(normal[1], normal[2])))


def _tilt(normal: np.ndarray) -> float:
    """To the right, degrees."""
    return float(np.degrees(np.arctan2(normal[0], normal[2])))


def add_muscles(table: Truth, settings: PhantomSettings, spine: Spine, patterns: Patterns) -> None:
    """Add volume, fat-infiltrated fraction and mean attenuation of muscles in slabs (see `muscle_truth`)."""
    known = {(row.level, row.compartment) for row in table.rows if row.name == "mean_attenuation"}
    slabs = dict(muscle_slabs(settings, spine, patterns))
    for level, slab in slabs.items():
        for muscle in (*MUSCLES, *BOTH_SIDES):
            _add_muscle(table, level, muscle, slab.get(muscle), known=(level, muscle) in known)
    if None not in slabs:
        for muscle in (*MUSCLES, *BOTH_SIDES):
            table.absent(None, muscle, "muscle_volume", "cm3", _NO_SLAB)
            table.absent(None, muscle, "fat_infiltrated_fraction", "1", _NO_SLAB)


def _add_muscle(
    table: Truth,
    level: VertebralLevel | None,
    muscle: Structure,
    values: tuple[float, float, float] | None,
    *,
    known: bool,
) -> None:
    if values is None:
        table.absent(level, muscle, "muscle_volume", "cm3", _NO_MUSCLE)
        table.absent(level, muscle, "fat_infiltrated_fraction", "1", _NO_MUSCLE)
        return
    volume, infiltrated, mean = values
    table.add(level, muscle, "muscle_volume", volume / 1000, "cm3", "" if level else "slab of L1 to L5")
    table.add(level, muscle, "fat_infiltrated_fraction", infiltrated, "1", "-190 to -30 HU, before blur and noise")
    if not known:  # of a whole muscle it stands already
        table.add(level, muscle, "mean_attenuation", mean, HU)
