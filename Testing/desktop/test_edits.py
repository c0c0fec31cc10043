"""Edits of real segmentation nodes are noticed, whatever tells of them, and taken back they are as never made."""

import numpy as np
import pytest
import slicer
import vtk
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.fingerprints import region_fingerprints
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.measurement import Measurement, MeasurementTable
from OVFRiskLib.mrml import add_segmentation, add_volume, save_bundle
from OVFRiskLib.panels.fingerprints import Watch
from OVFRiskLib.panels.record import CT, Part, Record
from OVFRiskLib.panels.view import RowState
from OVFRiskLib.scene.segmentation_edits import SegmentationEdits, layer_array

L1, L2, L3 = (Region(Compartment.WHOLE, VertebralLevel(name)) for name in ("L1", "L2", "L3"))
MATRIX = np.array([[-0.625, 0, 0, 12.3], [0, -0.625, 0.02, 40.7], [0, 0.02, 1.25, -800.15], [0, 0, 0, 1]])


def labels(array=None):
    if array is None:
        array = np.zeros((40, 50, 60), np.uint8)
        for value, start in ((1, 24), (2, 14), (3, 4)):
            array[start : start + 8, 10:30, 15:40] = value
    return LabelMap(array, MATRIX, {1: L1, 2: L2, 3: L3})


@pytest.fixture
def node(scene):
    volume = add_volume(scene, Volume(np.zeros((40, 50, 60), np.int16), MATRIX, modality=Modality.CT))
    return add_segmentation(scene, labels(), volume)


@pytest.fixture
def edits(node):
    watched = SegmentationEdits(node)
    yield watched
    watched.close()


def replace_segment(node, region, change):
    """Edit one segment as Slicer's effects do: through the module's logic."""
    segment = str(region).replace(" ", "_")
    layer = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment, layer)
    array, _ = layer_array(layer)
    change(array)
    layer.GetPointData().GetScalars().Modified()
    layer.Modified()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.SetBinaryLabelmapToSegment(layer, node, segment, logic.MODE_REPLACE, layer.GetExtent())


def shaved(array):
    """Take the foremost rows off a segment."""
    first = int(array.any(axis=(0, 2)).argmax())
    array[:, first : first + 3] = 0


def changed(before, after):
    return {region for region in {*before, *after} if before.get(region) != after.get(region)}


def test_they_are_the_fingerprints_of_the_label_map(edits):
    assert dict(edits.flush()) == region_fingerprints(labels())


def test_painting_changes_one_segment_and_undo_takes_it_back(node, edits):
    before = edits.flush()
    kept = slicer.vtkSegmentation()
    kept.DeepCopy(node.GetSegmentation())
    replace_segment(node, L2, shaved)
    assert changed(before, edits.flush()) == {L2}
    node.GetSegmentation().DeepCopy(kept)
    assert dict(edits.flush()) == dict(before)


def test_a_layer_that_is_cut_to_its_content_is_the_same(node, edits):
    before = edits.flush()
    replace_segment(node, L2, lambda _array: None)
    layer = node.GetSegmentation().GetSegment("L2_whole").GetRepresentation("Binary labelmap")
    assert layer.GetExtent() != (0, 59, 0, 49, 0, 39)
    assert dict(edits.flush()) == dict(before)


def test_two_segments_in_one_edit(node, edits):
    """What one segment takes from another in the same layer changes both, though an event may name one or none."""
    before = edits.flush()
    layer = node.GetSegmentation().GetSegment("L1_whole").GetRepresentation("Binary labelmap")
    array, _ = layer_array(layer)
    array[24:26, 10:20, 15:20] = 2
    layer.Modified()
    assert changed(before, edits.flush()) == {L1, L2}


def test_own_layer_is_the_same_region(node, edits):
    """Segments that no longer share a layer are the same."""
    before = edits.flush()
    node.GetSegmentation().SeparateSegmentLabelmap("L2_whole")
    assert dict(edits.flush()) == dict(before)


