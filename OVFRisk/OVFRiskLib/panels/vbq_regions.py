"""Where the regions of bone quality come from: proposed by a job from labels or clicks, or read from a file."""

import json
from collections.abc import Mapping
from pathlib import Path

import slicer

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..image import Modality, Volume
from ..mrml import label_map_of
from ..scene.region_views import show_plane
from ..vbq.exam import VbqSettings
from ..vbq.midsagittal import midsagittal_plane
from ..vbq.proposal import SEQUENCES
from ..vbq.regions import Regions, RegionSettings
from .parameters import BodiesChoice, Parameters
from .running import RESULT
from .session import Session
from .words import _

_MOST_BYTES = 5_000_000  # far above what regions need
_REGIONS = "regions.json"


def volumes_of(session: Session) -> dict[Modality, Volume]:
    """Return T1, T2 and STIR as far as they are chosen.

    Raises
    ------
    UserError
        When none is.
    """
    found = {sequence: session.volume(sequence) for sequence in SEQUENCES}
    chosen = {sequence: volume for sequence, volume in found.items() if volume is not None}
    if not chosen:
        raise UserError(_("No T1, T2 or STIR image is chosen."), _("Choose at least one in the panel Images."))
    return chosen


def settings_of(chosen: Parameters) -> VbqSettings:
    """Return how to measure, as it is chosen.

    Raises
    ------
    UserError
        When a level is none.
    """
    csf = VertebralLevel.span(chosen.vbq_csf_level)[0] if chosen.vbq_csf_level else None
    return VbqSettings(
        regions=RegionSettings(csf_level=csf),
        fractured=VertebralLevel.span(chosen.fractured) if chosen.fractured.strip() else (),
        statistic=chosen.vbq_statistic,
        exclude=chosen.vbq_exclude,
        correct_motion=chosen.vbq_motion,
        correct_shading=chosen.vbq_n4,
    )


def check(session: Session) -> dict[Modality, Volume]:
    """Return the images to propose regions on, once the user has said where the bodies are.

    Raises
    ------
    UserError
        Says what is missing.
    """
    volumes = volumes_of(session)
    settings_of(session.parameters)
    _check_places(session)
    return volumes


def why_not(session: Session) -> UserError | None:
    """Return what keeps regions from being proposed; None where nothing does."""
    try:
        check(session)
    except UserError as error:
        return error
    return None


def show_midsagittal(session: Session) -> str:
    """Turn the views to the slice in which left and right are most alike; return why, and what speaks against it.

    Raises
    ------
    UserError
        When no image is chosen, or none has sagittal slices.
    """
    found = midsagittal_plane(volumes_of(session))
    if found.plane is None:
        raise UserError(_("The slice cannot be found: {why}.").format(why=found.reason), _("Choose it yourself."))
    show_plane(session.scene, found.plane.origin, found.plane.axes)
    return "; ".join(text for text in (found.reason, found.doubt) if text)


def _check_places(session: Session) -> None:
    chosen, where = session.parameters, session.parameters.vbq_bodies
    if where is BodiesChoice.SEGMENTATION:
        node = chosen.vbq_segmentation
        if node is None or node.GetSegmentation().GetNumberOfSegments() == 0:
            raise UserError(
                _("No segmentation of the vertebral bodies on MRI is chosen."),
                _("Choose one whose segments are named by level (L1, L2, …), or click into the bodies instead."),
            )
    elif where is BodiesChoice.CLICKS:
        node = chosen.vbq_clicks
        if node is None or node.GetNumberOfDefinedControlPoints() == 0:
            raise UserError(
                _("There is no point in a vertebral body yet."),
                _("Press “Click into bodies”, then click the middle of the uppermost and of the lowest body."),
            )
    elif not chosen.vbq_regions_file:
        raise UserError(_("No file of regions is chosen."), _("Choose the regions.json of an earlier result."))


