"""The JSON Schema of protocols: the file is what the settings say, and accepts exactly what `Protocol` does."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from OVFRiskLib.errors import UserError
from OVFRiskLib.radiomics import Protocol, protocol_names
from OVFRiskLib.radiomics.schema import protocol_schema
from OVFRiskLib.radiomics.settings import FILTERS, OURS, PREPROCESSING, TEXTURE
from OVFRiskLib.resources import resource

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads(resource("Schemas", "protocol.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
LAYOUT = {
    **dict.fromkeys(("name", "title", "purpose", "source"), "test"),
    "setting": {},
    "imageType": {"Original": {}},
    "featureClass": {"glcm": []},
}
PLACES = [
    *(("setting", name) for name in PREPROCESSING | TEXTURE | OURS),
    *((kind, name) for kind, own in FILTERS.items() for name in {**own, **TEXTURE}),
]
NUMBERS = st.sampled_from([-1_000_000, -1, -0.5, 0, 0.5, 1, 1.0, 2, 2.5, 3, 4, 10, 11, 30, 31, 1e99, 1e100])
WORDS = st.sampled_from(["", "1", "sitkLinear", "coif1", "db39", "sigma", "absolute", "euclidean", "ror", "uniform"])
PLAIN = st.none() | st.booleans() | NUMBERS | WORDS
VALUES = PLAIN | st.lists(NUMBERS, max_size=4) | st.lists(PLAIN, max_size=2) | st.just({})


def test_the_file_is_what_the_settings_say():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert protocol_schema() == SCHEMA, (
        "make it again: ovfrisk protocols schema > Resources/Schemas/protocol.schema.json"
    )


@pytest.mark.parametrize("name", protocol_names())
def test_bundled_protocols_are_valid(name):
    VALIDATOR.validate(json.loads(resource("Protocols", f"{name}.json").read_text("utf-8")))
    VALIDATOR.validate(json.loads(json.dumps(Protocol.load(name).to_dict())))


def test_defaults_are_valid():
    for name, known in {**PREPROCESSING, **TEXTURE, **OURS}.items():
        assert VALIDATOR.is_valid(LAYOUT | {"setting": {name: known.default}}), name


def accepted(layout):
    try:
        Protocol.from_dict(layout)
    except UserError:
        return False
    return True


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(place=st.sampled_from(PLACES), value=VALUES)
@example(place=("LoG", "sigma"), value=[1, 1.0])
@example(place=("setting", "resampledPixelSpacing"), value=[0, 1.5, 2])
@example(place=("setting", "resegmentRange"), value=[1, -1])
def test_a_value_is_valid_where_the_protocol_accepts_it(place, value):
    block, name = place
    needed = {"sigma": [1]} if block == "LoG" else {}
    change = {"setting": {name: value}} if block == "setting" else {"imageType": {block: needed | {name: value}}}
    assert VALIDATOR.is_valid(LAYOUT | change) == accepted(LAYOUT | change)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"settings": {}}, "settings"),
        ({"setting": {"binwidth": 25}}, "binwidth"),
        ({"setting": {"sigma": [1]}}, "sigma"),
        ({"setting": []}, "setting"),
        ({"imageType": {}}, "imageType"),
        ({"imageType": {"Wavelets": {}}}, "Wavelets"),
        ({"imageType": {"Original": {"normalize": True}}}, "normalize"),
        ({"imageType": {"LoG": {}}}, "sigma"),
        ({"imageType": {"LoG": None}}, "LoG"),
        ({"featureClass": {}}, "featureClass"),
        ({"featureClass": {"glcmm": []}}, "glcmm"),
        ({"featureClass": {"glcm": ["Idmm"]}}, "Idmm"),
        ({"featureClass": {"glcm": "Idmn"}}, "glcm"),
        ({"title": ""}, "title"),
        ({"name": 3}, "name"),
    ],
)
def test_what_is_wrong_is_named_by_both(change, named):
    assert not VALIDATOR.is_valid(LAYOUT | change)
    with pytest.raises(UserError, match=named):
        Protocol.from_dict(LAYOUT | change)


@pytest.mark.parametrize(
    "change",
    [
        {"$schema": "protocol.schema.json"},
        {"imageType": {"Wavelet": None, "LBP3D": {"binWidth": 1}}},
        {"featureClass": {"shape": None, "glcm": ["Idmn"]}},
    ],
)
def test_what_is_right_is_accepted_by_both(change):
    VALIDATOR.validate(LAYOUT | change)
    assert accepted(LAYOUT | change)
