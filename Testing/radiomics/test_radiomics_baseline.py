"""PyRadiomics' own baseline tables: eight settings of one image, every feature listed there."""

import ast
import csv

import numpy as np
import pytest
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics import Protocol, extract

CLASSES = ("shape", "shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
CASES = {
    "brain1": {"shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"},
    "brain1_2d": {"glcm", "glrlm", "glszm", "gldm", "ngtdm"},
    "brain1_FBN": {"glcm", "glrlm", "glszm", "gldm", "ngtdm"},
    "brain1_combined": {"glcm", "glrlm"},
    "brain1_flatRegion": {"glcm", "glrlm", "glszm", "gldm", "ngtdm"},
    "brain1_normalization": {"firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"},
    "brain1_resampling": {"shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"},
    "brain1_resegmentation": {"firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"},
    "brain1_shape2D": {"shape2D"},
}
# The table of this one case is of PyRadiomics 2.0.1; 3.0.1 itself (built from source) gives these values.
MESH_OF_3_0_1 = {
    "original_shape_MeshVolume": 16147.51180013021,
    "original_shape_SurfaceArea": 6438.821603779402,
    "original_shape_SurfaceVolumeRatio": 0.3987500788652454,
    "original_shape_Sphericity": 0.4798234536231475,
}
NO_PROTOCOL_SETTINGS = ("label", "additionalInfo", "correctMask")
SLICE_OF_SHAPE2D = 16


@pytest.fixture(scope="module")
def tables(shared_data):
    """Return {class: {case: (settings, values)}}."""
    return {name: _table(shared_data / f"radiomics_pyradiomics/baseline/baseline_{name}.csv") for name in CLASSES}


def _table(path):
    with path.open(newline="") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file)}
    cases = {}
    for n, case in enumerate(rows["featureName"]):
        values = {name: float(row[n]) for name, row in rows.items() if name.startswith("original_")}
        cases[case] = ast.literal_eval(rows["diagnostics_Configuration_Settings"][n]), values
    return cases


@pytest.fixture(scope="module")
def brain(shared_data, read_image):
    folder = shared_data / "radiomics_pyradiomics"
    array, matrix = read_image(folder / "brain1_image.nrrd")
    return Volume(array, matrix), Mask(read_image(folder / "brain1_label.nrrd")[0] == 1, matrix)


def test_every_case_of_the_tables_is_tested(tables):
    found = {case: {name for name in CLASSES if case in tables[name]} for table in tables.values() for case in table}
    assert found == CASES


@pytest.mark.parametrize(
    ("case", "group"), [(case, group) for case, groups in CASES.items() for group in sorted(groups)]
)
def test_values_of_the_table(tables, brain, agree, case, group):
    settings, expected = tables[group][case]
    settings = {name: value for name, value in settings.items() if name not in NO_PROTOCOL_SETTINGS}
    texts = dict.fromkeys(("name", "title", "purpose", "source"), "baseline")
    blocks = {"setting": settings, "imageType": {"Original": {}}, "featureClass": {group: []}}
    volume, mask = brain
    if group == "shape2D":
        mask = Mask(mask.array & (np.arange(len(mask.array)) == SLICE_OF_SHAPE2D)[:, None, None], mask.ijk_to_ras)
    if (case, group) == ("brain1", "shape"):
        assert {name: expected[name] for name in MESH_OF_3_0_1} == pytest.approx(MESH_OF_3_0_1, rel=2e-3)
        expected |= MESH_OF_3_0_1

    features = extract(volume, mask, Protocol.from_dict(texts | blocks))

    assert features.absent == {}
    agree(features.values, expected, f"baseline {case}")


def test_feature_names_are_pyradiomics(tables):
    names = {name for group in CLASSES if group != "shape2D" for name in next(iter(tables[group].values()))[1]}
    chosen = Protocol.load("ct-original").feature_class
    ours = {f"original_{group}_{name}" for group, features in chosen.items() for name in features}
    assert ours == names
    assert len(names) == 107
