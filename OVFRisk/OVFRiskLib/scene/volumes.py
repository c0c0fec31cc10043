"""Volume nodes of a scene: how they were acquired, and whether they have changed."""

import json
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import slicer
import vtk

ACQUISITION = "OVFRisk.Acquisition"  # node attribute: JSON, DICOM keyword to value; no patient data


def acquisition_of(node: slicer.vtkMRMLVolumeNode) -> Mapping[str, str]:
    """Return how the volume was acquired, by DICOM keyword; empty where it is not known."""
    try:
        facts = json.loads(node.GetAttribute(ACQUISITION) or "{}")
    except json.JSONDecodeError:
        return MappingProxyType({})
    if not isinstance(facts, dict):
        return MappingProxyType({})
    return MappingProxyType({key: value for key, value in facts.items() if isinstance(value, str)})


def keep_acquisition(node: slicer.vtkMRMLVolumeNode, facts: Mapping[str, str]) -> None:
    """Keep on the node, so that it is saved with the scene, how its image was acquired."""
    node.SetAttribute(ACQUISITION, json.dumps(dict(facts), sort_keys=True))


def stamp_of(node: slicer.vtkMRMLVolumeNode) -> tuple:
    """Return what changes whenever voxels, place in the patient or facts of a volume change."""
    image, place, world = node.GetImageData(), vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(place)
    transform = node.GetParentTransformNode()
    if transform is not None:
        transform.GetMatrixTransformToWorld(world)
    return node.GetID(), image and image.GetMTime(), _elements(place), _elements(world), node.GetAttribute(ACQUISITION)


def _elements(matrix: vtk.vtkMatrix4x4) -> tuple[float, ...]:
    return tuple(matrix.GetElement(row, column) for row in range(4) for column in range(4))


def size_of(node: slicer.vtkMRMLVolumeNode) -> tuple[int, int, int]:
    """Return the numbers of voxels along i, j, k."""
    return node.GetImageData().GetDimensions()


def matrix_of(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """Return the volume's own matrix from voxels (i, j, k, 1) to RAS mm, shape (4, 4), without its transforms."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array(_elements(matrix)).reshape(4, 4)
