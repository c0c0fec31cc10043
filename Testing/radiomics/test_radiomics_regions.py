"""Regions that are hard or impossible to describe: a clear error, or an absent feature with its reason; never NaN."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Protocol, extract
from OVFRiskLib.radiomics.classes import FEATURES

CLASSES = [name for name in FEATURES if name != "shape2D"]
RNG = np.random.default_rng(1)
IMAGE = RNG.normal(200, 60, (14, 12, 10))
MASK = np.zeros(IMAGE.shape, bool)
MASK[4:10, 3:9, 2:8] = RNG.random((6, 6, 6)) < 0.8


def protocol(classes=CLASSES, **setting):
    blocks = {"setting": setting, "imageType": {"Original": {}}, "featureClass": dict.fromkeys(classes)}
    return Protocol.from_dict(dict.fromkeys(("name", "title", "purpose", "source"), "test") | blocks)


def described(image=IMAGE, mask=MASK, matrix=None, **setting):
    matrix = np.eye(4) if matrix is None else matrix
    return extract(Volume(image, matrix), Mask(mask, matrix), protocol(**setting))


def only(*places):
    mask = np.zeros(IMAGE.shape, bool)
    mask[tuple(np.array(places).T)] = True
    return mask


def refused(message, **arguments):
    with pytest.raises(UserError) as error:
        described(**arguments)
    assert message in str(error.value)


def test_empty_mask():
    refused("mask is empty", mask=np.zeros(IMAGE.shape, bool))


def test_mask_of_another_size():
    refused("different grids", mask=MASK[1:])


def test_mask_of_another_place():
    moved = np.eye(4)
    moved[0, 3] = 0.5
    with pytest.raises(UserError, match="different grids"):
        extract(Volume(IMAGE, np.eye(4)), Mask(MASK, moved), protocol())


def test_sheared_grid():
    matrix = np.eye(4)
    matrix[1, 2] = 0.2
    refused("not perpendicular", matrix=matrix)


def test_one_voxel():
    refused("single voxel", mask=only((5, 5, 5)), minimumROIDimensions=1)


def test_line_where_a_plane_is_asked_for():
    refused("along 1 image axes", mask=only((5, 5, 5), (5, 5, 6)))


def test_fewer_voxels_than_asked_for():
    refused("asks for more than 5000", minimumROISize=5000)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e200])
def test_missing_intensity_inside(value):
    image = IMAGE.copy()
    image[tuple(np.argwhere(MASK)[7])] = value
    refused("1 voxels of the region have no intensity", image=image)


@pytest.mark.parametrize(
    "setting", [{}, {"normalize": True, "binWidth": 0.2}, {"resampledPixelSpacing": [1.5, 1.5, 1.5]}]
)
def test_missing_intensity_far_outside_changes_nothing(setting):
    wide = np.pad(IMAGE, 40, mode="reflect")
    mask = np.pad(MASK, 40)
    holed = wide.copy()
    holed[0, 0, 0] = np.nan
    tolerance = 1e-3 if setting.get("normalize") else 1e-9  # the mean of the image has one voxel less
    expected = described(wide, mask, **setting)
    found = described(holed, mask, **setting)
    assert found.values == pytest.approx(expected.values, rel=tolerance, abs=1e-12)
    assert found.absent == expected.absent == {}
    assert any("1 voxels outside the region have no intensity" in text for text in found.warnings)


def test_missing_intensity_beside_the_region_leaves_no_gap():
    image = np.where(MASK, IMAGE, np.nan)
    features = described(image, resampledPixelSpacing=[1.5, 1.5, 1.5])
    assert features.absent == {}
    plain = described(image)
    assert plain.values == described().values


def test_region_that_resampling_empties():
    refused("is left at", mask=only((0, 0, 0), (0, 1, 1)), resampledPixelSpacing=[9, 9, 9])


def test_spacing_too_fine_for_memory():
    refused("Use a coarser spacing", resampledPixelSpacing=[0.001, 0.001, 0.001])


def test_image_too_thin_for_splines():
    refused("B-spline interpolation needs", image=IMAGE[4:6], mask=MASK[4:6], resampledPixelSpacing=[2, 2, 2])


def test_region_that_resegmentation_empties():
    refused("resegmentRange [4000.0, 5000.0] (absolute)", resegmentRange=[4000, 5000])


def test_constant_image_cannot_be_normalised():
    refused("constant", image=np.ones(IMAGE.shape), normalize=True)


@pytest.mark.parametrize("setting", [{"binWidth": 1e-9}, {"binWidth": 0.001}, {"binCount": 10**6}])
def test_bins_too_fine(setting):
    refused("too fine", image=np.pad(RNG.normal(0, 50, (14, 14, 14)), 1), mask=np.ones((16, 16, 16), bool), **setting)


def test_constant_region():
    features = described(np.full(IMAGE.shape, 40))
    assert features.absent == {
        "original_firstorder_Kurtosis": "all intensities of the region are equal",
        "original_firstorder_Skewness": "all intensities of the region are equal",
    }
    assert features.diagnostics["grey_levels"] == {"original": 1}
    assert any("1 grey level here: its texture features are constants" in text for text in features.warnings)
    constant = set(features.diagnostics["constant_features"])
    assert {"original_glcm_Idmn", "original_ngtdm_Coarseness", "original_gldm_GrayLevelVariance"} <= constant
    assert not {"original_glrlm_RunEntropy", "original_firstorder_Mean", "original_shape_MeshVolume"} & constant


def test_constant_features_are_those_that_one_grey_level_fixes():
    one, other = (described(np.full(IMAGE.shape, 40), mask) for mask in (MASK, np.roll(MASK, 1, 0) & MASK))
    equal = {name for name in one.values if one.values[name] == pytest.approx(other.values[name], abs=1e-12)}
    assert set(one.diagnostics["constant_features"]) <= equal


def test_isolated_voxels_have_no_cooccurrence():
    features = described(mask=only((2, 2, 2), (6, 5, 7)))
    assert features.absent["original_glcm_Idmn"] == "no two voxels of the region are neighbours"
    assert "no two voxels of the region lie on one line" in features.absent["original_glrlm_RunEntropy"]
    assert features.values["original_glszm_ZonePercentage"] == 1


def test_shape_of_a_slice():
    flat = np.zeros_like(MASK)
    flat[6] = MASK[6]
    assert len(described(mask=flat, classes=["shape2D"], force2D=True).values) == 9
    for setting, mask, why in (({}, flat, "needs force2D"), ({"force2D": True}, MASK, "spans 6 slices")):
        absent = described(mask=mask, classes=["shape2D"], **setting).absent
        assert len(absent) == 9
        assert all(why in reason for reason in absent.values())


def test_ties_of_the_grid_are_counted():
    matrix = np.diag([1.5, 1.5, 1.5, 1.0])
    tied = described(matrix=matrix, resampledPixelSpacing=[1, 1, 1])
    assert any("halfway between two voxels that differ" in text for text in tied.warnings)
    free = described(matrix=np.diag([3.0, 3.0, 3.0, 1.0]), resampledPixelSpacing=[1, 1, 1])
    assert free.warnings == ()


def test_integers_stay_integers_and_the_reader_is_told():
    features = described(IMAGE.astype(np.int16), resampledPixelSpacing=[1.3, 1.3, 1.3])
    assert features.values["original_firstorder_Maximum"].is_integer()
    assert any("cut to integers" in text for text in features.warnings)


def test_diagnostics_count_voxels_at_each_step():
    features = described(resampledPixelSpacing=[0.5, 0.5, 0.5], resegmentRange=[-1, 1], resegmentMode="sigma")
    voxels = features.diagnostics["voxels"]
    assert voxels["mask"] == MASK.sum()
    assert voxels["resampled"] == 8 * MASK.sum()
    assert voxels["resegmented"] < voxels["resampled"]
    assert features.diagnostics["spacing_mm"] == [0.5, 0.5, 0.5]


def test_the_same_region_gives_the_same_values_twice():
    volume, mask, chosen = Volume(IMAGE, np.eye(4)), Mask(MASK, np.eye(4)), protocol(resampledPixelSpacing=[2, 2, 2])
    assert dict(extract(volume, mask, chosen).values) == dict(extract(volume, mask, chosen).values)
    other = protocol(normalize=True, resampledPixelSpacing=[2, 2, 2], binWidth=0.1)
    assert extract(volume, mask, other).values != extract(volume, mask, chosen).values


KINDS = ("int16", "uint8", "float32", "float64")


@st.composite
def regions(draw):
    shape = draw(npst.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6))
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    image = draw(npst.arrays(kind, shape))
    return image, draw(npst.arrays(bool, shape))


SETTINGS = st.fixed_dictionaries(
    {"minimumROIDimensions": st.just(1)},
    optional={
        "binCount": st.integers(1, 40),
        "binWidth": st.floats(0.5, 500),
        "distances": st.sampled_from([[1], [2], [1, 3]]),
        "force2D": st.booleans(),
        "normalize": st.booleans(),
        "resampledPixelSpacing": st.sampled_from([[1, 1, 1], [0.6, 0, 1.7]]),
        "resegmentRange": st.sampled_from([[-1, 1], [0]]),
        "resegmentMode": st.sampled_from(["absolute", "relative", "sigma"]),
        "weightingNorm": st.sampled_from(["euclidean", "manhattan", "infinity", "no_weighting"]),
    },
)


@settings(
    max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(regions(), SETTINGS)
def test_any_array_and_mask_gives_values_reasons_or_a_user_error(region, setting):
    image, mask = region
    matrix = np.diag([1.5, 1.0, 0.7, 1.0])
    chosen = protocol(**setting)
    try:
        features = extract(Volume(image, matrix), Mask(mask, matrix), chosen)
    except UserError:
        return
    wanted = [f"original_{group}_{name}" for group, names in chosen.feature_class.items() for name in names]
    assert sorted((*features.values, *features.absent)) == sorted(wanted)
    assert all(np.isfinite(value) for value in features.values.values())
    assert all(features.absent.values())
