"""Slice views and what is shown in them: jump to a place, bring one level's segments out."""

from collections.abc import Collection, Mapping

import numpy as np
import slicer

_FAINT = 0.15  # opacity of what is not meant
_KEPT = "OVFRisk.OpacityBefore"  # attribute of the display node while a level is brought out
_OPACITIES = ("Opacity2DFill", "Opacity2DOutline", "Opacity3D")


def jump_to(scene: slicer.vtkMRMLScene, ras: np.ndarray) -> None:
    """Centre every slice view on a point (RAS, mm)."""
    nodes = scene.GetNodesByClass("vtkMRMLSliceNode")
    for n in range(nodes.GetNumberOfItems()):
        nodes.GetItemAsObject(n).JumpSliceByCentering(*map(float, ras))


def bring_out(node: slicer.vtkMRMLSegmentationNode, segments: Collection[str]) -> None:
    """Make all but some segments faint; called again, others are brought out. `restore` makes all as they were."""
    display = node.GetDisplayNode()
    if display is None:
        return
    restore(node)
    kept = {}
    for name in node.GetSegmentation().GetSegmentIDs():
        kept[name] = [getattr(display, f"GetSegment{what}")(name) for what in _OPACITIES]
        if name not in segments:
            for what, before in zip(_OPACITIES, kept[name], strict=True):
                getattr(display, f"SetSegment{what}")(name, before * _FAINT)
    display.SetAttribute(_KEPT, _written(kept))


def restore(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Make the segments as visible as they were before one was brought out."""
    display = node.GetDisplayNode()
    text = display.GetAttribute(_KEPT) if display else None
    if not text:
        return
    there = set(node.GetSegmentation().GetSegmentIDs())
    for name, values in _read(text).items():
        if name in there:
            for what, value in zip(_OPACITIES, values, strict=True):
                getattr(display, f"SetSegment{what}")(name, value)
    display.RemoveAttribute(_KEPT)


def _written(kept: Mapping[str, list[float]]) -> str:
    import json

    return json.dumps(kept)


def _read(text: str) -> dict[str, list[float]]:
    """Return what was kept; nothing where a file brought something else."""
    import json

    try:
        kept = json.loads(text)
        return {
            str(name): [min(max(float(value), 0.0), 1.0) for value in values]
            for name, values in kept.items()
            if len(values) == len(_OPACITIES)
        }
    except (ValueError, TypeError, AttributeError):
        return {}
