"""PyRadiomics' parameter files as protocols, protocols as parameter files, and what differs between protocols."""

import json

import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.radiomics import Protocol, protocol_names
from OVFRiskLib.radiomics.differences import differences

PARAMETERS = """
# as PyRadiomics' own examples are written
imageType:
  Original: {}
  LoG:
    sigma: [1.0, 2]
  Wavelet:
    binWidth: 10
featureClass:
  shape:
  firstorder: []
  glcm:
    - 'Idmn'
setting:
  interpolator: 'sitkBSpline'
  resampledPixelSpacing: [2, 2, 2]
  binWidth: 25
  start_level: 1
  weightingNorm:
  label: 1
  correctMask: true
  additionalInfo: false
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text, name="study.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return Protocol.load(path)

    return load_text


def test_a_parameter_file_is_a_protocol(load):
    protocol = load(PARAMETERS)
    assert protocol.name == "study"
    assert protocol.setting["resampledPixelSpacing"] == [2, 2, 2]
    assert (protocol.setting["binWidth"], protocol.setting["weightingNorm"]) == (25, None)
    assert protocol.image_type["LoG"]["sigma"] == [1.0, 2]
    assert protocol.image_type["Wavelet"] == {"wavelet": "coif1", "level": 1, "start_level": 1, "binWidth": 10}
    assert {name: len(features) for name, features in protocol.feature_class.items()} == {
        "shape": 14,
        "firstorder": 18,
        "glcm": 1,
    }
    assert "log-sigma-1-0-mm-3D_glcm_Idmn" in protocol.feature_names
    assert "log-sigma-2-mm-3D_glcm_Idmn" in protocol.feature_names


def test_what_fixes_no_value_is_left_out_and_told(load):
    source = load(PARAMETERS + "voxelSetting:\n  kernelRadius: 2\n").source
    assert "study.yaml" in source
    for name in ("label", "correctMask", "additionalInfo", "voxelSetting"):
        assert f"{name} is left out" in source


def test_an_empty_file_is_pyradiomics_usual(load):
    assert len(load("{}").feature_names) == 107
    assert list(load("").image_type) == ["Original"]
    assert "shape2D" in load("setting: {force2D: true}").feature_class


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("settings: {}", "'settings'"),
        ("setting: {binwidth: 25}", "'binwidth'"),
        ("setting: {binWidth: '25'}", "binWidth cannot be '25'"),
        ("setting: {binWidth: 25, binWidth: 5}", "'binWidth' is given twice"),
        ("setting: [1]", "setting"),
        ("setting: {interpolator: 3}", "sitkBSpline"),
        ("imageType: {Wavelets: {}}", "'Wavelets'"),
        ("imageType: {LoG: {}}", "'sigma' is missing"),
        ("imageType: {Original: {normalize: true}}", "'normalize'"),
        ("featureClass: {glcm: [Idmm]}", "'Idmm'"),
        ("featureClass: {glcmm: }", "'glcmm'"),
        ("a: [", "no YAML"),
        ("- 1", "the file must hold"),
        ("setting: !!python/object/apply:os.system ['true']", "no YAML"),
        ("{? [1]: 2}", "no YAML"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(load, text, named):
    with pytest.raises(UserError) as error:
        load(text)
    assert named in str(error.value)
    assert "study.yaml" in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError, match="There is no protocol"):
        Protocol.load(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("name", protocol_names())
def test_what_is_written_reads_as_the_same(load, name):
    protocol = Protocol.load(name)
    assert load(protocol.to_yaml(), f"{name}.yaml").id == protocol.id
    assert protocol.to_yaml().startswith(f"# {protocol.title}")


@pytest.mark.parametrize("name", ["residual-back-pain", "malignant-fracture"])
def test_pyradiomics_reads_what_is_written(tmp_path, name):
    featureextractor = pytest.importorskip("radiomics.featureextractor", reason="PyRadiomics is not installed")
    protocol = Protocol.load(name)
    path = tmp_path / "parameters.yaml"
    path.write_text(protocol.to_yaml())
    extractor = featureextractor.RadiomicsFeatureExtractor(str(path))
    assert {key: extractor.settings[key] for key in protocol.setting} == protocol.setting
    assert extractor.enabledImagetypes == protocol.image_type
    assert {key: tuple(value) for key, value in extractor.enabledFeatures.items()} == protocol.feature_class


def test_equal_protocols_do_not_differ():
    layout = Protocol.load("ct-original").to_dict()
    assert differences(Protocol.load("ct-original"), Protocol.from_dict(layout)) == ()
    assert differences(Protocol.load("residual-back-pain"), Protocol.load("fracture-risk")) == ()
    spelled = json.loads(json.dumps(layout))
    spelled["imageType"]["Original"]["binWidth"] = 25.0
    assert differences(Protocol.from_dict(layout), Protocol.from_dict(spelled)) == ()


def test_differences_name_setting_and_both_values():
    a = Protocol.load("residual-back-pain")
    layout = json.loads(json.dumps(a.to_dict()))
    layout["setting"]["binWidth"] = 5
    layout["imageType"]["LoG"]["sigma"] = [1, 3.0]
    layout["imageType"]["Wavelet"]["binWidth"] = 10
    layout["imageType"]["Square"] = layout["imageType"].pop("Gradient") and {}
    layout["featureClass"]["glcm"].remove("Idmn")
    del layout["featureClass"]["ngtdm"]
    assert differences(a, Protocol.from_dict(layout)) == (
        ("setting binWidth", 25.0, 5.0),
        ("imageType LoG sigma", [1.0, 3.0, 5.0], [1, 3.0]),
        ("imageType Wavelet binWidth", 25.0, 10.0),
        ("imageType Gradient", True, False),
        ("imageType Square", False, True),
        ("featureClass glcm Idmn", True, False),
        ("featureClass ngtdm", True, False),
    )
