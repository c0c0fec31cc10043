"""Watches what the record was measured from: the chosen segmentations and images of a session."""

from collections.abc import Callable, Mapping

from ..anatomy import Region
from ..image import Modality
from ..scene.segmentation_edits import SegmentationEdits
from ..scene.volumes import stamp_of
from .dependence import Name
from .record import image_name
from .session import Session


class Watch:
    """Keeps a session's record up to date with its segmentations and images.

    Parameters
    ----------
    session : Session
    on_event : callable
        Called when something may have changed: a front end then calls `flush` when it is idle.
    """

    def __init__(self, session: Session, on_event: Callable[[], None] = lambda: None) -> None:
        self.session = session
        self._on_event = on_event
        self._edits: dict[str, SegmentationEdits] = {}
        self._images: dict[Modality, tuple[tuple, str]] = {}
        self._told: frozenset[str] | None = None
        for topic in ("segmentation", "images", "parameters"):
            session.observe(topic, self._on_choice)
        self._follow()

    def reopen(self) -> None:
        """Watch what is chosen in the scene that was made or loaded."""
        self.close()
        self._images, self._told = {}, None
        self._follow()

    def fingerprints(self) -> dict[Name, str]:
        """Return the fingerprints of all segments and of the CT, as they are now."""
        self._follow()
        found: dict[Name, str] = {}
        for edits in self._edits.values():
            found = {**edits.flush(), **found}  # the vertebrae's own segmentation comes first
        return {**found, **self._image(Modality.CT)}

    def flush(self) -> frozenset[str]:
        """Take in what has been edited; tell the session where rows became stale or current again; return the stale."""
        record = self.session.record
        if record is None:
            return frozenset()
        now = self.fingerprints()
        removed = {name: "" for name in _regions_of(record) if name not in now}
        stale = record.edited({**removed, **now})
        if stale != self._told:
            self._told = stale
            self.session.tell("measurements")
        return stale

    def close(self) -> None:
        """Stop watching."""
        for edits in self._edits.values():
            edits.close()
        self._edits = {}

    def _on_choice(self) -> None:
        self._follow()
        self._on_event()

    def _follow(self) -> None:
        """Watch the chosen nodes."""
        chosen = {name: getattr(self.session.parameters, name) for name in ("segmentation", "structures")}
        for name, node in chosen.items():
            watched = self._edits.get(name)
            if watched and watched.node is not node:
                watched.close()
                del self._edits[name]
            if node is not None and name not in self._edits:
                self._edits[name] = SegmentationEdits(node, self._on_event)

    def _image(self, modality: Modality) -> Mapping[str, str]:
        node = self.session.node(modality)
        if node is None:
            return {image_name(modality): ""}
        stamp = stamp_of(node)
        if modality not in self._images or self._images[modality][0] != stamp:
            self._images[modality] = stamp, self.session.volume(modality).hash
        return {image_name(modality): self._images[modality][1]}


def _regions_of(record: object) -> set[Region]:
    """Return every region of the CT that the record knows."""
    names = {name for part in record.parts.values() for name in part.fingerprints} | set(record.now)
    return {name for name in names if isinstance(name, Region)}
