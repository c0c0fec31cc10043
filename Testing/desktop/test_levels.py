"""The list of levels: corrections on real segments, each undone exactly, and what has become stale."""

import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import LabelMap

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from OVFRiskLib.panels.level_list import Check  # noqa: E402
from OVFRiskLib.panels.levels import CHECK, Levels  # noqa: E402
from OVFRiskLib.panels.view import RowState  # noqa: E402
from OVFRiskLib.scene.segments import add_beside, labels_of  # noqa: E402
from OVFRiskLib.segmentation.compartments import PeelSettings  # noqa: E402

T12, L1, L2, L3, L4 = VertebralLevel.span("T12-L4")
WHOLE = Compartment.WHOLE


@pytest.fixture
def truth(phantom):
    """The phantom's whole vertebrae L1 to L3."""
    return phantom.labels.restricted(Region(WHOLE, level) for level in (L1, L2, L3))


@pytest.fixture
def levels(phantom_session, truth):
    chosen = phantom_session.parameters
    chosen.segmentation = add_beside(phantom_session.scene, truth, chosen.ct, "Vertebrae")
    return Levels(phantom_session, lambda: None)


def shown(levels):
    return [(row.key, row.cells[2].text, row.state) for row in levels.table().rows]


def same(found, expected):
    assert set(found.regions) == set(expected.regions)
    for region in expected.regions:
        assert np.array_equal(found.mask(region).array, expected.mask(region).array), region


def paint(levels, level, voxels):
    """What a brush does: voxels of the shared layer change, and the segment says so."""
    segment = levels.node.GetSegmentation().GetSegment(f"{level}_whole")
    layer = segment.GetRepresentation("Binary labelmap")
    for ijk in voxels:
        layer.SetScalarComponentFromDouble(*ijk, 0, segment.GetLabelValue())
    layer.Modified()


def background(truth, count=3):
    return np.argwhere(truth.array == 0)[:count, ::-1].tolist()


def test_list_before_and_after_the_check(levels, truth):
    assert shown(levels) == [(level, "whole", RowState.STALE) for level in ("L1", "L2", "L3")]
    assert "Check levels" in levels.table().rows[0].tip
    levels.check()
    rows = levels.table().rows
    assert [row.state for row in rows] == [RowState.CURRENT] * 3
    assert [row.level for row in rows] == [L1, L2, L3]
    for row in rows:
        volume = np.count_nonzero(truth.mask(Region(WHOLE, row.level)).array) * truth.voxel_volume / 1000
        assert row.cells[3].value == pytest.approx(volume)
        assert 0 < row.cells[1].value <= 1


def test_a_shift_renames_all_and_undo_brings_everything_back(levels, truth):
    levels.check()
    before, checked = levels.table(), dict(levels.prints)
    levels.shift(1)
    found = labels_of(levels.node)
    for level, now in ((L1, L2), (L2, L3), (L3, L4)):
        assert np.array_equal(found.mask(Region(WHOLE, now)).array, truth.mask(Region(WHOLE, level)).array)
    assert [row.key for row in levels.table().rows] == ["L2", "L3", "L4"]
    assert levels.is_checked
    assert levels.undoable == "Shift all one level down"
    levels.undo()
    same(labels_of(levels.node), truth)
    assert levels.prints == checked
    assert levels.table() == before
    assert levels.undoable == ""
    with pytest.raises(UserError, match="nothing to undo"):
        levels.undo()


def test_a_shift_up_of_a_list_that_was_not_checked(levels, truth):
    for _ in range(2):
        levels.shift(-1)
    assert list(levels.present) == [VertebralLevel.T11, T12, L1]
    assert not levels.is_checked
    for _ in range(2):
        levels.undo()
    same(labels_of(levels.node), truth)


def test_rename_to_t13_and_l6_and_two_change_places(levels, truth):
    levels.rename(L1, VertebralLevel.T13)
    assert list(levels.present) == [VertebralLevel.T13, L2, L3]
    with pytest.raises(UserError, match="T13"):
        levels.shift(1)  # no fixed place in the row
    levels.rename(VertebralLevel.T13, L2)
    found = labels_of(levels.node)
    assert np.array_equal(found.mask(Region(WHOLE, L2)).array, truth.mask(Region(WHOLE, L1)).array)
    assert set(levels.present) == {L2, VertebralLevel.T13, L3}
    levels.undo()
    levels.undo()
    same(labels_of(levels.node), truth)


def test_merge_and_split_are_each_others_undo(levels, truth):
    levels.merge([L2, L1])
    both = truth.mask(Region(WHOLE, L1), Region(WHOLE, L2)).array
    assert np.array_equal(labels_of(levels.node).mask(Region(WHOLE, L1)).array, both)
    assert list(levels.present) == [L1, L3]
    levels.split(L1)
    found = labels_of(levels.node)
    for level in (L1, L2):
        mask, expected = (labels.mask(Region(WHOLE, level)).array for labels in (found, truth))
        assert 2 * np.count_nonzero(mask & expected) > 0.9 * (np.count_nonzero(mask) + np.count_nonzero(expected))
    levels.undo()
    assert np.array_equal(labels_of(levels.node).mask(Region(WHOLE, L1)).array, both)
    levels.undo()
    same(labels_of(levels.node), truth)
    with pytest.raises(UserError, match="Fewer than two"):
        levels.merge([L1])


