import json
from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.image import LabelMap
from OVFRiskLib.measurement import MeasurementTable, Quality, Source
from OVFRiskLib.morphometry import (
    FractureKind,
    Heights,
    HeightSettings,
    fracture_summary,
    grade_fractures,
    measure_morphometry,
)
from OVFRiskLib.phantom import PhantomSettings
from OVFRiskLib.phantom.ct import ct_raster
from OVFRiskLib.phantom.labels import scheme_regions, with_vertebrae
from OVFRiskLib.phantom.scene import Patterns, draw_scene
from OVFRiskLib.phantom.settings import Fracture
from OVFRiskLib.phantom.spine import build_spine
from OVFRiskLib.segmentation.compartments import body_shapes
from OVFRiskLib.segmentation.level_check import check_levels
from OVFRiskLib.segmentation.level_quality import Fault, Finding, LevelQuality
from scipy import ndimage
from scipy.spatial.transform import Rotation

WHOLE = VertebralLevel.span("T11-L5")
SETTINGS = HeightSettings()
T12, L1, L2, L3 = VertebralLevel.span("T12-L3")


def vertebrae(spacing, fractures=(), seed=4):
    """A synthetic patient's label map and spine, without images."""
    settings = PhantomSettings(seed=seed, spacing=spacing, fractures=[Fracture.parse(text) for text in fractures])
    spine = build_spine(settings)
    raster = ct_raster(settings, spine)
    scene = draw_scene(settings, spine, Patterns.drawn(settings.seed), raster)
    empty = np.zeros(scene.tissues.array.shape, dtype=np.int16)
    array = raster.centres(with_vertebrae(empty, scene, divided=False))
    return LabelMap(array, raster.ijk_to_ras(settings.position), scheme_regions()), spine


def turned(labels, degrees):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    return LabelMap(labels.array, matrix @ labels.ijk_to_ras, labels.labels)


