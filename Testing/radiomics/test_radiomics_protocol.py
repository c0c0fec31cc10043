"""Protocols: what they accept, what they refuse, and that their id depends on nothing but the values they fix."""

import json

import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.radiomics import Protocol, protocol_names


@pytest.fixture
def layout():
    return {
        "name": "mine",
        "title": "Mine",
        "purpose": "A test",
        "source": "Nobody",
        "setting": {"binWidth": 25},
        "imageType": {"Original": {}},
        "featureClass": {"glcm": []},
    }


def test_ids_of_the_bundled_protocols_do_not_change():
    assert {name: Protocol.load(name).id for name in protocol_names()} == GOLDEN


GOLDEN = {
    "ct-original": "ct-original-a5a6b7406e48",
    "fracture-risk": "fracture-risk-383172a2bbc2",
    "ibsi-digital-phantom": "ibsi-digital-phantom-b73ac6550a93",
    "malignant-fracture": "malignant-fracture-8eebaf981451",
    "residual-back-pain": "residual-back-pain-383172a2bbc2",
}


def test_spelling_out_defaults_does_not_change_the_id(layout):
    spelled = Protocol.from_dict(layout).to_dict()
    assert spelled != layout
    assert Protocol.from_dict(spelled).id == Protocol.from_dict(layout).id
    assert Protocol.from_dict(spelled).to_dict() == spelled


@pytest.mark.parametrize("key", ["title", "purpose", "source"])
def test_texts_do_not_change_the_id(layout, key):
    assert Protocol.from_dict(layout | {key: "else"}).id == Protocol.from_dict(layout).id


@pytest.mark.parametrize(
    "change",
    [
        {"setting": {"binWidth": 26}},
        {"setting": {"binWidth": 25, "gldm_a": 1}},
        {"imageType": {"Original": {"binWidth": 24}}},
        {"featureClass": {"glcm": ["Idmn"]}},
        {"name": "other"},
    ],
)
def test_what_fixes_values_changes_the_id(layout, change):
    assert Protocol.from_dict(layout | change).id != Protocol.from_dict(layout).id


def test_the_order_in_the_file_does_not_count(layout):
    turned = {key: layout[key] for key in reversed(layout)} | {"featureClass": {"glcm": ["Idmn", "Id"], "shape": None}}
    other = layout | {"featureClass": {"shape": [], "glcm": ["Id", "Idmn"]}}
    assert Protocol.from_dict(turned).id == Protocol.from_dict(other).id


def test_an_image_type_may_have_its_own_bins(layout):
    protocol = Protocol.from_dict(layout | {"imageType": {"Original": {"binWidth": 3}}})
    assert protocol.setting["binWidth"] == 25
    assert protocol.settings_of("Original")["binWidth"] == 3


def test_optional_features_come_only_by_name(layout):
    assert "StandardDeviation" not in Protocol.from_dict(layout | {"featureClass": {"firstorder": []}}).feature_class
    named = Protocol.from_dict(layout | {"featureClass": {"firstorder": ["StandardDeviation"]}})
    assert named.feature_class == {"firstorder": ("StandardDeviation",)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"settings": {}}, "'settings'"),
        ({"setting": {"binwidth": 25}}, "'binwidth'"),
        ({"setting": {"label": 1}}, "given as a mask"),
        ({"setting": []}, "setting must be an object"),
        ({"setting": {"binWidth": 0}}, "binWidth cannot be 0"),
        ({"setting": {"binWidth": True}}, "binWidth cannot be True"),
        ({"setting": {"binWidth": "25"}}, "a number above 0"),
        ({"setting": {"binWidth": float("nan")}}, "binWidth"),
        ({"setting": {"binWidth": 10**400}}, "binWidth"),
        ({"setting": {"binCount": 1.5}}, "a whole number from 1"),
        ({"setting": {"force2D": 1}}, "true or false"),
        ({"setting": {"force2Ddimension": 3}}, "from 0 to 2"),
        ({"setting": {"distances": []}}, "distances"),
        ({"setting": {"distances": [1, 1]}}, "each once"),
        ({"setting": {"resampledPixelSpacing": [1, 1]}}, "three spacings"),
        ({"setting": {"resegmentRange": [1, 2, 3]}}, "one or two thresholds"),
        ({"setting": {"resegmentMode": ["sigma"]}}, "absolute, relative, sigma"),
        ({"setting": {"interpolator": "bspline"}}, "sitkBSpline"),
        ({"setting": {"weightingNorm": "l2"}}, "euclidean"),
        ({"imageType": {"Wavelets": {}}}, "Available: Original"),
        ({"imageType": {"Original": {"sigma": [1]}}}, "'sigma'"),
        ({"imageType": {"Original": {"normalize": True}}}, "'normalize'"),
        ({"imageType": {}}, "'imageType' is missing or empty"),
        ({"featureClass": {"glcmm": []}}, "'glcmm'"),
        ({"featureClass": {"glcm": ["Homogeneity1"]}}, "'Homogeneity1'"),
        ({"featureClass": {"glcm": "Idmn"}}, "must be a list"),
        ({"title": ""}, "'title' is missing"),
    ],
)
def test_what_is_wrong_is_named(layout, change, named):
    with pytest.raises(UserError) as error:
        Protocol.from_dict(layout | change)
    assert named in str(error.value)


def test_a_file_loads_as_the_bundled_one_does(tmp_path):
    bundled = Protocol.load("ct-original")
    path = tmp_path / "copy.json"
    path.write_text(json.dumps(bundled.to_dict()))
    assert Protocol.load(path).id == bundled.id


def test_bundled_protocols_say_what_they_are_for():
    for name in protocol_names():
        protocol = Protocol.load(name)
        assert protocol.name == name
        assert protocol.purpose
        assert protocol.source


@pytest.mark.parametrize(("text", "named"), [(None, "ct-original"), ("{", "no JSON file"), ("[]", "is no protocol")])
def test_files_that_are_no_protocol(tmp_path, text, named):
    path = tmp_path / "protocol.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError) as error:
        Protocol.load(path)
    assert named in str(error.value)
    assert "protocol.json" in str(error.value)
