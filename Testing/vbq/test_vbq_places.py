"""Regions move with the patient, and what is no healthy marrow is left out; both are said, and both can be refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import Quality
from OVFRiskLib.vbq import Regions, RegionSettings, measure_vbq, propose_regions
from OVFRiskLib.vbq.exclusions import Exclusion
from OVFRiskLib.vbq.motion import Motion

L2, L3 = VertebralLevel.span("L2-L3")
T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR


_MADE: dict[str, tuple] = {}  # nothing in it can be changed


@pytest.fixture
def patient(exam):
    if not _MADE:
        volumes, labels = exam()
        _MADE["patient"] = volumes, propose_regions(volumes, labels)
    volumes, regions = _MADE["patient"]
    return dict(volumes), regions


def only(table, **fields):
    (row,) = table.where(**fields).rows
    return row


def motion(roi, anterior=0.0, up=0.0, degrees=0.0, trusted=True, note="") -> Motion:
    size = float(np.hypot(anterior, up))
    return Motion(anterior, up, degrees, 0.3, trusted, note, roi.plane, (0.0, -18.0), size)


def moved(volume, anterior: float, up: float):
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += (0, anterior, up)
    return replace(volume, ijk_to_ras=matrix)


@pytest.fixture
def lesion(patient, with_signal):
    """The upper half of L2's region is three times as bright on T1."""
    volumes, regions = patient
    roi = regions.bodies[L2]
    u, v = np.array(roi.outline).T
    middle = float(np.mean((v.min(), v.max())))
    corners = ((u.min() - 1, middle), (u.max() + 1, middle), (u.max() + 1, v.max() + 1), (u.min() - 1, v.max() + 1))
    exclusion = Exclusion(roi.region, "haemangioma", corners)
    bright = with_signal(volumes[T1], exclusion.as_roi(roi), 1800.0)
    return {T1: bright}, replace(regions, exclusions=(exclusion,))


def test_exclusions_are_left_out_and_said(lesion, truth):
    volumes, regions = lesion
    table = measure_vbq(volumes, regions)
    assert table.value(name="vbq_t1") == pytest.approx(truth(T1))
    row = only(table, level=L2, name="t1_signal_intensity")
    assert row.value == pytest.approx(600)
    assert "haemangioma left out (50% of the region" in row.note
    whole = replace(regions, exclusions=())
    assert table.value(level=L2, name="t1_voxel_count") == pytest.approx(
        measure_vbq(volumes, whole).value(level=L2, name="t1_voxel_count") / 2, rel=0.1
    )


def test_exclusions_can_be_refused(lesion, truth):
    volumes, regions = lesion
    table = measure_vbq(volumes, regions, exclude=False)
    row = only(table, level=L2, name="t1_signal_intensity")
    assert row.value == pytest.approx((600 + 1800) / 2, rel=0.05)
    assert "haemangioma in the region, not left out, as was asked for" in row.note
    assert table.value(name="vbq_t1") > 1.1 * truth(T1)
    assert row.protocol_id != only(measure_vbq(volumes, regions), name="vbq_t1").protocol_id


def test_a_region_of_which_nothing_is_left_is_replaced(lesion, truth):
    volumes, regions = lesion
    all_of_it = replace(regions.exclusions[0], outline=regions.bodies[L2].outline)
    table = measure_vbq(volumes, replace(regions, exclusions=(all_of_it,)))
    assert only(table, level=L2, name="t1_signal_intensity").value is None
    row = only(table, name="vbq_t1")
    assert row.value == pytest.approx(truth(T1, "T12-L1,L3-L4"))
    assert "without haemangioma" in row.note
    assert "replaced by T12" in row.note


def test_an_exclusion_makes_its_rows_stale(lesion):
    volumes, regions = lesion
    before = measure_vbq(volumes, replace(regions, exclusions=()))
    changed = {
        (a.level, a.name) for a, b in zip(before, measure_vbq(volumes, regions)) if a.source.mask != b.source.mask
    }
    assert (L2, "t1_signal_intensity") in changed
    assert (None, "vbq_t1") in changed
    assert {level for level, _ in changed} == {L2, None}


