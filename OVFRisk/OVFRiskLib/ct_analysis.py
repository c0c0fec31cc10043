"""Everything measured on a patient's CT: compartments, measurements and features of each level."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .anatomy import Compartment, Region, VertebralLevel
from .errors import UserError
from .files.geometry import check_labels_fit_ct, on_grid_of
from .image import LabelMap, Volume
from .level_measurements import PARTS, CtSettings, Level, measure_level
from .measurement import Measurement, MeasurementTable
from .radiomics import Features, LabelMasks, Protocol, refused, try_regions
from .segmentation.compartments import Shell, body_shapes, shell_thickness, split_compartments
from .segmentation.level_check import LevelQuality, check_levels

Report = Callable[[float, str], None]  # share done (0-1), what is being done

MEASURED = tuple(level for level in VertebralLevel if VertebralLevel.T1.rank <= level.rank <= VertebralLevel.L6.rank)
FEATURE_PARTS = (Compartment.WHOLE, Compartment.CORTICAL, Compartment.CANCELLOUS)


@dataclass(frozen=True)
class CtResult:
    """What was found on the CT; empty where there is none."""

    compartments: LabelMap | None = None
    levels: tuple[LevelQuality, ...] = ()
    measurements: MeasurementTable = MeasurementTable()
    features: Mapping[Region, Features] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    shells: Mapping[VertebralLevel, Shell] = field(default_factory=dict)


def analyze_ct(
    subject: str,
    ct: Volume,
    labels: LabelMap,
    wanted: tuple[VertebralLevel, ...] | None,
    settings: CtSettings,
    protocol: Protocol,
    report: Report,
) -> CtResult:
    """Measure every wanted level of a CT.

    Parameters
    ----------
    subject : str
    ct : Volume
    labels : LabelMap
        Vertebrae (whole, bodies only, or compartments), on any grid that overlaps the CT's.
    wanted : tuple of VertebralLevel or None
        None for all labelled levels from T1 to L6.
    settings : CtSettings
    protocol : Protocol
        Of the radiomics features.
    report : Report

    Raises
    ------
    UserError
        When CT and labels do not fit each other or a wanted level is not labelled.
    """
    report(0.0, "Comparing CT and label map")
    labels, grid_note = on_grid_of(labels, ct)
    levels = _levels(labels, wanted)
    everything, around = labels, [level for level in _present(labels) if level in {*MEASURED, *levels}]
    labels = labels.restricted(region for region in labels.regions if region.level in levels)
    check_labels_fit_ct(labels, ct)
    report(0.05, "Finding the vertebral bodies")
    shapes = body_shapes(everything, around)
    qualities = check_levels(everything, labels.levels(), shapes, ct)
    found = {q.level: shapes[q.level] for q in qualities if q.usable}
    compartments = split_compartments(labels, found, settings.peel)
    cut_out = [Level.cut_out(ct, ct.hash, compartments, shapes[q.level], q) for q in qualities]
    rows = _measure(subject, cut_out, settings, report)
    features = _features(list(found), ct, compartments, protocol, report)
    caveats = [grid_note, *(text for quality in qualities for text in _quality_caveats(quality))]
    shells = {v.level: shell for v in cut_out if v.level in found and (shell := _shell(v))}
    return CtResult(compartments, qualities, MeasurementTable(rows), features, tuple(c for c in caveats if c), shells)


def _levels(labels: LabelMap, wanted: tuple[VertebralLevel, ...] | None) -> tuple[VertebralLevel, ...]:
    present = _present(labels)
    if wanted is None:
        chosen = tuple(level for level in present if level in MEASURED)
        if not chosen:
            raise UserError("The label map holds no vertebra from T1 to L6.", "Check label map and label scheme.")
        return chosen
    missing = [level for level in wanted if level not in present]
    if missing:
        raise UserError(
            f"The label map holds no {', '.join(missing)}.", f"Choose among its levels: {', '.join(present) or 'none'}."
        )
    return wanted


def _present(labels: LabelMap) -> list[VertebralLevel]:
    return [level for level in labels.levels() if any(Region(part, level) in labels.regions for part in Compartment)]


def _shell(level: Level) -> Shell | None:
    try:
        return shell_thickness(level.compartments, level.level)
    except ValueError:  # the table says so
        return None


def _measure(subject: str, levels: list[Level], settings: CtSettings, report: Report) -> list[Measurement]:
    rows = []
    for n, level in enumerate(levels):
        report(0.1 + 0.2 * n / len(levels), f"Measuring {level.level}")
        rows += measure_level(subject, level, settings)
    return rows


def _features(
    levels: list[VertebralLevel], ct: Volume, compartments: LabelMap, protocol: Protocol, report: Report
) -> dict[Region, Features]:
    regions = [Region(part, level) for level in levels for part in FEATURE_PARTS]
    parts = {region: tuple(Region(part, region.level) for part in PARTS[region.part]) for region in regions}
    masks = LabelMasks(compartments, parts)
    found = try_regions(ct, masks, protocol, lambda share, what: report(0.3 + 0.6 * share, what))
    return {
        region: refused(features, protocol) if isinstance(features, UserError) else features
        for region, features in found.items()
    }


def _quality_caveats(quality: LevelQuality) -> Iterator[str]:
    if quality.note:
        yield f"{quality.level} {'' if quality.usable else 'was not measured: '}{quality.note}"
    for statement in quality.statements:
        yield f"{quality.level}: {statement}"
