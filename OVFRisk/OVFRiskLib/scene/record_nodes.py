"""The record in the scene: a text that holds it exactly, and tables to read, beside the image they are of."""

from collections.abc import Mapping, Sequence

import slicer

from ..mrml import Cell, fill_table

RECORD = "OVFRisk.Record"  # attribute of our nodes: what each holds
_TEXT = "record"


def store(
    scene: slicer.vtkMRMLScene,
    text: str,
    tables: Mapping[str, Mapping[str, Sequence[Cell]]],
    beside: slicer.vtkMRMLNode | None,
) -> None:
    """Keep a record in the scene in place of an earlier one.

    Parameters
    ----------
    scene : vtkMRMLScene
    text : str
        The record as JSON.
    tables : mapping of str to columns
        To be read; by name.
    beside : vtkMRMLNode or None
        The image; the tables go beside it in the subject hierarchy.
    """
    node = _node(scene, "vtkMRMLTextNode", _TEXT) or _added(scene, "vtkMRMLTextNode", _TEXT, "OVFRisk record", beside)
    node.SetForceCreateStorageNode(slicer.vtkMRMLTextNode.CreateStorageNodeAlways)  # a file of its own, not XML
    node.SetText(text)
    for name, columns in tables.items():
        table = _node(scene, "vtkMRMLTableNode", name) or _added(scene, "vtkMRMLTableNode", name, name, beside)
        fill_table(table, columns)


def stored(scene: slicer.vtkMRMLScene) -> str | None:
    """Return the record that the scene holds, as JSON; None where it holds none."""
    node = _node(scene, "vtkMRMLTextNode", _TEXT)
    return node.GetText() if node else None


def _added(
    scene: slicer.vtkMRMLScene, kind: str, holds: str, name: str, beside: slicer.vtkMRMLNode | None
) -> slicer.vtkMRMLNode:
    node = scene.AddNewNodeByClass(kind, name)
    node.SetAttribute(RECORD, holds)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    if beside is not None and hierarchy is not None:
        own, other = (
            hierarchy.GetItemByDataNode(one) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), one)
            for one in (node, beside)
        )
        hierarchy.SetItemParent(own, hierarchy.GetItemParent(other))
    return node


def _node(scene: slicer.vtkMRMLScene, kind: str, holds: str) -> slicer.vtkMRMLNode | None:
    nodes = scene.GetNodesByClass(kind)
    found = (nodes.GetItemAsObject(n) for n in range(nodes.GetNumberOfItems()))
    return next((node for node in found if node.GetAttribute(RECORD) == holds), None)
