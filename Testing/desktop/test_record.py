"""The editable record: which rows an edit makes stale, and that taking it back makes them current."""

from dataclasses import replace

import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.panels.dependence import FROM_NEIGHBOURS
from OVFRiskLib.panels.record import CT, VBQ, Part, Record, image_names, row_key
from OVFRiskLib.panels.view import RowState
from OVFRiskLib.radiomics import Features

L1, L2, L3, L5 = (VertebralLevel(name) for name in ("L1", "L2", "L3", "L5"))
BODY, CANCELLOUS, CORTICAL = Compartment.BODY, Compartment.CANCELLOUS, Compartment.CORTICAL
PSOAS, PSOAS_LEFT, PSOAS_RIGHT = Structure.PSOAS, Structure.PSOAS_LEFT, Structure.PSOAS_RIGHT


def row(level, part, name, value=1.0, note=""):
    quality = Quality.ABSENT if value is None else Quality.OK
    return Measurement("p", level, part, name, value, "1", "x-1", quality=quality, note=note)


ROWS = (
    *(row(level, BODY, "anterior_height") for level in (L1, L2, L3)),
    *(row(level, BODY, "genant_grade") for level in (L1, L2, L3)),
    row(L1, CANCELLOUS, "vbmd"),
    row(L2, CANCELLOUS, "trabecular_attenuation", None, "too small"),
    row(None, CANCELLOUS, "trabecular_attenuation_non_fractured"),
    row(None, None, "lordosis_l1_l5"),
    row(L2, PSOAS_LEFT, "muscle_volume"),
    row(L2, PSOAS_RIGHT, "muscle_volume"),
    row(L2, PSOAS, "muscle_volume"),
    row(None, PSOAS, "muscle_volume"),
)
FINGERPRINTS = {
    **{Region(part, level): f"{level}{part}" for level in (L1, L2, L3) for part in (CORTICAL, CANCELLOUS)},
    Region(PSOAS_LEFT): "left",
    Region(PSOAS_RIGHT): "right",
    Region(Structure.CALIBRATION_ROD): "rod",
}
FEATURES = {
    Region(part, L1): Features({"original_glcm_Idmn": 0.5}, {}, {}, (), "ct-1")
    for part in (Compartment.WHOLE, CORTICAL, CANCELLOUS)
}


def a_record(**part):
    whole = Part(MeasurementTable(ROWS), FEATURES, {**FINGERPRINTS, **image_names({"CT": "ct"})}, **part)
    return Record({CT: whole})


def stale(record, changes):
    """Level and name of the rows that are stale after a change."""
    record.edited(changes)
    return {(r.level, r.compartment, r.name) for r in record.stale_rows}


PATIENT = {(None, CANCELLOUS, "trabecular_attenuation_non_fractured"), (None, None, "lordosis_l1_l5")}
GRADES = {(level, BODY, "genant_grade") for level in (L1, L2, L3)}


def test_a_new_record_is_current():
    record = a_record()
    assert {record.state(r) for r in ROWS if r.value is not None} == {RowState.CURRENT}
    assert record.state(ROWS[7]) is RowState.ABSENT
    assert record.edited({}) == frozenset()


def test_bone_of_a_level_hangs_on_its_level_grades_and_patient_on_all():
    assert stale(a_record(), {Region(CORTICAL, L1): "edited"}) == {
        (L1, BODY, "anterior_height"), (L1, CANCELLOUS, "vbmd"), (None, PSOAS, "muscle_volume"), *GRADES, *PATIENT,
    }  # fmt: skip


def test_muscle_hangs_on_its_muscles_and_the_levels_of_its_slab():
    slabs = {(L2, PSOAS, "muscle_volume"), (None, PSOAS, "muscle_volume")}
    assert stale(a_record(), {Region(PSOAS_LEFT): ""}) == {*slabs, (L2, PSOAS_LEFT, "muscle_volume")}
    after_l2 = stale(a_record(), {Region(CORTICAL, L2): "edited"})
    assert {r for r in after_l2 if isinstance(r[1], Structure)} == {
        *slabs, (L2, PSOAS_LEFT, "muscle_volume"), (L2, PSOAS_RIGHT, "muscle_volume"),
    }  # fmt: skip


