"""Regions are proposed in marrow and in CSF, and nowhere else."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import LabelMap, Modality
from OVFRiskLib.vbq import RegionSettings, propose_regions

L1, L2, L3, L4, L5 = VertebralLevel.span("L1-L5")


def corners(roi) -> np.ndarray:
    return roi.plane.to_ras(roi.outline)


def test_body_regions_keep_the_inset(exam):
    regions = propose_regions(*exam())
    assert list(regions.bodies) == list(VertebralLevel.span("T12-L5"))
    for level, roi in regions.bodies.items():
        middle = 90.0 - 36.0 * list(regions.bodies).index(level)
        x, y, z = (corners(roi) - (0, 17, middle)).T
        assert np.all(np.abs(x) < 2)
        assert np.all(np.abs(y) <= 17 - 4 + 0.1)
        assert np.all(np.abs(z) <= 13 - 4 + 0.1)
        assert roi.area_mm2 == pytest.approx(26 * 18, rel=0.05)
        assert roi.note == ""
    assert regions.missing == {}


@pytest.mark.parametrize("sequences", [(Modality.T2,), (Modality.STIR,), (Modality.T1,), tuple(Modality)[1:4]])
def test_csf_lies_in_front_of_the_roots(exam, sequences):
    csf = propose_regions(*exam(sequences=sequences)).csf
    assert csf.region == Region(Structure.CSF, L3)
    _, y, z = corners(csf).T
    alone = sequences == (Modality.T1,)  # on T1 roots and ligament look like CSF
    assert y.max() <= -4 - 1.5 + alone * 1.5  # a margin of 2 mm, but for the voxels of 1 mm
    assert y.min() >= -14 + 1.5 - alone * 3
    assert np.all(np.abs(z + 18) <= 14)
    assert csf.inscribed_radius_mm >= 2.4
    assert ("T1 alone" in csf.note) == alone


def test_narrow_sac_sends_csf_to_the_adjacent_level(exam, spine):
    csf = propose_regions(*exam(spine(sac_depth={L3: 5.0}))).csf
    assert csf.region.level in (L2, L4)
    assert "L3" in csf.note


def test_no_sac_no_csf(exam, spine):
    regions = propose_regions(*exam(spine(sac_depth={L2: 0.0, L3: 0.0, L4: 0.0}), sequences=(Modality.STIR,)))
    assert regions.csf is None
    assert "no CSF found on STIR" in regions.why_no_csf


def test_swapped_sequences_have_no_common_csf(exam):
    volumes, labels = exam()
    swapped = {Modality.T1: volumes[Modality.T2], Modality.T2: volumes[Modality.T1]}
    regions = propose_regions(swapped, labels)
    assert regions.csf is None
    assert "swapped" in regions.why_no_csf


@pytest.mark.parametrize("part", [Compartment.WHOLE, Compartment.BODY])
def test_whole_vertebrae_give_the_same_regions_as_bodies(exam, spine, make_grid, part):
    volumes, labels = exam()
    whole = spine().labels(make_grid(), part, arch=True)
    for roi, other in zip(propose_regions(volumes, whole), propose_regions(volumes, labels)):
        np.testing.assert_allclose(corners(roi), corners(other), atol=0.3)


def test_body_labels_are_preferred_to_the_rest_of_the_vertebra(exam, spine, make_grid):
    volumes, labels = exam()
    array = spine().labels(make_grid(), arch=True).array.copy()
    array[(array > 0) & (labels.array == 0)] += 10
    parts = {n: Region(Compartment.BODY, r.level) for n, r in labels.labels.items()}
    arches = {n + 10: Region(Compartment.POSTERIOR, r.level) for n, r in labels.labels.items()}
    regions = propose_regions(volumes, LabelMap(array, labels.ijk_to_ras, parts | arches))
    assert [roi.hash for roi in regions] == [roi.hash for roi in propose_regions(volumes, labels)]


def test_arch_joined_to_the_body_is_refused(exam):
    volumes, labels = exam()
    array = labels.array.copy()
    x, y, z = np.moveaxis(labels.to_ras(np.moveaxis(np.indices(array.shape)[::-1], 0, -1)), -1, 0)
    array[(np.abs(z + 18) < 5) & (y < 0) & (y > -40) & (np.abs(x) < 8)] = 4  # L3
    regions = propose_regions(volumes, LabelMap(array, labels.ijk_to_ras, labels.labels))
    assert L3 not in regions.bodies
    assert "one piece" in regions.missing[Region(Compartment.BODY, L3)]


def test_a_body_far_from_the_midline_gets_its_own_plane(exam, spine, make_grid):
    regions = propose_regions(*exam(spine(aside={L1: 12.0, L2: 3.0}), make_grid(half=(40, 70, 130))))
    assert corners(regions.bodies[L1])[:, 0].mean() == pytest.approx(12, abs=1.1)
    assert "11 mm to the right" in regions.bodies[L1].note
    assert abs(corners(regions.bodies[L2])[:, 0].mean()) < 2
    assert regions.bodies[L2].note == ""


def test_flat_body_gets_a_smaller_inset_and_says_so(exam, spine):
    roi = propose_regions(*exam(spine(height={L2: 10.0}))).bodies[L2]
    assert "flat" in roi.note
    assert np.all(np.abs(corners(roi)[:, 2] - 18) < 5)
    assert roi.area_mm2 > 50


def test_body_cut_by_the_border_is_flagged_and_a_fragment_left_out(exam, make_grid):
    volumes, _ = exam()
    _, cut = exam(on=make_grid(half=(24, 70, 90 + 5)))  # T12 reaches from 77 to 103
    _, stub = exam(on=make_grid(half=(24, 70, 77 + 5)))
    assert "cut off" in propose_regions(volumes, cut).bodies[VertebralLevel.T12].note
    regions = propose_regions(volumes, stub)
    assert "fragment" in regions.missing[Region(Compartment.BODY, VertebralLevel.T12)]


def test_missing_level_has_its_reason(exam):
    volumes, labels = exam()
    without = labels.restricted(r for r in labels.regions if r.level is not L2)
    assert "L2 is not in the label map" in propose_regions(volumes, without).missing[Region(Compartment.BODY, L2)]


def test_settings_are_obeyed_and_kept(exam):
    settings = RegionSettings(inset_mm=6.0, csf_radius_mm=2.0, half_thickness_mm=1.0)
    regions = propose_regions(*exam(), settings=settings)
    assert regions.settings == settings
    assert regions.bodies[L4].area_mm2 == pytest.approx(22 * 14, rel=0.05)
    assert regions.csf.inscribed_radius_mm == pytest.approx(2, abs=0.01)
    assert {roi.half_thickness_mm for roi in regions} == {1.0}


def test_nothing_to_measure_is_said(exam):
    volumes, labels = exam()
    with pytest.raises(UserError, match="no T1, T2 or STIR"):
        propose_regions({Modality.CT: volumes[Modality.T1]}, labels)
    with pytest.raises(UserError, match="none of the levels"):
        propose_regions(volumes, labels, levels=VertebralLevel.span("T1-T4"))
