"""Regions of bone quality as closed curves that can be dragged, and back.

Here regions are plain data as they stand in ``regions.json``: the scene does not know how they are measured. Each
region and each exclusion is a curve on its plane; a text node holds what all of them share and refers to the curves.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..anatomy import Compartment, Region, VertebralLevel
from ..errors import UserError
from ..terminology import term

FOLDER = "VBQ regions"
SCHEMA = "ovfrisk-vbq-scene/1"
_DATA = "OVFRisk.VbqRegion"  # attribute of a curve: what it was made from, JSON
_LEFT_IN = "OVFRisk.VbqLeftIn"  # attribute of an exclusion that is switched off
_REGION, _EXCLUSION = "region", "exclusion"  # roles of the text node's references
_SAME_MM = 1e-9  # points that have only been to a file and back
LINE_MM = 0.5
_ON_PLANE_MM = 1e-6
_CSF_COLOR, _EXCLUSION_COLOR = (0.34, 0.71, 0.91), (0.84, 0.37, 0.0)  # Okabe and Ito: sky blue, vermillion
_HELP = "Propose the regions again."
Data = Mapping[str, Any]


def add_regions(scene: slicer.vtkMRMLScene, data: Data, images: Mapping[str, str]) -> slicer.vtkMRMLTextNode:
    """Add the regions of an exam to a scene, in one folder of the subject hierarchy.

    Parameters
    ----------
    scene : vtkMRMLScene
    data : mapping
        As `Regions.to_dict` gives it.
    images : mapping of str to str
        Hash of the image of each sequence that they were drawn on.

    Returns
    -------
    vtkMRMLTextNode
        What the regions are known by.
    """
    head = scene.AddNewNodeByClass("vtkMRMLTextNode", FOLDER)
    head.SetForceCreateStorageNode(slicer.vtkMRMLTextNode.CreateStorageNodeAlways)
    shared = {name: data[name] for name in ("missing", "settings", "motions")}
    head.SetText(json.dumps({"schema": SCHEMA, "images": dict(images), **shared}))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), FOLDER)
    _put_into(hierarchy, folder, head)
    for roi in data["rois"]:
        add_region(head, roi)
    for exclusion in data["exclusions"]:
        add_exclusion(head, exclusion)
    return head


def add_region(head: slicer.vtkMRMLTextNode, roi: Data) -> slicer.vtkMRMLMarkupsClosedCurveNode:
    """Add the curve of one region (`Roi.to_dict`)."""
    color = _CSF_COLOR if roi["region"].endswith("csf") else _level_color(roi["region"])
    return _add_curve(head, _REGION, roi["region"], roi, roi, color)


def add_exclusion(head: slicer.vtkMRMLTextNode, exclusion: Data) -> slicer.vtkMRMLMarkupsClosedCurveNode:
    """Add the curve of one exclusion (`Exclusion.to_dict`); it lies on the plane of its region.

    Raises
    ------
    UserError
        When there is no such region.
    """
    owner = region_node(head, exclusion["region"])
    if owner is None:
        raise UserError(f"There is no region '{exclusion['region']}' to leave a part out of.", _HELP)
    plane = {name: kept(owner)[name] for name in ("origin", "axes")}
    name = f"{exclusion['region'].partition(' ')[0]} {exclusion['kind']}"
    return _add_curve(head, _EXCLUSION, name, plane | dict(exclusion), {**plane, **exclusion}, _EXCLUSION_COLOR)


def region_nodes(head: slicer.vtkMRMLTextNode) -> tuple[slicer.vtkMRMLMarkupsClosedCurveNode, ...]:
    """Return the curves of the regions, in the order in which they were added."""
    return tuple(_referenced(head, _REGION))


def exclusion_nodes(head: slicer.vtkMRMLTextNode) -> tuple[slicer.vtkMRMLMarkupsClosedCurveNode, ...]:
    """Return the curves of the exclusions, those that are switched off, too."""
    return tuple(_referenced(head, _EXCLUSION))


def region_node(head: slicer.vtkMRMLTextNode, region: str) -> slicer.vtkMRMLMarkupsClosedCurveNode | None:
    """Return the curve of a region, e.g. ``L1 body``."""
    return next((node for node in region_nodes(head) if kept(node)["region"] == region), None)


def regions_of(head: slicer.vtkMRMLTextNode) -> dict[str, Any]:
    """Return the regions as data for `Regions.from_dict`; exclusions that are switched off are not among them.

    Raises
    ------
    UserError
        When the scene was changed so that they cannot be read.
    """
    exclusions = [node for node in exclusion_nodes(head) if not is_left_in(node)]
    return {
        **{name: _shared(head)[name] for name in ("missing", "settings", "motions")},
        "rois": [curve_data(node) for node in region_nodes(head)],
        "exclusions": [curve_data(node) for node in exclusions],
    }


def set_missing(head: slicer.vtkMRMLTextNode, missing: Mapping[str, str]) -> None:
    """Keep why regions are not there."""
    head.SetText(json.dumps(_shared(head) | {"missing": dict(missing)}))


def drawn_on(head: slicer.vtkMRMLTextNode) -> dict[str, str]:
    """Return the hash of each sequence's image that the regions were drawn on."""
    images = _shared(head)["images"]
    return {str(name): str(value) for name, value in images.items()} if isinstance(images, dict) else {}


