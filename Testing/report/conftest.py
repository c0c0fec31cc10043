"""A small analysis of hand-made images: two levels measured, one not, with everything a report may have to show."""

import numpy as np
import pytest
from OVFRiskLib.analysis import Analysis
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.models.catalogue import published_models
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.scoring import score
from OVFRiskLib.radiomics import Features
from OVFRiskLib.segmentation.level_quality import Fault, Finding, LevelQuality
from OVFRiskLib.vbq import Plane, Regions, Roi

T12, L1, L2 = VertebralLevel.T12, VertebralLevel.L1, VertebralLevel.L2
HOSTILE = "<script>alert('x')</script>\"&"
HU = "[hnsf'U]"
BODY, CANCELLOUS = Compartment.BODY, Compartment.CANCELLOUS
_PITCH_MM, _HEIGHT_MM, _HALF_DEPTH_MM = 27.0, 21.0, 15.0
_WIDE, _DEEP = 150.0, 150.0
_KINDS = ("none", "wedge", "biconcave", "crush")
_SIDES = {
    Structure.ERECTOR_SPINAE_RIGHT: (32.0, -52.0),
    Structure.ERECTOR_SPINAE_LEFT: (-32.0, -52.0),
    Structure.PSOAS_RIGHT: (42.0, 0.0),
    Structure.PSOAS_LEFT: (-42.0, 0.0),
}
_BOTH = {
    Structure.ERECTOR_SPINAE: (Structure.ERECTOR_SPINAE_RIGHT, Structure.ERECTOR_SPINAE_LEFT, 28.0, 0.14),
    Structure.PSOAS: (Structure.PSOAS_RIGHT, Structure.PSOAS_LEFT, 45.0, 0.04),
}


@pytest.fixture(scope="session")
def hostile():
    """Text from outside that must never become markup."""
    return HOSTILE


@pytest.fixture(scope="session")
def analysis():
    ct, compartments = _ct()
    table = MeasurementTable([*_ct_rows(), *_mr_rows()])
    t2 = Volume(np.random.default_rng(3).random((40, 40, 5)) * 100, _matrix(4.0, 2.0, 3.0), modality=Modality.T2)
    return Analysis(
        subject=f"P-01 {HOSTILE}",
        volumes={Modality.CT: ct, Modality.T2: t2},
        compartments=compartments,
        levels=(
            LevelQuality(T12, (Finding(Fault.CUT, "cut off by the image", 0.0),)),
            LevelQuality(L1),
            LevelQuality(L2, (Finding(Fault.PIECES, "odd", 0.8),)),
        ),
        regions=Regions(_rois()),
        measurements=table,
        features={
            Region(Compartment.CANCELLOUS, L1): Features(
                {"original_firstorder_Mean": 1.5}, {"original_glcm_Idmn": "one grey level"}, {}, ("resampled",), "p-1"
            )
        },
        scores=score(published_models(), table, Facts(age=71.0, settings={"vbq_statistic": "mean"})),
        caveats=("The contrast phase was not given.", f"Caveat with {HOSTILE}"),
        run={
            "patient": {"sex": None, "age": 71.0, "phase": None, "synthetic": True},
            "calibration": None,
            "settings": {"levels": (L1, L2), "inset_mm": 4.0, "statistic": HOSTILE},
            "images": {"CT": {"hash": "c0ffee"}},
        },
    )


@pytest.fixture(scope="session")
def make_spine():
    """Make the analysis of a made-up spine with every CT measurement; see `_make_spine`."""
    return _make_spine


@pytest.fixture(scope="session")
def row():
    """Make one measurement."""
    return _row


def _matrix(i: float, j: float, k: float) -> np.ndarray:
    matrix = np.diag([i, j, k, 1.0])
    matrix[:3, 3] = -40.0, -50.0, -60.0
    return matrix


