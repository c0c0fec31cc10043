import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.attenuation import (
    TrabecularSettings,
    attenuation,
    non_fractured_mean,
    read_axial_ellipse,
    read_trabecular,
    trabecular_region,
)
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels, read_stored
from OVFRiskLib.image import LabelMap, Mask, Modality, Volume, bounding_box
from OVFRiskLib.phantom import PhantomSettings, make_patient
from OVFRiskLib.segmentation.compartments import PeelSettings, body_shapes, split_compartments
from scipy import ndimage
from scipy.spatial.transform import Rotation

LEVELS = VertebralLevel.span("L1-L5")
COARSE = {"mr_pixel": 3, "mr_slice": 6}  # nobody looks at the MR


def ct(array, spacing=(1, 1, 1), **acquisition):
    return Volume(array, np.diag([*spacing, 1.0]), Modality.CT, acquisition=acquisition)


def test_the_shell_does_not_reach_the_trabecular_region():
    body = np.zeros((40, 40, 40), dtype=bool)
    body[5:35, 5:35, 5:35] = True
    image = np.where(body, 700, -50).astype(np.int16)
    image[8:32, 8:32, 8:32] = 120
    region = trabecular_region(body, ct(image), TrabecularSettings())
    assert np.count_nonzero(region) == 22**3
    assert attenuation(image[region]).mean == 120


def test_too_small_a_body_has_no_trabecular_region():
    body = np.zeros((20, 20, 20), dtype=bool)
    body[5:14, 5:14, 5:14] = True
    with pytest.raises(ValueError, match="only 1 voxels lie deeper than 4 mm"):
        trabecular_region(body, ct(np.zeros(body.shape)), TrabecularSettings())


def test_statistics():
    found = attenuation(np.array([90, 100, 110, 160], dtype=np.int16))
    assert (found.mean, found.median, found.voxels) == (115, 105, 4)
    assert found.sd == pytest.approx(np.std([90, 100, 110, 160], ddof=1))
    found = attenuation(np.arange(101))
    assert (found.p5, found.p25, found.p75, found.p95) == (5, 25, 75, 95)
    for values in ([1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="region"):
            attenuation(np.array(values))


def read(volume, compartments, shape, level):
    """Crop a level and read it: trabecular bone and ellipse."""
    parts = [Region(part, level) for part in (Compartment.CORTICAL, Compartment.CANCELLOUS)]
    box = bounding_box(compartments.mask(*parts).array, 2)
    crop, labels = volume.cropped(box), compartments.cropped(box)
    reading = read_trabecular(crop, labels.mask(*parts).array, labels.mask(parts[1]).array, shape, TrabecularSettings())
    return reading, read_axial_ellipse(crop, reading, shape)


@pytest.fixture(scope="module", params=[(2.0, 2.0, 1.0), (1.5, 1.5, 3.0), (1.0, 1.0, 5.0)], ids=["1mm", "3mm", "5mm"])
def low_dose(request):
    """A noisy, textured synthetic patient at 1, 3 and 5 mm slices."""
    return make_patient(PhantomSettings(5, spacing=request.param, noise_hu=60, texture_hu=50, **COARSE))


def test_low_dose_ct_of_1_to_5_mm_gives_the_set_attenuation(low_dose):
    shapes = body_shapes(low_dose.labels, LEVELS)
    for level in LEVELS:
        reading, ellipse = read(low_dose.ct, low_dose.compartments, shapes[level], level)
        truth = low_dose.truth.value(level=level, name="trabecular_attenuation")
        assert reading.statistics.mean == pytest.approx(truth, abs=3)
        assert reading.excluded_fraction == 0  # noise and texture are no lesions
        assert not reading.note
        # 1.3 cm3 of noisy bone: about 200 voxels of 1 x 1 x 5 mm with SD 60 give +- 4 HU, texture as much.
        assert ellipse.statistics.mean == pytest.approx(truth, abs=12)
        assert ellipse.area > 2


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_patient_tilted_by_30_degrees_gives_the_set_attenuation(low_dose, axis):
    labels, volume = turned(low_dose, VertebralLevel.L3, Rotation.from_euler(axis, 30, degrees=True).as_matrix())
    shapes = body_shapes(labels, [VertebralLevel.L3])
    reading, _ = read(volume, labels, shapes[VertebralLevel.L3], VertebralLevel.L3)
    truth = low_dose.truth.value(level=VertebralLevel.L3, name="trabecular_attenuation")
    assert reading.statistics.mean == pytest.approx(truth, abs=3)


def turned(phantom, level, rotation):
    """The patient's level, turned about its middle on the same kind of grid."""
    spacing, middle = phantom.ct.spacing, phantom.frames[level].origin
    size = np.ceil(90 / spacing).astype(int)
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = middle - spacing * (size - 1) / 2
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1)
    ras = (ijk @ matrix[:3, :3].T + matrix[:3, 3] - middle) @ rotation + middle
    kji = np.moveaxis(phantom.ct.to_ijk(ras)[..., ::-1], -1, 0)
    image = ndimage.map_coordinates(phantom.ct.array.astype(np.float32), kji, order=1).T
    kept = phantom.compartments.restricted(r for r in phantom.compartments.regions if r.level is level)
    labels = ndimage.map_coordinates(kept.array, kji, order=0).T
    return LabelMap(labels, matrix, kept.labels), Volume(image, matrix, Modality.CT)


