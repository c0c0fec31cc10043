"""Features of all regions of a label map, by OVFRisk, PyRadiomics or both: the job behind ``ovfrisk features``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from time import perf_counter

from .anatomy import Label, Region
from .errors import UserError
from .image import LabelMap, Volume
from .radiomics import Features, LabelMasks, Protocol, refused, try_regions
from .radiomics.compare import Difference, largest_differences
from .radiomics.kernels import ready
from .radiomics.pyradiomics_engine import extract_by_pyradiomics, pyradiomics_version

Report = Callable[[float, str], None]
Table = Mapping[Region | Label, Features]


class Engine(StrEnum):
    """What computes the features."""

    OVFRISK = "ovfrisk"
    PYRADIOMICS = "pyradiomics"
    BOTH = "both"


@dataclass(frozen=True)
class RegionFeatures:
    """Features of the regions of one image.

    Parameters
    ----------
    subject : str
        A code, never a name.
    volume : Volume
    labels : LabelMap
        On the grid of `volume`.
    protocol : Protocol
    engine : Engine
    features : mapping of Region or Label to Features
        A region that cannot be described has every value absent, with the reason.
    reference : mapping of Region or Label to Features
        PyRadiomics' where `engine` is both; else empty.
    reference_version : str
        Of PyRadiomics; empty where it was not used.
    differences : tuple of Difference
        Of `features` and `reference`, a class each.
    notes : tuple of str
        What reading image and mask changed.
    seconds : mapping of str to float
        Wall time of each step.
    """

    subject: str
    volume: Volume
    labels: LabelMap
    protocol: Protocol
    engine: Engine
    features: Table
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    reference: Table = field(default_factory=dict)
    reference_version: str = ""
    differences: tuple[Difference, ...] = ()


def describe(
    subject: str, volume: Volume, regions: tuple[LabelMap, str], protocol: Protocol, engine: Engine, report: Report
) -> RegionFeatures:
    """Return the features of every region.

    Parameters
    ----------
    regions : tuple of LabelMap and str
        On the grid of `volume`, and what was done to bring it there (`files.read_regions` returns both).
    report : callable
        Called with the share done (0 to 1) and what is being done.

    Raises
    ------
    UserError
        When no region at all can be described, or PyRadiomics is wanted and missing.
    """
    labels, grid_note = regions
    version = "" if engine is Engine.OVFRISK else pyradiomics_version()
    used = [Engine.OVFRISK, Engine.PYRADIOMICS] if engine is Engine.BOTH else [engine]
    tables: list[dict[Region | Label, Features]] = []
    seconds: dict[str, float] = {}
    if Engine.OVFRISK in used:
        started = perf_counter()
        ready(report)
        seconds["loading_kernels"] = round(perf_counter() - started, 3)
    for one in used:
        started = perf_counter()
        found = _EXTRACTORS[one](volume, labels, protocol, report)
        if not tables:
            _check_any(found)
        tables.append(
            {region: _told(features, labels, region, protocol, grid_note) for region, features in found.items()}
        )
        seconds[str(one)] = round(perf_counter() - started, 3)
    return RegionFeatures(
        subject=subject,
        volume=volume,
        labels=labels,
        protocol=protocol,
        engine=engine,
        features=tables[0],
        notes=tuple(text for text in (*volume.corrections, *labels.corrections, grid_note) if text),
        seconds=seconds,
        reference=tables[1] if engine is Engine.BOTH else {},
        reference_version=version,
        differences=largest_differences(*tables) if engine is Engine.BOTH else (),
    )


Outcomes = Mapping[Region | Label, Features | UserError]


def _by_ovfrisk(volume: Volume, labels: LabelMap, protocol: Protocol, report: Report) -> Outcomes:
    masks = LabelMasks(labels, {region: (region,) for region in labels.regions})
    return try_regions(volume, masks, protocol, report)


def _by_pyradiomics(volume: Volume, labels: LabelMap, protocol: Protocol, report: Report) -> Outcomes:
    found: dict[Region | Label, Features | UserError] = {}
    for n, region in enumerate(labels.regions):
        report(n / len(labels.regions), f"PyRadiomics extracts features of {region}")
        try:
            found[region] = extract_by_pyradiomics(volume, labels.mask(region), protocol)
        except UserError as error:
            found[region] = error
    return found


_EXTRACTORS = {Engine.OVFRISK: _by_ovfrisk, Engine.PYRADIOMICS: _by_pyradiomics}


def _check_any(found: Outcomes) -> None:
    """Raise the first refusal, naming its region, when no region at all could be described."""
    refused = [(region, error) for region, error in found.items() if isinstance(error, UserError)]
    if len(refused) == len(found):
        region, error = refused[0]
        raise UserError(f"{region}: {error.what}", error.what_to_do)


def _told(
    found: Features | UserError, labels: LabelMap, region: Region | Label, protocol: Protocol, note: str
) -> Features:
    """Return the features with the note of the grid; of a region that cannot be described, every value is absent."""
    if isinstance(found, UserError):
        voxels = {"voxels": {"mask": int(labels.mask(region).array.sum())}}
        found = refused(found, protocol, voxels)
    return replace(found, warnings=(note, *found.warnings)) if note else found
