"""The panel Segmentation: what finds the vertebrae, from which points, and what becomes of the result."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import slicer

from ..anatomy import Compartment, VertebralLevel
from ..errors import UserError
from ..files.read_labels import read_labels
from ..files.write_images import write_volume
from ..image import LabelMap, Modality
from ..scene.segmentation_edits import SegmentationEdits
from ..scene.segments import add_beside
from ..segmentation.compartments import PeelSettings
from .engines import EngineChoice, engine_choices
from .level_list import Check, Judged, parts_by_level
from .levels import Levels
from .running import RESULT, Running
from .seeding import Seeding, no_point
from .view import MessageKind
from .words import _

if TYPE_CHECKING:
    from .session import Session

MADE = "OVFRisk.Made"  # node attribute: fingerprints of the segments as the engine left them
_SEEDS = "seeds.json"


@dataclass(frozen=True)
class _Target:
    """What a run is for; it may be gone when the run has finished."""

    ct: slicer.vtkMRMLScalarVolumeNode
    voxels: object
    levels: tuple[VertebralLevel, ...]


class SegmentationPanel:
    """State and actions of the panel.

    Parameters
    ----------
    session : Session
    changed : callable, optional
        Called when something that the panel shows may have changed.
    """

    def __init__(self, session: "Session", changed: Callable[[], None] = lambda: None) -> None:
        self.session = session
        self.changed = changed
        self.engines = engine_choices()
        self._job: Running | None = None
        self.seeding = Seeding(session, self._changed)
        self.levels = Levels(session, self._changed)

    @property
    def engine(self) -> EngineChoice:
        """The chosen engine."""
        chosen = self.session.parameters.engine
        return next((engine for engine in self.engines if engine.name == chosen), self.engines[0])

    @property
    def next_step(self) -> str:
        """What the reader would do next."""
        if self.session.job:
            return self.problem
        if self.problem == no_point():
            todo = _("choose the level of the first click, press 'Click vertebrae', and click once into each body.")
        elif self.problem:
            todo = self.problem
        elif self.engine.missing:
            todo = _("install what is missing, or choose another engine.")
        else:
            todo = _("press Apply.")
        if self.session.parameters.segmentation is None:
            return todo[0].upper() + todo[1:]
        return _("Check the levels below, then measure in the tab CT. To segment again: {todo}").format(todo=todo)

    @property
    def is_running(self) -> bool:
        """Whether the job that runs is this panel's."""
        return self.session.job is not None and self.session.job is self._job

    @property
    def settings(self) -> PeelSettings:
        """How bodies are split into cortical and cancellous bone."""
        chosen = self.session.parameters
        return PeelSettings(chosen.cortical_depth, chosen.cortical_voxels or None)

    @property
    def problem(self) -> str:
        """Why *Apply* cannot be pressed; empty where it can."""
        chosen = self.session.parameters
        if self.session.job:
            return _("{title} is still running.").format(title=self.session.job.title)
        if chosen.ct is None:
            return _("Choose a CT in the tab Images.")
        try:
            self._wanted()
        except UserError as error:
            return error.what
        return self._seeds_problem() or self._bundle_problem()

    def apply(self) -> None:
        """Find the vertebrae: a job; the scene changes only when it has finished.

        Raises
        ------
        UserError
            When something is missing: an image, points, a package.
        """
        if self.problem:
            raise UserError(self.problem, _("Then press Apply again."))
        if self.engine.missing:
            names = ", ".join(package.module for package in self.engine.missing)
            raise UserError(_("Not installed: {names}.").format(names=names), self.engine.offer)
        target = self._target()
        self.session.start(_("Finding the vertebrae"), self._arguments, lambda folder: self._take(folder, target))
        self._job = self.session.job
        self._changed()

    def close(self) -> None:
        """Let go of the scene's nodes."""
        self.seeding.close()
        self.levels.close()

    def _changed(self) -> None:
        self.changed()

    def _target(self) -> _Target:
        node = self.session.parameters.ct
        return _Target(node, node.GetImageData(), self._wanted())

    def _wanted(self) -> tuple[VertebralLevel, ...]:
        text = self.session.parameters.levels.strip()
        return VertebralLevel.span(text) if text else ()

    def _seeds_problem(self) -> str:
        chosen, points = self.session.parameters, self.seeding.points
        if self.engine.name == "seeded":
            if chosen.between >= 0 and len(points) != 2:
                return _("Click into the first and the last vertebra, and nowhere else.")
            return self.seeding.problem
        if "use_anchor" in self.engine.uses and chosen.use_anchor:
            return "" if points and points[0].level else _("Click into one vertebra whose level you know.")
        return ""

    def _bundle_problem(self) -> str:
        if self.engine.name == "monai" and not self.session.parameters.bundle:
            return _("Choose the folder of a MONAI bundle.")
        return ""

    def _arguments(self, folder: Path) -> list[object]:
        """Write CT and points, and return what follows `ovfrisk`."""
        chosen, ct = self.session.parameters, folder / "ct.nrrd"
        _write_ct(ct, self.session)
        words: list[object] = ["segment", folder / RESULT, "--ct", ct, "--engine", self.engine.name]
        uses = self.engine.uses
        if "use_anchor" in uses and chosen.use_anchor:
            point = self.seeding.points[0]
            words += ["--anchor", f"{point.level}@{','.join(map(repr, point.ras))}"]
        elif self.engine.name == "seeded" or (self.engine.name == "monai" and self.seeding.points):
            words += ["--seeds", self._write_seeds(folder)]
        if "between" in uses and chosen.between >= 0:
            words += ["--between", chosen.between]
        if "bundle" in uses:
            words += ["--bundle", chosen.bundle]
        if "device" in uses:
            words += ["--device", chosen.device]
        words += [f"--{name}" for name in ("whole", "fast") if name in uses and getattr(chosen, name)]
        return words

    def _write_seeds(self, folder: Path) -> Path:
        seeds = [{"level": str(point.level), "point": point.ras} for point in self.seeding.points]
        path = folder / _SEEDS
        path.write_text(json.dumps({"coordinate_system": "RAS", "seeds": seeds}), "utf-8")
        return path

    def _take(self, folder: Path, target: _Target) -> None:
        """Put a result into the scene, in place of an earlier one that nobody has touched."""
        if not self.session.scene.IsNodePresent(target.ct) or target.ct.GetImageData() is not target.voxels:
            raise UserError(_("The CT is no longer in the scene, or another one."), _("Press Apply again."))
        labels = _kept(read_labels(folder / "segmentation.seg.nrrd", None), target.levels)
        manifest = json.loads((folder / "run.json").read_text("utf-8"))
        earlier = self.session.parameters.segmentation
        node = add_beside(self.session.scene, labels, target.ct, _("Vertebrae"))
        node.SetAttribute(MADE, _prints_text(node))
        if self.session.parameters.ct is not target.ct:
            what = _("'{name}' is the segmentation of '{ct}'; another CT is chosen now.")
            self.session.say(what.format(name=node.GetName(), ct=target.ct.GetName()), kind=MessageKind.WARNING)
            return
        self.session.parameters.segmentation = node
        told = self._told_of_earlier(earlier, node)
        self._show_check(labels, manifest)
        told += self._split()
        self._tell_result(labels, [*told, *manifest["corrections"]], target)

    def _split(self) -> list[str]:
        """Split the bodies of a new result where that was chosen; return what could not be done."""
        if not self.session.parameters.split_bodies:
            return []
        try:
            self.levels.split_bodies(self.settings)
        except UserError as error:
            return [error.what]
        self.levels.node.SetAttribute(MADE, _prints_text(self.levels.node))
        return []

    def _told_of_earlier(
        self, earlier: slicer.vtkMRMLSegmentationNode | None, node: slicer.vtkMRMLSegmentationNode
    ) -> list[str]:
        """Remove an earlier result of ours that is as it was made; anything else stays, and that is said."""
        if earlier is None:
            return []
        if earlier.GetAttribute(MADE) == _prints_text(earlier):
            name = earlier.GetName()
            self.session.scene.RemoveNode(earlier)
            node.SetName(name)
            return []
        text = _("The segmentation '{old}' was not made here or was edited: it is kept; the new one is '{new}'.")
        return [text.format(old=earlier.GetName(), new=node.GetName())]

    def _show_check(self, labels: LabelMap, manifest: dict) -> None:
        found = (_judged(entry) for entry in manifest["levels"])
        kept = [judged for judged in found if judged.level in self.levels.present]
        self.levels.keep(Check.made(self.levels.prints, labels, kept))

    def _tell_result(self, labels: LabelMap, remarks: list[str], target: _Target) -> None:
        levels = list(parts_by_level(labels.regions))
        missing = [level for level in target.levels if level not in levels]
        if missing:
            remarks = [_("Not found: {levels}.").format(levels=", ".join(missing)), *remarks]
        what = _("{count} vertebrae were found: {levels}.").format(count=len(levels), levels=", ".join(levels))
        next_step = _("Check the levels in the list, and correct the masks below where needed.")
        kind = MessageKind.WARNING if remarks else MessageKind.INFO
        self.session.say("\n".join([what, *remarks]), next_step, kind)


