"""Many regions at once: the same values as one by one, whatever the threads, and in a bounded part of the image."""

import numpy as np
import pytest
import SimpleITK as sitk
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Protocol, extract, extract_regions, preprocessing, resampling, try_regions
from OVFRiskLib.radiomics.intensities import intensities

CLASSES = {name: [] for name in ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")}


def protocol(**setting):
    texts = dict.fromkeys(("name", "title", "purpose", "source"), "test")
    return Protocol.from_dict(texts | {"setting": setting, "imageType": {"Original": {}}, "featureClass": CLASSES})


def volume(shape=(40, 70, 80), spacing=(0.7, 0.7, 1.25), dtype=np.int16, turn=0.0, seed=3):
    array = np.random.default_rng(seed).normal(100, 60, shape).astype(dtype)
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = (-31.4, 12.7, 99.1)
    rotation = np.eye(4)
    rotation[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    return Volume(array, rotation @ matrix)


def ball(image, centre, radius):
    places = np.indices(image.array.shape).transpose(1, 2, 3, 0)
    return Mask(((places - centre) ** 2).sum(axis=3) < radius**2, image.ijk_to_ras)


NORMALISED = {"normalize": True, "normalizeScale": 100, "resampledPixelSpacing": [1, 1, 1]}


@pytest.mark.parametrize("setting", [NORMALISED, {"resampledPixelSpacing": [1, 1, 1]}, {"normalize": True}])
@pytest.mark.parametrize("threads", [1, 4])
def test_values_are_those_of_one_region_after_the_other(setting, threads):
    image, told = volume(), []
    masks = {n: ball(image, centre, 7) for n, centre in enumerate([(12, 20, 20), (20, 35, 40), (30, 60, 72)])}
    together = extract_regions(image, masks, protocol(**setting), lambda share, _text: told.append(share), threads)
    assert list(together) == [0, 1, 2]
    assert told == sorted(told)
    for name, mask in masks.items():
        again = extract(volume(), mask, protocol(**setting))
        assert together[name].values == again.values
        assert together[name].diagnostics == again.diagnostics


FILTERS = {"LoG": {"sigma": [1.0, 3.0]}, "Wavelet": {}, "Gradient": {}, "LBP3D": {"lbp3DLevels": 1, "binWidth": 0.25}}


@pytest.mark.parametrize("threads", [1, 3])
def test_shared_images_change_no_value(threads):
    """A body and its shell share what is filtered, its inside has a box of its own; settings are not mixed up."""
    texts = dict.fromkeys(("name", "title", "purpose", "source"), "test")
    setting = NORMALISED | {"resampledPixelSpacing": [2, 2, 2]}
    blocks = {"setting": setting, "featureClass": {"firstorder": [], "shape": []}}
    one = Protocol.from_dict(texts | blocks | {"imageType": FILTERS})
    other = Protocol.from_dict(texts | blocks | {"imageType": {"LoG": {"sigma": [1.5, 3.0]}, "Gradient": {}}})
    image = volume()
    whole, inside = ball(image, (20, 35, 40), 9), ball(image, (20, 35, 40), 6)
    shell = Mask(whole.array & ~inside.array, image.ijk_to_ras)
    for chosen in (one, other, one):
        found = extract_regions(image, {"whole": whole, "shell": shell, "inside": inside}, chosen, threads=threads)
        for name, mask in (("whole", whole), ("shell", shell), ("inside", inside)):
            assert found[name].values == extract(volume(), mask, chosen).values
            assert found[name].absent == {}


def test_images_are_shared_by_regions_of_one_box_only():
    image, settings = volume(), protocol(**NORMALISED).setting
    whole, inside = ball(image, (20, 35, 40), 9), ball(image, (20, 35, 40), 6)
    shell = Mask(whole.array & ~inside.array, image.ijk_to_ras)
    first, second, third = (preprocessing.prepare(image, mask, settings) for mask in (whole, shell, inside))
    assert second.region.image is first.region.image
    assert third.region.image is not first.region.image
    gradients = [one.images("Gradient", {"gradientUseSpacing": True}) for one in (first, second, third)]
    assert gradients[0] is gradients[1]
    assert gradients[0] is not gradients[2]


def test_one_bad_region_is_named_and_takes_nothing_from_the_others():
    image = volume()
    masks = {"good": ball(image, (20, 35, 40), 6), "bad": Mask(np.zeros(image.array.shape, bool), image.ijk_to_ras)}
    found = try_regions(image, masks, protocol())
    assert isinstance(found["bad"], UserError)
    assert found["good"].values == extract(image, masks["good"], protocol()).values
    with pytest.raises(UserError, match="bad: The mask is empty"):
        extract_regions(image, masks, protocol())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("turn", [0.0, 0.3])
@pytest.mark.parametrize("spacing", [[1, 1, 1], [0.9, 1.1, 2.0], [2, 2, 2], [0, 0, 3]])
@pytest.mark.parametrize("centre", [(20, 35, 40), (0, 69, 2), (39, 0, 79)])
def test_part_of_a_float_image_is_resampled_as_the_whole(dtype, turn, spacing, centre):
    image = volume(dtype=dtype, turn=turn)
    settings = protocol(resampledPixelSpacing=spacing).setting
    mask = ball(image, centre, 6)
    found = preprocessing.prepare(image, mask, settings).region
    expected, marked = by_itk(image, mask, settings)
    assert np.array_equal(found.mask, marked)
    assert np.allclose(found.image, expected, rtol=0, atol=(1e-9 if dtype == np.float64 else 1e-4))


def by_itk(image, mask, settings):
    """Resample image and mask by ITK's own filter from the whole volume."""
    region = preprocessing.Region(image.array, mask.array, image.spacing[::-1])
    target = resampling._target(region, np.array(settings["resampledPixelSpacing"]), settings["padDistance"])
    lps = np.diag([-1.0, -1.0, 1.0])
    found = []
    for array, interpolator in (
        (image.array, sitk.sitkBSpline),
        (mask.array.astype(np.uint8), sitk.sitkNearestNeighbor),
    ):
        itk = sitk.GetImageFromArray(array)
        itk.SetSpacing(image.spacing.tolist())
        itk.SetDirection((lps @ (image.ijk_to_ras[:3, :3] / image.spacing)).ravel().tolist())
        itk.SetOrigin((lps @ image.ijk_to_ras[:3, 3]).tolist())
        origin = itk.TransformContinuousIndexToPhysicalPoint(target.first.tolist())
        grid = (target.size.tolist(), sitk.Transform(), interpolator, origin, target.spacing.tolist())
        found.append(sitk.GetArrayFromImage(sitk.Resample(itk, *grid, itk.GetDirection())))
    return found[0], found[1].astype(bool)


def test_a_float_image_is_not_normalised_beyond_the_region():
    image = volume(shape=(160, 160, 160), spacing=(0.7, 0.7, 0.7))
    extract(image, ball(image, (30, 30, 30), 8), protocol(**NORMALISED))
    assert "array" not in intensities(image, True, 100.0, None).__dict__


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_normalisation_is_that_of_the_whole_image(dtype):
    array = np.abs(np.random.default_rng(1).normal(100, 60, (9, 31, 17))).astype(dtype)
    found = intensities(Volume(array, np.eye(4)), True, 100.0, 2.0).array
    values = array.astype(float)
    expected = np.clip((values - values.mean()) / values.std(ddof=1), -2, 2) * 100
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize(
    ("setting", "dtype", "hangs"),
    [
        ({"normalize": True, "removeOutliers": 1}, np.int16, True),
        ({"normalize": True, "removeOutliers": 9}, np.int16, False),
        ({"normalize": True}, np.int16, False),
        ({}, np.float64, True),
        ({}, np.float32, False),
    ],
)
def test_whole_image_decides_where_bins_hang_on_rounding(setting, dtype, hangs):
    """Cut intensities and whole numbers are edges of bins: there the last bit has to be ITK's."""
    image = volume(spacing=(3, 3, 3), dtype=np.int16)
    image = Volume(image.array.astype(dtype), image.ijk_to_ras)
    settings = protocol(**setting, resampledPixelSpacing=[1, 1, 1]).setting
    mask = ball(image, (20, 35, 40), 4)
    found = preprocessing.prepare(image, mask, settings).region.image
    source = intensities(image, settings["normalize"], settings["normalizeScale"], settings["removeOutliers"])
    whole, _ = by_itk(Volume(source.array, image.ijk_to_ras), mask, settings)
    assert np.array_equal(found, whole) == hangs or dtype == np.float32
    assert np.allclose(found, whole, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.int16, np.float64])
@pytest.mark.parametrize("centre", [(20, 35, 130), (20, 35, 0), (20, 35, 259), (20, 35, 67)])
def test_last_bit_needs_no_more_than_the_voxels_around(dtype, centre):
    """Cut intensities again, of an image that goes on beyond what is read of it."""
    image = volume(shape=(40, 70, 260), dtype=dtype)
    settings = protocol(normalize=True, removeOutliers=1, resampledPixelSpacing=[1, 1, 1]).setting
    mask = ball(image, centre, 5)
    found = preprocessing.prepare(image, mask, settings).region.image
    source = intensities(image, *(settings[key] for key in ("normalize", "normalizeScale", "removeOutliers")))
    whole, _ = by_itk(Volume(source.array, image.ijk_to_ras), mask, settings)
    assert np.array_equal(found, whole)