def test_density_hangs_on_rods_only_where_they_calibrate_it():
    change = {Region(Structure.CALIBRATION_ROD): "moved"}
    assert stale(a_record(), change) == set()
    assert stale(a_record(references=(Structure.CALIBRATION_ROD,)), change) == {(L1, CANCELLOUS, "vbmd")}


def test_features_hang_on_the_parts_of_their_region():
    record = a_record()
    record.edited({Region(CORTICAL, L1): "edited"})
    states = {region.part: record.region_state(region) for region in FEATURES}
    assert states == {
        Compartment.WHOLE: RowState.STALE, CORTICAL: RowState.STALE, CANCELLOUS: RowState.CURRENT,
    }  # fmt: skip
    old = {(r.level, r.compartment) for r in record.stale_table("p") if r.name == "original_glcm_Idmn"}
    assert old == {(L1, Compartment.WHOLE), (L1, CORTICAL)}
    feature = Measurement("p", L1, CORTICAL, "original_glcm_Idmn", 0.5, "1", "ct-1")
    assert record.state(feature) is RowState.STALE
    assert record.state(replace(feature, compartment=CANCELLOUS)) is RowState.CURRENT


def test_undo_makes_rows_current_again():
    record, region = a_record(), Region(CANCELLOUS, L2)
    assert record.edited({region: "edited"})
    assert record.stale_levels == (L2,)
    assert record.edited({region: FINGERPRINTS[region]}) == frozenset()
    assert record.stale_levels == ()


def test_removing_a_segment_makes_its_rows_stale_even_absent_ones():
    record = a_record()
    keys = record.edited({Region(CANCELLOUS, L2): ""})
    assert row_key(ROWS[7]) in keys
    assert record.state(ROWS[7]) is RowState.STALE


def test_a_new_level_makes_grades_and_patient_rows_stale():
    assert stale(a_record(), {Region(Compartment.WHOLE, L5): "new"}) == {
        *GRADES, *PATIENT, (None, PSOAS, "muscle_volume"),
    }  # fmt: skip


def test_another_image_makes_everything_stale():
    record = a_record()
    assert len(record.edited(image_names({"CT": "another"}))) == len(ROWS)
    assert {record.region_state(region) for region in FEATURES} == {RowState.STALE}


def test_parts_are_replaced_and_edited_on_their_own():
    score = Measurement("p", None, None, "vbq_t1", 3.0, "1", "vbq-1")
    signal = Measurement("p", L1, BODY, "t1_signal_intensity", 300.0, "1", "vbq-1")
    hangs = {row_key(signal): ("T1 L1 body",)}
    vbq = Part(
        MeasurementTable([score, signal]), {}, {"T1 L1 body": "a", "T1 csf": "b", **image_names({"T1": "t"})}, hangs
    )
    record = a_record().replaced(VBQ, vbq)
    assert len(record.table) == len(ROWS) + 2
    assert record.edited({"T1 csf": "moved"}) == {row_key(score)}
    assert record.edited({"T1 csf": "b", "T1 L1 body": "moved"}) == {row_key(score), row_key(signal)}
    assert record.edited({"T1 L1 body": "a", Region(CORTICAL, L1): "edited"}).isdisjoint({row_key(score)})
    renewed = record.replaced(VBQ, replace(vbq, fingerprints={**vbq.fingerprints, "T1 csf": "c"}))
    assert renewed.state(score) is RowState.CURRENT
    assert renewed.stale_levels == (L1,)


def test_an_edit_made_while_measuring_stays_stale():
    part = a_record().parts[CT]
    record = Record().replaced(CT, part, {**part.fingerprints, Region(CORTICAL, L3): "edited meanwhile"})
    assert record.stale_levels == (L3,)


@pytest.mark.parametrize("name", FROM_NEIGHBOURS)
def test_rows_named_by_the_rules_are_measured(name, measured_names):
    assert name in measured_names


@pytest.fixture(scope="module")
def measured_names():
    from OVFRiskLib.morphometry import HeightSettings
    from OVFRiskLib.morphometry.rows import morphometry_rows

    found = morphometry_rows("p", {L1: "no body"}, {}, HeightSettings(), {})
    return {r.name for r in found}