def _ct() -> tuple[Volume, LabelMap]:
    """Three stacked blocks with shell, core and arch; nothing of a CT but its geometry."""
    shape = (40, 50, 40)
    array, meanings = np.zeros(shape, np.int16), {}
    for n, level in enumerate((T12, L1, L2)):
        rows = slice(26 - 12 * n, 36 - 12 * n)
        array[rows, 22:42, 10:30] = 10 * n + 1
        array[rows.start + 2 : rows.stop - 2, 24:40, 12:28] = 10 * n + 2
        array[rows, 5:18, 14:26] = 10 * n + 3
        for m, part in enumerate((Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.POSTERIOR), start=1):
            meanings[10 * n + m] = Region(part, level)
    values = np.where(array > 0, 200, 0) + np.random.default_rng(1).integers(-40, 40, shape)
    matrix = _matrix(2.0, 2.0, 3.0)
    return Volume(values.astype(np.int16), matrix, modality=Modality.CT), LabelMap(array, matrix, meanings)


def _ct_rows() -> list[Measurement]:
    rows = [
        Measurement("P", L1, Compartment.CANCELLOUS, "trabecular_attenuation", 123.4, HU, "t-1"),
        Measurement("P", L1, Compartment.CANCELLOUS, "trabecular_attenuation_sd", 31.2, HU, "t-1"),
        Measurement("P", L2, Compartment.CANCELLOUS, "trabecular_attenuation", -12.4, HU, "t-1"),
        Measurement("P", L1, Compartment.BODY, "wedge_angle", -0.04, "deg", "h-1"),
        Measurement(
            "P",
            L2,
            Compartment.BODY,
            "wedge_angle",
            None,
            "deg",
            "h-1",
            quality=Quality.ABSENT,
            note="no end plate seen",
        ),
        Measurement(
            "P", L1, Compartment.BODY, "volume", 30.0, "cm3", "v-1", quality=Quality.FLAGGED, note=f"thick {HOSTILE}"
        ),
    ]
    for level, ratio in ((L1, 0.72), (L2, 0.95)):
        rows.append(Measurement("P", level, Compartment.BODY, "anterior_posterior_ratio", ratio, "1", "h-1"))
        rows += [
            Measurement("P", level, Compartment.BODY, f"{where}_height", 25 * share, "mm", "h-1")
            for where, share in (("anterior", ratio), ("middle", 0.9), ("posterior", 1.0))
        ]
    return rows


def _mr_rows() -> list[Measurement]:
    rows = [
        Measurement("P", level, part, f"t2_signal_intensity{end}", value, "[arb'U]", "vbq-1")
        for level, part, mean in ((L1, Compartment.BODY, 52.5), (VertebralLevel.L3, Structure.CSF, 104.0))
        for end, value in (("", mean), ("_sd", 5.5))
    ]
    rows.append(Measurement("P", None, None, "vbq_t2", 0.6123, "1", "vbq-1"))
    why = f"no CSF region: {HOSTILE}"
    rows.append(Measurement("P", None, None, "vbq_t1", None, "1", "vbq-1", quality=Quality.ABSENT, note=why))
    return rows


