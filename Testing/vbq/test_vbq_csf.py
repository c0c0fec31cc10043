"""CSF is taken where there is room for it: the width of the sac decides, and the user."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Region, Structure, VertebralLevel
from OVFRiskLib.image import Modality
from OVFRiskLib.vbq import Plane, RegionSettings, Roi, measure_vbq, propose_regions
from OVFRiskLib.vbq.csf_ellipse import largest_ellipse
from OVFRiskLib.vbq.csf_map import CsfMap, Wall
from OVFRiskLib.vbq.stenosis import sac_width, why_narrow

L2, L3, L4, L5 = VertebralLevel.span("L2-L5")
T1, T2 = Modality.T1, Modality.T2
WALL = Wall(np.zeros(2), np.array([0.0, 1.0]), np.array([-1.0, 0.0]), 14.0)
PLANE = Plane((0.0, 0.0, 0.0), ((0, 1, 0), (0, 0, 1)))
SETTINGS = RegionSettings()


def csf_map(purity) -> CsfMap:
    """A map of 0.5 mm from a function of the distance behind the wall and along it, mm."""
    behind, along = np.arange(2, 24.25, 0.5), np.arange(-14, 14.25, 0.5)
    return CsfMap(
        PLANE, WALL, behind, along, np.asarray(purity(behind[:, None], along[None]) * np.ones((45, 57)), float)
    )


def strip(front: float, back: float, slope: float = 0.0) -> CsfMap:
    return csf_map(lambda b, a: (b - slope * a >= front) & (b - slope * a <= back))


@pytest.mark.parametrize("width", [4.0, 6.0, 9.0, 13.0])
def test_width_of_the_sac(width):
    assert sac_width(strip(5, 5 + width)) == pytest.approx(width, abs=0.5)


def test_roots_do_not_divide_the_sac_but_what_lies_behind_it_is_not_counted():
    def sac(behind, _along):
        return (behind >= 4) & (behind <= 14) & ~((behind > 10) & (behind < 12)) | (behind > 19)

    assert sac_width(csf_map(sac)) == pytest.approx(10, abs=0.5)
    assert sac_width(csf_map(lambda b, _: b > 99)) is None


def test_bulging_discs_do_not_count():
    assert sac_width(csf_map(lambda b, a: (b >= 4) & (b <= np.where(np.abs(a) > 9, 6, 14)))) == pytest.approx(
        10, abs=0.5
    )


@pytest.mark.parametrize(
    ("widths", "narrow"),
    [
        ({L2: 14, L3: 12, L4: 12}, ""),
        ({L2: 14, L3: 8.0, L4: 13}, "59% of the adjacent"),  # 8 / 13.5
        ({L2: 14, L3: 8.2, L4: 13}, ""),  # 61 %
        ({L2: 7, L3: 6.9, L4: 7}, "only 6.9 mm"),
        ({L3: 8}, ""),
        ({L2: None, L3: 7.5, L4: 14}, "54% of the adjacent"),
        ({L2: 14, L3: None, L4: 14}, ""),
    ],
)
def test_the_rule_of_the_narrow_sac(widths, narrow):
    said = why_narrow(L3, widths, SETTINGS)
    assert narrow in said
    assert bool(said) == bool(narrow)


def test_region_keeps_its_margin_where_there_is_room():
    ellipse = largest_ellipse(strip(4, 12), SETTINGS)
    width, length = ellipse.region_axes(SETTINGS)
    assert width == pytest.approx(4 - 2, abs=0.3)
    assert length >= 2 * width
    assert 4 + 1.7 <= ellipse.behind - width
    assert ellipse.behind + width <= 12 - 1.7


def test_narrow_sac_gets_a_long_narrow_region_within_it():
    ellipse = largest_ellipse(strip(5, 9), SETTINGS)
    places = ellipse.outline(SETTINGS)
    assert -9.25 <= places[:, 0].min()
    assert places[:, 0].max() <= -4.75
    width, length = ellipse.region_axes(SETTINGS)
    assert (width, length >= 2 * width) == (1.5, True)


@pytest.mark.parametrize("slope", [-0.3, 0.3])
def test_region_lies_in_a_slanting_sac(slope):
    csf = strip(9, 16, slope)
    places = largest_ellipse(csf, SETTINGS).outline(SETTINGS)
    across = -places[:, 0] - slope * places[:, 1]
    assert np.all((across >= 9) & (across <= 16))


def test_no_csf_no_ellipse():
    assert largest_ellipse(csf_map(lambda b, _: b > 99), SETTINGS) is None


def test_narrow_sac_sends_csf_to_an_adjacent_level_and_back_if_asked(exam, spine):
    volumes, labels = exam(spine(sac_depth={L3: 7.5}))  # of 13 mm
    csf = propose_regions(volumes, labels).csf
    assert csf.region.level in (L2, L4)
    assert "L3 is" in csf.note
    assert "stenosis?" in csf.note
    asked = propose_regions(volumes, labels, settings=RegionSettings(csf_level=L3)).csf
    assert asked.region.level is L3
    other = propose_regions(volumes, labels, settings=RegionSettings(csf_level=L5)).csf
    assert other.region.level is L5
    assert "CSF taken at L5, as was asked for" in other.note


def test_narrow_everywhere_stays_at_l3_and_says_so(exam, spine):
    csf = propose_regions(*exam(spine(sac_depth=dict.fromkeys((L2, L3, L4), 6.5)))).csf
    assert csf.region.level is L3
    assert "no more room" in csf.note


def test_where_csf_is_wanted_does_not_change_the_protocol(exam):
    volumes, labels = exam()
    rows = [
        measure_vbq(volumes, propose_regions(volumes, labels, settings=RegionSettings(csf_level=level))).rows[0]
        for level in (None, L4)
    ]
    assert rows[0].protocol_id == rows[1].protocol_id


def test_wanted_level_without_a_body(exam):
    volumes, labels = exam()
    few = labels.restricted(r for r in labels.regions if r.level is not L4)
    regions = propose_regions(volumes, few, settings=RegionSettings(csf_level=L4))
    assert regions.csf is None
    assert "no body at L4" in regions.why_no_csf


def circle(radius: float) -> Roi:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = radius * np.column_stack([np.cos(angles), np.sin(angles)]) + (-9.5, -18)
    return Roi(Region(Structure.CSF, L3), PLANE, tuple(map(tuple, outline)), 1.5)


def with_csf(regions, roi):
    return replace(regions, rois=(*regions.bodies.values(), roi))


def note_of(volumes, regions, sequence) -> str:
    (row,) = measure_vbq(volumes, regions).where(name=f"{sequence}_signal_intensity", compartment=Structure.CSF).rows
    return row.note


def test_small_region_is_flagged(exam):
    volumes, labels = exam(sequences=(T2,))
    regions = propose_regions(volumes, labels)
    assert "small CSF region (13 mm²" in note_of(volumes, with_csf(regions, circle(2.0)), "t2")  # pi 2²
    assert note_of(volumes, with_csf(regions, circle(3.0)), "t2") == ""


@pytest.mark.parametrize(("share", "said"), [(0.0, ""), (0.08, "nerve roots or partial volume?")])
def test_a_few_roots_in_the_region_are_noticed_and_noise_is_not(exam, with_signal, share, said):
    volumes, labels = exam(sequences=(T2,))
    regions = propose_regions(volumes, labels)
    rng = np.random.default_rng(1)
    signal = 800 + 50 * rng.standard_normal(4000) - 260.0 * (rng.random(4000) < share)
    noisy = {T2: with_signal(volumes[T2], regions.csf, signal)}
    note = note_of(noisy, regions, "t2")
    assert said in note
    assert bool(note) == bool(said)


def test_signals_cut_off_at_any_value_are_noticed(exam):
    volumes, labels = exam(sequences=(T2,))
    regions = propose_regions(volumes, labels)
    noise = 20 * np.random.default_rng(2).standard_normal(volumes[T2].array.shape)
    noisy = replace(volumes[T2], array=np.rint(volumes[T2].array + noise).astype(np.int16))
    cut = replace(noisy, array=np.minimum(noisy.array, 700).astype(np.int16))
    assert "100% of the voxels are clipped at 700" in note_of({T2: cut}, regions, "t2")
    assert "clipped" not in note_of({T2: noisy}, regions, "t2")
