"""Earlier states of a segmentation: other names, or everything as it was, to undo what is done to it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from ..errors import UserError
from .segment_layers import BINARY, layers_of, packed, unpacked

_SHOWN = ("Visibility", "Opacity3D", "Opacity2DFill", "Opacity2DOutline")  # of a segment in the display node


@dataclass(frozen=True)
class Snapshot:
    """Everything of a segmentation: segments in order, with id, metadata, place in a layer and display; the layers."""

    segments: tuple[tuple[str, slicer.vtkSegment, int, tuple], ...]
    layers: tuple[tuple[tuple[int, ...], vtk.vtkMatrix4x4, np.dtype, bytes], ...]

    @classmethod
    def of(cls, node: slicer.vtkMRMLSegmentationNode) -> "Snapshot":
        """Keep the state of a segmentation; layers are compressed, most of their voxels are background."""
        segmentation, segments = node.GetSegmentation(), []
        layers = list(layers_of(node))
        for name in segmentation.GetSegmentIDs():
            segment, metadata = segmentation.GetSegment(name), slicer.vtkSegment()
            metadata.DeepCopyMetadata(segment)
            at = next((n for n, layer in enumerate(layers) if layer is segment.GetRepresentation(BINARY)), -1)
            segments.append((name, metadata, at, _shown(node, name)))
        return cls(tuple(segments), tuple(map(packed, layers)))

    def restore(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        """Make the segmentation what it was; it stays the same object, so that nobody loses sight of it."""
        segmentation = node.GetSegmentation()
        for name in segmentation.GetSegmentIDs():
            segmentation.GetSegment(name).RemoveAllRepresentations()  # spares wiping them one by one
        segmentation.RemoveAllSegments()
        layers = [unpacked(*layer) for layer in self.layers]
        for name, metadata, at, shown in self.segments:
            segment = slicer.vtkSegment()
            segment.DeepCopyMetadata(metadata)
            segment.SetLabelValue(metadata.GetLabelValue())
            if at >= 0:
                segment.AddRepresentation(BINARY, layers[at])
            segmentation.AddSegment(segment, name)
            _show(node, name, shown)


Keys = Mapping[str, tuple[str, slicer.vtkSegment]]  # present id to another id and metadata


def rekey(node: slicer.vtkMRMLSegmentationNode, new: Keys) -> Keys:
    """Give segments another id and other metadata; voxels, and the place in the list, stay as they are.

    Returns
    -------
    mapping
        What undoes it: give it to this function.

    Raises
    ------
    UserError
        When one of the segments is not there.
    """
    segmentation = node.GetSegmentation()
    missing = [name for name in new if not segmentation.GetSegment(name)]
    if missing:
        raise UserError(f"The segment {missing[0]} is no longer there.", "Rename the segments one by one.")
    order, taken = list(segmentation.GetSegmentIDs()), {}
    place = {name: order.index(name) for name in new}
    for name in new:
        old = segmentation.GetSegment(name)
        taken[name] = (old, _renamed(old, new[name][1]), _shown(node, name))
        old.RemoveAllRepresentations()  # or taking it out would wipe its voxels from the shared layer
        segmentation.RemoveSegment(name)
    undo = {}
    for name, (old, segment, shown) in taken.items():
        order[place[name]] = found = segmentation.GenerateUniqueSegmentID(new[name][0])
        undo[found] = (name, old)
        segmentation.AddSegment(segment, found)
        _show(node, found, shown)
    segmentation.ReorderSegments(order)
    return undo


def _renamed(old: slicer.vtkSegment, metadata: slicer.vtkSegment) -> slicer.vtkSegment:
    """Return a segment with the voxels (and surfaces) of one and the metadata of another."""
    segment = slicer.vtkSegment()
    segment.DeepCopyMetadata(metadata)
    segment.SetLabelValue(old.GetLabelValue())
    kinds: list[str] = []
    old.GetContainedRepresentationNames(kinds)
    for kind in kinds:
        segment.AddRepresentation(kind, old.GetRepresentation(kind))
    return segment


def _shown(node: slicer.vtkMRMLSegmentationNode, name: str) -> tuple:
    display = node.GetDisplayNode()
    return tuple(getattr(display, f"GetSegment{what}")(name) for what in _SHOWN) if display else ()


def _show(node: slicer.vtkMRMLSegmentationNode, name: str, shown: tuple) -> None:
    for what, value in zip(_SHOWN, shown):
        getattr(node.GetDisplayNode(), f"SetSegment{what}")(name, value)
