"""Nodes from our types and back, and a scene that comes back from its .mrb with every node."""

import zipfile
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.resources import resource
from OVFRiskLib.terminology import segment_id, term

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from OVFRiskLib import mrml  # noqa: E402


@pytest.fixture
def scene():
    return slicer.vtkMRMLScene()


@pytest.fixture(scope="module")
def t1():
    values = np.random.default_rng(2).random((5, 30, 20)).astype(np.float32)
    return Volume(values, np.diag([4.0, 1.0, 1.0, 1.0]), modality=Modality.T1, name="t1")


@pytest.fixture(scope="module")
def analysis(ct, t1, labels, measurements):
    """What `build_scene` reads of an Analysis."""
    l1 = Region(Compartment.CANCELLOUS, VertebralLevel.L1)
    features = SimpleNamespace(
        values={"original_firstorder_Mean": 120.5}, absent={"original_shape_Sphericity": "too small"},
        warnings=("resampled",), protocol_id="p-1",
    )  # fmt: skip
    return SimpleNamespace(
        subject="P-01",
        volumes={Modality.CT: ct, Modality.T1: t1},
        compartments=labels,
        measurements=measurements,
        features={l1: features},
        caveats=("The contrast phase was not given.", "Not a diagnosis – <b>käse</b>"),
    )