def test_removed_renamed_and_twice(node, edits):
    before = edits.flush()
    node.GetSegmentation().RemoveSegment("L1_whole")
    assert changed(before, edits.flush()) == {L1}
    segment = node.GetSegmentation().GetSegment("L2_whole")
    segment.SetName("L4")
    segment.RemoveTag("TerminologyEntry")
    renamed = edits.flush()
    assert renamed[Region(Compartment.WHOLE, VertebralLevel.L4)] == before[L2]
    assert L2 not in renamed
    segment.SetName("L3")
    assert edits.flush()[L3] not in before.values()


def test_a_moved_segmentation_is_another(scene, node, edits):
    before = edits.flush()
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    matrix = vtk.vtkMatrix4x4()
    node.SetAndObserveTransformNodeID(transform.GetID())
    assert dict(edits.flush()) == dict(before)
    matrix.SetElement(2, 3, 5.0)
    transform.SetMatrixTransformToParent(matrix)
    assert changed(before, edits.flush()) == {L1, L2, L3}


def test_events_are_told_once_until_looked_at(node):
    told = []
    edits = SegmentationEdits(node, lambda: told.append(1))
    edits.flush()
    replace_segment(node, L2, shaved)
    replace_segment(node, L3, shaved)
    assert told == [1]
    edits.flush()
    node.GetSegmentation().RemoveSegment("L1_whole")
    assert told == [1, 1]
    edits.close()
    node.GetSegmentation().RemoveSegment("L2_whole")
    assert told == [1, 1]


def reloaded(bundle, folder):
    """Open a bundle as Slicer does."""
    scene, cache, data = slicer.vtkMRMLScene(), slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    scene.kept = slicer.vtkSlicerSegmentationsModuleLogic(), cache, data
    scene.kept[0].SetMRMLScene(scene)
    cache.SetRemoteCacheDirectory(str(folder))
    cache.SetMRMLScene(scene)
    data.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(data)
    assert scene.ReadFromMRB(str(bundle), True)
    return scene


def test_a_saved_scene_has_the_same_fingerprints(scene, edits, tmp_path):
    before = dict(edits.flush())
    save_bundle(scene, tmp_path / "scene.mrb")
    edits.close()
    other = reloaded(tmp_path / "scene.mrb", tmp_path)
    again = SegmentationEdits(other.GetFirstNodeByClass("vtkMRMLSegmentationNode"))
    assert dict(again.flush()) == before
    again.close()


@pytest.fixture
def watched(session, node):
    session.parameters.ct = session.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    session.parameters.segmentation = node
    watch = Watch(session)
    rows = [
        Measurement("p", region.level, Compartment.BODY, "anterior_height", 1.0, "mm", "x-1") for region in (L1, L2)
    ]
    session.record = Record({CT: Part(MeasurementTable(rows), {}, watch.fingerprints())})
    yield watch, rows
    watch.close()


def states(session, rows):
    return [session.record.state(row) for row in rows]


def test_the_session_hears_of_stale_rows_and_of_their_return(session, watched, node):
    watch, rows = watched
    heard = []
    session.observe("measurements", lambda: heard.append(states(session, rows)))
    assert watch.flush() == frozenset()
    kept = slicer.vtkSegmentation()
    kept.DeepCopy(node.GetSegmentation())
    replace_segment(node, L1, shaved)
    watch.flush()
    node.GetSegmentation().DeepCopy(kept)
    watch.flush()
    assert heard[-2:] == [[RowState.STALE, RowState.CURRENT], [RowState.CURRENT, RowState.CURRENT]]


def test_another_segmentation_node_or_none_makes_rows_stale(session, watched, node):
    watch, rows = watched
    session.parameters.segmentation = None
    watch.flush()
    assert states(session, rows) == [RowState.STALE] * 2
    session.parameters.segmentation = node
    watch.flush()
    assert states(session, rows) == [RowState.CURRENT] * 2


def test_an_edited_image_makes_rows_stale(session, watched):
    watch, rows = watched
    image = session.parameters.ct.GetImageData()
    image.GetPointData().GetScalars().SetTuple1(0, 7)
    image.Modified()
    watch.flush()
    assert states(session, rows) == [RowState.STALE] * 2