def job_arguments(session: Session, folder: Path) -> list[object]:
    """Write images and places into a folder; return what follows `ovfrisk`."""
    from ..files.write_images import write_volume

    arguments: list[object] = ["vbq", folder / RESULT]
    for sequence, volume in volumes_of(session).items():
        path = folder / f"{sequence.lower()}.nrrd"
        write_volume(path, volume)
        arguments += [f"--{sequence.lower()}", path]
    chosen = session.parameters
    arguments += _places(session, folder)
    arguments += ["--csf-level", chosen.vbq_csf_level] if chosen.vbq_csf_level else []
    arguments += [] if chosen.vbq_motion else ["--no-motion-correction"]
    return arguments + (["--n4"] if chosen.vbq_n4 else [])


def proposed_in(result: Path) -> Regions:
    """Return the regions that the job has left in its result folder."""
    return read_regions(result / _REGIONS)[0]


def read_regions(path: Path) -> tuple[Regions, dict[str, str]]:
    """Return regions from a ``regions.json``, and the hashes of the images that they were drawn on.

    Raises
    ------
    UserError
        When the file holds no regions.
    """
    help_text = _("Choose the regions.json of an earlier result.")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(_("{path} is too large for a file of regions.").format(path=path), help_text)
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(_("{path} cannot be read ({error}).").format(path=path, error=error), help_text) from error
    if not isinstance(content, dict) or not content.get("rois"):
        raise UserError(_("{path} holds no regions.").format(path=path), help_text)
    images = content.get("images", {})
    hashes = {str(key): str(value) for key, value in images.items()} if isinstance(images, dict) else {}
    return Regions.from_dict(content), hashes


def on_other_images(volumes: Mapping[Modality, Volume], drawn_on: Mapping[str, str]) -> str:
    """Say where regions were drawn on other images than those that are chosen; empty where they were not."""
    other = [str(s) for s, image in volumes.items() if drawn_on.get(str(s), image.hash) != image.hash]
    new = [str(s) for s in volumes if str(s) not in drawn_on]
    said = [_("The regions were drawn on another image of {names}.").format(names=", ".join(other))] if other else []
    said += [_("The regions were drawn without {names}.").format(names=", ".join(new))] if new else []
    return " ".join(said)


def _places(session: Session, folder: Path) -> list[object]:
    if session.parameters.vbq_bodies is BodiesChoice.SEGMENTATION:
        from ..files.segmentation_file import write_segmentation

        path = folder / "bodies.seg.nrrd"
        write_segmentation(path, label_map_of(session.parameters.vbq_segmentation, _drawn_on(session)))
        return ["--bodies", path]
    path = folder / "clicks.json"
    path.write_text(json.dumps({"coordinate_system": "RAS", "seeds": clicks_of(session.parameters)}), "utf-8")
    return ["--clicks", path]


def _drawn_on(session: Session) -> Volume:
    """Return the image that the segmentation was drawn on, as its reference geometry says; else the first."""
    node = session.parameters.vbq_segmentation
    source = node.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())
    volumes = volumes_of(session)
    return next((v for s, v in volumes.items() if session.node(s) is source), next(iter(volumes.values())))


def clicks_of(chosen: Parameters) -> list[dict[str, object]]:
    """Return the placed points, RAS mm: the uppermost and the lowest are of the levels that are chosen for them.

    Points between them are counted from these; a point whose label is a level keeps that.
    """
    node, seeds = chosen.vbq_clicks, []
    for n in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointPositionStatus(n) != node.PositionDefined:
            continue
        label = node.GetNthControlPointLabel(n).strip().upper()
        point = [float(value) for value in node.GetNthControlPointPositionWorld(n)]
        seeds.append({"point": point, **({"level": label} if label in set(VertebralLevel) else {})})
    seeds.sort(key=lambda seed: -seed["point"][2])
    for seed, level in ((seeds[0], chosen.vbq_top), (seeds[-1], chosen.vbq_bottom)):
        seed.setdefault("level", level)
    return seeds
