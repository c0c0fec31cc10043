"""Faults put into real label maps are found and named; untouched maps raise nothing."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import LabelMap, Modality
from OVFRiskLib.phantom import Anatomy, PhantomSettings
from OVFRiskLib.phantom.ct import ct_raster
from OVFRiskLib.phantom.labels import scheme_regions, structure_array, with_vertebrae
from OVFRiskLib.phantom.scene import Patterns, draw_scene
from OVFRiskLib.phantom.spine import build_spine
from OVFRiskLib.segmentation.compartments import body_shapes, vertebra
from OVFRiskLib.segmentation.label_edits import merge, rename, shift_all, split_at, split_in_two
from OVFRiskLib.segmentation.level_check import check_levels
from OVFRiskLib.segmentation.level_quality import BAR, Fault

V = VertebralLevel
T12, T13, L1, L2, L3, L4, L5, L6 = V.T12, V.T13, V.L1, V.L2, V.L3, V.L4, V.L5, V.L6
MAPS = {
    "whole": ("ct_abdomen_3mm/totalsegmentator_fast_labels.nii.gz", "totalsegmentator"),
    "bodies": ("ct_abdomen_3mm/vertebrae_verse_codes.nii.gz", "verse"),
    "crushed L1": ("masks_fracture/sub-verse004_seg-vert_msk.nii.gz", "verse"),
    "MR bodies": ("mr_lumbar_t2_bodies/t2_bodies.nii.gz", "verse"),
}
AT_THE_BORDER = (V.T11, T12)  # of ct_abdomen_3mm: truly cut


@pytest.fixture(scope="module")
def read(shared_data):
    """Read a label map once."""
    known = {}

    def labels(name):
        if name not in known:
            known[name] = read_labels(shared_data / MAPS[name][0], MAPS[name][1])
        return known[name]

    return labels


@pytest.fixture(scope="module")
def abdomen_ct(shared_data):
    return read_volume(shared_data / "ct_abdomen_3mm/ct.nii.gz", Modality.CT)


SHAPES = {}  # by mask: a fault leaves most vertebrae as they are


def judged(labels, ct=None):
    masks = {v: vertebra(labels, v) for v in labels.levels() if v is not V.S1}
    hashes = {v: mask.hash for v, mask in masks.items() if mask.array.any()}
    SHAPES.update(
        {hashes[v]: s for v, s in body_shapes(labels, [v for v in hashes if hashes[v] not in SHAPES]).items()}
    )
    return {q.level: q for q in check_levels(labels, hashes, {v: SHAPES[h] for v, h in hashes.items()}, ct)}


def faults(labels, ct=None):
    """Level -> kinds of fault; statements and what the image truly cuts are left out."""
    found = {v: {f.fault for f in q.findings if f.trust < 1} for v, q in judged(labels, ct).items()}
    return {v: kinds for v, kinds in found.items() if kinds and v not in AT_THE_BORDER}


def without(labels, level, keep):
    """Take from a level the voxels whose RAS position fails `keep`."""
    array, mask = labels.array.copy(), vertebra(labels, level).array
    kji = np.argwhere(mask)
    array[tuple(kji[~keep(labels.to_ras(kji[:, ::-1]))].T)] = 0
    return replace(labels, array=array)


def middle(labels, level):
    judged(labels)
    return SHAPES[vertebra(labels, level).hash].frame.origin


@pytest.mark.parametrize("name", MAPS)
def test_an_untouched_map_raises_nothing(read, name):
    assert faults(read(name)) == {}


@pytest.mark.parametrize("name", ["bodies", "crushed L1"])
class TestFaults:
    def test_swapped(self, read, name):
        assert faults(rename(read(name), {L2: L3, L3: L2})) == {L2: {Fault.ORDER}, L3: {Fault.ORDER}}

    def test_merged(self, read, name):
        merged = merge(read(name), (L2, L3), L2)
        assert faults(merged) == {L2: {Fault.MERGED}}
        again = split_in_two(merged, L2, (L2, L3))
        for level in (L2, L3):
            old, new = (vertebra(m, level).array for m in (read(name), again))
            assert 2 * np.count_nonzero(old & new) / (np.count_nonzero(old) + np.count_nonzero(new)) > 0.9

    @pytest.mark.parametrize("normal", [(0, 0, 1), (1, 0, 0)])
    def test_split(self, read, name, normal):
        labels = rename(read(name), {L5: L6, L4: L5})
        halves = split_at(labels, L3, (L3, L4), middle(labels, L3), np.array(normal))
        assert faults(halves) == {L3: {Fault.SPLIT}, L4: {Fault.SPLIT}}

    def test_fragment(self, read, name):
        side = middle(read(name), L3)[0] - 12
        assert faults(without(read(name), L3, lambda ras: ras[:, 0] < side)) == {L3: {Fault.FRAGMENT}}

    def test_interlocked(self, read, name):
        """A bar through L3 from side to side is named L2."""
        kji = np.argwhere(vertebra(read(name), L3).array)
        from_middle = read(name).to_ras(kji[:, ::-1]) - middle(read(name), L3)
        bar = np.hypot(*from_middle[:, 1:].T) < 5
        array = read(name).array.copy()
        array[tuple(kji[bar].T)] = next(v for v, r in read(name).labels.items() if r.level == L2)
        found = faults(replace(read(name), array=array))
        assert Fault.INTERLOCKED in found[L2] & found[L3]
        assert set(found) == {L2, L3}

    def test_duplicate(self, read, name):
        labels = rename(read(name).restricted(r for r in read(name).regions if r.level != L4), {})
        value = next(v for v, region in labels.labels.items() if region.level == L2)
        array = np.where(vertebra(read(name), L4).array, value, labels.array)
        assert faults(replace(labels, array=array)) == {L2: {Fault.DUPLICATE}}

    def test_gap(self, read, name):
        labels = read(name).restricted(r for r in read(name).regions if r.level != L3)
        assert faults(labels) == {L2: {Fault.GAP}, L4: {Fault.GAP}}

    def test_skipped(self, read, name):
        labels = rename(read(name), {L3: L4, L4: L5, L5: L6})
        assert faults(labels) == {L2: {Fault.SHIFTED}, L4: {Fault.SHIFTED}}


def test_a_second_piece(read):
    low = middle(read("bodies"), L4)[2]
    parted = without(read("bodies"), L4, lambda ras: np.abs(ras[:, 2] - low) > 2)
    assert faults(parted) == {L4: {Fault.PIECES}}


def test_top_cut(read):
    labels = read("bodies").reoriented("RAS")
    k = int(np.rint(labels.to_ijk(middle(labels, L1))[2]))
    cut = labels.cropped((slice(0, k), slice(0, labels.array.shape[1]), slice(0, labels.array.shape[2])))
    quality = judged(cut)[L1]
    assert not quality.usable
    assert Fault.CUT in {f.fault for f in quality.findings}


def test_shifted_by_one(read):
    """The sacrum and the ribs tell, each alone."""
    shifted = shift_all(read("whole"), -1)
    ribs = [r for r in shifted.regions if r.part in (Structure.RIB_LEFT, Structure.RIB_RIGHT)]
    sacral = [r for r in shifted.regions if r.part is Structure.SACRUM or r.level is V.S1]
    for evidence, word in ((ribs, "sacrum"), (sacral, "ribs")):
        quality = judged(shifted.restricted(r for r in shifted.regions if r not in evidence))
        for level in VertebralLevel.span("T12-L4"):
            assert [f.fault for f in quality[level].findings] == [Fault.SHIFTED]
            assert "too high" in quality[level].note
            assert word in quality[level].note
            assert quality[level].score < BAR
            assert "distrust" in quality[level].note


ROW = VertebralLevel.span("T11-L5")
DOWN = dict(zip(ROW[1:], (*ROW[2:], V.S1), strict=True))


@pytest.mark.parametrize(
    ("shift", "word"),
    [(lambda m: shift_all(m, -1), "one level too high"), (lambda m: rename(m, DOWN), "one level too low")],
)
def test_bodies_shifted_by_one_are_told_by_the_image(read, abdomen_ct, shift, word):
    shifted = shift(read("bodies"))
    quality = judged(shifted, abdomen_ct)
    assert all(word in q.note and q.score <= 0.4 for q in quality.values() if q.usable)
    assert sum(q.usable for q in quality.values()) >= 4
    assert not any(Fault.SHIFTED in kinds for kinds in faults(shifted).values())  # the mask alone cannot tell


def test_the_image_contradicts_no_right_name(read, abdomen_ct):
    assert faults(read("bodies"), abdomen_ct) == {}


def test_labels_that_lie_on_no_bone(read, abdomen_ct):
    """L3's label on what lies in front of the spine, L2's on air."""
    labels, array = read("bodies"), abdomen_ct.array.copy()
    ras = labels.to_ras(np.argwhere(vertebra(labels, L3).array)[:, ::-1]) + np.array([0, 60, 0])
    array[vertebra(labels, L3).array] = array[tuple(np.rint(labels.to_ijk(ras)).astype(int)[:, ::-1].T)]
    array[vertebra(labels, L2).array] = -1000
    found = judged(labels, replace(abdomen_ct, array=array))
    assert [v for v, q in found.items() if "no bone" in q.note] == [L2, L3]
    assert found[L2].score < BAR
    assert found[L3].score < BAR


def test_shifting_stops_at_the_sacrum_and_at_transitional_levels(read):
    with pytest.raises(UserError, match="sacrum"):
        shift_all(read("whole"), 1)
    with pytest.raises(UserError, match="L6"):
        shift_all(rename(read("whole"), {L5: L6}), -1)
    back = shift_all(shift_all(read("whole"), -1), 1)
    assert back.labels == read("whole").labels


def test_edits_refuse_what_would_collide(read):
    with pytest.raises(UserError, match="L3"):
        rename(read("whole"), {L2: L3})
    with pytest.raises(UserError, match="C3"):
        rename(read("whole"), {V.C3: V.C4})
    with pytest.raises(UserError, match="another vertebra"):
        merge(read("whole"), (L2, L3), L5)
    with pytest.raises(UserError, match="L4"):
        split_at(read("whole"), L3, (L3, L4), middle(read("whole"), L3))
    with pytest.raises(UserError, match="two bodies"):
        split_in_two(read("whole"), L3, (L3, T13))


def phantom_labels(anatomy):
    settings = PhantomSettings(3, 3.0, anatomy=anatomy)
    spine = build_spine(settings)
    raster = ct_raster(settings, spine)
    scene = draw_scene(settings, spine, Patterns.drawn(3), raster)
    array = raster.centres(with_vertebrae(structure_array(scene, []), scene, divided=False))
    return LabelMap(array, raster.ijk_to_ras(settings.position), scheme_regions())


def test_t13_is_stated_and_no_fault():
    quality = judged(phantom_labels(Anatomy.T13))
    del quality[V.T10]  # cut by the image's top
    assert not any(q.note for q in quality.values())
    assert [v for v, q in quality.items() if q.statements] == [T13]
    assert quality[T13].usable


def test_l6_is_stated_and_no_fault(read):
    names = {T12: L1, L1: L2, L2: L3, L3: L4, L4: L5, L5: L6}
    regions = [r for r in read("whole").regions if r.level is not V.T11 and "rib" not in r.part]
    labels = rename(read("whole").restricted(regions), names)
    quality = judged(labels)
    assert [v for v, q in quality.items() if q.statements] == [L6]
    assert not any(quality[v].note for v in (L2, L3, L4, L5, L6))


def test_a_sacralised_l5_is_told_from_a_wrong_count_by_the_ribs():
    labels = phantom_labels(Anatomy.SACRALISED_L5)
    quality = judged(labels)
    assert "L5 is sacralised" in quality[L4].note
    assert quality[L4].usable
    head = body_shapes(labels, [T12])[T12].frame
    kji = np.argwhere(labels.array == 0)
    points = head.from_ras(labels.to_ras(kji[:, ::-1]))
    rib = np.all((points > (20, -26, -2)) & (points < (40, -12, 8)), axis=1)  # beside the right pedicle
    array = labels.array.copy()
    array[tuple(kji[rib].T)] = 819
    ribbed = LabelMap(array, labels.ijk_to_ras, {**labels.labels, 819: Region(Structure.RIB_RIGHT, T12)})
    stated = judged(ribbed)
    assert stated[L4].note == ""
    assert "sacralised" in stated[L4].statements[0]
