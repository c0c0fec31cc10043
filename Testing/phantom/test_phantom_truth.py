"""The truth of muscles, fractures, angles and density against counts and calculations by hand."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.measurement import Quality
from OVFRiskLib.phantom import Fracture, PhantomSettings, make_patient
from OVFRiskLib.phantom.settings import MUSCLES

LUMBAR = VertebralLevel.span("L1-L5")
LOSSES = {"T11": 0.15, "T12": 0.22, "L1": 0.30, "L3": 0.45}
COARSE_MR = {"mr_pixel": 2.0, "mr_slice": 6.0}


@pytest.fixture(scope="module")
def patient():
    """Neither blurred nor noisy, so that every voxel reads its own tissue; fatty muscles."""
    crushed = tuple(Fracture.parse(f"{level}:crush:{loss}") for level, loss in LOSSES.items())
    fat = dict(zip(MUSCLES, (0.35, 0.2, 0.1, 0.05), strict=True))
    return make_patient(
        PhantomSettings(
            4, 1.5, crushed, psf_fwhm=0.01, noise_hu=0, muscle_fat_fraction=fat, scoliosis=10.0, **COARSE_MR
        )
    )


def value(patient, level, part, name):
    found = patient.truth.value(level=level and VertebralLevel(level), compartment=part, name=name)
    assert found is not None, (level, part, name)
    return found


def above(patient, level, points, end):
    """Height of points over a level's upper (1) or lower (-1) plane, mm: half the mean height from its middle."""
    ha, hp = (value(patient, level, Compartment.BODY, f"{n}_height") for n in ("anterior", "posterior"))
    return patient.frames[level].from_ras(points)[:, 2] - end * (ha + hp) / 4


def counted(patient, muscle, top, bottom):
    """Volume (cm³) and infiltrated share by voxels whose centres lie between the planes."""
    kji = np.argwhere(patient.labels.mask(Region(muscle)).array)
    points = patient.labels.to_ras(kji[:, ::-1])
    inside = kji[(above(patient, top, points, 1) <= 0) & (above(patient, bottom, points, -1) >= 0)]
    hu = patient.ct.array[tuple(inside.T)]
    return len(inside) * patient.ct.voxel_volume / 1000, np.mean((hu >= -190) & (hu <= -30))


@pytest.mark.parametrize("muscle", MUSCLES)
@pytest.mark.parametrize("level", ["L2", "L5", None])
def test_muscles_in_slabs(patient, muscle, level):
    top, bottom = (VertebralLevel(level),) * 2 if level else (VertebralLevel.L1, VertebralLevel.L5)
    volume, infiltrated = counted(patient, muscle, top, bottom)
    assert value(patient, level, muscle, "muscle_volume") == pytest.approx(volume, rel=0.02)
    assert value(patient, level, muscle, "fat_infiltrated_fraction") == pytest.approx(infiltrated, abs=0.015)


def test_both_sides_are_the_sum(patient):
    for both, sides in ((Structure.ERECTOR_SPINAE, MUSCLES[:2]), (Structure.PSOAS, MUSCLES[2:])):
        whole = sum(value(patient, None, side, "muscle_volume") for side in sides)
        assert value(patient, None, both, "muscle_volume") == pytest.approx(whole)


def test_no_psoas_beside_t11(patient):
    row = patient.truth.where(level=VertebralLevel.T11, compartment=Structure.PSOAS_LEFT, name="muscle_volume").rows[0]
    assert row.quality is Quality.ABSENT


@pytest.mark.parametrize(
    ("level", "grade", "kind"), [("T11", 0, "none"), ("T12", 1, "crush"), ("L1", 2, "crush"), ("L3", 3, "crush")]
)
def test_genant(patient, level, grade, kind):
    assert value(patient, level, Compartment.BODY, "genant_grade") == grade
    assert patient.truth.where(level=VertebralLevel(level), name="genant_type").rows[0].note == kind


def test_summary_of_fractures(patient):
    for name, expected in (("fractured_levels", 3), ("worst_genant_grade", 3), ("spinal_deformity_index", 6)):
        assert value(patient, None, None, name) == expected


def lean(patient, level):
    return np.degrees(np.arctan2(*patient.frames[VertebralLevel(level)].axes[2][[1, 2]]))


def test_sagittal_angles(patient):
    """From the leaning of the frames and half the wedge angles: a wedge turns its upper plate forwards."""

    def plate(level, end):
        return lean(patient, level) + end * value(patient, level, Compartment.BODY, "wedge_angle") / 2

    lordosis = plate("L5", -1) - plate("L1", 1)
    assert value(patient, None, None, "lordosis_l1_l5") == pytest.approx(lordosis, abs=0.1)
    assert value(patient, None, None, "kyphosis_t11_l2") == pytest.approx(plate("T11", 1) - plate("L2", -1), abs=0.1)
    assert value(patient, None, None, "lordosis_l1_s1") == pytest.approx(
        patient.settings.sacral_slope - plate("L1", 1), abs=0.1
    )


def test_scoliosis(patient):
    """The tilt is 10 degrees at L2 and 10 sin(pi / 8) at L5 and T11."""
    expected = 10 * (1 - np.sin(np.pi / 8))
    row = patient.truth.where(name="scoliosis_cobb_angle").rows[0]
    assert row.value == pytest.approx(expected, abs=0.7)
    assert "L2" in row.note


def test_density(patient):
    for level in LUMBAR:
        hu = value(patient, level, Compartment.CANCELLOUS, "trabecular_attenuation")
        assert value(patient, level, Compartment.CANCELLOUS, "vbmd") == pytest.approx((hu - 4) / 1.25)


def test_what_is_not_used_leaves_the_settings_as_they_were():
    """Files and protocol ids of patients without lesions, phase and so on stay the same."""
    plain, changed = PhantomSettings(1).as_json(), PhantomSettings(1, phase="arterial", mr_clip=255).as_json()
    assert set(changed) - set(plain) == {"phase", "mr_clip"}
    assert "lesions" not in plain


def test_without_l5_there_is_neither_slab_nor_lordosis():
    made = make_patient(PhantomSettings(7, 2.0, anatomy="sacralised-L5", mr_pixel=2.0, mr_slice=6.0))
    for name, part in (("muscle_volume", Structure.PSOAS), ("lordosis_l1_l5", None)):
        row = made.truth.where(level=None, compartment=part, name=name).rows[0]
        assert row.quality is Quality.ABSENT
        assert "L5" in row.note
