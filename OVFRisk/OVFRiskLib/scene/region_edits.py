"""Edits of regions of bone quality, collected from the scene's events and told at once."""

from collections.abc import Callable

import slicer

from .regions import exclusion_nodes, put_on_plane, region_nodes


class RegionEdits:
    """Watches the curves of an exam.

    Parameters
    ----------
    head : vtkMRMLTextNode
        What `add_regions` returned.
    wake : callable
        Called when something was edited after a time without edits; `take` then says what. It must return at once.

    Attributes
    ----------
    head : vtkMRMLTextNode
    dragging : bool
        Whether the user holds a point or a handle now.
    """

    def __init__(self, head: slicer.vtkMRMLTextNode, wake: Callable[[], None]) -> None:
        self.dragging = False
        self.head, self._wake = head, wake
        self._edited: dict[str, slicer.vtkMRMLMarkupsClosedCurveNode] = {}
        self._watched: dict[str, tuple[slicer.vtkMRMLMarkupsClosedCurveNode, list[int]]] = {}
        self._own = False
        scene = head.GetScene()
        events = ((scene.NodeRemovedEvent, self._on_removed), (scene.StartCloseEvent, self._on_closing))
        self._scene, self._tags = scene, [scene.AddObserver(event, slot) for event, slot in events]
        self.watch()

    def watch(self) -> None:
        """Watch curves that are new."""
        for node in (*region_nodes(self.head), *exclusion_nodes(self.head)):
            if node.GetID() not in self._watched:
                slots = (
                    (node.PointModifiedEvent, self._on_moved),
                    (node.PointRemovedEvent, self._on_moved),
                    (node.TransformModifiedEvent, self._on_moved),
                    (node.PointStartInteractionEvent, self._on_start),
                    (node.PointEndInteractionEvent, self._on_end),
                )
                self._watched[node.GetID()] = node, [node.AddObserver(event, slot) for event, slot in slots]

    def take(self) -> tuple[slicer.vtkMRMLMarkupsClosedCurveNode, ...]:
        """Return the curves that were edited since the last call, those that were deleted, too (their scene is None).

        Points that were dragged off the plane of their region are put back onto it first.
        """
        edited, self._edited = tuple(self._edited.values()), {}
        self._own = True
        try:
            for node in edited:
                if node.GetScene() is not None:
                    put_on_plane(node)
        finally:
            self._own = False
        return edited

    def close(self) -> None:
        """Stop watching."""
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        for node, tags in self._watched.values():
            for tag in tags:
                node.RemoveObserver(tag)
        self._tags, self._watched, self._edited, self.dragging = [], {}, {}, False

    def _on_moved(self, node: slicer.vtkMRMLMarkupsClosedCurveNode, _event: str) -> None:
        if not self._own:
            self._note(node)

    def _on_start(self, _node: object, _event: str) -> None:
        self.dragging = True

    def _on_end(self, node: slicer.vtkMRMLMarkupsClosedCurveNode, _event: str) -> None:
        self.dragging = False
        self._note(node)

    def _on_removed(self, _scene: object, _event: str) -> None:
        for name, (node, tags) in tuple(self._watched.items()):
            if node.GetScene() is None:
                for tag in tags:
                    node.RemoveObserver(tag)
                del self._watched[name]
                self._note(node, name)
        if self.head.GetScene() is None:
            self._wake()

    def _on_closing(self, _scene: object, _event: str) -> None:
        self.close()

    def _note(self, node: slicer.vtkMRMLMarkupsClosedCurveNode, name: str = "") -> None:
        first = not self._edited
        self._edited[name or node.GetID()] = node
        if first:
            self._wake()
