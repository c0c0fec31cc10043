"""Regions of bone quality in the slice views: the plane that they lie on, and which one is selected."""

from collections.abc import Sequence

import numpy as np
import slicer

from .regions import LINE_MM, curve_data, exclusion_nodes, region_nodes


def highlight(head: slicer.vtkMRMLTextNode, node: slicer.vtkMRMLMarkupsClosedCurveNode | None) -> None:
    """Give one curve handles and a thick line, the others none."""
    for other in (*region_nodes(head), *exclusion_nodes(head)):
        chosen = node is not None and other.GetID() == node.GetID()
        other.GetDisplayNode().SetHandlesInteractive(chosen)
        other.GetDisplayNode().SetLineDiameter(2 * LINE_MM if chosen else LINE_MM)


def show_in_slices(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLMarkupsClosedCurveNode) -> None:
    """Turn the slice view that looks most nearly along the curve's plane onto it; the others go to its middle."""
    data = curve_data(node)
    axes = np.array(data["axes"], dtype=float)
    show_plane(scene, np.mean(data["outline"], axis=0) @ axes + data["origin"], axes)


def show_plane(scene: slicer.vtkMRMLScene, origin: Sequence[float], axes: Sequence[Sequence[float]]) -> None:
    """Turn the slice view that looks most nearly along a plane onto it; the others go to its origin.

    Parameters
    ----------
    scene : vtkMRMLScene
    origin : sequence of float, shape (3,)
        RAS mm.
    axes : sequence, shape (2, 3)
        Unit vectors towards anterior and towards the head.
    """
    u, v = np.array(axes, dtype=float)
    normal = np.cross(u, v)
    count = scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
    views = [scene.GetNthNodeByClass(n, "vtkMRMLSliceNode") for n in range(count)]
    along = max(views, key=lambda view: abs(_third_axis(view) @ normal), default=None)
    for view in views:
        if view is along:
            _look_at(view, (-u, v, normal), origin)  # anterior to the left, as in Slicer's sagittal view
        view.JumpSliceByCentering(*map(float, origin))


def _look_at(view: slicer.vtkMRMLSliceNode, axes: Sequence[np.ndarray], origin: np.ndarray) -> None:
    matrix = view.GetSliceToRAS()
    for column, axis in enumerate((*axes, origin)):
        for row in range(3):
            matrix.SetElement(row, column, float(axis[row]))
    view.UpdateMatrices()


def _third_axis(view: slicer.vtkMRMLSliceNode) -> np.ndarray:
    return np.array([view.GetSliceToRAS().GetElement(row, 2) for row in range(3)])


def show_behind(scene: slicer.vtkMRMLScene, volume: slicer.vtkMRMLVolumeNode) -> None:
    """Show a volume behind the regions in all slice views."""
    for n in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode")):
        scene.GetNthNodeByClass(n, "vtkMRMLSliceCompositeNode").SetBackgroundVolumeID(volume.GetID())