def curve_data(node: slicer.vtkMRMLMarkupsClosedCurveNode) -> dict[str, Any]:
    """Return the data of a curve's region or exclusion, with the outline where the points lie now, on its plane."""
    data = kept(node)
    places = _places(node, data)
    before = np.array(data["outline"], dtype=float)
    if places.shape[0] == len(before) and np.all(np.abs(places[:, :2] - before) <= _SAME_MM):
        return data
    return data | {"outline": places[:, :2].tolist()}


def put_on_plane(node: slicer.vtkMRMLMarkupsClosedCurveNode) -> bool:
    """Project points that were dragged off the plane back onto it; return whether there were any."""
    data = kept(node)
    places = _places(node, data)
    if not np.any(np.abs(places[:, 2]) > _ON_PLANE_MM):
        return False
    _set_points(node, places[:, :2] @ np.array(data["axes"], dtype=float) + data["origin"])
    return True


def move_plane(node: slicer.vtkMRMLMarkupsClosedCurveNode, distance_mm: float) -> None:
    """Move a curve with its plane along the plane's normal."""
    data = curve_data(node)
    origin = np.array(data["origin"]) + distance_mm * np.cross(*data["axes"])
    node.SetAttribute(_DATA, json.dumps(data | {"origin": origin.tolist()}))
    _set_points(node, np.array(data["outline"]) @ np.array(data["axes"]) + origin)


def is_left_in(node: slicer.vtkMRMLMarkupsClosedCurveNode) -> bool:
    """Whether an exclusion is switched off: what it covers is measured."""
    return node.GetAttribute(_LEFT_IN) is not None


def leave_in(node: slicer.vtkMRMLMarkupsClosedCurveNode, left_in: bool) -> None:
    """Switch an exclusion off or on."""
    node.SetAttribute(_LEFT_IN, "1" if left_in else None)
    node.GetDisplayNode().SetOpacity(0.3 if left_in else 1.0)


def remove_regions(head: slicer.vtkMRMLTextNode) -> None:
    """Remove the curves, the text node and their folder."""
    scene = head.GetScene()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(head))
    for node in (*region_nodes(head), *exclusion_nodes(head), head):
        scene.RemoveNode(node)
    if hierarchy.GetItemName(folder) == FOLDER:
        hierarchy.RemoveItem(folder)


