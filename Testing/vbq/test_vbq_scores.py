"""Set signals come back as the scores they define, on every grid; what cannot be measured is absent with its reason."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import Quality
from OVFRiskLib.vbq import Regions, measure_vbq, propose_regions

T12, L1, L2, L3, L4, L5 = VertebralLevel.span("T12-L5")
T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR
SHORT = ("t1", "t2", "stir")
T2_STIR = np.mean([183.0, 180.0, 174.0, 159.0]) / 300.0


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


def without(regions, *lost: Region) -> Regions:
    kept = tuple(roi for roi in regions if roi.region not in lost)
    return Regions(kept, dict.fromkeys(lost, "taken away"), regions.settings)


def test_scores_are_exact_and_unflagged(patient, truth):
    table = measure_vbq(*patient, subject="P1")
    for sequence in (T1, T2, STIR):
        row = only(table, name=f"vbq_{sequence.lower()}")
        assert row.value == pytest.approx(truth(sequence), rel=1e-6)
        assert (row.quality, row.note, row.unit) == (Quality.OK, "", "1")
        assert (row.subject, row.level, row.compartment) == ("P1", None, None)
    assert only(table, name="vbq_t2_stir").value == pytest.approx(T2_STIR, rel=1e-6)
    # the bodies' set signals fall by 14 % from L1 to L4, which the coil's shading does: that is said
    assert {row.name for row in table if row.quality is not Quality.OK} == {f"{s}_shading_percent" for s in SHORT}
    assert [table.value(name=f"{s}_shading_percent") for s in SHORT] == pytest.approx([0, 0, 0], abs=0.5)


def test_signals_per_level(patient):
    table = measure_vbq(*patient)
    assert table.value(level=L2, compartment=Compartment.BODY, name="t1_signal_intensity") == pytest.approx(600)
    assert table.value(level=L2, compartment=Compartment.BODY, name="t1_signal_intensity_sd") == pytest.approx(0)
    assert table.value(level=L3, compartment=Structure.CSF, name="t2_signal_intensity") == pytest.approx(800)
    assert table.value(level=L3, name="csf_radius") == pytest.approx(5 - 2, abs=0.6)  # CSF 10 mm wide, margins of 2
    assert table.value(level=L4, compartment=Compartment.BODY, name="stir_voxel_count") > 300


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "IPR", "PIR", "ASL"])
def test_orientation_of_the_arrays_does_not_matter(exam, truth, orientation):
    volumes, labels = exam()
    volumes = {sequence: volume.reoriented(orientation) for sequence, volume in volumes.items()}
    table = measure_vbq(volumes, propose_regions(volumes, labels.reoriented("SPR")))
    assert table.value(name="vbq_t1") == pytest.approx(truth(T1), rel=1e-6)
    assert table.value(name="vbq_t2_stir") == pytest.approx(T2_STIR, rel=1e-6)


@pytest.mark.parametrize(("degrees", "axis"), [(15, 0), (-12, 1), (20, 2)])
def test_oblique_patient_and_grid(exam, spine, make_grid, turned, truth, degrees, axis):
    turn = turned(degrees, axis)
    volumes, labels = exam(spine(turn=turn), make_grid(turn=turn))
    table = measure_vbq(volumes, propose_regions(volumes, labels))
    assert table.value(name="vbq_t2") == pytest.approx(truth(T2), rel=1e-6)


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0, 3.0])
def test_thick_slices(exam, make_grid, truth, shift):
    on = make_grid(spacing=(4.0, 0.8, 0.8), shift=(shift, 0, 0))
    volumes, labels = exam(on=on)
    table = measure_vbq(volumes, propose_regions(volumes, labels))
    assert table.value(name="vbq_t2") == pytest.approx(truth(T2), rel=1e-6)
    assert table.value(name="vbq_stir") == pytest.approx(truth(STIR), rel=1e-6)


def test_every_image_on_its_own_grid(spine, make_grid, turned, truth):
    grids = {
        T1: make_grid(spacing=(4.4, 0.7, 0.7), shift=(1.1, 3, -2)),
        T2: make_grid(spacing=(1.0, 1.2, 1.2), turn=turned(4, 2)),
        STIR: make_grid(spacing=(3.0, 0.9, 1.1), shift=(-0.7, 0, 1)).reoriented("PIR"),
    }
    volumes = {sequence: spine().volume(sequence, on) for sequence, on in grids.items()}
    labels = spine().labels(make_grid(spacing=(1.5, 1.5, 3.0)))
    table = measure_vbq(volumes, propose_regions(volumes, labels))
    for sequence in grids:
        assert table.value(name=f"vbq_{sequence.lower()}") == pytest.approx(truth(sequence), rel=1e-6)


def test_median_of_levels_is_ehresmans_score(patient, truth):
    mean, median = measure_vbq(*patient), measure_vbq(*patient, statistic="median")
    assert median.value(name="vbq_t1") == pytest.approx(truth(T1, statistic=np.median), rel=1e-6)
    assert only(mean, name="vbq_t1").protocol_id != only(median, name="vbq_t1").protocol_id
    with pytest.raises(UserError, match="mode"):
        measure_vbq(*patient, statistic="mode")


@pytest.mark.parametrize(
    ("fractured", "levels", "said"),
    [
        ((L1,), "T12,L2-L4", "L1 left out (fractured), replaced by T12"),
        ((L4,), "L1-L3,L5", "L4 left out (fractured), replaced by L5"),
        ((L1, L2), "T12,L3-L5", "L2 left out (fractured), replaced by L5"),
        ((L1, T12), "L2-L5", "replaced by L5"),
        ((L3, L5, T12), "L1-L2,L4", "without a substitute"),
        ((T12,), "L1-L4", ""),
    ],
)
def test_fractured_levels_are_replaced(patient, truth, fractured, levels, said):
    row = only(measure_vbq(*patient, fractured=fractured), name="vbq_t1")
    assert row.value == pytest.approx(truth(T1, levels), rel=1e-6)
    assert said in row.note
    assert (row.quality is Quality.FLAGGED) == bool(said)


def test_more_than_two_fractures_exclude(patient):
    table = measure_vbq(*patient, fractured=(L1, L2, L4))
    for name in ("vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir"):
        row = only(table, name=name)
        assert row.value is None
        assert "more than 2" in row.note
        assert "L4 fractured" in row.note
    assert table.value(level=L4, compartment=Compartment.BODY, name="t1_signal_intensity") == pytest.approx(530)
    assert "fractured" in only(table, level=L4, name="t1_signal_intensity").note


def test_missing_level_is_replaced_with_its_reason(patient, truth):
    volumes, regions = patient
    row = only(measure_vbq(volumes, without(regions, Region(Compartment.BODY, L3))), name="vbq_t2")
    assert row.value == pytest.approx(truth(T2, "L1-L2,L4-L5"), rel=1e-6)
    assert row.quality is Quality.FLAGGED
    assert "L3 left out (taken away), replaced by L5" in row.note


def test_missing_and_fractured_levels_add_up(patient):
    volumes, regions = patient
    lost = without(regions, Region(Compartment.BODY, L3))
    row = only(measure_vbq(volumes, lost, fractured=(L1, L2)), name="vbq_t2")
    assert row.quality is Quality.ABSENT
    assert "L3 taken away" in row.note


def test_no_csf_no_score(patient):
    volumes, regions = patient
    table = measure_vbq(volumes, without(regions, regions.csf.region))
    assert only(table, name="vbq_t1").note == "taken away"
    assert table.value(name="vbq_t2_stir") is None
    assert len(table.where(name="csf_radius")) == 0


def test_levels_outside_one_image_are_absent_there_only(spine, make_grid, patient, truth):
    volumes, regions = patient
    short = spine().volume(STIR, make_grid(half=(24, 70, 70)))  # L1 lies at 41-67, T12 and L5 beyond
    table = measure_vbq({**volumes, STIR: short}, regions)
    assert table.value(name="vbq_t1") == pytest.approx(truth(T1))
    row = only(table, level=T12, name="stir_signal_intensity")
    assert (row.value, row.quality, row.note) == (None, Quality.ABSENT, "outside the image")
    assert only(table, level=T12, name="stir_voxel_count").value is None
    assert only(table, name="vbq_stir").value is not None


def test_t2_stir_needs_both(exam):
    volumes, labels = exam(sequences=(T1, T2))
    table = measure_vbq(volumes, propose_regions(volumes, labels))
    assert len(table.where(name="vbq_t2_stir")) == 0
    assert len(table.where(name="vbq_stir")) == 0


def test_denominators_must_be_positive(patient, with_signal):
    volumes, regions = patient
    dark = with_signal(volumes[T1], regions.csf, 0.0)
    row = only(measure_vbq({**volumes, T1: dark}, regions), name="vbq_t1")
    assert row.value is None
    assert "CSF" in row.note
    bright = with_signal(volumes[STIR], regions.csf, 900.0)
    row = only(measure_vbq({**volumes, STIR: bright}, regions), name="vbq_t2_stir")
    assert row.value is None
    assert "not brighter on T2" in row.note


def test_values_that_are_no_numbers_are_absent(patient, with_signal):
    volumes, regions = patient
    broken = with_signal(volumes[T2], regions.csf, np.nan)
    row = only(measure_vbq({**volumes, T2: broken}, regions), name="vbq_t2")
    assert row.value is None
    assert "no numbers" in row.note


def test_field_strength_unknown_is_flagged(spine, make_grid):
    volumes = {T1: spine().volume(T1, make_grid())}
    row = only(measure_vbq(volumes, propose_regions(volumes, spine().labels(make_grid()))), name="vbq_t1")
    assert row.quality is Quality.FLAGGED
    assert "field strength unknown" in row.note


def test_clipped_signal_is_flagged(patient, with_signal):
    volumes, regions = patient
    scale = volumes[T2].array / 800 * 250
    eight_bit = type(volumes[T2])(scale.astype(np.uint8), volumes[T2].ijk_to_ras, T2)
    clipped = with_signal(eight_bit, regions.csf, 255)
    table = measure_vbq({T2: clipped}, regions)
    assert "100% of the voxels are clipped at 255" in only(table, name="vbq_t2").note
    assert "clipped" not in only(measure_vbq({T2: eight_bit}, regions), name="vbq_t2").note


def test_uneven_regions_are_flagged(patient, with_signal):
    volumes, regions = patient
    noise = np.random.default_rng(3).normal(size=5000)
    csf = with_signal(volumes[T2], regions.csf, 800 + 200 * noise)
    assert "L3 csf: uneven" in only(measure_vbq({T2: csf}, regions), name="vbq_t2").note
    body = with_signal(volumes[T2], regions.bodies[L2], 300 + 150 * noise)
    table = measure_vbq({T2: body}, regions)
    assert "L2 body: uneven" in only(table, name="vbq_t2").note
    assert only(table, level=L2, name="t2_signal_intensity").quality is Quality.FLAGGED
    assert only(table, level=L1, name="t2_signal_intensity").quality is Quality.OK


def test_small_csf_is_flagged(exam, spine):
    volumes, labels = exam(spine(sac_depth=dict.fromkeys(VertebralLevel.span("L2-L4"), 9.0)))
    row = only(measure_vbq(volumes, propose_regions(volumes, labels)), name="vbq_t2")
    assert "regions 2 mm beside change it by ± " in row.note


def test_swapped_sequences_are_noticed_with_given_regions(patient):
    volumes, regions = patient
    table = measure_vbq({T1: volumes[T2], T2: volumes[T1]}, regions)
    assert "swapped" in only(table, name="vbq_t1").note
    assert "swapped" in only(table, name="vbq_t2").note


def test_different_scanners_and_rescaled_images_make_t2_stir_doubtful(exam, spine, make_grid):
    volumes, labels = exam()
    volumes[STIR] = spine().volume(STIR, make_grid(), acquisition={"MagneticFieldStrength": "3"})
    row = only(measure_vbq(volumes, propose_regions(volumes, labels)), name="vbq_t2_stir")
    assert "different scanners" in row.note


def test_source_shows_which_rows_an_edit_makes_stale(patient):
    volumes, regions = patient
    before = measure_vbq(volumes, regions)
    edited = replace(regions.bodies[L1], outline=tuple(map(tuple, np.multiply(regions.bodies[L1].outline, 0.9))))
    now = measure_vbq(volumes, replace(regions, rois=tuple(edited if r.region.level is L1 else r for r in regions)))
    changed = {(a.level, a.name) for a, b in zip(before, now) if a.source != b.source}
    assert {level for level, _ in changed} == {L1, None}
    assert (L1, "t2_signal_intensity") in changed
    scores = {"vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir"}
    assert {name.removesuffix("_uncertainty") for level, name in changed if level is None} == scores
    assert only(before, name="vbq_t1").source.image == volumes[T1].hash
    assert only(before, name="vbq_t1").source.mask == only(before, name="vbq_t2").source.mask
