"""The record as it is saved with a scene: it comes back exactly, and what was spoilt is refused."""

import json
from dataclasses import astuple, replace

import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality, Source
from OVFRiskLib.panels.record import Part, image_names
from OVFRiskLib.panels.record_file import part_from_text, part_to_text
from OVFRiskLib.radiomics import Features

L1 = VertebralLevel.L1
ROWS = (
    Measurement("p", L1, Compartment.BODY, "anterior_height", 1 / 3, "mm", "h-1", Source("image", "mask")),
    Measurement("p", L1, Compartment.CANCELLOUS, "vbmd", None, "mg/cm3", "v-1", Source(), Quality.ABSENT, "no line"),
    Measurement("p", None, Structure.PSOAS, "muscle_volume", 120.5, "cm3", "m-1", Source(), Quality.FLAGGED, "cut"),
    Measurement("p", None, None, "lordosis_l1_l5", -3.0, "deg", "h-1"),
)
FEATURES = {
    Region(Compartment.WHOLE, L1): Features(
        {"original_glcm_Idmn": 0.1 + 0.2}, {"original_glcm_MCC": "flat"}, {"voxels": {"mask": 7}}, ("few",), "ct-1"
    )
}
PART = Part(
    MeasurementTable(ROWS),
    FEATURES,
    {Region(Compartment.WHOLE, L1): "a1", Region(Structure.PSOAS_LEFT): "b2", **image_names({"CT": "c3"})},
    references=(Structure.CALIBRATION_ROD,),
    how=("--subject", "p"),
    run={"subject": "p", "settings": {"levels": None, "heights": {"band_mm": 5.0}}},
)


def test_a_record_comes_back_exactly():
    again = part_from_text(part_to_text(PART))
    assert again.table.rows == ROWS
    assert {region: astuple(found) for region, found in again.features.items()} == {
        region: astuple(found) for region, found in FEATURES.items()
    }
    assert replace(again, table=None, features={}) == replace(PART, table=None, features={})


def edited_text(text, change):
    content = json.loads(text)
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(schema=99),
        lambda c: c.pop("run"),
        lambda c: c["measurements"].append(c["measurements"][0]),
        lambda c: c["measurements"][0].__setitem__(4, "12"),
        lambda c: c["measurements"][0].__setitem__(1, "L9"),
        lambda c: c["measurements"][0].__setitem__(7, "fine"),
        lambda c: c["measurements"].append(3),
        lambda c: c["features"].update({"L9 whole": {}}),
        lambda c: next(iter(c["features"].values()))["values"].update(original_glcm_Idmn=True),
        lambda c: next(iter(c["features"].values())).pop("protocol_id"),
        lambda c: c["fingerprints"]["regions"].update({"L1 whole": 3}),
        lambda c: c["references"].append("liver"),
        lambda c: c.update(how="all"),
    ],
)
def test_a_record_from_elsewhere_is_refused(change):
    text = part_to_text(PART)
    with pytest.raises(UserError, match="record in the scene"):
        part_from_text(edited_text(text, change))


@pytest.mark.parametrize("text", ["", "{", "[1]", "NaN", '{"schema": 1, "schema": 1}', "[" * 100_000])
def test_no_json_is_refused(text):
    with pytest.raises(UserError):
        part_from_text(text)
