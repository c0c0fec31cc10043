"""The ground truth: everything that was set, as measurements.

Volumes are integrated from the shapes themselves on a fine grid, not counted in the image's voxels.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..anatomy import Compartment, Structure, VertebralLevel
from ..measurement import Measurement, MeasurementTable
from .body import BodyForm
from .dimensions import LEVELS
from .fractures import FractureKind
from .mr import marrow_signals
from .mr_changes import SEQUENCES
from .raster import Axis, Raster, covered
from .scene import Patterns
from .settings import VBQ_LEVELS, PhantomSettings
from .spine import Spine, Vertebra
from .table import CalibrationRod
from .truth_lesions import add_exam, add_lesions
from .truth_rows import HU, Truth
from .truth_spine import add_angles, add_density, add_fractures, add_muscles, height_reduction

_SIGNAL = "[arb'U]"  # UCUM: MR signal has no unit
_VOLUME_STEP_MM = 0.6  # coverage at the surface makes the sums far finer than the step
_FRACTURE_CODES = {None: 0, FractureKind.WEDGE: 1, FractureKind.BICONCAVE: 2, FractureKind.CRUSH: 3}
_MOST_FRACTURED = 2  # of L1 to L4; more exclude a patient from VBQ (Huang 2025)


def truth_table(
    settings: PhantomSettings, spine: Spine, rods: list[CalibrationRod], patterns: Patterns
) -> MeasurementTable:
    """Return every set value; names and units are those of the measuring parts."""
    table = Truth(settings)
    for level in settings.levels[1:-1]:
        table.rows += _level_rows(table, settings, spine[level])
    table.absent(LEVELS[0], Compartment.BODY, "volume", "cm3", "cut by the image's upper border")
    table.add(LEVELS[0], Compartment.CANCELLOUS, "trabecular_attenuation", _shown(settings, LEVELS[0]), HU)
    for muscle, fraction in settings.muscle_fat_fraction.items():
        mean = settings.muscle_hu + fraction * (settings.fat_hu - settings.muscle_hu)
        table.add(None, muscle, "fat_fraction", fraction, "1")
        table.add(None, muscle, "mean_attenuation", mean, HU)
    table.add(None, Structure.SUBCUTANEOUS_FAT, "mean_attenuation", settings.fat_hu, HU)
    _add_rods(table, settings, rods)
    _add_vbq(table, settings)
    _add_patient(table, settings)
    add_density(table, settings)
    add_fractures(table, settings, spine)
    add_angles(table, settings, spine)
    add_muscles(table, settings, spine, patterns)
    add_lesions(table, settings, spine)
    add_exam(table, settings, spine)
    return MeasurementTable(table.rows)


def _level_rows(table: Truth, settings: PhantomSettings, vertebra: Vertebra) -> Iterator[Measurement]:
    level, form, fracture = vertebra.level, vertebra.form, settings.fracture(vertebra.level)
    cancellous, body = Compartment.CANCELLOUS, Compartment.BODY
    yield table.row(level, cancellous, "trabecular_attenuation", _shown(settings, level), HU)
    yield table.row(level, Compartment.CORTICAL, "mean_attenuation", settings.cortical_hu, HU, "before blur")
    yield table.row(level, Compartment.CORTICAL, "cortical_thickness", settings.cortical_thickness, "mm")
    whole, inner = (body_volume(form, inset) for inset in (0.0, settings.cortical_thickness))
    for part, volume in ((body, whole), (cancellous, inner), (Compartment.CORTICAL, whole - inner)):
        yield table.row(level, part, "volume", volume / 1000, "cm3")
    for when, heights in (("", form.heights), ("unfractured_", vertebra.healthy)):
        for name in ("anterior", "middle", "posterior"):
            yield table.row(level, body, f"{when}{name}_height", getattr(heights, name), "mm")
    yield table.row(level, body, "depth", form.depth, "mm")
    yield table.row(level, body, "width", form.width, "mm")
    yield table.row(level, body, "anterior_posterior_ratio", form.heights.anterior / form.heights.posterior, "1")
    yield table.row(level, body, "middle_posterior_ratio", form.heights.middle / form.heights.posterior, "1")
    yield table.row(level, body, "wedge_angle", form.wedge_angle, "deg")
    yield table.row(level, body, "height_loss", fracture.loss if fracture else 0.0, "1", _loss_note(fracture))
    kind = fracture.kind if fracture else None
    yield table.row(level, body, "fracture_type", _FRACTURE_CODES[kind], "1", str(kind or "none"))
    yield table.row(level, body, "height_reduction", height_reduction(vertebra), "1")


def _loss_note(fracture: Any) -> str:
    if fracture is None:
        return ""
    return {
        FractureKind.WEDGE: "1 - anterior/posterior height",
        FractureKind.BICONCAVE: "1 - middle/posterior height",
        FractureKind.CRUSH: "of every height, against the unfractured body",
    }[fracture.kind]


def _shown(settings: PhantomSettings, level: VertebralLevel) -> float:
    """Attenuation of healthy cancellous bone as the image shows it, with what the contrast medium adds, HU."""
    return settings.cancellous_hu[level] + settings.enhancement_hu


def body_volume(form: BodyForm, inset: float, step: float = _VOLUME_STEP_MM) -> float:
    """Return the volume of a body, or of what lies deeper than `inset` (mm) in it, mm³, integrated on a fine grid."""
    x, y, z = (Axis.spanning(-reach, reach, step) for reach in form.reach)
    raster = Raster(x, y, z)
    whole = tuple(slice(0, n) for n in raster.shape)
    distance = form.distance(raster.points(whole)) + inset
    return float(covered(distance, raster.pitch).sum(dtype=np.float64) * np.prod(raster.pitch))


def _add_rods(table: Truth, settings: PhantomSettings, rods: list[CalibrationRod]) -> None:
    rod_part = Structure.CALIBRATION_ROD
    table.add(None, rod_part, "line_slope", settings.rod_line[0], "[hnsf'U].cm3/mg", "HU = slope x density + intercept")
    table.add(None, rod_part, "line_intercept", settings.rod_line[1], HU)
    for n, rod in enumerate(rods, 1):
        table.add(None, rod_part, f"rod{n}_density", rod.density, "mg/cm3")
        table.add(None, rod_part, f"rod{n}_attenuation", rod.hu, HU)
        table.add(None, rod_part, f"rod{n}_right", rod.x + settings.position[0], "mm", "RAS")
        table.add(None, rod_part, f"rod{n}_anterior", rod.y + settings.position[1], "mm", "RAS")


def _add_vbq(table: Truth, settings: PhantomSettings) -> None:
    signals = marrow_signals(settings)
    for sequence in SEQUENCES:
        for level in settings.levels[1:-1]:
            table.add(level, Compartment.BODY, f"{sequence}_signal_intensity", signals[sequence][level], _SIGNAL)
        csf = settings.csf_signal[sequence]
        table.add(VertebralLevel.L3, Structure.CSF, f"{sequence}_signal_intensity", csf, _SIGNAL)
    if sum(settings.fracture(level) is not None for level in VBQ_LEVELS) > _MOST_FRACTURED:
        for name in (*SEQUENCES, "t2_stir"):
            table.absent(None, None, f"vbq_{name}", "1", "more than two of L1 to L4 are fractured")
        return
    for sequence in SEQUENCES:
        table.add(None, None, f"vbq_{sequence}", settings.vbq[sequence], "1")
    table.add(None, None, "vbq_t2_stir", _vbq_t2_stir(settings), "1")


def _vbq_t2_stir(settings: PhantomSettings) -> float:
    """(T2 - STIR of the marrow) / (T2 - STIR of the CSF); linear in the signals, so the levels' mean serves."""
    csf = settings.csf_signal
    return (settings.vbq["t2"] * csf["t2"] - settings.vbq["stir"] * csf["stir"]) / (csf["t2"] - csf["stir"])


def _add_patient(table: Truth, settings: PhantomSettings) -> None:
    note = "synthetic patient"
    table.add(None, None, "age", settings.age, "a", note)
    table.add(None, None, "sex_male", float(settings.sex == "M"), "1", note)