@pytest.mark.parametrize(("anterior", "up"), [(5.0, 0.0), (-3.0, 7.0)])
def test_regions_move_with_the_patient(patient, truth, anterior, up):
    volumes, regions = patient
    volumes = {**volumes, T2: moved(volumes[T2], anterior, up)}
    regions = replace(regions, motions={T2: motion(regions.csf, anterior, up)})
    table = measure_vbq(volumes, regions)
    for sequence in (T1, T2, STIR):
        assert table.value(name=f"vbq_{sequence.lower()}") == pytest.approx(truth(sequence))
    said = f"moved with the patient on T2: {anterior:+.1f} mm forwards, {up:+.1f} mm upwards, +0.0°"
    assert said in only(table, name="vbq_t2").note
    assert only(table, name="vbq_t1").quality is Quality.OK


def test_motion_can_be_refused_and_is_said(patient, truth):
    volumes, regions = patient
    volumes = {**volumes, T2: moved(volumes[T2], 0.0, 9.0)}
    regions = replace(regions, motions={T2: motion(regions.csf, up=9.0)})
    table = measure_vbq(volumes, regions, correct_motion=False)
    row = only(table, name="vbq_t2")
    assert "the patient moved before T2" in row.note
    assert "not corrected, as was asked for" in row.note
    assert abs(row.value / truth(T2) - 1) > 0.03


def test_an_uncertain_motion_moves_nothing_and_is_said(patient, truth):
    volumes, regions = patient
    uncertain = replace(regions, motions={T2: motion(regions.csf, up=9.0, trusted=False, note="hardly a better fit")})
    row = only(measure_vbq(volumes, uncertain), name="vbq_t2")
    assert row.value == pytest.approx(truth(T2))
    assert "not certain and was not corrected: hardly a better fit" in row.note


def test_a_motion_too_small_to_matter_is_not_spoken_of(patient):
    volumes, regions = patient
    still = replace(regions, motions={T2: motion(regions.csf, up=0.2, trusted=False, note="0.2 mm")})
    assert only(measure_vbq(volumes, still), name="vbq_t2").quality is Quality.OK


def test_what_is_left_out_moves_with_its_region(lesion, truth):
    volumes, regions = lesion
    volumes = {T1: moved(volumes[T1], 4.0, -6.0)}
    regions = replace(regions, motions={T1: motion(regions.csf, 4.0, -6.0)})
    assert measure_vbq(volumes, regions).value(name="vbq_t1") == pytest.approx(truth(T1))


def test_round_trip_with_exclusions_and_motions(lesion):
    _, regions = lesion
    full = replace(
        regions,
        settings=RegionSettings(csf_level=L3),
        motions={T2: motion(regions.csf, 1.5, -2.0, 0.5), STIR: motion(regions.csf, trusted=False, note="none")},
    )
    assert Regions.from_dict(json.loads(json.dumps(full.to_dict()))) == full


def test_files_from_before_exclusions_and_motions_are_read(patient):
    _, regions = patient
    old = regions.to_dict()
    del old["exclusions"], old["motions"]
    for name in ("csf_half_length_mm", "csf_margin_mm", "csf_narrow_share", "csf_narrow_mm", "csf_level"):
        del old["settings"][name]
    assert Regions.from_dict(old) == regions


@pytest.mark.parametrize(
    ("entry", "value"), [("motions", {"T9": {}}), ("exclusions", [{"region": "L2 body"}]), ("exclusions", 3)]
)
def test_damaged_entries_are_refused(patient, entry, value):
    with pytest.raises(UserError):
        Regions.from_dict({**patient[1].to_dict(), entry: value})


def test_an_impossible_csf_level_is_refused(patient):
    data = patient[1].to_dict()
    data["settings"]["csf_level"] = "L9"
    with pytest.raises(UserError, match="L9"):
        Regions.from_dict(data)
