"""Segments of a segmentation node: what they mean, their voxels as a label map, and changes of names or of voxels."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import slicer
import vtk

from ..anatomy import Region
from ..errors import UserError
from ..image import LabelMap, bounding_box
from ..mrml import add_segmentation, label_map_of
from ..terminology import segment_id, term
from .segment_layers import BINARY, from_world, layers_of, new_layer, place_on, reference_grid, values_of
from .segment_states import Keys, rekey

_ENTRY = "TerminologyEntry"


def regions_of(node: slicer.vtkMRMLSegmentationNode) -> dict[str, Region]:
    """Return what each segment means, by segment id; those that mean nothing to us are left out.

    Raises
    ------
    UserError
        When two segments mean the same, or the name of one contradicts its code.
    """
    segmentation = node.GetSegmentation()
    found: dict[str, Region] = {}
    for name in segmentation.GetSegmentIDs():
        region = _region(segmentation.GetSegment(name))
        if region in found.values():
            what = f"Two segments of '{node.GetName()}' are called {region}."
            raise UserError(what, "Rename or merge one of them in the Segment Editor.")
        if region:
            found[name] = region
    return found


def labels_of(node: slicer.vtkMRMLSegmentationNode) -> LabelMap:
    """Return the segments that mean something to us as one label map, in patient space, on their reference geometry.

    Raises
    ------
    UserError
        When there is none, or two of them overlap.
    """
    regions = regions_of(node)
    if not regions:
        what = f"No segment of '{node.GetName()}' names a vertebra."
        raise UserError(what, "Name segments by level, such as L1, or choose another segmentation.")
    if node.GetSegmentation().GetSourceRepresentationName() != BINARY:
        what = f"The segmentation '{node.GetName()}' holds surfaces, not voxels."
        raise UserError(what, "Make 'Binary labelmap' its source representation in the Segmentations module.")
    grid = reference_grid(node)
    array = np.zeros(grid.array.shape, np.int16)
    values = {name: n for n, name in enumerate(regions, start=1)}
    for layer, members in layers_of(node).items():
        known = {value: values[name] for name, value in members.items() if name in values}
        place = place_on(layer, grid, node)
        if place is None:
            return label_map_of(node, grid)
        _paste(array, layer, known, place)
    return LabelMap(array, grid.ijk_to_ras, {values[name]: region for name, region in regions.items()}, node.GetName())


def rename_regions(node: slicer.vtkMRMLSegmentationNode, names: Mapping[Region, Region]) -> Keys:
    """Give segments other meanings, all at once: names, colours, codes and ids; no voxel is touched.

    Returns
    -------
    mapping
        What `rekey` needs to undo it.
    """
    segmentation = node.GetSegmentation()
    new = {name: names[region] for name, region in regions_of(node).items() if names.get(region, region) != region}
    metadata = {}
    for name, region in new.items():
        metadata[name] = slicer.vtkSegment()
        metadata[name].DeepCopyMetadata(segmentation.GetSegment(name))
        _describe(metadata[name], region)
    return rekey(node, {name: (segment_id(region), metadata[name]) for name, region in new.items()})


def replace_regions(node: slicer.vtkMRMLSegmentationNode, labels: LabelMap, changed: Collection[Region]) -> None:
    """Put the regions of `labels` in place of the segments that mean one of `changed`; the other segments stay.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    labels : LabelMap
        In patient space; only the new regions.
    changed : collection of Region
        What goes.
    """
    segmentation = node.GetSegmentation()
    gone = [name for name, region in regions_of(node).items() if region in changed]
    order = list(segmentation.GetSegmentIDs())
    at = order.index(gone[0]) if gone else len(order)
    for name in gone:
        segmentation.RemoveSegment(name)
    before = next((name for name in order[at:] if name not in gone), "")
    layer = _layer_image(labels, node)
    for value, region in labels.labels.items():
        segment = slicer.vtkSegment()
        _describe(segment, region)
        segment.SetLabelValue(value)
        segment.AddRepresentation(BINARY, layer)
        segmentation.AddSegment(segment, segmentation.GenerateUniqueSegmentID(segment_id(region)), before)


def add_beside(
    scene: slicer.vtkMRMLScene, labels: LabelMap, volume: slicer.vtkMRMLScalarVolumeNode, name: str
) -> slicer.vtkMRMLSegmentationNode:
    """Add a label map in patient space as a segmentation of a volume: under its transform, beside it in the tree."""
    node = add_segmentation(scene, replace(labels, ijk_to_ras=from_world(volume) @ labels.ijk_to_ras), volume)
    node.SetName(scene.GenerateUniqueName(name))
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    own, other = (_item(hierarchy, data) for data in (node, volume))
    hierarchy.SetItemParent(own, hierarchy.GetItemParent(other))
    return node


def _region(segment: slicer.vtkSegment) -> Region | None:
    from ..files.segments import Segment, region_of

    entry = vtk.reference("")
    segment.GetTag(_ENTRY, entry)
    return region_of(Segment(segment.GetName(), 0, segment.GetLabelValue(), str(entry)))


def _describe(segment: slicer.vtkSegment, region: Region) -> None:
    shown = term(region)
    segment.SetName(str(region))
    segment.NameAutoGeneratedOff()
    segment.SetColor(*shown.color)
    segment.ColorAutoGeneratedOff()
    segment.RemoveTag(_ENTRY)
    if shown.entry:
        segment.SetTag(_ENTRY, shown.entry)


def _paste(array: np.ndarray, layer: slicer.vtkOrientedImageData, known: Mapping[int, int], place: tuple) -> None:
    values = values_of(layer)
    if values is None or not known:
        return
    table = np.zeros(max(int(values.max()), *known) + 1, array.dtype)
    for value, new in known.items():
        table[value] = new
    piece, below = table[values], array[place]
    if np.any((piece > 0) & (below > 0)):
        raise UserError(
            "Two segments of the vertebrae overlap.", "Remove the overlap in the Segment Editor (masking: no overlap)."
        )
    below[piece > 0] = piece[piece > 0]


def _layer_image(labels: LabelMap, node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkOrientedImageData:
    """Return a label map, cut down to what it holds, as a layer of a segmentation."""
    box = bounding_box(labels.array)
    array = labels.array[box]
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((from_world(node) @ labels.ijk_to_ras).ravel().tolist())
    extent = [n for s in box[::-1] for n in (s.start, s.stop - 1)]
    return new_layer(tuple(extent), matrix, np.ascontiguousarray(array).ravel())


def _item(hierarchy: slicer.vtkMRMLSubjectHierarchyNode, node: slicer.vtkMRMLNode) -> int:
    """Return a node's place in the subject hierarchy; the application makes it, a bare scene does not."""
    return hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
