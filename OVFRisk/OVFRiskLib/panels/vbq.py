"""The panel VBQ: regions proposed and dragged, bone quality that follows live, exclusions, fractured levels."""

from collections.abc import Callable
from pathlib import Path

from ..anatomy import Region, VertebralLevel
from ..errors import UserError
from ..image import Modality, Volume
from ..measurement import MeasurementTable
from ..models.catalogue import published_models
from ..models.scoring import Scored, score
from ..scene import region_views as views
from ..scene import regions as curves
from ..scene.region_edits import RegionEdits
from ..vbq.exam import VbqSettings
from ..vbq.readings import read_reading
from ..vbq.regions import Regions
from ..vbq.roi import parse_region
from ..vbq.shading import n4_corrected
from . import vbq_regions as places
from .parameters import BodiesChoice
from .record import VBQ, Record
from .score_inputs import facts_of
from .session import Session
from .vbq_drawing import new_exclusion, new_region
from .vbq_edits import edited_regions, regions_in
from .vbq_live import Live, Measured
from .vbq_record import part_of
from .view import MessageKind
from .words import _


class Vbq:
    """What the panel VBQ shows and does; also `session.vbq`.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    regions : Regions or None
    measured : Measured
        The rows of the regions as they lie now, and which of them are still of before.
    wake : callable
        Called at the first of several edits in the scene: a front end then calls `follow` when it is idle, and `settle`
        when nothing was edited for a while.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.regions: Regions | None = None
        self.measured = Measured()
        self.wake: Callable[[], None] = lambda: None
        self._edits: RegionEdits | None = None
        self._live: tuple[tuple, Live] | None = None
        self._done: tuple | None = None
        session.vbq = self
        session.observe("images", self._on_changed)
        session.observe("parameters", self._on_changed)
        session.observe("scene", self._on_scene)
        try:
            self._on_changed()
        except UserError as error:  # the scene holds regions that cannot be read
            session.report(error)

    @property
    def head(self) -> object | None:
        """The text node that the regions' curves are known by; None where there are no regions."""
        return self.session.parameters.vbq_regions

    @property
    def drawn_on(self) -> dict[str, str]:
        """Hash of each image that the regions were drawn on."""
        return curves.drawn_on(self.head) if self.head is not None else {}

    @property
    def table(self) -> MeasurementTable:
        """The measurements."""
        return self.measured.table

    @property
    def volumes(self) -> dict[Modality, Volume]:
        """The images as they were measured, without shading where that was asked for."""
        return self._live[1].volumes if self._live else {}

    @property
    def dragging(self) -> bool:
        """Whether the user holds a region now."""
        return self._edits is not None and self._edits.dragging

    @property
    def scores(self) -> tuple[Scored, ...]:
        """The scores beside the published cut-offs."""
        models = (model for model in published_models() if model.card.modality is not Modality.CT)
        return score(models, self.table, facts_of(self.session)) if len(self.table) else ()

    def propose(self) -> None:
        """Propose regions: by a job, or from the file that is chosen. Earlier ones go when the new ones are there.

        Raises
        ------
        UserError
            When something is missing, or a job runs.
        """
        volumes = places.check(self.session)
        if self.session.parameters.vbq_bodies is BodiesChoice.FILE:
            regions, drawn_on = places.read_regions(Path(self.session.parameters.vbq_regions_file))
            self.show(regions, drawn_on)
            return
        hashes = {str(sequence): volume.hash for sequence, volume in volumes.items()}
        self.session.start(
            _("Proposing regions"),
            lambda folder: places.job_arguments(self.session, folder),
            lambda result: self.show(places.proposed_in(result), hashes),
        )

    def show(self, regions: Regions, drawn_on: dict[str, str]) -> None:
        """Put regions into the scene in place of earlier ones, and measure."""
        before = self.head
        head = curves.add_regions(self.session.scene, regions.to_dict(), drawn_on)
        self._let_go()
        self.session.parameters.vbq_regions = head  # tells: attaches and measures
        if before is not None:
            curves.remove_regions(before)
        if regions.missing:
            named = "; ".join(f"{region}: {why}" for region, why in regions.missing.items())
            self.session.say(
                _("Not every region could be proposed: {named}.").format(named=named),
                _("Draw what is missing, or go on without it."),
                MessageKind.WARNING,
            )

    def open_reading(self, path: Path) -> None:
        """Show the regions of a reading that was kept."""
        reading = read_reading(path)
        self.show(reading.regions, {str(sequence): found for sequence, found in reading.images.items()})

    def follow(self) -> None:
        """Take in what was edited in the scene, and measure what hangs on it."""
        if self.head is None:
            self._on_changed()
            return
        edited = self._edits.take() if self._edits else ()
        if not edited:
            return
        try:
            self.regions = edited_regions(self.head, self._known(), edited)
        except UserError as error:  # an outline that is none for a moment: what was measured stays
            self.session.report(error)
            return
        self._measure(whole=False)

    def settle(self) -> None:
        """Bring up to date what is too slow to follow live."""
        self.follow()
        if self.measured.stale and not self.dragging:
            self._measure(whole=True)

    def select(self, key: str) -> None:
        """Jump to a region or exclusion (`Region` as text, or the id of an exclusion's curve) and give it handles."""
        node = self._node(key)
        views.highlight(self.head, node)
        views.show_in_slices(self.session.scene, node)
        self.session.select_level(parse_region(curves.kept(node)["region"]).level)

    def is_left_in(self, key: str) -> bool:
        """Whether an exclusion is switched off."""
        return curves.is_left_in(self._node(key))

    def leave_in(self, key: str, left_in: bool) -> None:
        """Switch an exclusion off (what it covers is measured) or on."""
        curves.leave_in(self._node(key), left_in)
        self._reread()

    def exclude(self, region: Region) -> str:
        """Add an exclusion in the middle of a region, to be dragged where it belongs; return its key."""
        roi = next(roi for roi in self._known() if roi.region == region)
        node = curves.add_exclusion(self.head, new_exclusion(roi).to_dict())
        self._reread()
        return node.GetID()

    def draw(self, region: Region) -> None:
        """Add a region that could not be proposed, beside its neighbours, to be dragged where it belongs.

        Raises
        ------
        UserError
            When it is there, or there is nothing to place it by.
        """
        curves.add_region(self.head, new_region(self._known(), region).to_dict())
        self._reread()

    def set_fractured(self, levels: tuple[VertebralLevel, ...]) -> None:
        """Leave levels out of the scores."""
        self.session.parameters.fractured = ", ".join(levels)

    def move_plane(self, distance_mm: float) -> None:
        """Move all regions sideways with their planes; positive towards the patient's right."""
        for node in (*curves.region_nodes(self.head), *curves.exclusion_nodes(self.head)):
            curves.move_plane(node, distance_mm)
        self._reread()

    def close(self) -> None:
        """Let go of the scene."""
        self._let_go()
        self.regions, self.measured, self._live, self._done = None, Measured(), None, None

    def _on_scene(self) -> None:
        self.close()
        self._on_changed()

    def _on_changed(self) -> None:
        """Follow another scene, images or choices."""
        if self.head is None:
            if self.regions is not None:
                self.close()
                self.session.tell("vbq")
        elif self._edits is None or self._edits.head is not self.head:
            self._attach()
        elif self._done != self._what():
            self._measure(whole=True)

    def _attach(self) -> None:
        self._let_go()
        published_models()  # read now, not at the first drag
        self.regions = regions_in(self.head)
        self._edits = RegionEdits(self.head, self._woken)
        self._measure(whole=True)

    def _woken(self) -> None:
        self.wake()

    def _let_go(self) -> None:
        if self._edits:
            self._edits.close()
        self._edits = None

    def _reread(self) -> None:
        """Take in curves that were added, or switched on or off."""
        self.regions = regions_in(self.head)
        self._edits.take()
        self._edits.watch()
        self._measure(whole=False)

    def _measure(self, whole: bool) -> None:
        chosen = self.session.parameters
        try:
            settings = places.settings_of(chosen)
            live = self._live_on(places.volumes_of(self.session), settings)
        except UserError:
            self.measured, self._done = Measured(), None
            self._keep()
            self.session.tell("vbq")
            raise
        self.measured = live.measure(self.regions, settings, chosen.subject, whole)
        self._done = self._what()
        self._keep()
        self.session.tell("vbq")

    def _live_on(self, volumes: dict[Modality, Volume], settings: VbqSettings) -> Live:
        """Return what measures on these images; what is known of them already is kept."""
        key = settings.correct_shading, *((s, v.hash) for s, v in volumes.items())
        if self._live is None or self._live[0] != key:
            used = {s: n4_corrected(v) for s, v in volumes.items()} if settings.correct_shading else volumes
            self._live = key, Live(used)
        return self._live[1]

    def _what(self) -> tuple:
        """Return what the measurements hang on besides the regions."""
        chosen = self.session.parameters
        nodes = tuple(self.session.volume(sequence) for sequence in places.SEQUENCES)
        return (
            chosen.subject,
            chosen.vbq_statistic,
            chosen.fractured,
            chosen.vbq_exclude,
            chosen.vbq_motion,
            chosen.vbq_n4,
            nodes,
        )

    def _keep(self) -> None:
        record = self.session.record or Record()
        part, now = part_of(self.measured, self.regions)
        self.session.record = record.replaced(VBQ, part, now)

    def _known(self) -> Regions:
        if self.regions is None:
            raise UserError(_("There are no regions yet."), _("Propose them first."))
        return self.regions

    def _node(self, key: str) -> object:
        self._known()
        node = curves.region_node(self.head, key) or self.session.scene.GetNodeByID(key)
        if node is None:
            raise UserError(_("'{key}' has no curve in the scene.").format(key=key), _("Propose the regions again."))
        return node
