"""Tells which segments of a segmentation have been edited, by fingerprints of what they hold.

Slicer's events do not always name the segment, and one edit can change several that share a layer. So an event only
says that something may have changed; `flush`, called once the application is idle, looks.
"""

from collections.abc import Callable, Mapping

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ..anatomy import Region
from ..errors import UserError
from ..fingerprints import LabelFingerprints

_BINARY_LABELMAP = "Binary labelmap"
_SEGMENTATION_EVENTS = (  # names as in vtkSegmentation.h
    slicer.vtkSegmentation.SourceRepresentationModified,
    slicer.vtkSegmentation.RepresentationModified,
    slicer.vtkSegmentation.SegmentAdded,
    slicer.vtkSegmentation.SegmentRemoved,
    slicer.vtkSegmentation.SegmentModified,  # its name or code: it may mean another region now
)
_NODE_EVENTS = (
    slicer.vtkMRMLSegmentationNode.SegmentationChangedEvent,
    slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
)
_TWO = "two segments"  # the fingerprint of a region that two segments claim: never that of a measured one


class SegmentationEdits:
    """Watches one segmentation node.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    on_event : callable
        Called when something may have changed, once until the next `flush`.
    """

    def __init__(self, node: slicer.vtkMRMLSegmentationNode, on_event: Callable[[], None] = lambda: None) -> None:
        self.node = node
        self._on_event = on_event
        self._layers: dict[vtk.vtkObject, LabelFingerprints] = {}
        self._found: Mapping[Region, str] = {}
        self._waiting = True
        self._segmentation: slicer.vtkSegmentation | None = None
        self._tags: list[tuple[vtk.vtkObject, int]] = [
            (node, node.AddObserver(event, self._on_node)) for event in _NODE_EVENTS
        ]
        self._observe_segmentation()

    def flush(self) -> Mapping[Region, str]:
        """Return the fingerprints of all segments that mean a region, as they are now."""
        if self._waiting:
            self._waiting = False
            self._found = self._look()
        return self._found

    def close(self) -> None:
        """Stop watching."""
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags = []

    def _observe_segmentation(self) -> None:
        now = self.node.GetSegmentation()
        if now is self._segmentation:
            return
        for observed, tag in self._tags:
            if observed is self._segmentation:
                observed.RemoveObserver(tag)
        self._tags = [(observed, tag) for observed, tag in self._tags if observed is not self._segmentation]
        self._segmentation = now
        if now is not None:
            self._tags += [(now, now.AddObserver(event, self._on_change)) for event in _SEGMENTATION_EVENTS]

    def _on_node(self, *_: object) -> None:
        self._observe_segmentation()
        self._on_change()

    def _on_change(self, *_: object) -> None:
        if not self._waiting:
            self._waiting = True
            self._on_event()

    def _look(self) -> dict[Region, str]:
        from ..mrml import _to_world

        found: dict[Region, str] = {}
        segmentation = self.node.GetSegmentation()
        if segmentation is None:
            return found
        world = _to_world(self.node)
        before, self._layers = self._layers, {}
        of_layer: dict[vtk.vtkObject, Mapping[int, str]] = {}
        for name in segmentation.GetSegmentIDs():
            segment = segmentation.GetSegment(name)
            region, layer = region_of_segment(segment), segment.GetRepresentation(_BINARY_LABELMAP)
            if region is None or layer is None:
                continue
            if layer not in of_layer:
                self._layers[layer] = before.get(layer) or LabelFingerprints()
                of_layer[layer] = self._labels_of(layer, world)
            fingerprint = of_layer[layer].get(segment.GetLabelValue(), "")
            found[region] = _TWO if region in found else fingerprint
        return found

    def _labels_of(self, layer: slicer.vtkOrientedImageData, world: np.ndarray) -> Mapping[int, str]:
        array, ijk_to_ras = layer_array(layer)
        if array.size == 0:
            return {}
        return self._layers[layer].of(array, world @ ijk_to_ras)


def region_of_segment(segment: slicer.vtkSegment) -> Region | None:
    """Return what a segment means by its name or code; None where they name nothing known, or contradict each other."""
    from ..files.segments import Segment, region_of

    entry = vtk.reference("")
    segment.GetTag("TerminologyEntry", entry)
    try:
        return region_of(Segment(segment.GetName(), 0, segment.GetLabelValue(), str(entry)))
    except UserError:
        return None


def segment_mask(node: slicer.vtkMRMLSegmentationNode, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the voxels of a segment, cut out (bool, shape (k, j, i)), and the matrix from their indices to RAS mm.

    None where it has none.
    """
    from ..image import bounding_box
    from ..mrml import _to_world

    segment = node.GetSegmentation().GetSegment(name)
    layer = segment.GetRepresentation(_BINARY_LABELMAP) if segment else None
    if layer is None:
        return None
    array, ijk_to_ras = layer_array(layer)
    inside = array == segment.GetLabelValue()
    if not inside.any():
        return None
    box = bounding_box(inside)
    place = _to_world(node) @ ijk_to_ras
    place[:3, 3] += place[:3, :3] @ [part.start for part in box[::-1]]
    return inside[box], place


def layer_array(layer: slicer.vtkOrientedImageData) -> tuple[np.ndarray, np.ndarray]:
    """Return the voxels of a layer, shape (k, j, i), and the matrix from their indices to the node's space."""
    first = layer.GetExtent()[::2]
    scalars = layer.GetPointData().GetScalars()
    if scalars is None:
        return np.zeros((0, 0, 0), np.uint8), np.eye(4)
    array = vtk_to_numpy(scalars).reshape(layer.GetDimensions()[::-1])
    matrix = vtk.vtkMatrix4x4()
    layer.GetImageToWorldMatrix(matrix)
    ijk_to_ras = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    ijk_to_ras[:3, 3] += ijk_to_ras[:3, :3] @ first
    return array, ijk_to_ras
