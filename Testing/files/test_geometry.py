"""Label map and image come onto one grid, exactly where that can be, and never from different places or patients."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel, label_scheme
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.geometry import check_labels_fit_ct, on_grid_of
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import LabelMap, Modality, Volume
from scipy import ndimage

REGIONS = label_scheme("verse").regions


def matrix(spacing=(1, 1, 1), origin=(0, 0, 0)) -> np.ndarray:
    result = np.diag([*map(float, spacing), 1.0])
    result[:3, 3] = origin
    return result


def volume(shape=(12, 11, 10), **place) -> Volume:
    return Volume(np.zeros(shape, np.int16), matrix(**place), Modality.CT, "CT")


def labelled(shape=(12, 11, 10), value=20, **place) -> LabelMap:
    array = np.random.default_rng(4).integers(0, 2, shape).astype(np.int16) * value
    return LabelMap(array, matrix(**place), REGIONS, "labels")


def moved(labels: LabelMap, by: tuple[float, float, float]) -> LabelMap:
    shifted = labels.ijk_to_ras.copy()
    shifted[:3, 3] += by
    return replace(labels, ijk_to_ras=shifted)


def test_same_grid_is_left_alone():
    labels = labelled()
    assert on_grid_of(labels, volume()) == (labels, "")


@pytest.mark.parametrize("orientation", ["LPS", "LAS", "PIR", "SAR", "IPR", "ARS"])
def test_other_storage_is_matched_voxel_for_voxel(orientation):
    labels = labelled(origin=(3, 4, 5), spacing=(0.7, 0.9, 1.3))
    result, note = on_grid_of(labels.reoriented(orientation), volume(origin=(3, 4, 5), spacing=(0.7, 0.9, 1.3)))
    assert np.array_equal(result.array, labels.array)
    assert orientation in note
    assert "voxel for voxel" in note


def test_rounded_header_is_no_resampling():
    labels = labelled(spacing=(0.9765625, 0.9765625, 2))
    rounded = moved(labels, (0.005, -0.005, 0.005))
    result, note = on_grid_of(rounded, volume(spacing=(0.9765625, 0.9765625, 2)))
    assert np.array_equal(result.array, labels.array)
    assert note


def test_crop_is_put_back():
    labels = labelled()
    crop = labels.cropped((slice(2, 9), slice(3, 8), slice(1, 7)))
    result, _ = on_grid_of(crop, volume())
    assert np.array_equal(result.array[2:9, 3:8, 1:7], crop.array)
    assert np.count_nonzero(result.array) == np.count_nonzero(crop.array)


def test_finer_and_coarser_grids():
    """A block keeps its place and, within half a voxel all round, its size."""
    fine = np.zeros((40, 40, 40), np.int16)
    fine[10:30, 10:30, 10:30] = 21
    labels = LabelMap(fine, matrix(), REGIONS)
    for spacing in (0.5, 1.5, 2.0, 3.0):
        count = int(np.ceil(40 / spacing)) + 1
        result, note = on_grid_of(labels, volume((count,) * 3, spacing=(spacing,) * 3, origin=(0.1,) * 3))
        place = result.to_ras(np.argwhere(result.array)[:, ::-1])
        assert np.all(place >= 9.5)
        assert np.all(place <= 29.5)
        assert "resampled" in note
        assert result.mask(Region(Compartment.WHOLE, VertebralLevel.L2)).volume_mm3 == pytest.approx(8000, rel=0.35)


def test_oblique_against_straight():
    labels = labelled((30, 30, 30), spacing=(1, 1, 1))
    turn = np.radians(10)
    oblique = matrix(origin=(2, -1, 3))
    oblique[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    image = Volume(np.zeros((30, 30, 30), np.int16), oblique, Modality.CT)
    result, _ = on_grid_of(labels, image)
    for i, j, k in [(5, 5, 5), (20, 10, 15), (12, 25, 3)]:
        nearest = np.rint(labels.to_ijk(image.to_ras([i, j, k]))).astype(int)
        assert result.array[k, j, i] == labels.array[tuple(nearest[::-1])]


def test_apart():
    with pytest.raises(UserError, match="labels and CT do not overlap"):
        on_grid_of(labelled(origin=(500, 0, 0)), volume())


def test_mostly_outside():
    with pytest.raises(UserError, match=r"hardly overlap: .*outside"):
        on_grid_of(labelled(origin=(0, 0, 7)), volume())


def test_partly_outside_is_told():
    array = np.zeros((12, 11, 10), np.int16)
    array[8:, :, :], array[:4, :, :] = 19, 20
    result, note = on_grid_of(LabelMap(array, matrix(origin=(0, 0, 4)), REGIONS), volume())
    assert "50.0% of the labelled voxels lie outside" in note
    assert "Lost altogether: T12 whole" in note
    assert result.levels() == ("L1",)


def test_real_las_labels_on_lps_series(shared_data):
    """Every labelled vertebra voxel keeps its place in the patient; bone is denser than its muscles."""
    folder = shared_data / "ct_dicom_t11_t12"
    ct = read_volume(folder / "series", Modality.CT)
    labels = read_labels(folder / "totalsegmentator_labels.nii.gz", "totalsegmentator")
    result, note = on_grid_of(labels, ct)
    assert "LAS" in note
    assert "LPS" in note
    assert np.array_equal(result.array, labels.reoriented("LPS").array)
    check_labels_fit_ct(result, ct)
    vertebrae = result.mask(*(r for r in result.regions if r.level)).array
    muscles = result.mask(*(r for r in result.regions if not r.level)).array
    assert np.median(ct.array[vertebrae]) > np.median(ct.array[muscles]) + 80


# --- do labels lie on bone? -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cases(shared_data):
    """CT and label maps that belong together."""
    abdomen = read_volume(shared_data / "ct_abdomen_3mm" / "ct.nii.gz", Modality.CT)
    l3 = read_volume(shared_data / "ct_l3_subregions" / "sub-ct_label-22_ct.nii.gz", Modality.CT)

    def labels(name, scheme):
        return read_labels(shared_data / f"{name}.nii.gz", scheme)

    return {
        "whole": (abdomen, labels("ct_abdomen_3mm/totalsegmentator_labels", "totalsegmentator")),
        "fast": (abdomen, labels("ct_abdomen_3mm/totalsegmentator_fast_labels", "totalsegmentator")),
        "bodies": (abdomen, labels("ct_abdomen_3mm/vertebrae_verse_codes", "verse")),
        "l3": (l3, labels("ct_l3_subregions/sub-ct_seg-vert_label-22_msk", "verse")),
    }


NAMES = ("whole", "fast", "bodies", "l3")


@pytest.mark.parametrize("name", NAMES)
def test_right_labels_fit(name, cases):
    ct, labels = cases[name]
    check_labels_fit_ct(labels, ct)


@pytest.mark.parametrize("name", ["whole", "bodies", "l3"])
@pytest.mark.parametrize("by", [(25, 0, 0), (0, -25, 0), (0, 0, 10)])
def test_moved_labels_do_not(name, by, cases):
    ct, labels = cases[name]
    with pytest.raises(UserError, match="does not lie on the bone"):
        check_labels_fit_ct(moved(labels, by), ct)


def test_the_way_back_is_told(cases):
    ct, labels = cases["l3"]
    with pytest.raises(UserError, match=r"fit better 2[46] mm left"):
        check_labels_fit_ct(moved(labels, (25, 0, 0)), ct)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("iterations", [-1, 1])
def test_masks_drawn_tighter_or_wider_fit(name, iterations, cases):
    ct, labels = cases[name]
    array = np.zeros_like(labels.array)
    for value in labels.labels:
        change = ndimage.binary_erosion if iterations < 0 else ndimage.binary_dilation
        array[change(labels.array == value)] = value
    check_labels_fit_ct(replace(labels, array=array), ct)


@pytest.mark.parametrize("name", NAMES)
def test_severe_osteoporosis_fits(name, cases):
    """Bone keeps 30 % of its contrast to soft tissue, and the image is noisy."""
    ct, labels = cases[name]
    bone = ndimage.binary_dilation(labels.array > 0, iterations=2) & (ct.array > 30)
    hu = np.where(bone, 30 + 0.3 * (ct.array - 30), ct.array)
    hu = hu + np.random.default_rng(6).normal(0, 30, hu.shape)
    check_labels_fit_ct(labels, replace(ct, array=hu))


def test_every_single_level_fits(cases):
    for name in ("whole", "bodies"):
        ct, labels = cases[name]
        for level in labels.levels():
            check_labels_fit_ct(labels.restricted(r for r in labels.regions if r.level == level), ct)


def test_another_patient_is_refused(cases, shared_data):
    """VerSe 004's spine put centre on centre onto another one."""
    ct, own = cases["whole"]
    other = read_labels(shared_data / "masks_fracture" / "sub-verse004_seg-vert_msk.nii.gz", "verse")

    def centre(labels):
        kji = np.argwhere(labels.mask(*(r for r in labels.regions if r.level)).array)
        return labels.to_ras(kji[:, ::-1]).mean(axis=0)

    with pytest.raises(UserError, match="does not lie on the bone"):
        check_labels_fit_ct(moved(other, centre(own) - centre(other)), ct)


def test_bone_cut_out_of_its_surroundings_is_not_judged():
    """A crop that is all vertebra gives no outside to compare with."""
    array = np.full((6, 6, 6), 20, np.int16)
    ct = Volume(np.random.default_rng(0).normal(200, 30, (6, 6, 6)), matrix(), Modality.CT)
    check_labels_fit_ct(LabelMap(array, matrix(), REGIONS), ct)
