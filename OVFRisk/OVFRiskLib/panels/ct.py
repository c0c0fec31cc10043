"""What the panel CT does: measure, update after an edit, show, and lead from a row to the views."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..anatomy import Compartment, Region
from ..distance import depth_mm
from ..errors import UserError
from ..files.earlier_result import read_earlier_result, read_run
from ..files.segmentation_file import write_segmentation
from ..files.tables import feature_columns, measurement_columns, read_measurements, write_features
from ..files.write_images import write_volume
from ..image import Modality
from ..scene import plots, record_nodes, views
from ..scene.segmentation_edits import segment_mask
from ..scene.segments import labels_of, regions_of
from .ct_arguments import options_of, reference_structures
from .ct_tables import CtTables
from .fingerprints import Watch
from .record import CT, Part, Record
from .record_file import part_from_text, part_to_text
from .running import RESULT
from .session import Session
from .words import _

_EARLIER = "earlier"
_DEEP = 0.9  # of the greatest depth: the middle of a body
_BODY_PARTS = (Compartment.BODY, Compartment.CORTICAL, Compartment.CANCELLOUS)


class Ct:
    """The CT's measurements in a session.

    Parameters
    ----------
    session : Session
    on_event : callable
        Called when a segment or image may have changed: a front end then calls `flush` when it is idle.
    """

    def __init__(self, session: Session, on_event: Callable[[], None] = lambda: None) -> None:
        self.session = session
        self.watch = Watch(session, on_event)
        self._shown: object = None  # the segmentation in which a level is brought out
        session.observe("scene", self.restore)
        session.observe("level", self.show_level)
        try:
            self.restore()
        except UserError as error:  # a spoilt record keeps nobody from measuring
            session.report(error)

    @property
    def part(self) -> Part | None:
        """What has been measured on the CT."""
        record = self.session.record
        return record.parts.get(CT) if record else None

    @property
    def tables(self) -> CtTables:
        """The tables as they are now."""
        return CtTables(self.session.record)

    @property
    def missing(self) -> str:
        """What is missing before the CT can be measured; empty where nothing is."""
        chosen = self.session.parameters
        if chosen.ct is None:
            return _("Choose a CT in the tab Images.")
        if chosen.segmentation is None:
            return _("Find the vertebrae in the tab Segmentation first.")
        if not chosen.subject:
            return _("Give a subject code in the tab Images: never the patient's name.")
        return ""

    @property
    def changed(self) -> str:
        """What has changed since the CT was measured; empty where nothing has."""
        if self.part is None:
            return ""
        names = [str(name) for name in self.session.record.changed if self.part.watches(name)]
        if self.part.how != tuple(options_of(self.session.parameters)):
            names.append(_("the choices"))
        return ", ".join(names)

    @property
    def next_step(self) -> str:
        """What the user would do next."""
        if self.missing:
            return self.missing
        if self.part is None:
            return _("Choose levels and features, then measure.")
        if self.changed:
            return _("Changed since: {names}. Grey rows are out of date until you update.").format(names=self.changed)
        return _("Everything is up to date. Select a row to see its level; score in the tab Score.")

    def measure(self) -> None:
        """Start the measurement of the chosen levels.

        Raises
        ------
        UserError
            When something is missing, or a job runs already.
        """
        self._start(_("Measuring the CT"), update=False)

    def update(self) -> None:
        """Start to measure what has changed; where image or choices are others, everything.

        Raises
        ------
        UserError
            As `measure`, or when nothing was measured yet.
        """
        if self.part is None:
            raise UserError(_("Nothing has been measured yet."), _("Press Measure."))
        self.watch.flush()
        same = self.part.how == tuple(options_of(self.session.parameters))
        images = [name for name in self.session.record.changed if not isinstance(name, Region)]
        self._start(_("Updating the CT"), update=same and not images and bool(self.part.run))

    def flush(self) -> frozenset[str]:
        """Take in what has been edited; return the keys of the rows that are out of date."""
        return self.watch.flush()

    def restore(self) -> None:
        """Take the record that was saved with the scene.

        Raises
        ------
        UserError
            When it is not as it was written.
        """
        self.watch.reopen()
        self._shown = None
        text = record_nodes.stored(self.session.scene)
        if not text:
            return
        part = part_from_text(text)
        others = self.session.record.parts if self.session.record else {}
        self.session.record = Record({CT: part, **others})
        self.watch.flush()
        self.session.tell("measurements")

    def show_level(self) -> None:
        """Centre the views on the session's level and bring its segments out; without one, all are as they were."""
        node, level = self.session.parameters.segmentation, self.session.level
        if self._shown is not None and self._shown is not node:
            views.restore(self._shown)
        self._shown = node
        if node is None:
            return
        own = {name: region for name, region in regions_of(node).items() if region.level is level and level}
        if not own:
            views.restore(node)
            return
        vertebra = {name: region for name, region in own.items() if region.part in set(Compartment)}
        centre = _centre(node, vertebra or own)
        if centre is not None:
            views.jump_to(self.session.scene, centre)
        views.bring_out(node, own)

    def close(self) -> None:
        """Let go of the scene."""
        if self._shown is not None:
            views.restore(self._shown)
        self.watch.close()

    def _start(self, title: str, update: bool) -> None:
        if self.missing:
            raise UserError(_("The CT cannot be measured yet."), self.missing)
        taken: dict[str, object] = {}

        def arguments(folder: Path) -> Sequence[object]:
            taken["fingerprints"] = self.watch.fingerprints()
            taken["how"] = tuple(options_of(self.session.parameters))
            return self._arguments(folder, update)

        self.session.start(title, arguments, lambda folder: self._finished(folder, **taken))

    def _arguments(self, folder: Path, update: bool) -> list[object]:
        """Write what the job needs into its folder, and return what follows `ovfrisk`."""
        chosen, ct = self.session.parameters, self.session.volume(Modality.CT)
        write_volume(folder / "ct.nrrd", ct)
        write_segmentation(folder / "labels.seg.nrrd", labels_of(chosen.segmentation))
        (folder / "acquisition.json").write_text(json.dumps(dict(ct.acquisition)), "utf-8")
        given = ["--ct", folder / "ct.nrrd", "--labels", folder / "labels.seg.nrrd"]
        given += ["--acquisition", folder / "acquisition.json"]
        if chosen.structures is not None:
            write_segmentation(folder / "structures.seg.nrrd", labels_of(chosen.structures))
            given += ["--structures", folder / "structures.seg.nrrd"]
        if update:
            self._write_earlier(folder / _EARLIER)
            given += ["--update", folder / _EARLIER]
            if levels := self.session.record.stale_levels:
                given += ["--edited", ",".join(levels)]
        return ["analyze", folder / RESULT, *given, *options_of(chosen), "--tables-only"]

    def _write_earlier(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(self.part.run), "utf-8")
        if self.part.features:
            write_features(folder / "features.csv", str(self.part.run["subject"]), self.part.features)

    def _finished(self, folder: Path, fingerprints: dict, how: tuple[str, ...]) -> None:
        found = read_earlier_result(folder)
        part = Part(
            table=read_measurements(folder / "measurements.csv"),
            features=found.features.features,
            fingerprints=fingerprints,
            references=reference_structures(self.session.parameters),
            how=how,
            run=read_run(folder),
        )
        now = self.watch.fingerprints()
        gone = {name: "" for name in part.fingerprints if name not in now}
        self.session.record = (self.session.record or Record()).replaced(CT, part, {**gone, **now})
        self._store()
        self.session.tell("measurements")

    def _store(self) -> None:
        """Keep the record in the scene: exactly as a text, to be read as tables and charts."""
        part, scene = self.part, self.session.scene
        subject = self.session.parameters.subject
        tables = {"CT measurements": measurement_columns(part.table)}
        if part.features:
            tables["CT features"] = feature_columns(subject, part.features)
        record_nodes.store(scene, part_to_text(part), tables, self.session.parameters.ct)
        for chart in self.charts():
            plots.show_chart(scene, chart)

    def charts(self) -> list[plots.Chart]:
        """Return attenuation and heights by level."""
        levels, value = self.tables.levels, self.part.table.value
        heights = {
            _(title): [value(level=v, compartment=Compartment.BODY, name=name) for v in levels]
            for title, name in (
                ("Anterior", "anterior_height"),
                ("Middle", "middle_height"),
                ("Posterior", "posterior_height"),
            )
        }
        hu = [value(level=v, compartment=Compartment.CANCELLOUS, name="trabecular_attenuation") for v in levels]
        names = [str(level) for level in levels]
        return [
            plots.Chart(_("Trabecular attenuation by level"), "HU", names, {_("Trabecular attenuation"): hu}),
            plots.Chart(_("Heights by level"), "mm", names, heights),
        ]


def _centre(node: object, own: Mapping[str, Region]) -> np.ndarray | None:
    """Return the middle of a level's body (RAS, mm): of its parts, or where the whole vertebra is thickest."""
    body = [name for name, region in own.items() if region.part in _BODY_PARTS]
    points = []
    for mask, ijk_to_ras in filter(None, (segment_mask(node, name) for name in body or own)):
        kji = np.argwhere(mask if body else _thickest(mask, ijk_to_ras))
        points.append(kji[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3])
    return np.concatenate(points).mean(axis=0) if points else None


def _thickest(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    depth = depth_mm(mask, np.linalg.norm(ijk_to_ras[:3, :3], axis=0))
    return depth > _DEEP * depth.max()
