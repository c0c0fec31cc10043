"""What regions 2 mm beside do to a score, by hand; and where a score lies among the published groups."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.image import Modality
from OVFRiskLib.measurement import Quality
from OVFRiskLib.vbq import Plane, Regions, Roi, measure_vbq
from OVFRiskLib.vbq.score_position import position

T2, STIR = Modality.T2, Modality.STIR
LEVELS = VertebralLevel.span("L1-L4")
PLANE = Plane((1.0, 0.0, 0.0), ((0, 1, 0), (0, 0, 1)))
SCORE = 290 / 800  # mean of the four levels over CSF, on T2
IN_THE_ROOTS = 290 / ((3 * 800 + 450) / 4)  # CSF 2 mm further back: one of four rows lies in the roots


def box(region: Region, front: float, back: float, low: float, high: float) -> Roi:
    return Roi(region, PLANE, ((back, low), (front, low), (front, high), (back, high)), 1.5)


def regions(spine, csf=(-9.0, -13.0), back_of_l1=6.0) -> Regions:
    """Regions on T2 voxels of 1 mm: bodies from y = 0 to 34, CSF from -4 to -14, roots behind it to -17."""
    bodies = [
        box(Region(Compartment.BODY, level), *(front, back), spine.middle(level) - 5, spine.middle(level) + 5)
        for level in LEVELS
        for front, back in [(back_of_l1 + 10, back_of_l1) if level is VertebralLevel.L1 else (20, 10)]
    ]
    middle = spine.middle(VertebralLevel.L3)
    return Regions((*bodies, box(Region(Structure.CSF, VertebralLevel.L3), *csf, middle - 6, middle + 6)))


def only(table, name):
    (row,) = table.where(name=name).rows
    return row


@pytest.fixture
def t2(exam):
    return exam(sequences=(T2,))[0]


def test_steady_regions_have_no_uncertainty(t2, spine):
    table = measure_vbq(t2, regions(spine(), csf=(-7.0, -11.0)))
    row = only(table, "vbq_t2_uncertainty")
    assert (row.value, row.unit, row.quality) == (0.0, "1", Quality.OK)
    assert "moved by 2 mm" in row.note
    assert only(table, "vbq_t2").quality is Quality.OK


def test_one_region_that_reaches_another_tissue(t2, spine):
    table = measure_vbq(t2, regions(spine()))
    assert table.value(name="vbq_t2") == pytest.approx(SCORE)
    row = only(table, "vbq_t2_uncertainty")
    assert row.value == pytest.approx(IN_THE_ROOTS - SCORE)
    assert "most from CSF at L3, 12.3%" in row.note


def test_regions_err_independently(t2, spine):
    """L1's region touches the posterior wall: 2 mm further back two of ten rows lie in tissue of 150, not 305."""
    table = measure_vbq(t2, regions(spine(), back_of_l1=0.0))
    body = 2 / 10 * (305 - 150) / 4 / 800
    assert table.value(name="vbq_t2_uncertainty") == pytest.approx(np.hypot(IN_THE_ROOTS - SCORE, body))


def test_more_than_readers_may_differ_is_flagged_on_the_score(t2, spine):
    table = measure_vbq(t2, regions(spine()))
    for name in ("vbq_t2", "vbq_t2_uncertainty"):
        assert only(table, name).quality is Quality.FLAGGED
        assert "regions 2 mm beside change it by ± 12%" in only(table, name).note


def test_the_regions_of_a_difference_move_on_both_sequences_together(exam, spine):
    volumes, _ = exam(sequences=(T2, STIR))
    table = measure_vbq(volumes, regions(spine()))
    bodies = 290 - 116  # means of the four levels
    there = 3 / 4 * (800 - 500) + 1 / 4 * (450 - 280)
    assert table.value(name="vbq_t2_stir_uncertainty") == pytest.approx(bodies / there - bodies / (800 - 500))


def test_median_of_the_moved_levels(t2, spine):
    """L1 falls from 305 to 274: the median of 305, 300, 290, 265 falls from 295 to 282."""
    table = measure_vbq(t2, regions(spine(), csf=(-7.0, -11.0), back_of_l1=0.0), statistic="median")
    assert table.value(name="vbq_t2_uncertainty") == pytest.approx((295 - 282) / 800)


def test_what_cannot_be_moved_within_the_image_is_said(t2, spine):
    found = regions(spine(), csf=(-7.0, -11.0))
    l1 = found.bodies[VertebralLevel.L1]
    volume = t2[T2]
    top = int(np.ceil(volume.to_ijk([0, 0, spine.middle(VertebralLevel.L1) + 5])[2]))
    short = volume.cropped((slice(0, top), slice(0, None), slice(0, None)))
    table = measure_vbq({T2: short}, found)
    assert table.value(name="vbq_t2_uncertainty") == pytest.approx(0.0)  # what is left of the moved region is even
    thin = replace(l1, outline=((6, 56.6), (16, 56.6), (16, 58.9), (6, 58.9)))
    table = measure_vbq({T2: short}, replace(found, rois=(thin, *found.rois[1:])))
    assert "not moved beyond the image: the body of L1 upwards" in only(table, "vbq_t2_uncertainty").note


def test_no_score_beside_no_uncertainty(t2, spine):
    """Where the moved CSF region holds no signal, nothing can be divided by it."""
    found = regions(spine())
    volume, csf = t2[T2], found.csf
    array = volume.array.copy()
    moved = replace(csf, outline=tuple((u - 2, v) for u, v in csf.outline))
    array[moved.mask_on(volume).array & ~csf.mask_on(volume).array] = -2000.0
    table = measure_vbq({T2: replace(volume, array=array)}, found)
    assert table.value(name="vbq_t2") == pytest.approx(SCORE)
    row = only(table, "vbq_t2_uncertainty")
    assert row.quality is Quality.ABSENT
    assert "with CSF at L3 moved 2 mm backwards there is no score" in row.note
    assert row.note in only(table, "vbq_t2").note


def test_position_among_the_published_groups():
    with_fracture, without = position("vbq_t2", 0.555)
    assert (with_fracture.group, with_fracture.mean, with_fracture.sd) == ("with fracture", 0.601, 0.076)
    assert with_fracture.standard_deviations == pytest.approx(-0.6053, abs=1e-4)  # (0.555 - 0.601) / 0.076
    assert without.standard_deviations == pytest.approx(0.0933, abs=1e-4)  # (0.555 - 0.548) / 0.075
    assert position("csf_radius", 3.0) == ()