def test_split_keeps_each_vertebra_and_undo_and_join_bring_it_back(levels, truth):
    levels.check()
    levels.split_bodies(PeelSettings(3.0), [L2])
    assert [row.cells[2].text for row in levels.table().rows] == ["whole", "split", "whole"]
    found = labels_of(levels.node)
    parts = [Region(part, L2) for part in (Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.POSTERIOR)]
    assert np.array_equal(found.mask(*parts).array, truth.mask(Region(WHOLE, L2)).array)
    assert np.array_equal(found.mask(Region(WHOLE, L1)).array, truth.mask(Region(WHOLE, L1)).array)
    levels.split_bodies(PeelSettings(3.0))
    assert all(row.cells[2].text == "split" for row in levels.table().rows)
    with pytest.raises(UserError, match="split already"):
        levels.split_bodies(PeelSettings())
    body = labels_of(levels.node).mask(*(Region(part, L1) for part in (Compartment.CORTICAL, Compartment.CANCELLOUS)))
    levels.join_bodies([L1])
    assert np.array_equal(labels_of(levels.node).mask(Region(Compartment.BODY, L1)).array, body.array)
    for _ in range(3):
        levels.undo()
    same(labels_of(levels.node), truth)
    assert levels.is_checked


def test_a_brush_stroke_makes_the_list_stale_and_taking_it_back_current(levels, truth):
    told = []
    levels._changed = lambda: told.append(1)
    levels.close()
    levels.follow()
    levels.check()
    told.clear()
    strokes = background(truth)
    paint(levels, L2, strokes)
    assert told
    assert {row.state for row in levels.table().rows} == {RowState.STALE}
    assert "L2" in levels.table().rows[0].tip
    layer = levels.node.GetSegmentation().GetSegment("L2_whole").GetRepresentation("Binary labelmap")
    for ijk in strokes:
        layer.SetScalarComponentFromDouble(*ijk, 0, 0)
    layer.Modified()
    assert {row.state for row in levels.table().rows} == {RowState.CURRENT}


def test_undo_does_not_throw_drawing_away_unasked(levels, truth):
    levels.merge([L1, L2])
    paint(levels, L3, background(truth))
    drawn = labels_of(levels.node)
    with pytest.raises(UserError, match="would lose that"):
        levels.undo()
    same(labels_of(levels.node), drawn)
    levels.undo(give_up_edits=True)
    same(labels_of(levels.node), truth)


def test_undoing_a_name_keeps_what_was_drawn_since(levels, truth):
    levels.rename(L3, L4)
    strokes = background(truth)
    segment = levels.node.GetSegmentation().GetSegment("L4_whole")
    layer = segment.GetRepresentation("Binary labelmap")
    for ijk in strokes:
        layer.SetScalarComponentFromDouble(*ijk, 0, segment.GetLabelValue())
    layer.Modified()
    levels.undo()
    found = labels_of(levels.node).mask(Region(WHOLE, L3)).array
    assert np.count_nonzero(found) == np.count_nonzero(truth.mask(Region(WHOLE, L3)).array) + len(strokes)


def test_check_is_kept_with_the_scene_and_not_believed_for_other_voxels(levels, phantom_session, truth):
    levels.check()
    again = Levels(phantom_session, lambda: None)
    assert again.table() == levels.table()
    assert again.is_checked
    paint(again, L1, background(truth))
    assert not Levels(phantom_session, lambda: None).is_checked


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"judged": 3}', json.dumps({"prints": {}, "volumes": {}, "judged": [{"level": "L1"}]}),
     json.dumps({"prints": {"a": "b"}, "volumes": {}, "judged": [
         {"level": "L1", "usable": True, "quality": 7, "remarks": []}]}),
     json.dumps({"prints": {"a": "b"}, "volumes": {"Q9": 1}, "judged": []})],
)  # fmt: skip
def test_a_kept_check_that_is_none_is_no_check(text):
    assert Check.from_text(text) == Check()


def test_another_segmentation_forgets_the_steps(levels, phantom_session, truth):
    levels.shift(1)
    other = LabelMap(truth.array, truth.ijk_to_ras, {value: truth.labels[value] for value in list(truth.labels)[:1]})
    chosen = phantom_session.parameters
    first = chosen.segmentation
    chosen.segmentation = add_beside(phantom_session.scene, other, chosen.ct, "Other")
    assert levels.undoable == ""
    assert list(levels.present) == [L1]
    phantom_session.scene.RemoveNode(chosen.segmentation)
    assert levels.table().rows == ()
    with pytest.raises(UserError, match="No segmentation is chosen"):
        levels.check()
    assert first.GetAttribute(CHECK) is None
