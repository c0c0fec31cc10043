"""MRML nodes from images, label maps and tables, and back.

The scene is always an argument: Slicer's, the browser application's, or a fresh ``vtkMRMLScene``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from .anatomy import Region
from .errors import UserError
from .image import Grid, LabelMap, Modality, Volume
from .terminology import segment_id, term

Cell = str | float | None

_MODALITY = "OVFRisk.Modality"  # node attribute
_BINARY_LABELMAP = "Binary labelmap"
_BONE_WINDOW = (800.0, 200.0)  # HU; width and level: narrower than a bone window, to show cancellous bone
_MR_PERCENTILES = (1.0, 99.5)


def build_scene(scene: slicer.vtkMRMLScene, analysis: Any) -> None:
    """Add everything of an analysis to a scene: volumes, segmentation, tables.

    Parameters
    ----------
    scene : vtkMRMLScene
    analysis : Analysis
        Not imported: a scene knows nothing of how things were measured.
    """
    from .files.tables import feature_columns, measurement_columns

    nodes = {modality: add_volume(scene, volume) for modality, volume in analysis.volumes.items()}
    if analysis.compartments is not None:
        add_segmentation(scene, analysis.compartments, nodes[Modality.CT])
    add_table(scene, "Measurements", measurement_columns(analysis.measurements))
    if analysis.features:
        add_table(scene, "Features", feature_columns(analysis.subject, analysis.features))
    add_table(scene, "Caveats", {"caveat": list(analysis.caveats)})


def save_bundle(scene: slicer.vtkMRMLScene, path: Path) -> None:
    """Write a scene with all its data to one file that Slicer opens.

    Parameters
    ----------
    scene : vtkMRMLScene
    path : Path
        Ends in ``.mrb``.

    Raises
    ------
    UserError
        When the file cannot be written.
    """
    if not scene.WriteToMRB(str(path.absolute())):  # MRML wants a full path
        raise UserError(f"The scene {path} cannot be written.", "Check the folder's permissions and free space.")


def add_volume(scene: slicer.vtkMRMLScene, volume: Volume) -> slicer.vtkMRMLScalarVolumeNode:
    """Add an image, named by its modality, with a window a radiologist would choose."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", str(volume.modality))
    node.SetAttribute(_MODALITY, volume.modality)
    node.SetIJKToRASMatrix(_vtk_matrix(volume.ijk_to_ras))
    node.SetAndObserveImageData(_image_data(volume.array, vtk.vtkImageData()))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(*_window(volume))
    return node


