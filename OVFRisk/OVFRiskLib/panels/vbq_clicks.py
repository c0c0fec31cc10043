"""Points in the vertebral bodies on MRI, watched."""

from collections.abc import Callable

import slicer

from .session import Session

_EVENTS = ("PointPositionDefinedEvent", "PointRemovedEvent")


class Clicks:
    """Tells when points are placed or removed, whichever list is chosen.

    Parameters
    ----------
    session : Session
    changed : callable
    """

    def __init__(self, session: Session, changed: Callable[[], None]) -> None:
        self._session, self._changed = session, changed
        self._node: slicer.vtkMRMLMarkupsFiducialNode | None = None
        self._tags: list[int] = []
        for topic in ("parameters", "scene"):
            session.observe(topic, self._follow)
        self._follow()

    @property
    def count(self) -> int:
        """How many points were placed."""
        node = self._session.parameters.vbq_clicks
        return 0 if node is None else node.GetNumberOfDefinedControlPoints()

    def close(self) -> None:
        """Stop watching."""
        for tag in self._tags:
            self._node.RemoveObserver(tag)
        self._node, self._tags = None, []

    def _follow(self) -> None:
        node = self._session.parameters.vbq_clicks
        if node is not self._node:
            self.close()
            self._node = node
            events = _EVENTS if node is not None else ()
            self._tags = [node.AddObserver(getattr(node, event), self._on_event) for event in events]

    def _on_event(self, _node: object, _event: str) -> None:
        self._changed()
