"""The .seg.nrrd that we write, read by Slicer's own classes and by ITK."""

import gzip

import numpy as np
import pytest
from OVFRiskLib.anatomy import Region
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.segmentation_file import write_segmentation
from OVFRiskLib.image import LabelMap
from OVFRiskLib.terminology import segment_id, term

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])


@pytest.fixture(scope="module")
def path(labels, tmp_path_factory):
    file = tmp_path_factory.mktemp("seg") / "segmentation.seg.nrrd"
    write_segmentation(file, labels)
    return file


def test_itk_reads_the_same_voxels_in_the_same_place(path, labels):
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.ReadImage(path)
    assert np.array_equal(sitk.GetArrayFromImage(image), labels.array)
    for ijk in ([0, 0, 0], [19, 23, 39], [5, 7, 11]):
        there = image.TransformIndexToPhysicalPoint(ijk)
        assert RAS_TO_LPS @ there == pytest.approx(labels.to_ras(ijk), abs=1e-9)
    assert image.GetMetaData("Segment0_Name") == "T11 whole"


def test_slicer_reads_names_colours_codes_and_voxels(path, labels):
    slicer = pytest.importorskip("slicer")
    from OVFRiskLib import mrml

    node = _loaded(slicer, path)
    segmentation = node.GetSegmentation()
    assert list(segmentation.GetSegmentIDs()) == [segment_id(region) for region in labels.regions]
    assert segmentation.GetNumberOfLayers() == 1
    for value, region in labels.labels.items():
        segment = segmentation.GetSegment(segment_id(region))
        assert segment.GetName() == str(region)
        assert segment.GetColor() == pytest.approx(term(region).color, abs=1e-5)
        assert _tag(segment, "TerminologyEntry") == term(region).entry
        assert segment.GetLabelValue() == value
    back = mrml.label_map_of(node, labels)
    for region in labels.regions:
        assert np.array_equal(back.mask(region).array, labels.mask(region).array), region


def test_the_same_label_map_gives_the_same_bytes(path, labels, tmp_path):
    again = tmp_path / "again.seg.nrrd"
    write_segmentation(again, LabelMap(labels.array.astype(np.int32), labels.ijk_to_ras, dict(labels.labels)))
    assert again.read_bytes() == path.read_bytes()


def test_a_byte_is_enough_for_small_values(labels, tmp_path):
    small = labels.restricted([Region(r.part, r.level) for r in labels.regions if r.level == "T11"])
    write_segmentation(tmp_path / "a.seg.nrrd", small)
    header, _, data = (tmp_path / "a.seg.nrrd").read_bytes().partition(b"\n\n")
    assert b"type: unsigned char" in header
    assert len(gzip.decompress(data)) == labels.array.size


def test_a_folder_that_is_missing_is_named(labels, tmp_path):
    with pytest.raises(UserError, match=r"nowhere.*cannot be written"):
        write_segmentation(tmp_path / "nowhere" / "a.seg.nrrd", labels)


def _tag(segment, name):
    import vtk

    text = vtk.reference("")
    return str(text) if segment.GetTag(name, text) else ""


def _loaded(slicer, path):
    scene = slicer.vtkMRMLScene()
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    node.scene = scene  # keeps it alive
    return node