def add_segmentation(
    scene: slicer.vtkMRMLScene, labels: LabelMap, reference: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode:
    """Add a label map as a segmentation, one named, coloured and coded segment a region, all in one layer.

    Parameters
    ----------
    scene : vtkMRMLScene
    labels : LabelMap
    reference : vtkMRMLScalarVolumeNode
        The image it was drawn on; gives the reference geometry.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    layer = _image_data(labels.array, slicer.vtkOrientedImageData())
    layer.SetImageToWorldMatrix(_vtk_matrix(labels.ijk_to_ras))
    for value, region in labels.labels.items():
        node.GetSegmentation().AddSegment(_segment(region, value, layer), segment_id(region))
    return node


def add_table(scene: slicer.vtkMRMLScene, name: str, columns: Mapping[str, Iterable[Cell]]) -> slicer.vtkMRMLTableNode:
    """Add a table; columns that hold only numbers (or None, shown as ``nan``) are numeric, the others text.

    MRML saves numbers with six significant digits: ``measurements.csv`` and ``features.csv`` are the exact tables.
    """
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    fill_table(node, columns)
    return node


def fill_table(node: slicer.vtkMRMLTableNode, columns: Mapping[str, Iterable[Cell]]) -> None:
    """Give a table these columns in place of what it holds (see `add_table`)."""
    node.RemoveAllColumns()
    for title, cells in columns.items():
        node.AddColumn(_column(title, list(cells)))


def volume_of(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """Return the image of a volume node, in patient space (with its transforms).

    Raises
    ------
    UserError
        When the node holds no single-channel 3-D image.
    """
    image = node.GetImageData()
    if image is None or image.GetNumberOfScalarComponents() != 1:
        raise UserError(f"The volume '{node.GetName()}' holds no single-channel image.", "Choose a CT or MR volume.")
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    modality = Modality(node.GetAttribute(_MODALITY) or Modality.OTHER)
    return Volume(_array(image).copy(), _to_world(node) @ _numpy_matrix(matrix), modality=modality, name=node.GetName())


def label_map_of(node: slicer.vtkMRMLSegmentationNode, grid: Grid) -> LabelMap:
    """Return the segments of a segmentation node as a label map on `grid`.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
        Its segments are named or coded by level and part: ``L1 cortical``, or ``L1`` for a whole vertebra.
    grid : Grid
        Of the image that the segmentation was drawn on.

    Raises
    ------
    UserError
        When a segment is no vertebra's, or two overlap.
    """
    segmentation = node.GetSegmentation()
    array = np.zeros(grid.array.shape, dtype=np.int16)
    labels = {}
    for value, name in enumerate(segmentation.GetSegmentIDs(), start=1):
        segment = segmentation.GetSegment(name)
        labels[value] = _region_of(segment)
        inside = _segment_on(node, name, grid)
        if np.any(array[inside]):
            what = f"The segment '{segment.GetName()}' overlaps another one."
            raise UserError(what, "Remove the overlap in the Segment Editor.")
        array[inside] = value
    return LabelMap(array, grid.ijk_to_ras, labels)


def _region_of(segment: slicer.vtkSegment) -> Region:
    from .files.segments import Segment, region_of

    entry = vtk.reference("")
    segment.GetTag("TerminologyEntry", entry)
    region = region_of(Segment(segment.GetName(), 0, segment.GetLabelValue(), str(entry)))
    if region is None:
        raise UserError(
            f"The segment '{segment.GetName()}' names no vertebra.", "Name it by level: 'L1', 'L1 cortical'."
        )
    return region


def _segment(region: Region, value: int, layer: slicer.vtkOrientedImageData) -> slicer.vtkSegment:
    shown = term(region)
    segment = slicer.vtkSegment()
    segment.SetName(str(region))
    segment.NameAutoGeneratedOff()
    segment.SetColor(*shown.color)
    segment.ColorAutoGeneratedOff()
    if shown.entry:
        segment.SetTag("TerminologyEntry", shown.entry)
    segment.SetLabelValue(value)
    segment.AddRepresentation(_BINARY_LABELMAP, layer)
    return segment


def _segment_on(node: slicer.vtkMRMLSegmentationNode, segment: str, grid: Grid) -> np.ndarray:
    """Return one segment resampled (nearest neighbour) to a grid, bool, shape (k, j, i)."""
    own, target = slicer.vtkOrientedImageData(), slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment, own)
    target.SetDimensions(*grid.array.shape[::-1])
    target.SetImageToWorldMatrix(_vtk_matrix(np.linalg.inv(_to_world(node)) @ grid.ijk_to_ras))
    target.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(own, target, own)
    return _array(own) != 0


def _to_world(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    transform = node.GetParentTransformNode()
    matrix = vtk.vtkMatrix4x4()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise UserError(f"'{node.GetName()}' has a warping transform.", "Harden it or remove it first.")
    transform.GetMatrixTransformToWorld(matrix)
    return _numpy_matrix(matrix)


def _window(volume: Volume) -> tuple[float, float]:
    if volume.modality is Modality.CT:
        return _BONE_WINDOW
    low, high = np.percentile(volume.array, _MR_PERCENTILES)
    return float(max(high - low, 1e-6)), float((low + high) / 2)


def _column(title: str, cells: list[Cell]) -> vtk.vtkAbstractArray:
    numeric = any(cell is not None for cell in cells) and not any(isinstance(cell, str) for cell in cells)
    column = vtk.vtkDoubleArray() if numeric else vtk.vtkStringArray()
    column.SetName(title)
    for cell in cells:
        column.InsertNextValue(_number(cell) if numeric else _text(cell))
    return column


def _number(cell: float | None) -> float:
    return float("nan") if cell is None else cell  # a VTK array of numbers has no empty cell


def _text(cell: str | None) -> str:
    """Return text that MRML's table file keeps: a row a line, tabs between cells, no way to write a quotation mark."""
    return " ".join((cell or "").replace('"', "'").split())


def _image_data(array: np.ndarray, image: vtk.vtkImageData) -> vtk.vtkImageData:
    image.SetDimensions(*array.shape[::-1])
    image.AllocateScalars(get_vtk_array_type(array.dtype), 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = array.ravel()
    return image


def _array(image: vtk.vtkImageData) -> np.ndarray:
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def _vtk_matrix(matrix: np.ndarray) -> vtk.vtkMatrix4x4:
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(matrix.ravel().tolist())
    return result


def _numpy_matrix(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
