"""The segmentation node: label map and back, names without voxel work, and every change undone exactly."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import LabelMap, Modality, Volume

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib import mrml  # noqa: E402
from OVFRiskLib.panels.level_list import Check, Judged  # noqa: E402
from OVFRiskLib.panels.levels import Levels  # noqa: E402
from OVFRiskLib.panels.parameter_node import parameter_node  # noqa: E402
from OVFRiskLib.panels.session import Session  # noqa: E402
from OVFRiskLib.scene import segments  # noqa: E402
from OVFRiskLib.scene.seeds import add_seeds, points_of  # noqa: E402
from OVFRiskLib.scene.segment_layers import layers_of  # noqa: E402
from OVFRiskLib.scene.segment_states import Snapshot, rekey  # noqa: E402
from OVFRiskLib.terminology import segment_id, term  # noqa: E402

L1, L2, L3 = VertebralLevel.span("L1-L3")
BODY1, BODY2, BODY3 = (Region(Compartment.BODY, level) for level in (L1, L2, L3))
SACRUM = Region(Structure.SACRUM)


@pytest.fixture
def own_scene():
    return slicer.vtkMRMLScene()


@pytest.fixture
def labels():
    """Three blocks, oblique, with label values beyond a byte."""
    array = np.zeros((30, 14, 12), np.int16)
    array[20:28, 3:9, 2:9], array[10:18, 3:9, 2:9], array[1:8, 4:9, 2:9] = 300, 310, 7
    matrix = np.eye(4)
    c, s = np.cos(0.2), np.sin(0.2)
    matrix[:3, :3] = np.array([[-1, 0, 0], [0, -c, -s], [0, -s, c]]) @ np.diag([1.5, 1.5, 3.0])
    matrix[:3, 3] = (12.5, 30.25, -57.125)
    return LabelMap(array, matrix, {300: BODY1, 310: BODY2, 7: SACRUM})


@pytest.fixture
def ct(own_scene, labels):
    values = np.random.default_rng(1).integers(-100, 300, labels.array.shape).astype(np.int16)
    return mrml.add_volume(own_scene, Volume(values, labels.ijk_to_ras, modality=Modality.CT))


@pytest.fixture
def node(own_scene, labels, ct):
    return segments.add_beside(own_scene, labels, ct, "Vertebrae")


def state(node):
    """Everything that undo has to bring back."""
    segmentation, found = node.GetSegmentation(), []
    for name in segmentation.GetSegmentIDs():
        segment, entry = segmentation.GetSegment(name), vtk.reference("")
        segment.GetTag("TerminologyEntry", entry)
        array, matrix = mrml._array(segment.GetRepresentation("Binary labelmap")), vtk.vtkMatrix4x4()
        segment.GetRepresentation("Binary labelmap").GetImageToWorldMatrix(matrix)
        mask = array == segment.GetLabelValue()
        found.append((
            name, segment.GetName(), segment.GetColor(), str(entry), segment.GetLabelValue(), mask.tobytes(),
            mask.shape, mrml._numpy_matrix(matrix).tobytes(), node.GetDisplayNode().GetSegmentVisibility(name),
        ))  # fmt: skip
    return found


def same(found, labels):
    assert found.same_grid(labels)
    assert found.regions == labels.regions
    for region in labels.regions:
        assert np.array_equal(found.mask(region).array, labels.mask(region).array), region


def test_label_map_comes_back(node, labels):
    same(segments.labels_of(node), labels)


def test_label_map_comes_back_under_a_transform_in_patient_space(own_scene, ct, labels):
    transform = own_scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy([0, -1, 0, 5, 1, 0, 0, -7, 0, 0, 1, 30, 0, 0, 0, 1])
    transform.SetMatrixTransformToParent(matrix)
    ct.SetAndObserveTransformNodeID(transform.GetID())
    moved = replace(labels, ijk_to_ras=mrml._numpy_matrix(matrix) @ labels.ijk_to_ras)
    node = segments.add_beside(own_scene, moved, ct, "Vertebrae")
    same(segments.labels_of(node), moved)
    assert mrml.volume_of(ct).same_grid(moved)
    assert node.GetTransformNodeID() == transform.GetID()


def test_segments_are_named_coloured_coded_and_lie_beside_the_ct(own_scene, node, ct):
    segment = node.GetSegmentation().GetSegment("L1_body")
    assert segment.GetName() == "L1 body"
    assert segment.GetColor() == pytest.approx(term(BODY1).color)
    assert "66794005" in state(node)[0][3]  # SNOMED CT: L1
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(own_scene)
    places = [hierarchy.GetItemParent(hierarchy.GetItemByDataNode(data)) for data in (node, ct)]
    assert places[0] == places[1] != 0


def test_segments_that_mean_nothing_are_left_alone_and_overlap_is_told(node):
    segmentation = node.GetSegmentation()
    segmentation.GetSegment("sacrum").SetName("Something else")
    found = segments.labels_of(node)
    assert found.regions == (BODY1, BODY2)
    layer = slicer.vtkOrientedImageData()
    layer.DeepCopy(segmentation.GetSegment("L1_body").GetRepresentation("Binary labelmap"))
    segment = slicer.vtkSegment()
    segment.SetName("L3")
    segment.SetLabelValue(300)
    segment.AddRepresentation("Binary labelmap", layer)
    segmentation.AddSegment(segment)
    with pytest.raises(UserError, match="overlap"):
        segments.labels_of(node)
    segment.SetName("L1 body")
    with pytest.raises(UserError, match="called L1 body"):
        segments.labels_of(node)


def test_empty_segmentation_is_told(own_scene):
    with pytest.raises(UserError, match="names a vertebra"):
        segments.labels_of(own_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Empty"))


def test_renaming_changes_names_codes_colours_ids_and_no_voxel(node):
    node.GetDisplayNode().SetSegmentVisibility("L2_body", False)
    before, layer = state(node), next(iter(layers_of(node)))
    time = layer.GetMTime()
    undo = segments.rename_regions(node, {BODY1: BODY2, BODY2: BODY3})
    after = state(node)
    assert [row[0] for row in after] == ["L2_body", "L3_body", "sacrum"]
    assert [row[1] for row in after] == ["L2 body", "L3 body", "sacrum"]
    assert [row[5] for row in after] == [row[5] for row in before]
    assert "14293000" in after[0][3]
    assert "36470004" in after[1][3]  # SNOMED CT: L2, L3
    assert [row[8] for row in after] == [True, False, True]
    assert next(iter(layers_of(node))) is layer
    assert layer.GetMTime() == time
    rekey(node, undo)
    assert state(node) == before


def test_names_may_change_places(node):
    before = segments.labels_of(node)
    segments.rename_regions(node, {BODY1: BODY2, BODY2: BODY1})
    after = segments.labels_of(node)
    assert np.array_equal(after.mask(BODY1).array, before.mask(BODY2).array)
    assert np.array_equal(after.mask(BODY2).array, before.mask(BODY1).array)


def test_undoing_names_of_a_deleted_segment_is_refused(node):
    undo = segments.rename_regions(node, {BODY2: BODY3})
    node.GetSegmentation().RemoveSegment("L3_body")
    before = state(node)
    with pytest.raises(UserError, match="no longer there"):
        rekey(node, undo)
    assert state(node) == before


def test_replacing_regions_leaves_the_others_and_is_undone_exactly(node, labels):
    node.GetSegmentation().GetSegment("sacrum").SetTag("Note", "mine")
    node.GetDisplayNode().SetSegmentVisibility("L1_body", False)
    before, kept = state(node), Snapshot.of(node)
    parts = Region(Compartment.CORTICAL, L1), Region(Compartment.CANCELLOUS, L1)
    array = np.zeros_like(labels.array)
    array[20:28, 3:9, 2:9], array[22:26, 4:8, 4:7] = 5, 6
    new = LabelMap(array, labels.ijk_to_ras, dict(zip((5, 6), parts)))
    segments.replace_regions(node, new, [BODY1])
    found = segments.labels_of(node)
    assert list(node.GetSegmentation().GetSegmentIDs()) == [
        *map(segment_id, sorted(parts, key=lambda r: r.sort_key)),
        "L2_body",
        "sacrum",
    ]
    for region in parts:
        assert np.array_equal(found.mask(region).array, new.mask(region).array)
    assert np.array_equal(found.mask(BODY2).array, labels.mask(BODY2).array)
    kept.restore(node)
    assert state(node) == before
    note = vtk.reference("")
    assert node.GetSegmentation().GetSegment("sacrum").GetTag("Note", note)
    assert str(note) == "mine"
    same(segments.labels_of(node), labels)


def test_check_points_and_fingerprints_come_back_with_a_saved_scene(scene, labels, tmp_path):
    values = np.zeros(labels.array.shape, np.int16)
    volume = mrml.add_volume(scene, Volume(values, labels.ijk_to_ras, modality=Modality.CT))
    choices = parameter_node(scene)
    choices.ct = volume
    choices.segmentation = segments.add_beside(scene, labels, volume, "Vertebrae")
    choices.seeds = add_seeds(scene, "Points")
    choices.seeds.AddControlPoint(vtk.vtkVector3d(1, 2, 3), "L1")
    levels = Levels(Session(scene, choices), lambda: None)
    judged = (Judged(L1, True, 0.5, ("a remark; with 'signs': 100 % & more",)), Judged(L2, False, 0.0))
    levels.keep(Check.made(levels.prints, labels, judged))
    mrml.save_bundle(scene, tmp_path / "scene.mrb")
    before = levels.table()
    levels.close()
    scene.Clear(False)
    cache, data = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(str(tmp_path))
    cache.SetMRMLScene(scene)
    data.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(data)
    assert scene.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    session = Session(scene, parameter_node(scene))
    again = Levels(session, lambda: None)
    assert again.table() == before
    assert again.is_checked
    assert [(point.label, point.ras) for point in points_of(session.parameters.seeds)] == [("L1", (1.0, 2.0, 3.0))]
