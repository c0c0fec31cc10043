"""The protocols of the studies: exactly PyRadiomics' names, and what they say of themselves."""

import json
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Protocol, extract
from OVFRiskLib.radiomics.filters import IMAGE_TYPES
from OVFRiskLib.radiomics.settings import FILTERS, WAVELETS

RECORDED = Path(__file__).with_name("pyradiomics_filter_values.json")
COUNTS = {"residual-back-pain": 1223, "malignant-fracture": 1316, "fracture-risk": 1223}
SUB_BANDS = [f"wavelet-{band}" for band in ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")]
SIGMAS = [f"log-sigma-{sigma}-mm-3D" for sigma in ("1-0", "3-0", "5-0")]
IMAGES = {
    "residual-back-pain": ["original", *SIGMAS, *SUB_BANDS, "gradient"],
    "malignant-fracture": [
        *("original", *SUB_BANDS),
        *("square", "squareroot", "logarithm", "exponential", "gradient"),
    ],
}


def layout(**image_types):
    texts = dict.fromkeys(("name", "title", "purpose", "source"), "test")
    return texts | {"imageType": image_types, "featureClass": {"firstorder": ["Mean"], "glcm": ["Idm"]}}


@pytest.mark.parametrize("name", IMAGES)
def test_names_are_exactly_those_of_pyradiomics(name):
    by_pyradiomics = json.loads(RECORDED.read_text())["names"][name]
    ours = Protocol.load(name).feature_names
    assert len(ours) == len(set(ours)) == COUNTS[name]
    assert set(ours) == set(by_pyradiomics)
    assert list(dict.fromkeys(feature.split("_")[0] for feature in ours)) == IMAGES[name]


def test_names_come_in_the_order_of_the_values(shared_data, read_image):
    folder = shared_data / "radiomics_pyradiomics"
    array, matrix = read_image(folder / "brain1_image.nrrd")
    mask = Mask(read_image(folder / "brain1_label.nrrd")[0] == 1, matrix)
    protocol = Protocol.load("residual-back-pain")
    assert tuple(extract(Volume(array, matrix), mask, protocol).values) == protocol.feature_names


def test_the_risk_of_a_fracture_is_computed_as_residual_back_pain():
    risk, pain = Protocol.load("fracture-risk"), Protocol.load("residual-back-pain")
    assert risk.feature_names == pain.feature_names
    assert (risk.setting, risk.image_type) == (pain.setting, pain.image_type)
    assert risk.id != pain.id
    for word in ("cortical", "cancellous", "T11", "L2"):
        assert word in risk.purpose


def test_the_settings_are_those_of_the_paper():
    setting = Protocol.load("residual-back-pain").setting
    assert (setting["normalize"], setting["normalizeScale"], setting["removeOutliers"]) == (True, 100, 3)
    assert (setting["resampledPixelSpacing"], setting["binWidth"]) == ([1, 1, 1], 25)
    assert setting["interpolator"] == "sitkBSpline"


def test_a_guess_is_called_one():
    source = Protocol.load("malignant-fracture").source
    assert "gives only the number of features" in source
    assert "Laplacian of Gaussian of 1 to 5 mm" in source


def test_every_image_type_has_settings_and_names():
    assert list(FILTERS) == list(IMAGE_TYPES)
    every = {name: {"sigma": [1]} if name == "LoG" else {} for name in IMAGE_TYPES}
    names = Protocol.from_dict(layout(**every)).feature_names
    images = list(dict.fromkeys(name.split("_")[0] for name in names))
    assert images[:2] == ["original", "log-sigma-1-mm-3D"]
    assert images[-4:] == ["lbp-2D", "lbp-3D-m1", "lbp-3D-m2", "lbp-3D-k"]


def test_wavelets_are_those_of_pywavelets():
    pywt = pytest.importorskip("pywt")
    assert sorted(WAVELETS) == sorted(pywt.wavelist(kind="discrete"))


@pytest.mark.parametrize(
    ("own", "images"),
    [
        ({"level": 2, "start_level": 3}, 15),
        ({"level": 1, "force2D": True}, 4),
        ({"level": 3, "force2D": True, "force2Ddimension": 2}, 10),
    ],
)
def test_wavelets_are_named_by_level_and_axis(own, images):
    names = [name.split("_")[0] for name in Protocol.from_dict(layout(Wavelet=own)).feature_names][::2]
    assert len(set(names)) == len(names) == images
    last = "LL" if "force2D" in own else "LLL"
    assert names[-1] == f"wavelet{own['level'] if own['level'] > 1 else ''}-{last}"


@pytest.mark.parametrize(
    ("image_type", "own", "named"),
    [
        ("LoG", {}, "'sigma' is missing"),
        ("LoG", {"sigma": []}, "sigma cannot be []"),
        ("LoG", {"sigma": [1, 0]}, "above 0"),
        ("LoG", {"sigma": [1, 1.0]}, "each once"),
        ("LoG", {"sigma": 1}, "a list of widths"),
        ("LoG", None, "'sigma' is missing"),
        ("Wavelet", {"wavelet": "coif99"}, "coif17"),
        ("Wavelet", {"level": 0}, "from 1"),
        ("Wavelet", {"sigma": [1]}, "'sigma'"),
        ("Wavelet", [], "must be an object"),
        ("Gradient", {"gradientUseSpacing": 1}, "true or false"),
        ("LBP2D", {"lbp2DMethod": "nri_uniform"}, "uniform"),
        ("LBP3D", {"lbp3DIcosphereSubdivision": 9}, "from 0 to 4"),
        ("Logarythm", {}, "Available: Original, LoG"),
    ],
)
def test_what_is_wrong_with_an_image_type_is_named(image_type, own, named):
    with pytest.raises(UserError) as error:
        Protocol.from_dict(layout(**{image_type: own}))
    assert named in str(error.value)
    assert image_type in str(error.value)


def ball(shape=(12, 12, 12), values=None):
    """Return a noisy volume, or one of `values`, and a mask in its middle."""
    array = np.random.default_rng(0).normal(100, 30, shape) if values is None else np.full(shape, values)
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 2 - 1, n // 2 + 2) for n in shape)] = True
    return Volume(array, np.eye(4)), Mask(mask, np.eye(4))


def test_an_image_too_small_for_a_filter_leaves_its_features_absent():
    found = extract(*ball(), Protocol.from_dict(layout(Original={}, LoG={"sigma": [2, 20]})))
    assert set(found.absent) == {"log-sigma-20-mm-3D_firstorder_Mean", "log-sigma-20-mm-3D_glcm_Idm"}
    assert "too small for a sigma of 20 mm" in found.absent["log-sigma-20-mm-3D_glcm_Idm"]
    assert "log-sigma-2-mm-3D_glcm_Idm" in found.values
    thin = extract(*ball((3, 12, 12)), Protocol.from_dict(layout(LoG={"sigma": [1]})))
    assert "needs 4 along every axis" in thin.absent["log-sigma-1-mm-3D_glcm_Idm"]


@pytest.mark.parametrize("image_type", ["Square", "SquareRoot", "Logarithm", "Exponential"])
def test_an_image_of_zeros_has_no_scale(image_type):
    found = extract(*ball(values=0.0), Protocol.from_dict(layout(**{image_type: {}})))
    assert not found.values
    assert all("zero everywhere" in why for why in found.absent.values())


def test_a_flat_neighbourhood_has_no_variance_and_no_kurtosis():
    settings = {"LBP2D": {"lbp2DMethod": "var"}, "LBP3D": {}}
    found = extract(*ball(values=5.0), Protocol.from_dict(layout(**settings)))
    assert {name.split("_")[0] for name in found.absent} == {"lbp-2D", "lbp-3D-k"}
    assert {name.split("_")[0] for name in found.values} == {"lbp-3D-m1", "lbp-3D-m2"}


SCALED = ["Square", "SquareRoot", "Logarithm", "Exponential"]


@pytest.mark.parametrize(
    ("setting", "warned"),
    [
        ({}, True),
        ({"preCrop": True}, False),
        ({"resampledPixelSpacing": [0.8, 0.8, 0.8]}, False),
        ({"resampledPixelSpacing": [0.8, 0.8, 0.8], "interpolator": None}, True),
    ],
)
@pytest.mark.parametrize("image_type", SCALED)
def test_values_that_hang_on_the_field_of_view_are_told(image_type, setting, warned):
    """A bright voxel far away changes them where, and only where, the warning stands."""
    protocol = Protocol.from_dict(layout(Original={}, **{image_type: {}}) | {"setting": setting})
    volume, mask = ball((30, 30, 30))
    other = volume.array.copy()
    other[0, 0, 0] = 1e4
    found, changed = (extract(image, mask, protocol) for image in (volume, Volume(other, np.eye(4))))
    mean = f"{image_type.lower()}_firstorder_Mean"
    assert (found.values[mean] != pytest.approx(changed.values[mean], rel=1e-4)) == warned
    assert any(f"The image type {image_type.lower()} is scaled" in text for text in found.warnings) == warned


def test_only_one_of_the_studies_hangs_on_the_field_of_view_by_its_filters():
    warned = {name: len(Protocol.load(name).warnings) for name in COUNTS}
    assert warned == {"residual-back-pain": 0, "malignant-fracture": len(SCALED), "fracture-risk": 0}


@pytest.mark.parametrize("image_type", ["LoG", "Wavelet", "Gradient", "LBP2D"])
def test_what_lies_out_of_reach_changes_nothing(image_type):
    """Filters look at the smallest part of an image that gives the values of all of it."""
    own = {"sigma": [0.5]} if image_type == "LoG" else {}
    protocol = Protocol.from_dict(layout(**{image_type: own}))
    volume, mask = ball((41, 40, 43))
    other = volume.array.copy()
    other[0], other[:, -1], other[:, :, 0] = 1e3, -1e3, 1e4
    assert extract(volume, mask, protocol).values == extract(Volume(other, np.eye(4)), mask, protocol).values
