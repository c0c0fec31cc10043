"""What an export holds: the record as tables and as an analysis for the report; what is out of date says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..analysis import Analysis, image_record
from ..anatomy import Compartment, Region, VertebralLevel
from ..ct_analysis import MEASURED
from ..errors import UserError
from ..files.geometry import on_grid_of
from ..files.patient_export import Format, PatientExport
from ..files.score_table import score_columns
from ..files.tables import Cell, feature_columns, measurement_columns
from ..image import LabelMap, Modality, Volume
from ..measurement import Measurement, MeasurementTable, Quality
from ..models.scoring import Scored
from ..provenance import software
from ..radiomics import Features
from ..scene.regions import regions_of
from ..scene.segments import labels_of
from ..segmentation.compartments import PeelSettings, body_shapes, split_compartments
from ..segmentation.level_check import LevelQuality, check_levels
from ..vbq import Regions
from .ct_arguments import options_of
from .record import CT, Part
from .score_inputs import facts_of
from .session import IMAGES, Session
from .view import RowState
from .words import _

OUT_OF_DATE = "out of date: its image, segmentation or region was edited after it was measured"
_OF_THE_JOB = ("calibration", "proposed_phase", "settings", "cortical_shells", "label_maps")
Scores = Sequence[tuple[Scored, RowState]]


@dataclass(frozen=True)
class Content:
    """What is exported, and how much of it is out of date."""

    export: PatientExport
    stale: int


def content_of(session: Session, scores: Scores, formats: Sequence[Format]) -> Content:
    """Gather what has been measured and scored.

    Parameters
    ----------
    session : Session
    scores : sequence of (Scored, RowState)
    formats : sequence of Format
        What is prepared: a report takes seconds.

    Raises
    ------
    UserError
        When nothing has been measured.
    """
    record = session.record
    if record is None or not (len(record.table) or record.features):
        raise UserError(_("There is nothing to export."), _("Measure on panel 3 CT or 4 VBQ first."))
    subject = session.parameters.subject or "patient"
    rows = [(replace(row, subject=subject), record.state(row)) for row in record.table]
    features = {region: (found, record.region_state(region)) for region, found in record.features.items()}
    of_subject = [(_of_subject(scored, subject), state) for scored, state in scores]
    stale = sum(state is RowState.STALE for _one, state in (*rows, *of_subject))
    stale += sum(len(found.values) for found, state in features.values() if state is RowState.STALE)
    labels, why_no_labels = _labels(session)
    analysis = None
    if Format.HTML in formats:
        analysis = _analysis(session, subject, rows, features, of_subject, labels, stale)
    return Content(
        PatientExport(
            subject=subject,
            tables=_tables(subject, rows, features, of_subject),
            analysis=analysis,
            segmentation=labels,
            manifest={**_run(session), "out_of_date": stale, "models": sorted({one.model.id for one, _s in scores})},
            absent={Format.SEG: why_no_labels} if labels is None else {},
        ),
        stale,
    )


def _tables(subject: str, rows: list, features: Mapping, scores: Scores) -> dict[str, dict[str, list[Cell]]]:
    """Return every table with the column ``state``; those that would be empty are left out."""
    regions = sorted(features, key=lambda region: region.sort_key)  # as `feature_columns` orders them
    predictions = [_marked_score(scored, state).prediction for scored, state in scores]
    measured = measurement_columns(MeasurementTable(_marked(row, state) for row, state in rows))
    described = feature_columns(subject, {region: _marked_features(*found) for region, found in features.items()})
    tables = {
        "measurements": {**measured, "state": [str(state) for _row, state in rows]},
        "features": {**described, "state": [str(features[region][1]) for region in regions]},
        "scores": {**score_columns(predictions), "state": [str(state) for _scored, state in scores]},
    }
    return {name: columns for name, columns in tables.items() if columns["state"]}


def _marked(row: Measurement, state: RowState) -> Measurement:
    """Return a row that says itself that it is out of date."""
    if state is not RowState.STALE:
        return row
    quality = Quality.ABSENT if row.value is None else Quality.FLAGGED
    return replace(row, quality=quality, note="; ".join(filter(None, (OUT_OF_DATE, row.note))))


def _marked_features(found: Features, state: RowState) -> Features:
    return replace(found, warnings=(OUT_OF_DATE, *found.warnings)) if state is RowState.STALE else found


def _marked_score(scored: Scored, state: RowState) -> Scored:
    if state is not RowState.STALE:
        return scored
    old, what = scored.prediction, _("out of date: what it was scored from has changed since")
    fields = {"warnings": (what, *old.warnings), "reason": old.reason and f"{what}; {old.reason}"}
    return replace(scored, prediction=replace(old, **fields))


def _of_subject(scored: Scored, subject: str) -> Scored:
    return replace(scored, prediction=replace(scored.prediction, subject=subject))


def _analysis(
    session: Session,
    subject: str,
    rows: list,
    features: Mapping,
    scores: Scores,
    labels: LabelMap | None,
    stale: int,
) -> Analysis:
    """Return what the report needs: the record's values, and the pictures of images and masks as they are now."""
    volumes = {modality: volume for modality in IMAGES if (volume := session.volume(modality)) is not None}
    compartments, levels = None, ()
    measured = {row.level for row, _state in rows if isinstance(row.compartment, Compartment)}
    if labels is not None and Modality.CT in volumes:
        compartments, levels = _judged(labels, volumes[Modality.CT], measured)
    return Analysis(
        subject=f"{subject} – PARTLY OUT OF DATE" if stale else subject,  # the report's title
        volumes=volumes,
        compartments=compartments,
        levels=levels,
        regions=_regions(session),
        measurements=MeasurementTable(_marked(row, state) for row, state in rows),
        features={region: _marked_features(*found) for region, found in features.items()},
        scores=tuple(_marked_score(scored, state) for scored, state in scores),
        caveats=tuple(_caveats(session, levels, stale)),
        run=_run(session),
        structures=_structures(session, labels, volumes) if compartments is not None else None,
        vbq_places=(session.parameters.vbq_exclude, session.parameters.vbq_motion),
    )


