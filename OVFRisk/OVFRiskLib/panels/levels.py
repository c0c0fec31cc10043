"""The levels of the chosen segmentation: their list, their check, and corrections that can be undone one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import slicer

from ..anatomy import Compartment, VertebralLevel
from ..body_shape import BodyShape
from ..ct_analysis import MEASURED
from ..errors import UserError
from ..files.geometry import on_grid_of
from ..image import LabelMap, Modality, bounding_box
from ..scene.segment_states import Snapshot, rekey
from ..scene.segmentation_edits import SegmentationEdits
from ..scene.segments import labels_of, regions_of, rename_regions, replace_regions
from ..segmentation import label_edits
from ..segmentation.compartments import PeelSettings, body_shapes, split_compartments
from ..segmentation.level_check import check_levels
from ..segmentation.level_quality import BAR
from .level_list import Check, Judged, Prints, level_table, parts_by_level
from .level_maps import SPLIT, joined, one_voxel_each, vertebrae_of
from .seed_names import stepped
from .view import TableView
from .words import _

if TYPE_CHECKING:
    from .session import Session

CHECK = "OVFRisk.Levels"  # node attribute
STEPS = 10  # that can be undone
_Shapes = tuple[Prints, Mapping[VertebralLevel, BodyShape | str]]  # the bodies, and what they were found on


@dataclass(frozen=True)
class _Step:
    """How to undo a correction, what the segmentation held when it had been made, and the check before it."""

    title: str
    undo: Callable[[], None]
    prints: Prints | None  # None: names only, whatever was drawn since stays
    check: Check


class Levels:
    """The list of levels and what can be done to it.

    Parameters
    ----------
    session : Session
    changed : callable
        Called when the list may have changed.
    """

    def __init__(self, session: "Session", changed: Callable[[], None]) -> None:
        self._session, self._changed = session, changed
        self._edits: SegmentationEdits | None = None
        self._steps: list[_Step] = []
        self.check_result = Check()
        self._shapes: _Shapes = ({}, {})
        for topic in ("parameters", "scene"):
            session.observe(topic, self.follow)
        self.follow()

    @property
    def node(self) -> slicer.vtkMRMLSegmentationNode | None:
        """The chosen segmentation."""
        return self._session.parameters.segmentation

    @property
    def prints(self) -> Prints:
        """The fingerprint of each segment that means something, as it is now."""
        return {str(region): value for region, value in self._edits.flush().items()} if self._edits else {}

    @property
    def present(self) -> dict[VertebralLevel, tuple[Compartment, ...]]:
        """The levels of the segmentation from head to foot, with the parts that are labelled."""
        return parts_by_level(self._edits.flush()) if self._edits else {}

    @property
    def is_checked(self) -> bool:
        """Whether the check holds for the segmentation as it is now."""
        return bool(self.check_result.prints) and self.check_result.prints == self.prints

    @property
    def undoable(self) -> str:
        """What *Undo* would take back; empty where there is nothing."""
        return self._steps[-1].title if self._steps else ""

    @property
    def hint(self) -> str:
        """What to do with the list; empty where all is said."""
        if self.node is None:
            return _("No segmentation yet: press Apply above, or choose one.")
        if not self.present:
            return _("No segment names a vertebra: name segments by level, such as L1.")
        if not self.is_checked:
            return _("Grey rows were edited or not checked yet: press Check levels.")
        doubtful = [str(found.level) for found in self.check_result.judged.values() if found.quality < BAR]
        if doubtful:
            return _("Look at {levels} before you measure.").format(levels=", ".join(doubtful))
        return _("Select a level to see it. If all names are off by one, shift them.")

    def table(self) -> TableView:
        """Return the list."""
        return level_table(self.present, self.check_result, self.prints)

    def follow(self) -> None:
        """Observe the segmentation that is chosen now; earlier steps cannot be undone on another one."""
        if self.node is (self._edits.node if self._edits else None):
            return
        self.close()
        if self.node is not None:
            self._edits = SegmentationEdits(self.node, self._changed)
            self.check_result = Check.from_text(self.node.GetAttribute(CHECK) or "")
        self._changed()

    def close(self) -> None:
        """Let go of the segmentation."""
        if self._edits:
            self._edits.close()
        self._edits, self._steps, self.check_result = None, [], Check()
        self._shapes = ({}, {})

    def check(self) -> None:
        """Judge all levels by their masks, their neighbours and the CT.

        Raises
        ------
        UserError
            When no segmentation is chosen, it names no vertebra, or lies elsewhere than the CT.
        """
        labels, ct = labels_of(self._needed()), self._session.volume(Modality.CT)
        if ct is not None:
            labels, _note = on_grid_of(labels, ct)
        shapes = self._bodies(vertebrae_of(labels))
        found = check_levels(labels, tuple(shapes), shapes, ct)
        self.keep(Check.made(self.prints, labels, map(Judged.of, found)))

    def keep(self, check: Check) -> None:
        """Show a check, and keep it with the scene."""
        self.check_result = check
        self.node.SetAttribute(CHECK, check.to_text())
        self._changed()

    def shift(self, by: int) -> None:
        """Rename all levels by one: +1 towards the feet, -1 towards the head."""
        title = _("Shift all one level down") if by > 0 else _("Shift all one level up")
        self._rename(title, lambda names: label_edits.shift_all(names, by))

    def rename(self, level: VertebralLevel, name: VertebralLevel) -> None:
        """Call a level otherwise; where the name is taken, the two change places."""
        if level == name:
            raise UserError(_("{level} is called so already.").format(level=level), _("Choose another name."))
        swap = {level: name} | ({name: level} if name in self.present else {})
        title = _("Rename {level} to {name}").format(level=level, name=name)
        self._rename(title, lambda names: label_edits.rename(names, swap))

    def merge_with_next(self, level: VertebralLevel) -> None:
        """Join a level and the next one below it."""
        below = [other for other in self.present if other.rank > level.rank]
        if not below:
            what = _("There is no level below {level}.").format(level=level)
            raise UserError(what, _("Select the upper one of the two."))
        self.merge([level, below[0]])

    def merge(self, levels: Sequence[VertebralLevel]) -> None:
        """Join levels into one, called as the uppermost."""
        chosen = tuple(sorted(levels, key=lambda level: level.rank))
        if len(chosen) < 2:
            raise UserError(_("Fewer than two levels are chosen."), _("Select the levels to merge in the list."))
        title = _("Merge {levels}").format(levels=", ".join(chosen))
        self._redraw(title, chosen, lambda labels: label_edits.merge(labels, chosen, chosen[0]))

    def split(self, level: VertebralLevel) -> None:
        """Cut a label that holds two vertebrae in two; the new one is called as the next level that is free."""
        below, above = stepped(level, 1), stepped(level, -1)
        names = (above, level) if below in self.present and above not in self.present else (level, below)
        title = _("Split {level}").format(level=level)
        self._redraw(title, (level,), lambda labels: label_edits.split_in_two(labels, level, names))

    def split_bodies(self, settings: PeelSettings, levels: Sequence[VertebralLevel] = ()) -> None:
        """Split bodies (of all usable levels where none is named) into cortical and cancellous bone.

        Parts that are split already keep their voxels: a reader may have corrected them. `join_bodies` first where
        another depth is wanted.
        """
        if not self.is_checked:
            self.check()
        judged = self.check_result.judged
        wanted = [v for v in (levels or self.present) if v in judged and not {*SPLIT} & {*self.present.get(v, ())}]
        usable = [level for level in wanted if judged[level].usable]
        if not usable:
            why = "; ".join(f"{v}: {', '.join(judged[v].remarks)}" for v in wanted) or _("they are split already")
            what = _("No level can be split ({why}).").format(why=why)
            raise UserError(what, _("Correct the masks and check again, or join the parts first."))
        title = _("Split cortical / cancellous")
        self._redraw(title, usable, lambda labels: self._split(labels, usable, settings), same_vertebrae=True)

    def join_bodies(self, levels: Sequence[VertebralLevel] = ()) -> None:
        """Make cortical and cancellous bone one body again."""
        wanted = [v for v in (levels or self.present) if {*SPLIT} & {*self.present.get(v, ())}]
        if not wanted:
            raise UserError(_("No body is split."), _("Choose levels that are split."))
        title = _("Join cortical / cancellous")
        self._redraw(title, wanted, lambda labels: joined(labels, wanted), same_vertebrae=True)

    def undo(self, give_up_edits: bool = False) -> None:
        """Take the last correction back: segments, ids, names, codes and colours are exactly as before it.

        Parameters
        ----------
        give_up_edits : bool
            Also where segments were drawn on since, which is lost then.

        Raises
        ------
        UserError
            When there is nothing to undo, or segments were drawn on since.
        """
        if not self._steps:
            raise UserError(_("There is nothing to undo."), _("The Segment Editor has an Undo of its own."))
        step = self._steps[-1]
        if step.prints not in (None, self.prints) and not give_up_edits:
            what = _("Segments were drawn on after '{title}'; undoing it would lose that.").format(title=step.title)
            raise UserError(what, _("Undo the drawing in the Segment Editor, or press Undo again to give it up."))
        step.undo()
        self._steps.remove(step)
        self.keep(step.check)

    def _rename(self, title: str, edited: Callable[[LabelMap], LabelMap]) -> None:
        """Correct names alone: the rules of `label_edits` on a map of one voxel a segment."""
        node = self._needed()
        one_each = one_voxel_each(regions_of(node).values())
        names = {one_each.labels[value]: region for value, region in edited(one_each).labels.items()}
        was_checked, shapes = self.is_checked, self._shapes
        known = shapes[0] == self.prints
        undo = rename_regions(node, names)
        if known:
            new = {one.level: other.level for one, other in names.items() if isinstance(one.part, Compartment)}
            self._shapes = self.prints, {new[level]: shape for level, shape in shapes[1].items()}
        self._done(_Step(title, lambda: rekey(node, undo), None, self.check_result), was_checked)

    def _redraw(
        self,
        title: str,
        levels: Sequence[VertebralLevel],
        edited: Callable[[LabelMap], LabelMap],
        same_vertebrae: bool = False,
    ) -> None:
        """Correct voxels of some levels; the segments of the others are not touched.

        With `same_vertebrae` only parts change: what is known of the vertebrae stays true.
        """
        node, checked, before = self._needed(), self.is_checked, self.prints
        labels = vertebrae_of(labels_of(node))
        labels = labels.cropped(bounding_box(labels.array, margin=2))
        after, kept = edited(labels), Snapshot.of(node)
        old = {region for region in labels.regions if region.level in levels}
        stay = {region for region in labels.regions if region not in old}
        replace_regions(node, after.restricted(region for region in after.regions if region not in stay), old)
        step = _Step(title, lambda: kept.restore(node), self.prints, self.check_result)
        if same_vertebrae and self._shapes[0] == before:
            self._shapes = self.prints, self._shapes[1]
        self._done(step, checked and not same_vertebrae)
        if same_vertebrae and checked:
            self.keep(replace(self.check_result, prints=self.prints))

    def _bodies(self, vertebrae: LabelMap) -> Mapping[VertebralLevel, BodyShape | str]:
        """Return the body of each level from T1 to L6, or why there is none; found once for the same masks."""
        if self._shapes[0] != self.prints:
            levels = [level for level in vertebrae.levels() if level in MEASURED]
            self._shapes = self.prints, body_shapes(vertebrae, levels)
        return self._shapes[1]

    def _split(self, labels: LabelMap, levels: Sequence[VertebralLevel], settings: PeelSettings) -> LabelMap:
        """Return the vertebrae of `levels` in their parts, in the scheme ``ovfrisk``."""
        shapes = {level: shape for level, shape in self._bodies(labels).items() if level in levels}
        chosen = labels.restricted(region for region in labels.regions if region.level in levels)
        return split_compartments(chosen, shapes, settings)

    def _done(self, step: _Step, check: bool) -> None:
        """Keep a step; a list that was checked is checked again, one that was edited by hand waits for the reader."""
        self._steps = [*self._steps, step][-STEPS:]
        if check:
            self.check()
        else:
            self._changed()

    def _needed(self) -> slicer.vtkMRMLSegmentationNode:
        if self.node is None:
            raise UserError(_("No segmentation is chosen."), _("Choose one, or press Apply to make one."))
        return self.node
