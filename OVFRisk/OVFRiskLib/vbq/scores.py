"""Measures the signal in each region and tabulates the scores of vertebral bone quality (`score_definitions`)."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Literal

from ..anatomy import Structure, VertebralLevel
from ..errors import UserError
from ..image import Modality, Volume
from ..measurement import Measurement, MeasurementTable, Quality, Source, protocol_id
from .comparability import same_setting
from .levels import Choice
from .proposal import SEQUENCES
from .regions import Regions
from .score_definitions import DIFFERENCE, STATISTICS, Score, scores_of
from .score_exam import Exam
from .score_places import places_on
from .score_uncertainty import ACCEPTED, SHIFT_MM, Uncertainty, uncertainty
from .shading import Shading
from .signals import Signal, measure_signals

ARBITRARY = "[arb'U]"  # UCUM: MR signal has no unit


def measure_vbq(
    volumes: Mapping[Modality, Volume],
    regions: Regions,
    fractured: Collection[VertebralLevel] = (),
    statistic: Literal["mean", "median"] = "mean",
    subject: str = "",
    exclude: bool = True,
    correct_motion: bool = True,
) -> MeasurementTable:
    """Measure vertebral bone quality.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2, STIR as far as there are; other images are ignored. Each on its own grid: regions lie in patient space.
    regions : Regions
    fractured : collection of VertebralLevel
        Left out of the scores and replaced by T12 and/or L5.
    statistic : str
        How a score combines the levels: ``mean`` (Huang) or ``median`` (Ehresman).
    subject : str
        A code, never a name.
    exclude : bool
        Whether the regions' exclusions (haemangioma, veins, sclerosis) are left out.
    correct_motion : bool
        Whether the regions are moved by each sequence's motion.

    Returns
    -------
    MeasurementTable
        Per sequence and region ``t1_signal_intensity``, ``t1_signal_intensity_sd``, ``t1_voxel_count`` (t2 and stir
        alike); the CSF region's ``csf_radius`` (half its width, mm); per sequence ``t1_shading_percent`` (signal at L1
        less that at L4 that the coil makes, % of their mean); per exam ``vbq_t1``, ``vbq_t2``, ``vbq_stir``,
        ``vbq_t2_stir``, and after each its plus or minus for regions 2 mm beside, ``vbq_t1_uncertainty`` …
        (`score_uncertainty`).

    Raises
    ------
    UserError
        When the statistic is unknown.
    """
    if statistic not in STATISTICS:
        raise UserError(f"'{statistic}' is no way to combine levels.", f"Choose one of {', '.join(STATISTICS)}.")
    used = {sequence: volumes[sequence] for sequence in SEQUENCES if sequence in volumes}
    exam = Exam(
        subject=subject,
        protocol=vbq_protocol(regions, statistic, exclude, correct_motion),
        volumes=used,
        regions=regions,
        signals={s: measure_signals(used[s], places_on(s, regions, exclude, correct_motion)) for s in used},
        fractured=frozenset(fractured),
        statistic=statistic,
    )
    rows = [
        row for sequence in used for signal in exam.signals[sequence] for row in signal_rows(exam, sequence, signal)
    ]
    rows += radius_row(exam)
    rows += [shading_row(exam, sequence) for sequence in used]
    rows += [row for score in scores_of(used) for row in score_rows(exam, score)]
    return MeasurementTable(rows)


def vbq_protocol(regions: Regions, statistic: str, exclude: bool, correct_motion: bool) -> str:
    """Return the id of how it was measured. Where a user wants CSF is of one patient, as an edited outline is."""
    settings = asdict(regions.settings)
    del settings["csf_level"]
    return protocol_id(
        "vbq", {**settings, "statistic": statistic, "exclude": exclude, "correct_motion": correct_motion}
    )


def signal_rows(exam: Exam, sequence: Modality, signal: Signal) -> list[Measurement]:
    prefix, region = sequence.lower(), signal.place.region
    source = Source(exam.volumes[sequence].hash, signal.place.hash)
    notes = signal.remarks
    if region.level in exam.fractured and region.part is not Structure.CSF:
        notes = (*notes, "fractured: not part of the scores")
    where = (exam.subject, region.level, region.part)
    columns = (
        ("signal_intensity", signal.mean, ARBITRARY),
        ("signal_intensity_sd", signal.sd, ARBITRARY),
        ("voxel_count", float(signal.voxels) or None, "1"),
    )
    return [_row(exam, where, f"{prefix}_{name}", value, unit, source, notes) for name, value, unit in columns]


def radius_row(exam: Exam) -> list[Measurement]:
    csf = exam.regions.csf
    if csf is None:
        return []
    where = (exam.subject, csf.region.level, Structure.CSF)
    return [_row(exam, where, "csf_radius", csf.inscribed_radius_mm, "mm", Source(mask=csf.hash), (csf.note,))]


def shading_row(exam: Exam, sequence: Modality) -> Measurement:
    """Return the signal at L1 less that at L4 that the coil makes, percent of their mean."""
    name, where = f"{sequence.lower()}_shading_percent", (exam.subject, None, None)
    source = Source(exam.volumes[sequence].hash)
    found = exam.shadings[sequence]
    if not isinstance(found, Shading):
        return _row(exam, where, name, None, "%", source, (found,))
    return _row(exam, where, name, found.percent, "%", source, (found.note,))


def _row(
    exam: Exam,
    where: tuple,
    name: str,
    value: float | None,
    unit: str,
    source: Source,
    notes: Collection[str],
    explained: str = "",
) -> Measurement:
    """Return a row; `notes` make its value doubtful, what is `explained` does not."""
    doubts = tuple(dict.fromkeys(note for note in notes if note))
    note = "; ".join((*doubts, explained) if explained else doubts)
    quality = Quality.ABSENT if value is None else Quality.FLAGGED if doubts else Quality.OK
    return Measurement(*where, name, value, unit, exam.protocol, source, quality, note)


def score_rows(exam: Exam, score: Score) -> list[Measurement]:
    """Return a score and its uncertainty."""
    choice = exam.chosen(*score.sequences)
    where, source = (exam.subject, None, None), exam.source(score.sequences, choice)
    names = score.name, f"{score.name}_uncertainty"
    try:
        csf = tuple(exam.csf(sequence) for sequence in score.sequences)
        _check(exam, choice, csf)
        regions = exam.body_regions(choice), csf[0].place.region, exam.statistic
        value = score.value(exam.means, *regions)
    except ValueError as error:
        return [_row(exam, where, name, None, "1", source, (str(error),)) for name in names]
    try:
        found = uncertainty(score, exam.means, *regions, exam.shifts)
    except ValueError as error:
        doubt, second = (str(error),), _row(exam, where, names[1], None, "1", source, (str(error),))
    else:
        doubt = _unsteady(found)
        second = _row(exam, where, names[1], found.half_width, "1", source, (*doubt, *found.notes), found.note)
    notes = (*_notes(exam, choice, score), *_plausibility(score, value), *_field_notes(exam, score), *doubt)
    return [_row(exam, where, names[0], value, "1", source, notes), second]


def _check(exam: Exam, choice: Choice, csf: tuple[Signal | None, ...]) -> None:
    """Raise a ValueError that says why there is no score."""
    if choice.reason:
        raise ValueError(choice.reason)
    if None in csf:
        raise ValueError(exam.regions.why_no_csf)
    silent = [f"CSF: {'; '.join(signal.remarks)}" for signal in csf if signal.mean is None]
    if silent:
        raise ValueError("; ".join(silent))


def _unsteady(found: Uncertainty) -> tuple[str, ...]:
    if found.share <= ACCEPTED:
        return ()
    return (f"regions {SHIFT_MM:g} mm beside change it by ± {found.share:.0%}, more than readers may differ",)


def _notes(exam: Exam, choice: Choice, score: Score) -> tuple[str, ...]:
    """Return what is to be said about the levels and about the signal of each region that is used."""
    signals = [exam.bodies(sequence)[level] for level in choice.levels for sequence in score.sequences]
    signals += [exam.csf(sequence) for sequence in score.sequences]
    remarks = (f"{s.place.region}: {text}" for s in signals for remark in s.remarks for text in remark.split("; "))
    return (*choice.notes, *remarks, *_shading_notes(exam, score), *_doubtful_difference(exam, score))


def _shading_notes(exam: Exam, score: Score) -> tuple[str, ...]:
    found = {sequence: exam.shadings[sequence] for sequence in score.sequences}
    return tuple(f"{s}: {one.note}" for s, one in found.items() if isinstance(one, Shading) and one.flagged)


def _plausibility(score: Score, value: float) -> tuple[str, ...]:
    """CSF is darker than marrow on T1 and brighter on T2 and STIR."""
    if score is DIFFERENCE:
        return ()
    (sequence,) = score.sequences
    wrong = "the sequences may be swapped, or the CSF region is wrong"
    if sequence is Modality.T1 and value < 1:
        return (f"below 1: CSF brighter than marrow on T1, {wrong}",)
    if sequence is not Modality.T1 and value > 1:
        return (f"above 1: CSF darker than marrow on {sequence}, {wrong}",)
    return ()


def _field_notes(exam: Exam, score: Score) -> tuple[str, ...]:
    fields = [exam.volumes[sequence].acquisition.get("MagneticFieldStrength") for sequence in score.sequences]
    return () if all(fields) else ("field strength unknown: VBQ differs between 1.5 and 3 T",)


def _doubtful_difference(exam: Exam, score: Score) -> tuple[str, ...]:
    """T2 and STIR may only be subtracted where both keep the scanner's own scale of one setting."""
    return same_setting(exam.volumes[Modality.T2], exam.volumes[Modality.STIR]) if score is DIFFERENCE else ()
