"""The points that the seeded engine starts from: a point list of the scene whose points name themselves."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import slicer

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..scene.seeds import Point, add_seeds, points_of, set_labels
from ..scene.views import jump_to
from ..segmentation.seeds import Seed
from .seed_names import Named, name_point, out_of_order, rename_point
from .view import Cell, RowView, TableView
from .words import _

if TYPE_CHECKING:
    from .session import Session

_EVENTS = ("PointPositionDefinedEvent", "PointModifiedEvent", "PointRemovedEvent")


class Seeding:
    """Names points as they are clicked, and follows what the reader renames, moves or deletes.

    Parameters
    ----------
    session : Session
    changed : callable
        Called after every change of the points.
    """

    def __init__(self, session: "Session", changed: Callable[[], None]) -> None:
        self._session, self._changed = session, changed
        self._node: slicer.vtkMRMLMarkupsFiducialNode | None = None
        self._tags: list[int] = []
        self._known: dict[str, str] = {}
        self._busy = False
        for topic in ("parameters", "scene"):
            session.observe(topic, self.follow)
        self.follow()

    @property
    def node(self) -> slicer.vtkMRMLMarkupsFiducialNode | None:
        """The chosen point list."""
        return self._session.parameters.seeds

    @property
    def points(self) -> list[Point]:
        """The points that have been placed."""
        return points_of(self.node)

    @property
    def first(self) -> VertebralLevel:
        """What the first point is called."""
        return VertebralLevel(self._session.parameters.first_level)

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """The points as the engine takes them."""
        return tuple(Seed(point.ras, point.level) for point in self.points)

    @property
    def problem(self) -> str:
        """Why the points cannot be used; empty where they can."""
        points = self.points
        if not points:
            return no_point()
        if nameless := [point.label for point in points if point.level is None]:
            return _("The point '{label}' names no level: call it L1, T12, …").format(label=nameless[0])
        if wrong := out_of_order(_named(points)):
            return _("The point of {upper} lies above that of {lower}: rename or move one.").format(
                upper=wrong[0], lower=wrong[1]
            )
        return ""

    def ensure(self) -> slicer.vtkMRMLMarkupsFiducialNode:
        """Return the chosen point list; a new one where none is chosen."""
        if self.node is None:
            self._session.parameters.seeds = add_seeds(self._session.scene, _("Vertebra points"))
        return self.node

    def choose_first(self, level: VertebralLevel) -> None:
        """Choose what the first point is called; points that are there already are renamed, or named, from it."""
        points = self.points
        if points and points[0].level is not None:
            self.rename(points[0].id, level)
        self._session.parameters.first_level = str(level)
        self._name_new()

    def rename(self, point: str, level: VertebralLevel) -> None:
        """Call a point `level`; those further out follow.

        Raises
        ------
        UserError
            When the level does not fit between those that stay.
        """
        points = self.points
        n = next(m for m, other in enumerate(points) if other.id == point)
        before = [Named(p.ras[2], self._level_before(p)) for p in points]
        self._write(points, rename_point(before, n, level) | {n: level})
        if n == 0:
            self._session.parameters.first_level = str(level)

    def delete(self, point: str) -> None:
        """Take a point away; the others keep their names."""
        self.node.RemoveNthControlPoint(self.node.GetNthControlPointIndexByID(point))

    def show(self, point: str) -> None:
        """Centre the views on a point."""
        jump_to(self._session.scene, next(np.array(other.ras) for other in self.points if other.id == point))

    def table(self) -> TableView:
        """Return the points, from head to foot."""
        rows = sorted(self.points, key=lambda point: -point.ras[2])
        columns = (_("Level"), "R", "A", "S")
        return TableView(_("Points"), columns, tuple(_row(point) for point in rows))

    def follow(self) -> None:
        """Observe the point list that is chosen now."""
        if self.node is self._node:
            return
        self.close()
        self._node = self.node
        if self._node is not None:
            self._tags = [
                self._node.AddObserver(getattr(slicer.vtkMRMLMarkupsNode, name), self._on_event) for name in _EVENTS
            ]
        self._known = {point.id: point.label for point in self.points}
        self._changed()

    def close(self) -> None:
        """Let go of the point list."""
        for tag in self._tags:
            self._node.RemoveObserver(tag)
        self._node, self._tags = None, []

    def _on_event(self, _caller: object, _event: str) -> None:
        if self._busy:
            return
        try:
            self._follow_names()
            self._name_new()
        except Exception as error:
            self._session.report(error)
        self._changed()

    def _follow_names(self) -> None:
        """Take over what the reader has renamed; what is no level, or does not fit, is taken back."""
        renamed = [point for point in self.points if self._known.get(point.id, point.label) != point.label]
        for point in renamed[:1]:  # one event, one name; the others follow from it
            try:
                if point.level is None:
                    what = _("'{label}' is no vertebral level.").format(label=point.label)
                    raise UserError(what, _("Call points C1 to S1, T13 or L6."))
                self.rename(point.id, point.level)
            except UserError:
                self._label({point.id: self._known[point.id]})
                raise

    def _name_new(self) -> None:
        """Name the points that have no level yet, in the order of the list."""
        for n in range(len(self.points)):
            points = self.points
            if points[n].level is None:
                self._write(points, name_point(_named(points), n, self.first))

    def _level_before(self, point: Point) -> VertebralLevel | None:
        return Point(point.id, self._known.get(point.id, point.label), point.ras).level

    def _write(self, points: Sequence[Point], levels: dict[int, VertebralLevel]) -> None:
        self._label({points[n].id: str(level) for n, level in levels.items()})

    def _label(self, labels: dict[str, str]) -> None:
        """Write labels without taking them for the reader's."""
        self._busy = True
        try:
            set_labels(self.node, labels)
        finally:
            self._busy = False
        self._known = {point.id: point.label for point in self.points}


def no_point() -> str:
    """Return what is said while there is no point."""
    return _("Click once into each vertebral body.")


def _named(points: Sequence[Point]) -> list[Named]:
    return [Named(point.ras[2], point.level) for point in points]


def _row(point: Point) -> RowView:
    cells = (Cell(point.label, point.level and float(point.level.rank)), *(Cell(f"{mm:.1f}", mm) for mm in point.ras))
    return RowView(point.id, cells, level=point.level)
