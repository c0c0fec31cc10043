"""Paraspinal muscle against cylinders calculated by hand, synthetic patients and a real label map."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.geometry import on_grid_of
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.measurement import MeasurementTable, Quality, Source
from OVFRiskLib.muscle import SIDES, MuscleSettings, measure_muscle
from OVFRiskLib.muscle.faults import arms_beside
from OVFRiskLib.phantom import Fracture, PhantomSettings, make_patient
from OVFRiskLib.segmentation.compartments import body_shapes

LUMBAR = VertebralLevel.span("L1-L5")
ERECTOR, PSOAS = Structure.ERECTOR_SPINAE, Structure.PSOAS
HEIGHT, DISC = 28.0, 9.0  # mm, of the drawn bodies
LENGTH = 5 * HEIGHT + 4 * DISC
CYLINDERS = {ERECTOR: ((35.0, -55.0), 22.0), PSOAS: ((42.0, -5.0), 15.0)}  # place (x, y) and radius, mm
CORE = 11.0  # mm, radius of the fat in the erector spinae: a quarter of its area
LEAN, FAT = 55.0, -100.0
VALUES = dict(zip((part for sides in SIDES.values() for part in sides), (11, 12, 13, 14), strict=True))
LABELS = {20 + n: Region(Compartment.BODY, level) for n, level in enumerate(LUMBAR)} | {
    value: Region(part) for part, value in VALUES.items()
}


def drawn(tilt=0.0, spacing=(1.5, 1.5, 1.5), noise=0.0):
    """Five blocks with cylinders of muscle beside them, turned about the left-right axis by `tilt` degrees."""
    turn = np.radians(tilt)
    axes = np.array([[1, 0, 0], [0, np.cos(turn), np.sin(turn)], [0, -np.sin(turn), np.cos(turn)]])
    half = np.array([66.0, 84 + 70 * np.sin(turn), 104.0])
    shape = np.ceil(2 * half / spacing).astype(int)
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = -half - axes.T @ [0, 25, 0]
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis((ijk @ matrix[:3, :3] + matrix[:3, 3]) @ axes.T, -1, 0)
    hu, labels = np.full(shape, FAT), np.zeros(shape, dtype=np.uint8)
    for n in range(5):
        middle = (2 - n) * (HEIGHT + DISC)
        body = (np.abs(x) <= 24) & (np.abs(y) <= 17) & (np.abs(z - middle) <= HEIGHT / 2)
        labels[body], hu[body] = 20 + n, 200
    for muscle, ((aside, back), radius) in CYLINDERS.items():
        for side, sign in zip(SIDES[muscle], (-1, 1), strict=True):
            distance = np.hypot(x - sign * aside, y - back)
            inside = (distance <= radius) & (np.abs(z) <= 100)
            labels[inside] = VALUES[side]
            hu[inside & ((distance > CORE) | (muscle is PSOAS))] = LEAN
    hu = hu + np.random.default_rng(1).normal(0, noise, hu.shape) if noise else hu
    ct = Volume(np.rint(hu.T).astype(np.int16), matrix, Modality.CT)
    return ct, LabelMap(labels.T, matrix, LABELS)


def measured(ct, labels, settings=MuscleSettings(), usable=LUMBAR, shapes=None, phase_note=""):  # noqa: B008
    shapes = shapes or body_shapes(labels, [v for v in labels.levels() if v in LUMBAR])
    rows = measure_muscle("s", ct, labels, shapes, usable, settings, Source("image", "mask"), phase_note)
    return MeasurementTable(rows)


@pytest.fixture(scope="module")
def blocks():
    ct, labels = drawn()
    return ct, labels, body_shapes(labels, LUMBAR)


@pytest.fixture(scope="module")
def table(blocks):
    ct, labels, shapes = blocks
    return measured(ct, labels, shapes=shapes)


def relabelled(labels, **changes):
    """Return the map with muscles renamed: ``psoas_left="psoas-right"``, or to nothing."""
    array = labels.array.copy()
    for source, target in changes.items():
        old = VALUES[Structure(source.replace("_", "-"))]
        array[labels.array == old] = VALUES[Structure(target)] if target else 0
    return replace(labels, array=array)


@pytest.mark.parametrize("tilt", [0, 30])
def test_cylinders_are_measured_along_the_spine(tilt, table):
    found = measured(*drawn(tilt)) if tilt else table
    for muscle, (_, radius) in CYLINDERS.items():
        area = np.pi * radius**2 / 100  # cm²
        for level in (None, *LUMBAR):
            length = (HEIGHT if level else LENGTH) / 10
            for part, count in ((SIDES[muscle][0], 1), (SIDES[muscle][1], 1), (muscle, 2)):
                value = {row.name: row.value for row in found.where(level=level, compartment=part)}
                assert value["muscle_volume"] == pytest.approx(count * area * length, rel=0.03)
                assert value["cross_section"] == pytest.approx(count * area, rel=0.02)
                fat = CORE**2 / radius**2 if muscle is ERECTOR else 0.0
                assert value["fat_infiltrated_fraction"] == pytest.approx(fat, abs=0.01)
                assert value["lean_fraction"] == pytest.approx(1 - fat, abs=0.01)
                assert value["mean_attenuation"] == pytest.approx(fat * FAT + (1 - fat) * LEAN, abs=1.5)
            assert found.value(level=level, compartment=muscle, name="asymmetry_volume") == pytest.approx(0, abs=0.02)


def test_asymmetry_is_right_less_left(blocks):
    ct, labels, shapes = blocks
    array, image = labels.array.copy(), ct.array.copy()
    left = array == VALUES[Structure.PSOAS_LEFT]
    image[left] -= 10
    left[:, :, round(ct.to_ijk([-42, 0, 0])[0]) :] = False
    array[left] = 0  # the outer half of it
    one, other = (np.count_nonzero(array == VALUES[side]) for side in SIDES[PSOAS])
    found = measured(replace(ct, array=image), replace(labels, array=array), shapes=shapes)
    assert found.value(level=None, compartment=PSOAS, name="asymmetry_volume") == pytest.approx(
        2 * (other - one) / (other + one), abs=0.01
    )
    assert found.value(level=None, compartment=PSOAS, name="asymmetry_attenuation") == pytest.approx(10, abs=0.1)


def test_noise_does_not_turn_lean_muscle_into_fat(blocks):
    shapes = blocks[2]
    ct, labels = drawn(noise=60)
    plain = measured(ct, labels, MuscleSettings(ordinary_noise_hu=float("inf")), shapes=shapes)
    found = measured(ct, labels, shapes=shapes)
    name = "fat_infiltrated_fraction"
    # Of a normal distribution about 55 HU with SD 60, 7.9 % lie below -29.5 HU.
    assert plain.value(level=None, compartment=PSOAS, name=name) == pytest.approx(0.079, abs=0.01)
    assert found.value(level=None, compartment=PSOAS, name=name) < 0.02
    assert found.value(level=None, compartment=ERECTOR, name=name) == pytest.approx(0.25, abs=0.02)
    row = found.where(level=None, compartment=PSOAS, name=name).rows[0]
    assert row.quality is Quality.FLAGGED
    assert "noise of 6" in row.note
    assert {r.protocol_id for r in plain}.isdisjoint({r.protocol_id for r in found})


@pytest.fixture(scope="module", params=["quiet", "noisy"])
def patient(request):
    if request.param == "quiet":
        return make_patient(PhantomSettings(41, (1.4, 1.4, 1.0), mr_pixel=6, mr_slice=6, age=80))
    fractures = (Fracture.parse("L2:wedge:0.30"), Fracture.parse("L4:crush:0.30"))
    return make_patient(
        PhantomSettings(42, (1.4, 1.4, 1.0), fractures, mr_pixel=6, mr_slice=6, noise_hu=60, scoliosis=10)
    )


def test_synthetic_patients(patient):
    found = measured(patient.ct, patient.labels)
    for level in (None, *LUMBAR):
        for muscle in SIDES:
            truth = {row.name: row.value for row in patient.truth.where(level=level, compartment=muscle)}
            value = {row.name: row.value for row in found.where(level=level, compartment=muscle)}
            assert value["muscle_volume"] == pytest.approx(truth["muscle_volume"], rel=0.03), (level, muscle)
            fat = truth["fat_infiltrated_fraction"]
            tolerance = 0.02 if level is None or patient.settings.noise_hu < 20 else 0.03
            assert value["fat_infiltrated_fraction"] == pytest.approx(fat, abs=tolerance), (level, muscle)


def test_a_slab_that_the_image_cuts_is_absent(blocks):
    ct, labels, shapes = blocks
    lowest = round(ct.to_ijk(shapes[VertebralLevel.L5].frame.origin)[2])
    box = (slice(lowest, ct.array.shape[0]), *(slice(0, n) for n in ct.array.shape[1:]))
    found = measured(ct.cropped(box), labels.cropped(box), shapes=shapes)
    for level in (None, VertebralLevel.L5):
        row = found.where(level=level, compartment=ERECTOR, name="muscle_volume").rows[0]
        assert row.value is None
        assert "cut off by the image's end" in row.note
    assert found.where(level=VertebralLevel.L4, compartment=ERECTOR, name="muscle_volume").rows[0].quality is Quality.OK


def test_muscle_at_the_image_border_is_flagged(blocks):
    ct, labels, shapes = blocks
    behind = round(ct.to_ijk([0, -55, 0])[1])
    box = (slice(0, ct.array.shape[0]), slice(behind, ct.array.shape[1]), slice(0, ct.array.shape[2]))
    found = measured(ct.cropped(box), labels.cropped(box), shapes=shapes)
    row = found.where(level=VertebralLevel.L3, compartment=ERECTOR, name="muscle_volume").rows[0]
    assert row.quality is Quality.FLAGGED
    assert "touches the image's border" in row.note
    assert found.where(level=VertebralLevel.L3, compartment=PSOAS, name="muscle_volume").rows[0].quality is Quality.OK


def test_left_and_right_that_are_one_label_are_measured_together(blocks, table):
    ct, labels, shapes = blocks
    found = measured(ct, relabelled(labels, psoas_right="psoas-left"), shapes=shapes)
    left, right, both = (
        found.where(level=None, compartment=part, name="muscle_volume").rows[0] for part in (*SIDES[PSOAS], PSOAS)
    )
    assert left.value is None
    assert "other side" in left.note
    assert right.value is None
    assert right.note == "not in the label map"
    assert both.quality is Quality.FLAGGED
    assert both.value == pytest.approx(table.value(level=None, compartment=PSOAS, name="muscle_volume"))
    assert found.value(level=None, compartment=PSOAS, name="asymmetry_volume") is None


def test_exchanged_sides_give_no_sides(blocks):
    ct, labels, shapes = blocks
    changed = relabelled(labels, erector_spinae_left="erector-spinae-right", erector_spinae_right="erector-spinae-left")
    found = measured(ct, changed, shapes=shapes)
    rows = found.where(level=VertebralLevel.L2, name="muscle_volume")
    assert [row.value is None for row in rows if row.compartment in SIDES[ERECTOR]] == [True, True]
    assert rows.where(compartment=ERECTOR).rows[0].quality is Quality.FLAGGED


def test_a_missing_side_leaves_the_other(blocks):
    ct, labels, shapes = blocks
    found = measured(ct, relabelled(labels, psoas_left=""), shapes=shapes)
    right = found.where(level=None, compartment=Structure.PSOAS_RIGHT, name="muscle_volume").rows[0]
    assert right.quality is Quality.OK
    for name in ("muscle_volume", "asymmetry_volume"):
        row = found.where(level=None, compartment=PSOAS, name=name).rows[0]
        assert row.value is None
        assert row.note == "left side: not in the label map"


def test_a_map_without_muscles_gives_one_set_of_absent_rows(blocks):
    ct, labels, shapes = blocks
    found = measured(ct, labels.restricted(r for r in labels.regions if r.level), shapes=shapes)
    assert {row.level for row in found} == {None}
    assert len(found) == 2 * (3 * 6 + 2)
    assert {row.note for row in found} == {"the label map names no erector spinae and no psoas"}


def test_levels_that_cannot_be_measured_say_so(blocks):
    ct, labels, shapes = blocks
    lost = {**shapes, VertebralLevel.L3: "no vertebral body found in the mask"}
    found = measured(ct, labels, usable=[v for v in LUMBAR if v not in ("L3", "L5")], shapes=lost)
    reasons = {v: found.where(level=v, compartment=PSOAS, name="muscle_volume").rows[0].note for v in (None, *LUMBAR)}
    assert reasons[VertebralLevel.L3] == "no vertebral body found in the mask"
    assert reasons[VertebralLevel.L5] == "the level could not be measured"
    assert reasons[None] == "L5, an end of the slab, could not be measured"
    assert reasons[VertebralLevel.L4] == ""
    missing = measured(ct, labels, shapes={v: s for v, s in shapes.items() if v != "L1"})
    assert "L1, an end of the slab, is not in the label map" in missing.where(level=None).rows[0].note


def test_iliacus_is_no_psoas(blocks, table):
    ct, labels, shapes = blocks
    array = labels.array.copy()
    i = round(labels.to_ijk([-75, 0, 0])[0])
    wide = np.pad(array, ((0, 0), (0, 0), (40, 40)))
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, 3] -= 40 * matrix[:3, 0]
    k = round(labels.to_ijk(shapes[VertebralLevel.L5].frame.origin)[2])
    wide[k - 8 : k + 8, 50:70, i + 40 - 10 : i + 41] = VALUES[Structure.PSOAS_LEFT]  # 75 mm aside and more
    image = np.pad(ct.array, ((0, 0), (0, 0), (40, 40)), constant_values=int(FAT))
    found = measured(
        replace(ct, array=image, ijk_to_ras=matrix), replace(labels, array=wide, ijk_to_ras=matrix), shapes=shapes
    )
    row = found.where(level=VertebralLevel.L5, compartment=Structure.PSOAS_LEFT, name="muscle_volume").rows[0]
    assert "iliacus" in row.note
    before = table.value(level=VertebralLevel.L5, compartment=Structure.PSOAS_LEFT, name="muscle_volume")
    assert row.value == pytest.approx(before)


def test_notes_of_metal_coverage_size_and_phase(blocks):
    ct, labels, shapes = blocks
    image, array = ct.array.copy(), labels.array.copy()
    i, j, k = np.round(ct.to_ijk([-24, -15, 0])).astype(int)  # a screw at L3
    image[k - 2 : k + 3, j - 2 : j + 3, i - 2 : i + 3] = 3000
    top = round(ct.to_ijk(shapes[VertebralLevel.L2].frame.origin)[2])
    left = array == VALUES[Structure.ERECTOR_SPINAE_LEFT]
    left[top - 8 : top + 9] = False
    array[:] = np.where((labels.array == VALUES[Structure.ERECTOR_SPINAE_LEFT]) & ~left, 0, labels.array)
    few = MuscleSettings(fewest_voxels=3000)
    found = measured(replace(ct, array=image), replace(labels, array=array), few, shapes=shapes, phase_note="arterial")
    hu = found.where(level=VertebralLevel.L3, compartment=ERECTOR, name="mean_attenuation").rows[0]
    assert "metal" in hu.note
    assert "arterial" in hu.note
    volume = found.where(level=VertebralLevel.L3, compartment=ERECTOR, name="muscle_volume").rows[0]
    assert volume.quality is Quality.OK
    cut = found.where(level=None, compartment=Structure.ERECTOR_SPINAE_LEFT, name="muscle_volume").rows[0]
    assert "its label is missing in 1" in cut.note
    gone = found.where(level=VertebralLevel.L2, compartment=Structure.ERECTOR_SPINAE_LEFT, name="muscle_volume").rows[0]
    assert gone.value is None
    assert "voxels of it lie in the slab" in gone.note


def test_thick_slices_leave_the_volume_of_a_level_uncertain():
    ct, labels = drawn(spacing=(1.5, 1.5, 5.0))
    found = measured(ct, labels, shapes=body_shapes(labels, (LUMBAR[0], LUMBAR[2], LUMBAR[4])))
    rows = {v: found.where(level=v, compartment=ERECTOR, name="muscle_volume").rows[0] for v in (None, "L3")}
    assert rows[None].quality is Quality.OK
    assert "voxels of 5.0 mm along the spine" in rows["L3"].note


@pytest.mark.parametrize(("arm", "seen"), [(None, False), (205.0, True), (192.0, True)])
def test_arms_beside_the_trunk(arm, seen):
    """An ellipse of 300 x 200 mm on a table, with or without an arm of 80 mm; the last one touches the skin."""
    y, x = np.mgrid[-150:150:2.0, -260:260:2.0]
    plane = np.full(x.shape, -1000.0)
    plane[(x / 150) ** 2 + (y / 100) ** 2 <= 1] = 40
    plane[(np.abs(x) <= 200) & (y > 105) & (y < 125)] = -60  # a pad
    if arm:
        plane[np.hypot(x - arm, y - 20) <= 40] = 40
    ct = Volume(np.repeat(plane[None].astype(np.int16), 20, axis=0), np.diag([-2, -2, 5, 1.0]), Modality.CT)
    assert arms_beside(ct, slice(0, 20)) is seen


def test_ranges_must_ascend():
    with pytest.raises(UserError, match="ascending"):
        MuscleSettings(fat_hu=(-30.0, -190.0))


def test_real_labels(shared_data):
    folder = shared_data / "ct_abdomen_3mm"
    ct = read_volume(folder / "ct.nii.gz", Modality.CT)
    labels, _ = on_grid_of(read_labels(folder / "totalsegmentator_fast_labels.nii.gz", "totalsegmentator"), ct)
    shapes = body_shapes(labels, (LUMBAR[0], LUMBAR[2], LUMBAR[4]))
    found = measured(ct, labels, shapes=shapes)
    bottom, top = (round(ct.to_ijk(shapes[v].frame.origin)[2]) for v in (LUMBAR[-1], LUMBAR[0]))
    for muscle, tolerance in ((ERECTOR, 3.0), (PSOAS, 3.0)):
        mask = labels.mask(*map(Region, SIDES[muscle])).array[bottom:top]
        value = found.value(level=None, compartment=muscle, name="mean_attenuation")
        assert value == pytest.approx(ct.array[bottom:top][mask].mean(), abs=tolerance)
        assert abs(found.value(level=None, compartment=muscle, name="asymmetry_volume")) < 0.1
    assert "iliacus" in found.where(level=None, compartment=PSOAS, name="muscle_volume").rows[0].note