def _judged(
    labels: LabelMap, ct: Volume, measured: set[VertebralLevel]
) -> tuple[LabelMap | None, tuple[LevelQuality, ...]]:
    """Return the compartments and the quality of the levels that were measured, of the masks as they are now."""
    labels, _note = on_grid_of(labels, ct)
    there = [v for v in labels.levels() if any(Region(part, v) in labels.regions for part in Compartment)]
    around = [level for level in there if level in MEASURED]
    shapes = body_shapes(labels, [*around, *(level for level in there if level is VertebralLevel.S1)])
    judged = {one.level: one for one in check_levels(labels, around, shapes, ct)}
    levels = tuple(judged[level] for level in around if level in measured)
    found = {one.level: shapes[one.level] for one in levels if one.usable}
    shown = labels.restricted(region for region in labels.regions if region.level in {one.level for one in levels})
    return (split_compartments(shown, found, PeelSettings()), levels) if levels else (None, ())


def _labels(session: Session) -> tuple[LabelMap | None, str]:
    """Return the chosen segmentation, or why there is none."""
    node = session.parameters.segmentation
    if node is None:
        return None, _("no segmentation is chosen")
    try:
        return labels_of(node), ""
    except UserError as error:
        return None, f"{error.what} {error.what_to_do}"


def _structures(session: Session, labels: LabelMap, volumes: Mapping[Modality, Volume]) -> LabelMap:
    """Return the muscles and vessels on the CT's grid: of their own segmentation, or of the vertebrae's."""
    node = session.parameters.structures
    found = labels if node is None else labels_of(node)
    return on_grid_of(found, volumes[Modality.CT])[0]


def _regions(session: Session) -> Regions:
    """Return the regions of bone quality on MRI as they are now."""
    head = session.parameters.vbq_regions
    return Regions(()) if head is None else Regions.from_dict(regions_of(head))


def _caveats(session: Session, levels: Sequence[LevelQuality], stale: int) -> list[str]:
    """Return what limits the findings: what measuring said, what has changed since, what does not agree."""
    chosen, caveats = session.parameters, []
    if chosen.synthetic:
        caveats.append("SYNTHETIC images of a simulated patient: for demonstration and tests only.")
    if stale:
        caveats.append(
            f"OUT OF DATE: {stale} values were measured or scored before an image, segmentation or region was edited; "
            "each says so. The pictures show the masks as they are now."
        )
    if _ct(session).how and list(_ct(session).how) != options_of(chosen):
        caveats.append("Choices were changed after the CT was measured: its values are of the choices before.")
    caveats.append("Segmentation and regions may have been corrected by hand.")
    said = [text for text in _ct(session).run.get("caveats", ()) if isinstance(text, str)]
    said = said or [f"{one.level}: {one.note}" for one in levels if one.note]
    return list(dict.fromkeys((*caveats, *said, *_deformed_in_vbq(session))))


def _deformed_in_vbq(session: Session) -> list[str]:
    """Return the levels that the CT shows deformed and the scores on MRI do not leave out."""
    table, left_out = session.record.table, session.parameters.fractured
    if not any(row.name.startswith("vbq_") for row in table):
        return []
    off = VertebralLevel.span(left_out) if left_out.strip() else ()
    seen = ", ".join(row.level for row in table.where(name="genant_grade") if row.value and row.level not in off)
    return [f"Deformed on CT and yet used by VBQ: {seen}. Leave fractured levels out in the tab VBQ."] if seen else []


def _ct(session: Session) -> Part:
    return session.record.parts.get(CT, Part())


def _run(session: Session) -> dict[str, object]:
    """Return where the values come from, as JSON values: of the CT as its job wrote it."""
    facts, run = facts_of(session), _ct(session).run
    volumes = {modality: session.volume(modality) for modality in IMAGES}
    vbq = {
        name: getattr(session.parameters, name) for name in ("vbq_statistic", "fractured", "vbq_exclude", "vbq_motion")
    }
    return {
        **{name: run[name] for name in _OF_THE_JOB if name in run},
        "software": software(),
        "patient": {"sex": facts.sex, "age": facts.age, "phase": facts.phase, "synthetic": facts.synthetic},
        "vbq": vbq,
        "images": {str(modality): image_record(volume) for modality, volume in volumes.items() if volume is not None},
    }