@pytest.fixture(scope="module")
def bundle(analysis, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    scene = slicer.vtkMRMLScene()
    mrml.build_scene(scene, analysis)
    mrml.save_bundle(scene, folder / "scene.mrb")
    return folder / "scene.mrb"


@pytest.fixture(scope="module")
def reloaded(bundle, tmp_path_factory):
    """The bundle, read by MRML as Slicer reads it."""
    scene, cache, data = slicer.vtkMRMLScene(), slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(str(tmp_path_factory.mktemp("cache")))
    cache.SetMRMLScene(scene)
    data.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(data)
    assert scene.ReadFromMRB(str(bundle), True)
    return scene


def test_bundle_holds_every_node_once_and_nothing_else(bundle):
    with zipfile.ZipFile(bundle) as archive:
        names = sorted(name.rpartition("/")[2] for name in archive.namelist() if "/Data/" in name)
    tables = [
        "Caveats.tsv",
        *(f"{name}.{end}" for name in ("Features", "Measurements") for end in ("schema.tsv", "tsv")),
    ]
    assert names == sorted(["CT.nrrd", "T1.nrrd", "Segmentation.seg.nrrd", *tables])
    assert [path.name for path in bundle.parent.iterdir()] == ["scene.mrb"]


@pytest.mark.parametrize("modality", [Modality.CT, Modality.T1])
def test_volumes_come_back_in_place_with_their_window(reloaded, analysis, modality):
    node = reloaded.GetFirstNodeByName(str(modality))
    given, back = analysis.volumes[modality], mrml.volume_of(node)
    assert back.modality is modality
    assert back.same_grid(given)
    assert np.array_equal(back.array, given.array)
    display = node.GetDisplayNode()
    assert not display.GetAutoWindowLevel()
    if modality is Modality.CT:
        assert (display.GetWindow(), display.GetLevel()) == (800, 200)
    else:
        assert 0.9 < display.GetWindow() < 1


def test_segmentation_comes_back(reloaded, labels, ct):
    node = reloaded.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    segmentation = node.GetSegmentation()
    assert node.GetNodeReference("referenceImageGeometryRef").GetName() == "CT"
    assert segmentation.GetNumberOfLayers() == 1
    assert list(segmentation.GetSegmentIDs()) == [segment_id(region) for region in labels.regions]
    for region in labels.regions:
        segment = segmentation.GetSegment(segment_id(region))
        entry = vtk.reference("")
        assert segment.GetTag("TerminologyEntry", entry)
        assert str(entry) == term(region).entry
        assert segment.GetName() == str(region)
        assert segment.GetColor() == pytest.approx(term(region).color, abs=1e-5)
    back = mrml.label_map_of(node, ct)
    assert back.regions == labels.regions
    for region in labels.regions:
        assert np.array_equal(back.mask(region).array, labels.mask(region).array), region


def test_tables_come_back_with_their_types(reloaded, measurements):
    table = reloaded.GetFirstNodeByName("Measurements").GetTable()
    assert table.GetNumberOfRows() == len(measurements)
    value = table.GetColumnByName("value")
    assert isinstance(value, vtk.vtkDoubleArray)
    for n, row in enumerate(measurements):
        expected = np.nan if row.value is None else row.value
        assert value.GetValue(n) == pytest.approx(expected, rel=5e-6, nan_ok=True)  # MRML saves six digits
        for column in ("name", "unit", "quality", "note"):
            written = table.GetColumnByName(column).GetValue(n)
            assert written == str(getattr(row, column)).replace("\n", " ").replace('"', "'"), column
    features = reloaded.GetFirstNodeByName("Features").GetTable()
    assert features.GetColumnByName("original_firstorder_Mean").GetValue(0) == 120.5
    assert "too small" in features.GetColumnByName("note").GetValue(0)
    caveats = reloaded.GetFirstNodeByName("Caveats").GetTable().GetColumnByName("caveat")
    assert caveats.GetValue(1) == "Not a diagnosis – <b>käse</b>"


def test_an_mr_only_analysis_makes_a_scene(scene, analysis, t1):
    only = {**vars(analysis), "volumes": {Modality.T1: t1}, "compartments": None, "features": {}}
    mrml.build_scene(scene, SimpleNamespace(**only))
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    assert scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 2


def test_a_bundle_that_cannot_be_written_is_named(scene, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"scene\.mrb cannot be written"):
        mrml.save_bundle(scene, tmp_path / "file" / "scene.mrb")


def test_segments_drawn_in_slicer_are_read(scene, labels, ct):
    node = mrml.add_segmentation(scene, labels, mrml.add_volume(scene, ct))
    segmentation = node.GetSegmentation()
    renamed = segmentation.GetSegment("L1_cortical")
    renamed.SetName("my segment")
    assert mrml.label_map_of(node, ct).regions == labels.regions  # by its code
    renamed.RemoveTag("TerminologyEntry")
    with pytest.raises(UserError, match="my segment"):
        mrml.label_map_of(node, ct)
    segmentation.RemoveSegment("L1_cortical")
    drawn, mask = slicer.vtkSegment(), slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation("L1_cancellous", mask)
    drawn.AddRepresentation("Binary labelmap", mask)
    drawn.SetName("L3")
    segmentation.AddSegment(drawn, "drawn")
    with pytest.raises(UserError, match="'L3' overlaps"):
        mrml.label_map_of(node, ct)


def test_transforms_are_part_of_the_place(scene, ct):
    node = mrml.add_volume(scene, ct)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    shift = vtk.vtkMatrix4x4()
    shift.SetElement(0, 3, 100.0)
    transform.SetMatrixTransformToParent(shift)
    node.SetAndObserveTransformNodeID(transform.GetID())
    assert mrml.volume_of(node).to_ras([0, 0, 0]) == pytest.approx(ct.to_ras([0, 0, 0]) + np.array([100, 0, 0]))


def test_an_empty_volume_node_is_refused(scene):
    with pytest.raises(UserError, match="'empty' holds no"):
        mrml.volume_of(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_slicer_knows_our_terminology():
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    name = logic.LoadTerminologyFromFile(str(resource("Terminology", "OVFRisk.term.json")))
    assert name == "OVFRisk vertebrae"
    for level in VertebralLevel:
        for part in Compartment:
            code = term(Region(part, level)).entry
            entry = slicer.vtkSlicerTerminologyEntry()
            assert logic.DeserializeTerminologyEntry(code, entry), code
            assert entry.GetTypeObject().GetCodeMeaning() == f"{level} vertebra"
            assert bool(entry.GetTypeModifierObject().GetCodeValue()) == (part is not Compartment.WHOLE)


def test_neighbouring_levels_have_other_colours():
    for part in Compartment:
        colors = [term(Region(part, level)).rgb for level in VertebralLevel]
        assert all(a != b for a, b in pairwise(colors))
