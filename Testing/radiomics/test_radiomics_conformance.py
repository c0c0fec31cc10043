"""The IBSI-1 digital phantom: reference, value, agreement or the named reason."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.radiomics.classes import FEATURES
from OVFRiskLib.radiomics.conformance import (
    cells,
    conformance_text,
    ibsi_conformance,
    read_references,
    recorded_conformance,
    summary,
    unexplained,
)
from OVFRiskLib.resources import resource

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


def test_the_recorded_table_is_what_is_computed(table):
    """Else make it again: ``ovfrisk protocols conformance IMAGE MASK REFERENCES --json``."""
    _, rows = recorded_conformance()
    assert [row.feature for row in rows] == list(table)
    for row in rows:
        found = table[row.feature]
        assert row.value == pytest.approx(found.value, rel=1e-9)
        assert replace(row, value=None) == replace(found, value=None)


def test_the_recorded_file_is_what_the_command_prints():
    text = resource("Conformance", "ibsi-digital-phantom.json").read_text("utf-8")
    assert conformance_text(*recorded_conformance()) + "\n" == text


def test_rows_as_text():
    rows = {row.feature: row for row in recorded_conformance()[1]}
    assert cells(rows["ngtdm_Coarseness"]) == ("ngtdm_Coarseness", "QCDE", "0.0296", "5e-05", "0.029604", "agrees", "")
    assert cells(rows["glcm_MCC"])[1:4] == ("-", "-", "-")
    assert summary(tuple(rows.values())).startswith("102 of 105 features with a reference value agree, 3 are defined")
    assert unexplained(tuple(rows.values())) == ()


def test_identifiers_are_distinct():
    identified = [feature for group in FEATURES.values() for feature in group.values() if feature.ibsi]
    assert len({feature.ibsi for feature in identified}) == len(identified)
    assert all(bool(feature.ibsi) == bool(feature.tag) for group in FEATURES.values() for feature in group.values())


def test_a_file_that_holds_no_references(tmp_path):
    path = tmp_path / "values.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"values\.csv"):
        read_references(path)
