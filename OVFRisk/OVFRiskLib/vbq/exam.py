"""One exam from images to scores: regions proposed, motion and lesions found, signals measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..anatomy import Region, VertebralLevel
from ..errors import UserError
from ..image import LabelMap, Modality, Volume
from ..measurement import MeasurementTable
from ..segmentation.seeds import Seed
from .alignment import aligned, estimate_motions
from .clicks import regions_from_clicks
from .exclusions import propose_exclusions
from .motion import centres
from .proposal import SEQUENCES, propose_regions
from .regions import Regions, RegionSettings
from .scores import measure_vbq
from .shading import n4_corrected


@dataclass(frozen=True)
class VbqSettings:
    """How bone quality is measured.

    Parameters
    ----------
    regions : RegionSettings
    fractured : tuple of VertebralLevel
        Left out, T12 and L5 take their place.
    statistic : str
        How a score combines the levels: ``mean`` (Huang) or ``median`` (Ehresman).
    exclude : bool
        Whether veins, haemangiomas, sclerosis and Schmorl's nodes are left out of the regions.
    correct_motion : bool
        Whether regions follow the patient from sequence to sequence.
    correct_shading : bool
        Whether the coil's shading is taken off the images first (N4).
    """

    regions: RegionSettings = RegionSettings()
    fractured: tuple[VertebralLevel, ...] = ()
    statistic: Literal["mean", "median"] = "mean"
    exclude: bool = True
    correct_motion: bool = True
    correct_shading: bool = False


@dataclass(frozen=True)
class VbqResult:
    """What was measured, and where.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2 and STIR as they were measured.
    regions : Regions
    measurements : MeasurementTable
    """

    volumes: Mapping[Modality, Volume]
    regions: Regions
    measurements: MeasurementTable


def measure_exam(
    volumes: Mapping[Modality, Volume],
    settings: VbqSettings,
    subject: str = "",
    *,
    bodies: LabelMap | None = None,
    clicks: Sequence[Seed] = (),
    regions: Regions | None = None,
) -> VbqResult:
    """Measure vertebral bone quality of one exam.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2, STIR as far as there are; other images are ignored.
    settings : VbqSettings
    subject : str
        A code, never a name.
    bodies : LabelMap, optional
        Vertebral bodies; on any grid.
    clicks : sequence of Seed, optional
        A point in each body, in place of a label map.
    regions : Regions, optional
        From an earlier reading or a reader's hand, in place of both.

    Raises
    ------
    UserError
        When there is no sequence, or not exactly one of bodies, clicks and regions.
    """
    if sum(bool(given) for given in (bodies, clicks, regions)) != 1:
        raise UserError(
            "Where the vertebral bodies are is to be told in one way.", "Give a label map, or clicks, or regions."
        )
    used = {sequence: volumes[sequence] for sequence in SEQUENCES if sequence in volumes}
    if settings.correct_shading:
        used = {sequence: n4_corrected(volume) for sequence, volume in used.items()}
    if regions is None:
        regions = _proposed(used, bodies, tuple(clicks), settings)
    measurements = measure_vbq(
        used,
        regions,
        fractured=settings.fractured,
        statistic=settings.statistic,
        subject=subject,
        exclude=settings.exclude,
        correct_motion=settings.correct_motion,
    )
    return VbqResult(used, regions, measurements)


def _proposed(
    volumes: Mapping[Modality, Volume], bodies: LabelMap | None, clicks: tuple[Seed, ...], settings: VbqSettings
) -> Regions:
    """Propose the regions on the reference sequence, find how the patient moved, then look at all sequences at once."""

    def propose(images: Mapping[Modality, Volume]) -> Regions:
        if bodies is not None:
            return propose_regions(images, bodies, settings=settings.regions)
        return regions_from_clicks(images, clicks, settings=settings.regions)

    if len(volumes) > 1 and settings.correct_motion:
        reference = _reference(volumes, bodies)
        first = propose({reference: volumes[reference]}).bodies
        if first:
            plane = first.get(VertebralLevel.L3, next(iter(first.values()))).plane
            motions = estimate_motions(volumes, reference, plane, centres(first))
            regions = replace(propose(aligned(volumes, motions)), motions=motions)
            return _with_exclusions(volumes, regions)
    return _with_exclusions(volumes, propose(volumes))


def _reference(volumes: Mapping[Modality, Volume], bodies: LabelMap | None) -> Modality:
    """Return the sequence that the label map was drawn on, as its grid tells; else the first."""
    drawn_on = (s for s, volume in volumes.items() if bodies is not None and bodies.same_grid(volume))
    return next(drawn_on, next(iter(volumes)))


def _with_exclusions(volumes: Mapping[Modality, Volume], regions: Regions) -> Regions:
    """Add what is to be left out, and write what a reader must look at into the regions' notes."""
    proposal = propose_exclusions(volumes, regions)

    def note(region: Region, note: str) -> str:
        return "; ".join(text for text in (note, proposal.remarks.get(region, "")) if text)

    rois = tuple(replace(roi, note=note(roi.region, roi.note)) for roi in regions)
    return replace(regions, rois=rois, exclusions=proposal.exclusions)
