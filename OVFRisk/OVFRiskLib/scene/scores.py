"""The models' results in a scene: a table to look at, with what is needed to show them again after it was saved."""

import json
from collections.abc import Mapping, Sequence

import slicer

from ..errors import UserError
from ..mrml import Cell, add_table

_SCORES = "OVFRisk.Scores"  # node attribute: JSON, a list of objects of text
_NAME = "Scores"


def write_scores(
    scene: slicer.vtkMRMLScene,
    columns: Mapping[str, Sequence[Cell]],
    stored: Sequence[Mapping[str, object]],
    beside: slicer.vtkMRMLNode | None = None,
) -> slicer.vtkMRMLTableNode:
    """Put the results into the scene in place of earlier ones.

    Parameters
    ----------
    scene : vtkMRMLScene
    columns : mapping of str to sequence
        What the table shows.
    stored : sequence of mapping
        What `read_scores` returns again: texts, and lists of texts.
    beside : vtkMRMLNode, optional
        The image that stands above the table in the subject hierarchy.
    """
    old = scores_node(scene)
    node = add_table(scene, _NAME, columns)
    node.SetAttribute(_SCORES, json.dumps(list(stored), ensure_ascii=False))
    if old is not None:
        scene.RemoveNode(old)
    _put_beside(scene, node, beside)
    return node


def read_scores(scene: slicer.vtkMRMLScene, fields: Mapping[str, type]) -> list[dict[str, object]]:
    """Return what was stored with the results; empty where there are none.

    Parameters
    ----------
    fields : mapping of str to type
        Each object has exactly these: ``str``, or ``list`` of texts.

    Raises
    ------
    UserError
        When the scene's results are damaged.
    """
    node = scores_node(scene)
    if node is None:
        return []
    try:
        found = json.loads(node.GetAttribute(_SCORES))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(_fits(one, fields) for one in found):
        raise UserError("The scores in this scene are damaged.", "Score again.")
    return found


def scores_node(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLTableNode | None:
    """Return the table of results of a scene."""
    nodes = (
        scene.GetNthNodeByClass(n, "vtkMRMLTableNode") for n in range(scene.GetNumberOfNodesByClass("vtkMRMLTableNode"))
    )
    return next((node for node in nodes if node.GetAttribute(_SCORES)), None)


def _fits(found: object, fields: Mapping[str, type]) -> bool:
    return (
        isinstance(found, dict) and found.keys() == fields.keys() and all(_is(found[k], t) for k, t in fields.items())
    )


def _is(value: object, kind: type) -> bool:
    texts = value if isinstance(value, list) else [value]
    return isinstance(value, kind) and all(isinstance(text, str) for text in texts)


def _put_beside(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLNode, image: slicer.vtkMRMLNode | None) -> None:
    """Show the table where the image is shown: in the same study or folder."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    if tree is None or image is None:
        return
    item, beside = tree.GetItemByDataNode(node), tree.GetItemByDataNode(image)
    if item and beside:
        tree.SetItemParent(item, tree.GetItemParent(beside))
