"""Everything measured on a patient's CT: bone, fractures, density, muscle and features, level by level."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from .anatomy import Compartment, Region, VertebralLevel
from .attenuation import PhaseProposal, propose_phase
from .body_shape import BodyShape
from .ct_features import FeatureRequest, extract_features
from .errors import UserError
from .files.geometry import check_labels_fit_ct, on_grid_of
from .image import LabelMap, Volume
from .level_measurements import CtSettings, Level, measure_level
from .measurement import Measurement, MeasurementTable, Source
from .morphometry import Heights, Morphometry, measure_morphometry
from .muscle import measure_muscle
from .patient_measurements import measure_patient
from .radiomics import Features
from .segmentation.compartments import Shell, body_shapes, shell_thickness, split_compartments
from .segmentation.level_check import LevelQuality, check_levels

Report = Callable[[float, str], None]  # share done (0-1), what is being done

MEASURED = tuple(level for level in VertebralLevel if VertebralLevel.T1.rank <= level.rank <= VertebralLevel.L6.rank)


@dataclass(frozen=True)
class CtResult:
    """What was found on the CT; empty where there is none."""

    compartments: LabelMap | None = None
    levels: tuple[LevelQuality, ...] = ()
    measurements: MeasurementTable = MeasurementTable()
    features: Mapping[Region, Features] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    shells: Mapping[VertebralLevel, Shell] = field(default_factory=dict)
    structures: LabelMap | None = None
    height_lines: Mapping[VertebralLevel, Mapping[str, np.ndarray]] = field(default_factory=dict)
    phase: PhaseProposal | None = None
    feature_masks: Mapping[Region, str] = field(default_factory=dict)  # fingerprints of what the features describe
    features_taken: tuple[Region, ...] = ()  # from an earlier analysis


def analyze_ct(
    subject: str,
    ct: Volume,
    labels: LabelMap,
    wanted: tuple[VertebralLevel, ...] | None,
    settings: CtSettings,
    request: FeatureRequest,
    report: Report,
    structures: LabelMap | None = None,
) -> CtResult:
    """Measure every wanted level of a CT.

    Parameters
    ----------
    subject : str
    ct : Volume
    labels : LabelMap
        Vertebrae (whole, bodies only, or compartments), on any grid that overlaps the CT's.
    wanted : tuple of VertebralLevel or None
        None for all labelled levels from T1 to L6. Fractures and angles are judged on all that are labelled.
    settings : CtSettings
    request : FeatureRequest
        Which features to extract.
    report : Report
    structures : LabelMap, optional
        Muscles and vessels, where `labels` does not hold them.

    Raises
    ------
    UserError
        When CT and labels do not fit each other or a wanted level is not labelled.
    """
    report(0.0, "Comparing CT and label map")
    everything, grid_note = on_grid_of(labels, ct)
    levels = _levels(everything, wanted)
    labels = everything.restricted(region for region in everything.regions if region.level in levels)
    check_labels_fit_ct(labels, ct)
    report(0.05, "Finding the vertebral bodies")
    shapes, judged = _judged(everything, levels, ct)
    qualities = tuple(judged[level] for level in judged if level in levels)
    found = {q.level: shapes[q.level] for q in qualities if q.usable}
    compartments = split_compartments(labels, found, settings.peel)
    structures, structures_note = (everything, "") if structures is None else on_grid_of(structures, ct)
    cut_out = [Level.cut_out(ct, ct.hash, compartments, shapes[q.level], q) for q in qualities]
    rows, shape = _measure(subject, cut_out, shapes, judged, settings, report)
    rows += _muscle(subject, ct, structures, shapes, judged, settings)
    described = extract_features(request, list(found), ct, compartments, report)
    return CtResult(
        compartments=compartments,
        levels=qualities,
        measurements=_table(rows, levels),
        features=described.features,
        caveats=tuple(filter(None, (grid_note, structures_note, *_quality_caveats(qualities)))),
        shells=_shells(cut_out, found),
        structures=structures,
        height_lines=_height_lines(shape, levels),
        phase=propose_phase(ct, structures),
        feature_masks=described.masks,
        features_taken=described.taken,
    )


def _judged(
    labels: LabelMap, levels: tuple[VertebralLevel, ...], ct: Volume
) -> tuple[dict[VertebralLevel, BodyShape | str], dict[VertebralLevel, LevelQuality]]:
    """Return the bodies of all levels (S1 serves angles), and how far those above the sacrum can be trusted."""
    present = _present(labels)
    around = [level for level in present if level in {*MEASURED, *levels}]
    shapes = body_shapes(labels, [*around, *(level for level in present if level is VertebralLevel.S1)])
    return shapes, {quality.level: quality for quality in check_levels(labels, around, shapes, ct)}


def _table(rows: list[Measurement], levels: tuple[VertebralLevel, ...]) -> MeasurementTable:
    """Return the rows of the wanted levels from head to foot, then those of the whole patient."""
    wanted = [row for row in rows if row.level is None or row.level in levels]
    return MeasurementTable(sorted(wanted, key=lambda row: row.level.rank if row.level else len(VertebralLevel)))


def _muscle(
    subject: str,
    ct: Volume,
    structures: LabelMap,
    shapes: Mapping[VertebralLevel, BodyShape | str],
    judged: Mapping[VertebralLevel, LevelQuality],
    settings: CtSettings,
) -> list[Measurement]:
    usable = [level for level, quality in judged.items() if quality.usable]
    source = Source(ct.hash, structures.hash)
    return measure_muscle(subject, ct, structures, shapes, usable, settings.muscle, source, settings.phase_note)


def _height_lines(
    shape: Morphometry, levels: tuple[VertebralLevel, ...]
) -> dict[VertebralLevel, Mapping[str, np.ndarray]]:
    return {v: found.lines for v, found in shape.heights.items() if v in levels and isinstance(found, Heights)}


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


def _shells(levels: list[Level], measured: Collection[VertebralLevel]) -> dict[VertebralLevel, Shell]:
    shells = {}
    for level in levels:
        if level.level in measured:
            with suppress(ValueError):  # then the table says why there is none
                shells[level.level] = shell_thickness(level.compartments, level.level)
    return shells


def _measure(
    subject: str,
    levels: list[Level],
    shapes: Mapping[VertebralLevel, BodyShape | str],
    judged: Mapping[VertebralLevel, LevelQuality],
    settings: CtSettings,
    report: Report,
) -> tuple[list[Measurement], Morphometry]:
    """Measure bone level by level, then what the levels say together."""
    rows = []
    for n, level in enumerate(levels):
        report(0.1 + 0.17 * n / len(levels), f"Measuring {level.level}")
        rows += measure_level(subject, level, settings)
    sources = {level.level: level.source(Compartment.WHOLE) for level in levels}
    shape = measure_morphometry(subject, shapes, judged, settings.heights, sources)
    return [*rows, *shape.rows, *measure_patient(subject, rows, shape.gradings, settings)], shape


def _quality_caveats(qualities: Iterable[LevelQuality]) -> Iterator[str]:
    for quality in qualities:
        if quality.note:
            yield f"{quality.level} {'' if quality.usable else 'was not measured: '}{quality.note}"
        for statement in quality.statements:
            yield f"{quality.level}: {statement}"
