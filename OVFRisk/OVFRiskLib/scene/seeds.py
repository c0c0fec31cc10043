"""Points in vertebrae as a point list of the scene."""

from dataclasses import dataclass

import slicer

from ..anatomy import VertebralLevel

PLACED = "vtkMRMLMarkupsFiducialNode"


@dataclass(frozen=True)
class Point:
    """A placed point.

    Parameters
    ----------
    id : str
        Stays the same whatever happens to the list.
    label : str
    ras : tuple of float
        In patient space, mm.
    """

    id: str
    label: str
    ras: tuple[float, float, float]

    @property
    def level(self) -> VertebralLevel | None:
        """The level that its label names."""
        text = self.label.strip().upper()
        return VertebralLevel(text) if text in set(VertebralLevel) else None


def add_seeds(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLMarkupsFiducialNode:
    """Add an empty point list whose points have no names of their own: they are given levels."""
    node = scene.AddNewNodeByClass(PLACED, scene.GenerateUniqueName(name))
    node.SetControlPointLabelFormat("")
    node.CreateDefaultDisplayNodes()
    return node


def points_of(node: slicer.vtkMRMLMarkupsFiducialNode | None) -> list[Point]:
    """Return the points of a list that have been placed, in the order of the list."""
    if node is None:
        return []
    return [_point(node, n) for n in range(node.GetNumberOfControlPoints()) if _is_placed(node, n)]


def set_labels(node: slicer.vtkMRMLMarkupsFiducialNode, labels: dict[str, str]) -> None:
    """Label points, by their ids."""
    for name, label in labels.items():
        n = node.GetNthControlPointIndexByID(name)
        if n >= 0 and node.GetNthControlPointLabel(n) != label:
            node.SetNthControlPointLabel(n, label)


def _is_placed(node: slicer.vtkMRMLMarkupsFiducialNode, n: int) -> bool:
    return node.GetNthControlPointPositionStatus(n) == slicer.vtkMRMLMarkupsNode.PositionDefined


def _point(node: slicer.vtkMRMLMarkupsFiducialNode, n: int) -> Point:
    ras = [0.0, 0.0, 0.0]
    node.GetNthControlPointPositionWorld(n, ras)
    return Point(node.GetNthControlPointID(n), node.GetNthControlPointLabel(n) or "", tuple(ras))