def roughened(labels, seed=0):
    """The map with faces moved at random by up to about a voxel, as on a noisy low-dose scan."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(labels.array.shape), 1.0)
    noise /= noise.std()
    array = np.zeros_like(labels.array)
    for value in labels.labels:
        box = labels.mask(labels.labels[value]).box(margin=3)
        mask = labels.array[box] == value
        signed = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
        array[box][signed + 0.6 * noise[box] > 0] = value
    return LabelMap(array, labels.ijk_to_ras, labels.labels)


def measured(labels):
    shapes = body_shapes(labels, labels.levels())
    qualities = {q.level: q for q in check_levels(labels, labels.levels(), shapes)}
    return measure_morphometry("p", shapes, qualities, SETTINGS, dict.fromkeys(shapes, Source("image", "mask")))


@pytest.fixture(scope="module")
def fractured():
    return vertebrae((1.5, 1.5, 2.0), ("T12:wedge:0.33", "L2:biconcave:0.33", "L4:crush:0.46"))


@pytest.fixture(scope="module")
def found(fractured):
    return measured(fractured[0])


@pytest.fixture(scope="module")
def coarse():
    labels, spine = vertebrae(3.0, ("T11:crush:0.45", "L2:wedge:0.33"))
    return measured(labels), spine


@pytest.fixture(scope="module")
def fine():
    labels, spine = vertebrae(1.0, ("L3:biconcave:0.45",), seed=3)
    return measured(labels), spine


EXPECTED = {"T12": (2, "wedge"), "L2": (2, "biconcave"), "L4": (3, "crush")}


def grades(morphometry):
    return {v: (g.grade, str(g.kind)) for v, g in morphometry.gradings.items() if v in WHOLE}


def test_set_deformities_have_their_grade_and_type(found):
    assert grades(found) == {v: EXPECTED.get(v, (0, "none")) for v in WHOLE}


@pytest.mark.parametrize("change", [lambda labels: turned(labels, 30), roughened], ids=["tilted", "rough"])
def test_tilted_and_rough_masks_have_the_same_grades(fractured, change):
    assert grades(measured(change(fractured[0]))) == {v: EXPECTED.get(v, (0, "none")) for v in WHOLE}


def test_a_crushed_body_looks_normal_by_itself(found):
    crushed = found.gradings[VertebralLevel.L4]
    assert crushed.own_reduction < 0.2
    assert crushed.neighbour_reduction == pytest.approx(0.46, abs=0.06)


def test_a_cut_vertebra_has_no_grade(found):
    cut = found.gradings[VertebralLevel.T10]
    assert cut.grade is None
    assert "cut off" in cut.note


def errors(found, spine):
    """Of the heights against what was set, and the stated uncertainties, mm."""
    pairs = [
        (getattr(h, place) - getattr(spine[v].form.heights, place), h.uncertainties[place])
        for v, h in found.heights.items()
        if isinstance(h, Heights) and v in WHOLE
        for place in ("anterior", "middle", "posterior")
    ]
    assert len(pairs) == 21
    return np.abs(pairs).T


@pytest.mark.xfail(strict=True, reason="corners of a body pressed in by 13 mm; measured: up to 0.69 mm, mean 0.17")
def test_each_height_at_1_mm(fine):
    assert errors(*fine)[0].max() < 0.5


def test_heights_at_1_mm_and_their_uncertainty(fine):
    """Half a voxel; at the corners of a body pressed in by 13 mm three quarters of one. About 2 of 3 within."""
    error, stated = errors(*fine)
    assert error.mean() < 0.25
    assert np.mean(error <= 0.5) >= 0.9
    assert error.max() < 0.75
    assert 0.5 <= np.mean(error <= stated) <= 0.9
    assert fine[0].gradings[L3].grade == 3


@pytest.mark.xfail(
    strict=True, reason="a plate along 3 mm slices is known to a slice; measured: up to 3.2 mm, mean 0.7"
)
def test_each_height_at_3_mm(coarse):
    assert errors(*coarse)[0].max() < 1.0


def test_heights_at_3_mm_and_their_uncertainty(coarse):
    error, stated = errors(*coarse)
    assert error.mean() < 1.0
    assert error.max() < 3.0
    assert 0.5 <= np.mean(error <= stated) <= 0.85


def test_a_crushed_vertebra_below_a_cut_one_is_graded(coarse):
    found, _ = coarse
    assert grades(found) == {v: {"T11": (3, "crush"), "L2": (2, "wedge")}.get(v, (0, "none")) for v in WHOLE}
    assert "cut off" in found.gradings[VertebralLevel.T10].note


def test_a_real_patient_as_the_radiologists_graded_him(shapes_of, shared_data):
    """VerSe 004: T9, T10 grade 2, L1 grade 3, T11, T12, L2, L3 none."""
    stored = json.loads((shared_data / "masks_fracture/verse_genant_grades.json").read_text())
    known = {
        k.partition("_")[2]: g for part in stored.values() for k, g in part.items() if k.startswith("sub-verse004_")
    }
    labels, shapes = shapes_of("masks_fracture/sub-verse004_seg-vert_msk.nii.gz", "verse")
    qualities = {q.level: q for q in check_levels(labels, labels.levels(), shapes)}
    gradings = measure_morphometry("v", shapes, qualities, SETTINGS, {}).gradings
    reference = {VertebralLevel.from_label(int(value), "verse"): grade for value, grade in known.items()}
    assert len(reference) == 7
    assert {v: gradings[v].grade for v in reference} == reference


def body(anterior, middle, posterior, uncertainty=0.2):
    places = ("anterior", "middle", "posterior")
    return Heights(
        anterior, middle, posterior, 34.0, 0.0, 0.0, {}, dict.fromkeys(places, uncertainty), {}, (None, None), None
    )


def healthy():
    return {v: body(27, 25, 28) for v in (T12, L1, L2, L3)}


@pytest.mark.parametrize(
    ("loss", "grade", "borderline"),
    [(0.17, 0, False), (0.201, 1, True), (0.22, 1, False), (0.30, 2, False), (0.45, 3, False)],
)
def test_bounds_of_the_grades(loss, grade, borderline):
    grading = grade_fractures({**healthy(), L1: body(28 * (1 - loss), 26 * (1 - loss / 2), 28)}, {})[L1]
    assert (grading.grade, grading.borderline) == (grade, borderline)
    assert grading.kind is (FractureKind.WEDGE if grade else FractureKind.NONE)


def test_a_coarse_mask_makes_a_grade_borderline():
    heights = {**healthy(), L1: body(28 * 0.70, 23.8, 28, uncertainty=2.0)}
    assert "grade 1 to 2" in grade_fractures(heights, {})[L1].note


def test_a_flaring_posterior_corner_is_no_wedge():
    # Healthy posterior heights let expect about 28 mm: the front is lower by 14 % than that, by 25 % than the corner.
    flared = grade_fractures({**healthy(), L1: body(24, 24.5, 32)}, {})[L1]
    assert flared.grade == 0
    assert flared.own_reduction == pytest.approx(1 - 24 / 28, abs=0.03)


def test_a_low_posterior_wall_alone_is_no_fracture():
    grading = grade_fractures({**healthy(), VertebralLevel.L4: body(28, 24.5, 21)}, {})[VertebralLevel.L4]
    assert grading.grade == 0
    assert grading.posterior_ratio < 0.8


def test_a_real_spine_without_clear_fracture_has_no_clear_grade(shapes_of):
    """The abdominal CT at 3 mm, by three masks: L1 is at most borderline, T12 is cut."""
    for name, scheme in (
        ("vertebrae_verse_codes", "verse"),
        ("totalsegmentator_labels", "totalsegmentator"),
        ("totalsegmentator_fast_labels", "totalsegmentator"),
    ):
        labels, shapes = shapes_of(f"ct_abdomen_3mm/{name}.nii.gz", scheme)
        qualities = {q.level: q for q in check_levels(labels, labels.levels(), shapes)}
        gradings = measure_morphometry("a", shapes, qualities, SETTINGS, {}).gradings
        assert gradings[T12].grade is None
        assert gradings[L1].grade == 0 or (gradings[L1].grade == 1 and gradings[L1].borderline)
        assert all(gradings[v].grade == 0 for v in VertebralLevel.span("L2-L5"))


def test_without_neighbours_the_note_says_so():
    assert "not compared" in grade_fractures({L1: body(27, 25, 28)}, {})[L1].note


def test_distrusted_levels_get_no_grade():
    doubtful = LevelQuality(L1, (Finding(Fault.PIECES, "in pieces", 0.6),))
    gradings = grade_fractures(healthy(), {L1: doubtful})
    assert gradings[L1].grade is None
    assert "in pieces" in gradings[L1].note
    assert L1 not in fracture_summary(gradings).levels


def test_summary_adds_the_grades():
    gradings = {
        v: replace(g, grade=n)
        for (v, g), n in zip(grade_fractures(healthy(), {}).items(), (0, 3, 1, None), strict=True)
    }
    summary = fracture_summary(gradings)
    assert (summary.count, summary.worst, summary.index, summary.levels) == (2, 3, 4, (T12, L1, L2))


def test_rows_say_everything_or_why_not(found):
    table = MeasurementTable(found.rows)
    assert table.value(level=L2, name="genant_type") == 2
    assert table.value(level=None, name="spinal_deformity_index") == 7
    cut = table.where(level=VertebralLevel.T10)
    assert len(cut) == 18
    assert all(row.quality is Quality.ABSENT and "cut off" in row.note for row in cut)
    assert table.value(level=None, name="lordosis_l1_s1") is None
    degrees = [row.value for row in found.rows if row.unit == "deg" and row.value is not None]
    assert degrees
    assert degrees == [round(value, 6) for value in degrees]