def kept(node: slicer.vtkMRMLMarkupsClosedCurveNode) -> dict[str, Any]:
    """Return what a curve was made from: its region, plane and first outline.

    Raises
    ------
    UserError
        When that is not on the node any more.
    """
    try:
        data = json.loads(node.GetAttribute(_DATA) or "")
        plane = np.array(data["axes"], dtype=float).shape, np.array(data["origin"], dtype=float).shape
        outline = np.array(data["outline"], dtype=float).shape[1:]
        if (*plane, outline) != ((2, 3), (3,), (2,)) or not isinstance(data["region"], str):
            raise ValueError("plane, outline or region is none")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"The curve '{node.GetName()}' is no region of bone quality ({error}).", _HELP) from error
    return data


def _shared(head: slicer.vtkMRMLTextNode) -> dict[str, Any]:
    try:
        data = json.loads(head.GetText() or "")
        if data["schema"] != SCHEMA or not {"missing", "settings", "motions", "images"} <= set(data):
            raise ValueError("of another version, or incomplete")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"The regions in the scene cannot be read ({error}).", _HELP) from error
    return data


def _add_curve(head: slicer.vtkMRMLTextNode, role: str, name: str, plane: Data, data: Data, color: tuple) -> Any:
    scene = head.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", name)
    node.SetAttribute(_DATA, json.dumps(dict(data)))
    node.SetCurveTypeToLinear()
    _set_points(node, np.array(plane["outline"], dtype=float) @ np.array(plane["axes"], dtype=float) + plane["origin"])
    node.CreateDefaultDisplayNodes()
    _style(node.GetDisplayNode(), color)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    _put_into(hierarchy, hierarchy.GetItemParent(hierarchy.GetItemByDataNode(head)), node)
    head.AddNodeReferenceID(role, node.GetID())
    return node


def _put_into(hierarchy: slicer.vtkMRMLSubjectHierarchyNode, folder: int, node: slicer.vtkMRMLNode) -> None:
    """Move a node into a folder; only Slicer's own application has made an item for it."""
    item = hierarchy.GetItemByDataNode(node)
    if item == hierarchy.GetInvalidItemID():
        hierarchy.CreateItem(folder, node)
    else:
        hierarchy.SetItemParent(item, folder)


def _style(display: slicer.vtkMRMLMarkupsDisplayNode, color: tuple[float, float, float]) -> None:
    """Show the outline, not its corners' names: a thin line with small points that can be taken hold of."""
    display.SetColor(*color)
    display.SetSelectedColor(*color)
    display.SetActiveColor(*(0.5 + 0.5 * value for value in color))
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(0.8)
    display.SetCurveLineSizeMode(display.UseLineDiameter)
    display.SetLineDiameter(LINE_MM)
    display.SetTranslationHandleVisibility(True)
    display.SetRotationHandleVisibility(True)
    display.SetScaleHandleVisibility(False)


def _level_color(region: str) -> tuple[float, float, float]:
    return term(Region(Compartment.WHOLE, VertebralLevel(region.partition(" ")[0]))).color


def _referenced(head: slicer.vtkMRMLTextNode, role: str) -> Iterator[slicer.vtkMRMLMarkupsClosedCurveNode]:
    nodes = (head.GetNthNodeReference(role, n) for n in range(head.GetNumberOfNodeReferences(role)))
    return (node for node in nodes if node is not None)


def _places(node: slicer.vtkMRMLMarkupsClosedCurveNode, plane: Data) -> np.ndarray:
    """Return where the points lie: along the plane's axes and its normal, mm, shape (n, 3)."""
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    node.GetControlPointPositionsWorld(points)
    axes = np.array(plane["axes"], dtype=float)
    if points.GetNumberOfPoints() == 0:
        return np.zeros((0, 3))
    return (vtk_to_numpy(points.GetData()) - plane["origin"]) @ np.array([*axes, np.cross(*axes)]).T


def _set_points(node: slicer.vtkMRMLMarkupsClosedCurveNode, ras: np.ndarray) -> None:
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(ras), deep=True))
    node.SetControlPointPositionsWorld(points)