def _rois() -> tuple[Roi, ...]:
    plane = Plane((-30.0, -10.0, 0.0), ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    square = ((0.0, 0.0), (20.0, 0.0), (20.0, 15.0), (0.0, 15.0))
    behind = ((-20.0, 0.0), (-12.0, 0.0), (-12.0, 8.0), (-20.0, 8.0))
    return (
        Roi(Region(Compartment.BODY, L1), plane, square, 1.5),
        Roi(Region(Compartment.BODY, L2), plane.shifted(8.0), tuple((u, v - 25) for u, v in square), 1.5),
        Roi(Region(Structure.CSF, VertebralLevel.L3), plane, behind, 1.5),
    )


def _make_spine(
    span="T12-L5", spacing=(2.0, 2.0, 3.0), sway=0.0, graded=None, cut=(), ungraded=(), calibrated=True, muscles=True
):
    """Return the analysis of a made-up spine: boxes on a curve, with measurements set by hand.

    `graded` maps a level to (grade, type, reduction, note); `cut` levels are not measured, `ungraded` have no grade;
    `sway` is the amplitude of a scoliosis, mm.
    """
    levels = VertebralLevel.span(span)
    centres = {
        level: np.array([sway * np.sin(n), 6.0 * np.cos(n / 3), -_PITCH_MM * n]) for n, level in enumerate(levels)
    }
    ct, labels, structures = _images(centres, np.asarray(spacing))
    qualities = tuple(
        LevelQuality(level, (Finding(Fault.CUT, "cut off by the image", 0.0),) if level in cut else ())
        for level in levels
    )
    rows = [row for level in levels for row in _level_rows(level, graded or {}, cut, ungraded, calibrated)]
    rows += [*_patient_rows(levels, graded or {}, cut, ungraded, calibrated), *(_muscle_rows() if muscles else ())]
    table = MeasurementTable(rows)
    return Analysis(
        subject="P-02",
        volumes={Modality.CT: ct},
        compartments=labels,
        levels=qualities,
        regions=Regions(()),
        measurements=table,
        features={},
        scores=score(published_models(), table, Facts(sex="F", age=71.0, phase="none")),
        caveats=(),
        run={
            "patient": {"sex": "F", "age": 71.0, "phase": "none"},
            "calibration": {"source": "rods"} if calibrated else None,
        },
        structures=structures if muscles else None,
        height_lines={level: _lines(centre) for level, centre in centres.items() if level not in cut},
    )


def _row(level, part, name, value, unit="1", note="", quality=None):
    """Return a measurement; without a value it is absent, with a note flagged, unless `quality` says otherwise."""
    default = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
    return Measurement("P-02", level, part, name, value, unit, "m-1", quality=quality or default, note=note)


def _images(centres, spacing):
    """CT, compartments and muscles on one grid; RAS axes."""
    tall = _PITCH_MM * (len(centres) + 0.6)
    shape = tuple(int(np.ceil(mm / step)) for mm, step in zip((tall, _DEEP, _WIDE), spacing[::-1]))
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = -_WIDE / 2, -_DEEP * 0.65, -tall + 0.8 * _PITCH_MM
    k, j, i = np.indices(shape)
    r, a, s = (n * step + start for n, step, start in zip((i, j, k), spacing, matrix[:3, 3]))
    array, meanings = np.zeros(shape, np.int16), {}
    for n, (level, (x, y, z)) in enumerate(centres.items()):
        inside = np.maximum(np.maximum(abs(r - x) / 20, abs(a - y) / _HALF_DEPTH_MM), abs(s - z) / (_HEIGHT_MM / 2))
        values = 3 * n + np.arange(1, 4)
        array[(abs(r - x) < 6) & (abs(a - y + 38) < 12) & (abs(s - z) < 6)] = values[2]
        array[inside <= 1] = values[0]
        array[inside <= 0.75] = values[1]
        parts = (Compartment.CORTICAL, CANCELLOUS, Compartment.POSTERIOR)
        meanings |= {int(value): Region(part, level) for value, part in zip(values, parts)}
    hu = np.where(array > 0, 180, -90) + np.random.default_rng(5).integers(-30, 30, shape)
    found = np.zeros(shape, np.int16)
    for n, (x, y) in enumerate(_SIDES.values(), start=1):
        found[((r - x) / 18) ** 2 + ((a - y) / 14) ** 2 <= 1] = n
    found[array > 0] = 0
    hu[found > 0] = np.where((i + j) % 7 == 0, -80, 45)[found > 0]
    labels = LabelMap(array, matrix, meanings)
    structures = LabelMap(found, matrix, {n: Region(part) for n, part in enumerate(_SIDES, start=1)})
    return Volume(hu.astype(np.int16), matrix, modality=Modality.CT), labels, structures


def _lines(centre):
    places = {"anterior": 0.9, "middle": 0.0, "posterior": -0.9}
    ends = np.array([[0, 0, _HEIGHT_MM / 2], [0, 0, -_HEIGHT_MM / 2]])
    return {name: centre + np.array([0, share * _HALF_DEPTH_MM, 0]) + ends for name, share in places.items()}


def _level_rows(level, graded, cut, ungraded, calibrated):
    if level in cut:
        yield _row(level, BODY, "genant_grade", None, note="cut off by the image")
        yield _row(level, CANCELLOUS, "trabecular_attenuation", None, HU, "cut off by the image")
        return
    grade, kind, loss, note = graded.get(level, (0, 0, 0.04, ""))
    if level in ungraded:
        yield _row(level, BODY, "genant_grade", None, note="too uncertain to grade")
    else:
        yield _row(level, BODY, "genant_grade", grade, note=note)
        yield _row(level, BODY, "genant_type", kind, note=_KINDS[kind], quality=Quality.OK)
        yield _row(level, BODY, "height_reduction", loss)
        yield _row(level, BODY, "height_reduction_own", loss)
        yield _row(level, BODY, "height_reduction_neighbours", max(loss - 0.02, 0.0))
    low = {1: ("anterior",), 2: ("middle",), 3: ("anterior", "middle", "posterior")}.get(kind, ())
    for name in ("anterior", "middle", "posterior"):
        height = 25.0 * (1 - loss if name in low else 1.0)
        yield _row(level, BODY, f"{name}_height", height, "mm")
    yield _row(level, BODY, "height_uncertainty", 0.7, "mm")
    yield _row(level, BODY, "anterior_posterior_ratio", 1 - loss)
    yield _row(level, BODY, "middle_posterior_ratio", 0.96)
    yield _row(level, BODY, "posterior_neighbour_ratio", 0.98)
    yield _row(level, BODY, "wedge_angle", 3.0, "deg")
    hu = 120.0 - level.rank
    yield _row(level, CANCELLOUS, "trabecular_attenuation", hu, HU, "left out: vessel 2.0%")
    yield _row(level, CANCELLOUS, "trabecular_attenuation_sd", 30.0, HU)
    yield _row(level, CANCELLOUS, "trabecular_attenuation_axial", hu - 5, HU)
    yield _row(level, CANCELLOUS, "trabecular_attenuation_axial_sd", 25.0, HU)
    if calibrated:
        yield _row(level, CANCELLOUS, "vbmd", 0.8 * hu, "mg/cm3")
        yield _row(level, CANCELLOUS, "vbmd_error", 4.0, "mg/cm3")
    else:
        yield _row(level, CANCELLOUS, "vbmd", None, "mg/cm3", "no calibration given")


def _patient_rows(levels, graded, cut, ungraded, calibrated):
    grades = {level: graded.get(level, (0,))[0] for level in levels if level not in (*cut, *ungraded)}
    yield _row(None, None, "fractured_levels", sum(grade > 0 for grade in grades.values()))
    yield _row(None, None, "worst_genant_grade", max(grades.values()))
    yield _row(None, None, "spinal_deformity_index", sum(grades.values()))
    yield _row(None, None, "lordosis_l1_l5", 38.4, "deg")
    yield _row(None, None, "lordosis_l1_s1", None, "deg", "the label map holds no S1")
    yield _row(None, None, "kyphosis_t11_l2", -0.3, "deg")
    yield _row(None, None, "scoliosis_cobb_angle", 12.6, "deg", "T12 to L3", Quality.OK)
    yield _row(None, CANCELLOUS, "trabecular_attenuation_non_fractured", 98.0, HU, "mean of L3, L4, L5", Quality.OK)
    if calibrated:
        yield _row(None, CANCELLOUS, "vbmd_non_fractured", 93.0, "mg/cm3", "mean of L3, L4, L5", Quality.OK)
        yield _row(None, CANCELLOUS, "vbmd_non_fractured_error", 4.0, "mg/cm3")


def _muscle_rows():
    for slab in (None, VertebralLevel.L3):
        for both, (right, left, hu, fat) in _BOTH.items():
            for part, volume in ((right, 102.0), (left, 98.0), (both, 200.0)):
                yield _row(slab, part, "muscle_volume", volume, "cm3")
                yield _row(slab, part, "cross_section", volume / 16, "cm2")
                yield _row(slab, part, "mean_attenuation", hu, HU)
                yield _row(slab, part, "mean_attenuation_sd", 20.0, HU)
                yield _row(slab, part, "fat_infiltrated_fraction", fat, note="streaks" if part is left else "")
                yield _row(slab, part, "lean_fraction", 0.95 - fat)
            yield _row(slab, both, "asymmetry_volume", 0.04)
            yield _row(slab, both, "asymmetry_attenuation", -2.4, HU)
