"""Any small image and mask under any image type: values, reasons or a UserError; never a crash, never NaN."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Protocol, extract

IMAGE_TYPES = {
    "Original": st.just({}),
    "LoG": st.fixed_dictionaries({"sigma": st.sampled_from([[0.8], [3.0], [1.0, 40.0]])}),
    "Wavelet": st.fixed_dictionaries(
        {
            "wavelet": st.sampled_from(["haar", "coif1", "db4"]),
            "start_level": st.integers(0, 1),
            "level": st.integers(1, 2),
        }
    ),
    "Square": st.just({}),
    "SquareRoot": st.just({}),
    "Logarithm": st.just({}),
    "Exponential": st.just({}),
    "Gradient": st.fixed_dictionaries({"gradientUseSpacing": st.booleans()}),
    "LBP2D": st.just({"force2D": True}),
    "LBP3D": st.fixed_dictionaries({"lbp3DLevels": st.integers(1, 2)}),
}
SETTINGS = st.fixed_dictionaries(
    {"minimumROIDimensions": st.just(1)},
    optional={
        "normalize": st.just(True),
        "preCrop": st.booleans(),
        "resampledPixelSpacing": st.sampled_from([[1, 1, 1], [0.6, 0, 1.7]]),
        "resegmentRange": st.just([-1, 1]),
        "resegmentMode": st.just("sigma"),
        "interpolator": st.sampled_from(["sitkBSpline", "sitkLinear", "sitkNearestNeighbor"]),
    },
)
FEATURES = {
    "shape": ["MeshVolume"],
    "firstorder": [],
    "glcm": ["Idm", "MCC"],
    "glrlm": ["RunEntropy"],
    "ngtdm": ["Busyness"],
}


PICTURES = {
    "noise": lambda rng, shape: rng.normal(0, 100, shape),
    "whole numbers": lambda rng, shape: rng.integers(-3, 3, shape) * 25.0,
    "constant": lambda rng, shape: np.full(shape, rng.integers(-2, 3) * 50.0),
    "one step": lambda _rng, shape: np.indices(shape).sum(axis=0) // 4 * 100.0,
    "large": lambda rng, shape: rng.normal(0, 1e5, shape),
    "tiny": lambda rng, shape: rng.normal(0, 1e-6, shape),
}


@st.composite
def regions(draw):
    """Return an image and a mask that is rarely empty: from a seed, as drawn arrays are mostly zero."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(*[st.integers(1, 9)] * 3))
    image = PICTURES[draw(st.sampled_from(sorted(PICTURES)))](rng, shape)
    mask = rng.random(shape) < draw(st.sampled_from([0.05, 0.4, 0.9, 1.0]))
    if draw(st.booleans()):  # a gap, mostly outside
        image[tuple(rng.integers(0, shape))] = draw(st.sampled_from([np.nan, np.inf, -1e300]))
        return image, mask
    return image.astype(draw(st.sampled_from(("int16", "float32", "float64")))), mask


def protocol(kind, own, setting):
    blocks = {"imageType": {kind: own}, "setting": setting, "featureClass": FEATURES}
    return Protocol.from_dict(dict.fromkeys(("name", "title", "purpose", "source"), "test") | blocks)


@pytest.mark.parametrize("kind", sorted(IMAGE_TYPES))
@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_region_gives_values_reasons_or_a_user_error(kind, data):
    image, mask = data.draw(regions())
    chosen = protocol(kind, data.draw(IMAGE_TYPES[kind]), data.draw(SETTINGS))
    matrix = np.diag([1.5, 1.0, 0.7, 1.0])
    try:
        features = extract(Volume(image, matrix), Mask(mask, matrix), chosen)
    except UserError:
        return
    assert sorted((*features.values, *features.absent)) == sorted(chosen.feature_names)
    assert all(np.isfinite(value) for value in features.values.values())
    assert all(features.absent.values())