def _write_ct(path: Path, session: "Session") -> None:
    volume = session.volume(Modality.CT)
    try:
        write_volume(path, volume)
    except UserError as error:
        name = session.parameters.ct.GetName()
        what = error.what.replace(str(path), f"'{name}'")
        raise UserError(what, error.what_to_do) from error


def _kept(labels: LabelMap, levels: tuple[VertebralLevel, ...]) -> LabelMap:
    """Return the map with the chosen vertebrae only; what is no vertebra stays."""
    if not levels:
        return labels
    kept = labels.restricted(
        region for region in labels.regions if not isinstance(region.part, Compartment) or region.level in levels
    )
    if not any(isinstance(region.part, Compartment) for region in kept.regions):
        what = _("None of the chosen levels was found; the CT shows {levels}.")
        raise UserError(what.format(levels=", ".join(labels.levels())), _("Choose other levels."))
    return kept


def _judged(entry: dict) -> Judged:
    remarks = (*entry["reasons"], *entry["statements"])
    return Judged(VertebralLevel(entry["level"]), entry["usable"], entry["quality"], remarks)


def _prints_text(node: slicer.vtkMRMLSegmentationNode) -> str:
    edits = SegmentationEdits(node)
    found = sorted((str(region), value) for region, value in edits.flush().items())
    edits.close()
    return json.dumps(found)
