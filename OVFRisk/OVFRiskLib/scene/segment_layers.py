"""The label maps (layers) that the segments of a segmentation node share, and where they lie in the patient."""

import zlib

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from ..errors import UserError
from ..image import Grid

BINARY = "Binary labelmap"
_REFERENCE = "Reference image geometry"  # conversion parameter, as vtkSegmentationConverter names it
_ALIGNED = 1e-3  # voxels


def layers_of(node: slicer.vtkMRMLSegmentationNode) -> dict[slicer.vtkOrientedImageData, dict[str, int]]:
    """Return the label maps that segments share, with the label value of each segment in it."""
    found: dict[slicer.vtkOrientedImageData, dict[str, int]] = {}
    segmentation = node.GetSegmentation()
    for name in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(name)
        layer = segment.GetRepresentation(BINARY)
        if layer is not None:
            found.setdefault(layer, {})[name] = segment.GetLabelValue()
    return found


def values_of(layer: slicer.vtkOrientedImageData) -> np.ndarray | None:
    """Return a layer's voxels, shape (k, j, i); None where it has none."""
    scalars = layer.GetPointData().GetScalars()
    if scalars is None or 0 in layer.GetDimensions():
        return None
    return vtk_to_numpy(scalars).reshape(layer.GetDimensions()[::-1])


def place_on(layer: slicer.vtkOrientedImageData, grid: Grid, node: slicer.vtkMRMLSegmentationNode) -> tuple | None:
    """Return the slices of `grid` that a layer covers voxel by voxel; None where it lies otherwise."""
    steps = np.linalg.inv(grid.ijk_to_ras) @ np.linalg.inv(from_world(node)) @ image_to_world(layer)
    offset = np.rint(steps[:3, 3])
    astray = (steps - np.eye(4))[:3, :3] @ grid.array.shape[::-1], steps[:3, 3] - offset
    if np.abs(astray).max() > _ALIGNED:
        return None
    low, high = np.array(layer.GetExtent()).reshape(3, 2).T + offset.astype(int)
    if np.any(low < 0) or np.any(high >= grid.array.shape[::-1]):
        return None
    return tuple(slice(int(a), int(b) + 1) for a, b in zip(low[::-1], high[::-1]))


def reference_grid(node: slicer.vtkMRMLSegmentationNode) -> Grid:
    """Return the geometry that the segmentation was drawn on, in patient space; its array is empty of meaning."""
    segmentation = node.GetSegmentation()
    text = segmentation.GetConversionParameter(_REFERENCE) or segmentation.DetermineCommonLabelmapGeometry(
        slicer.vtkSegmentation.EXTENT_UNION_OF_SEGMENTS
    )
    image = slicer.vtkOrientedImageData()
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False):
        raise UserError(f"The segmentation '{node.GetName()}' is empty.", "Choose another one, or segment first.")
    matrix = np.linalg.inv(from_world(node)) @ image_to_world(image)
    low, high = np.array(image.GetExtent()).reshape(3, 2).T
    matrix[:3, 3] += matrix[:3, :3] @ low
    return Grid(np.broadcast_to(np.int8(0), tuple((high - low + 1)[::-1])), matrix)


def packed(layer: slicer.vtkOrientedImageData) -> tuple:
    """Return a layer as what `unpacked` takes; its voxels compressed, most are background."""
    matrix = vtk.vtkMatrix4x4()
    layer.GetImageToWorldMatrix(matrix)
    values = values_of(layer)
    values = np.zeros(0, np.uint8) if values is None else values
    return layer.GetExtent(), matrix, values.dtype, zlib.compress(np.ascontiguousarray(values), 1)


def unpacked(
    extent: tuple[int, ...], matrix: vtk.vtkMatrix4x4, dtype: np.dtype, data: bytes
) -> slicer.vtkOrientedImageData:
    """Return the layer that `packed` took apart."""
    return new_layer(extent, matrix, np.frombuffer(zlib.decompress(data), dtype))


def new_layer(extent: tuple[int, ...], matrix: vtk.vtkMatrix4x4, values: np.ndarray) -> slicer.vtkOrientedImageData:
    """Return a layer with an extent (i, i, j, j, k, k), a matrix to the node's space, and its voxels in a row."""
    layer = slicer.vtkOrientedImageData()
    layer.SetExtent(*extent)
    layer.SetImageToWorldMatrix(matrix)
    if values.size:
        layer.AllocateScalars(get_vtk_array_type(values.dtype), 1)
        vtk_to_numpy(layer.GetPointData().GetScalars())[:] = values
    return layer


def from_world(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    """Return the matrix from patient space to the node's own."""
    transform, matrix = node.GetParentTransformNode(), vtk.vtkMatrix4x4()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise UserError(f"'{node.GetName()}' has a warping transform.", "Harden it or remove it first.")
    transform.GetMatrixTransformFromWorld(matrix)
    return _numpy(matrix)


def image_to_world(image: slicer.vtkOrientedImageData) -> np.ndarray:
    """Return the matrix from voxels (i, j, k) to the node's space."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return _numpy(matrix)


def _numpy(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
