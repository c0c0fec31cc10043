"""The IBSI-1 digital phantom: reference, value, agreement or the named reason."""

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics.classes import FEATURES
from OVFRiskLib.radiomics.conformance import ibsi_conformance, read_references

NOT_IBSI = {
    "shape_Maximum2DDiameterColumn",
    "shape_Maximum2DDiameterRow",
    "shape_Maximum2DDiameterSlice",
    "firstorder_TotalEnergy",
    "glcm_MCC",
}
OTHERWISE_DEFINED = {"firstorder_Kurtosis", "shape_LeastAxisLength", "shape_MinorAxisLength"}


@pytest.fixture(scope="module")
def table(shared_data, read_image):
    folder = shared_data / "radiomics_ibsi_digital_phantom"
    image, matrix = read_image(folder / "image.nii.gz")
    mask = read_image(folder / "mask.nii.gz")[0] == 1
    references = read_references(folder / "reference_values.csv")
    return {row.feature: row for row in ibsi_conformance(Volume(image, matrix), Mask(mask, matrix), references)}


def test_all_but_the_named_features_agree(table):
    assert {name for name, row in table.items() if not row.agrees} == NOT_IBSI | OTHERWISE_DEFINED
    assert sum(row.agrees for row in table.values()) == 102


def test_every_reason_is_named(table):
    assert all(bool(row.reason) != row.agrees and row.reason != "unexplained" for row in table.values())


def test_the_reasons_explain_the_numbers(table):
    kurtosis, axis = table["firstorder_Kurtosis"], table["shape_LeastAxisLength"]
    assert kurtosis.value - 3 == pytest.approx(kurtosis.reference.value, abs=kurtosis.reference.tolerance)
    voxels = 74
    assert axis.value * np.sqrt(voxels / (voxels - 1)) == pytest.approx(8.54, abs=0.005)


def test_identifiers_are_distinct():
    identified = [feature for group in FEATURES.values() for feature in group.values() if feature.ibsi]
    assert len({feature.ibsi for feature in identified}) == len(identified)
    assert all(bool(feature.ibsi) == bool(feature.tag) for group in FEATURES.values() for feature in group.values())


def test_a_file_that_holds_no_references(tmp_path):
    path = tmp_path / "values.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"values\.csv"):
        read_references(path)