def thickened(volume, mask, slices, first):
    """Average every `slices` slices from the `first` on; a voxel belongs to the mask that fills half of it."""
    volume, mask = volume.reoriented("RAS"), mask.reoriented("RAS")
    count = (volume.array.shape[0] - first) // slices
    blocks = [
        g.array[first : first + count * slices].reshape(count, slices, *g.array.shape[1:]) for g in (volume, mask)
    ]
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] * (first + (slices - 1) / 2)
    matrix[:3, 2] *= slices
    return Volume(blocks[0].mean(axis=1), matrix, Modality.CT), Mask(blocks[1].mean(axis=1) >= 0.5, matrix)


@pytest.fixture(scope="module")
def real(shared_data):
    """Two real vertebrae: (CT, mask of the whole vertebra)."""
    l3, l2 = shared_data / "ct_l3_subregions", shared_data / "ct_l2_calibrated"
    labels = read_labels(l3 / "sub-ct_seg-vert_label-22_msk.nii.gz", "verse")
    stored = read_stored(l2 / "sub-verse004_0000_vertebra_21_seg.nii.gz")
    bone = Mask((stored.array > 0) & (stored.array < 5), stored.ijk_to_ras)  # 5 and 6 are end caps, no bone
    return {
        "L3 1.5 mm": (
            read_volume(l3 / "sub-ct_label-22_ct.nii.gz", Modality.CT),
            labels.mask(Region(Compartment.WHOLE, VertebralLevel.L3)),
        ),
        "L2 1 mm": (read_volume(l2 / "sub-verse004_0000_vertebra_21_im.nii.gz", Modality.CT), bone),
    }


@pytest.mark.parametrize(("name", "thicker"), [("L3 1.5 mm", (2, 3)), ("L2 1 mm", (3, 5))])
def test_thicker_slices_of_one_scan_give_the_same_attenuation(real, name, thicker):
    volume, mask = real[name]
    native = mean_of(volume, mask)
    for slices in thicker:
        for first in (0, slices // 2):
            assert mean_of(*thickened(volume, mask, slices, first)) == pytest.approx(native, abs=3)


def mean_of(volume, mask):
    whole = {20: Region(Compartment.WHOLE, VertebralLevel.L1)}
    labels = LabelMap(mask.array.astype(np.uint8) * 20, mask.ijk_to_ras, whole)
    shapes = body_shapes(labels, [VertebralLevel.L1])
    compartments = split_compartments(labels, shapes, PeelSettings())
    return read(volume, compartments, shapes[VertebralLevel.L1], VertebralLevel.L1)[0].statistics.mean


def test_the_ellipse_is_the_largest_that_fits(block):
    """Of a block of 48 x 34 x 28 mm the inset leaves 40 x 26 mm, and the vein's place 40 x 16.4 mm."""
    labels = block()
    shape = body_shapes(labels, [VertebralLevel.L1])[VertebralLevel.L1]
    body = labels.mask(Region(Compartment.WHOLE, VertebralLevel.L1)).array
    image = np.where(body, 150, -50) + np.random.default_rng(1).normal(0, 8, body.shape)
    volume = Volume(image, labels.ijk_to_ras, Modality.CT)
    reading = read_trabecular(volume, body, body, shape, TrabecularSettings())
    ellipse = read_axial_ellipse(volume, reading, shape)
    assert 2 * ellipse.radii[0] == pytest.approx(40, abs=2)
    assert 2 * ellipse.radii[1] == pytest.approx(0.6 * 34 - 4, abs=2)  # in front of 40 % of the depth
    assert ellipse.area == pytest.approx(np.pi / 4 * 40 * 16.4 / 100, rel=0.15)
    assert ellipse.statistics.mean == pytest.approx(150, abs=1)
    assert ellipse.statistics.sd == pytest.approx(8, abs=0.6)
    assert np.allclose(ellipse.outline().mean(axis=0), ellipse.centre)
    assert np.abs(ellipse.centre[2]) < 0.6


def test_the_patient_is_the_mean_of_the_levels_that_are_not_fractured():
    measured = (VertebralLevel.T12, *LEVELS)
    values = dict(zip(measured, (500.0, 100.0, 180.0, 120.0, None, 140.0), strict=True))
    grades = dict(zip(measured, (0, 0, 2, 0, 0, None), strict=True))
    mean, levels, note = non_fractured_mean(values, grades)
    assert (mean, levels) == (110, ("L1", "L3"))
    assert note == "mean of L1, L3; without L2 (grade 2), L4 (no value), L5 (not graded)"
    with pytest.raises(ValueError, match="no graded, non-fractured level"):
        non_fractured_mean(values, {})
