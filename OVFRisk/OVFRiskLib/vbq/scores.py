"""Measures the signal in each region and computes the scores of vertebral bone quality.

Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995: the mean signal of L1-L4 over that of CSF at L3, on
T1, T2 and STIR; VBQ-T2-STIR is the mean over the levels of (T2 - STIR) over the same difference of CSF.
Ehresman et al., Spine J 2020, doi:10.1016/j.spinee.2019.10.018, take the median of the levels.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal

import numpy as np

from ..anatomy import Structure, VertebralLevel
from ..errors import UserError
from ..image import Modality, Volume
from ..measurement import Measurement, MeasurementTable, Quality, Source, protocol_id
from .levels import Choice, choose_levels
from .proposal import SEQUENCES
from .regions import Regions
from .signals import Signal, measure_signals

ARBITRARY = "[arb'U]"  # UCUM: MR signal has no unit
_STATISTICS: Mapping[str, Callable[[list[float]], float]] = {
    "mean": lambda values: float(np.mean(values)),
    "median": lambda values: float(np.median(values)),
}
_SAME_SCANNER = ("MagneticFieldStrength", "Manufacturer", "ManufacturerModelName")


@dataclass(frozen=True)
class _Exam:
    """What every row of one exam shares."""

    subject: str
    protocol: str
    volumes: Mapping[Modality, Volume]
    regions: Regions
    signals: Mapping[Modality, tuple[Signal, ...]]
    fractured: frozenset[VertebralLevel]
    statistic: str

    def csf(self, sequence: Modality) -> Signal | None:
        return next((s for s in self.signals[sequence] if s.roi.region.part is Structure.CSF), None)

    def bodies(self, sequence: Modality) -> dict[VertebralLevel, Signal]:
        """The bodies whose signal could be measured."""
        return {
            s.roi.region.level: s
            for s in self.signals[sequence]
            if s.roi.region.part is not Structure.CSF and s.mean is not None
        }

    def unmeasured(self, *sequences: Modality) -> dict[VertebralLevel, str]:
        """Why levels have no signal on one of the sequences."""
        reasons = {
            region.level: why for region, why in self.regions.missing.items() if region.part is not Structure.CSF
        }
        for sequence in sequences:
            silent = (s for s in self.signals[sequence] if s.mean is None and s.roi.region.part is not Structure.CSF)
            reasons |= {s.roi.region.level: f"{sequence}: {'; '.join(s.remarks)}" for s in silent}
        return reasons

    def chosen(self, *sequences: Modality) -> Choice:
        measured = set.intersection(*(set(self.bodies(sequence)) for sequence in sequences))
        return choose_levels(measured, self.fractured, self.unmeasured(*sequences))

    def combined(self, values: list[float]) -> float:
        return _STATISTICS[self.statistic](values)


def measure_vbq(
    volumes: Mapping[Modality, Volume],
    regions: Regions,
    fractured: Collection[VertebralLevel] = (),
    statistic: Literal["mean", "median"] = "mean",
    subject: str = "",
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

    Returns
    -------
    MeasurementTable
        Per sequence and region ``t1_signal_intensity``, ``t1_signal_intensity_sd``, ``t1_voxel_count`` (t2 and stir
        alike); the CSF region's ``csf_radius`` (mm); per exam ``vbq_t1``, ``vbq_t2``, ``vbq_stir``, ``vbq_t2_stir``.

    Raises
    ------
    UserError
        When the statistic is unknown.
    """
    if statistic not in _STATISTICS:
        raise UserError(f"'{statistic}' is no way to combine levels.", f"Choose one of {', '.join(_STATISTICS)}.")
    exam = _Exam(
        subject=subject,
        protocol=protocol_id("vbq", {**asdict(regions.settings), "statistic": statistic}),
        volumes={sequence: volumes[sequence] for sequence in SEQUENCES if sequence in volumes},
        regions=regions,
        signals={s: measure_signals(volumes[s], regions) for s in SEQUENCES if s in volumes},
        fractured=frozenset(fractured),
        statistic=statistic,
    )
    rows = [
        row
        for sequence in exam.volumes
        for signal in exam.signals[sequence]
        for row in _signal_rows(exam, sequence, signal)
    ]
    rows += _radius_row(exam)
    rows += [_score_row(exam, sequence) for sequence in exam.volumes]
    if Modality.T2 in exam.volumes and Modality.STIR in exam.volumes:
        rows.append(_difference_row(exam))
    return MeasurementTable(rows)


def _signal_rows(exam: _Exam, sequence: Modality, signal: Signal) -> list[Measurement]:
    prefix, region = sequence.lower(), signal.roi.region
    source = Source(exam.volumes[sequence].hash, signal.roi.hash)
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


def _radius_row(exam: _Exam) -> list[Measurement]:
    csf = exam.regions.csf
    if csf is None:
        return []
    where = (exam.subject, csf.region.level, Structure.CSF)
    return [_row(exam, where, "csf_radius", csf.inscribed_radius_mm, "mm", Source(mask=csf.hash), (csf.note,))]


def _row(
    exam: _Exam, where: tuple, name: str, value: float | None, unit: str, source: Source, notes: Collection[str]
) -> Measurement:
    note = "; ".join(dict.fromkeys(note for note in notes if note))
    quality = Quality.ABSENT if value is None else Quality.FLAGGED if note else Quality.OK
    return Measurement(*where, name, value, unit, exam.protocol, source, quality, note)


def _score_row(exam: _Exam, sequence: Modality) -> Measurement:
    """Return VBQ of one sequence: the levels' signal over that of CSF."""
    name = f"vbq_{sequence.lower()}"
    bodies, csf = exam.bodies(sequence), exam.csf(sequence)
    choice = exam.chosen(sequence)
    reason = _why_absent(exam, choice, (csf,))
    if not reason and csf.mean <= 0:
        reason = f"the signal of CSF on {sequence} is {csf.mean:g}: nothing can be divided by it"
    if reason:
        return _absent(exam, name, (sequence,), choice, reason)
    used = [bodies[level] for level in choice.levels]
    value = exam.combined([signal.mean for signal in used]) / csf.mean
    notes = (*_notes(choice, (*used, csf)), _implausible(sequence, value), *_field_notes(exam, (sequence,)))
    return _row(exam, (exam.subject, None, None), name, value, "1", _source(exam, (sequence,), choice), notes)


def _difference_row(exam: _Exam) -> Measurement:
    """Return VBQ-T2-STIR: the levels' T2 - STIR over that of CSF."""
    sequences = (Modality.T2, Modality.STIR)
    (t2, stir), (csf_t2, csf_stir) = map(exam.bodies, sequences), map(exam.csf, sequences)
    choice = exam.chosen(*sequences)
    reason = _why_absent(exam, choice, (csf_t2, csf_stir))
    if not reason and csf_t2.mean <= csf_stir.mean:
        reason = f"CSF is not brighter on T2 ({csf_t2.mean:g}) than on STIR ({csf_stir.mean:g})"
    if reason:
        return _absent(exam, "vbq_t2_stir", sequences, choice, reason)
    differences = [t2[level].mean - stir[level].mean for level in choice.levels]
    value = exam.combined(differences) / (csf_t2.mean - csf_stir.mean)
    used = [bodies[level] for level in choice.levels for bodies in (t2, stir)]
    notes = (*_notes(choice, (*used, csf_t2, csf_stir)), *_field_notes(exam, sequences), *_unequal(exam))
    return _row(exam, (exam.subject, None, None), "vbq_t2_stir", value, "1", _source(exam, sequences, choice), notes)


def _absent(exam: _Exam, name: str, sequences: tuple[Modality, ...], choice: Choice, reason: str) -> Measurement:
    return _row(exam, (exam.subject, None, None), name, None, "1", _source(exam, sequences, choice), (reason,))


def _why_absent(exam: _Exam, choice: Choice, csf: tuple[Signal | None, ...]) -> str:
    """Return why there is no score; empty where there is one."""
    if choice.reason:
        return choice.reason
    if None in csf:
        return exam.regions.why_no_csf
    return "; ".join(f"CSF: {'; '.join(signal.remarks)}" for signal in csf if signal.mean is None)


def _notes(choice: Choice, signals: Collection[Signal]) -> tuple[str, ...]:
    return (*choice.notes, *(f"{signal.roi.region}: {remark}" for signal in signals for remark in signal.remarks))


def _implausible(sequence: Modality, value: float) -> str:
    """CSF is darker than marrow on T1 and brighter on T2 and STIR."""
    if sequence is Modality.T1 and value < 1:
        return "below 1: CSF brighter than marrow on T1; the sequences may be swapped, or the CSF region is wrong"
    if sequence is not Modality.T1 and value > 1:
        return (
            f"above 1: CSF darker than marrow on {sequence}; the sequences may be swapped, or the CSF region is wrong"
        )
    return ""


def _field_notes(exam: _Exam, sequences: tuple[Modality, ...]) -> tuple[str, ...]:
    fields = [exam.volumes[sequence].acquisition.get("MagneticFieldStrength") for sequence in sequences]
    return () if all(fields) else ("field strength unknown: VBQ differs between 1.5 and 3 T",)


def _unequal(exam: _Exam) -> tuple[str, ...]:
    """T2 and STIR may only be subtracted where both keep the scanner's own scale of one setting."""
    t2, stir = exam.volumes[Modality.T2], exam.volumes[Modality.STIR]
    notes = []
    if any(t2.acquisition.get(key) != stir.acquisition.get(key) for key in _SAME_SCANNER):
        notes.append("T2 and STIR come from different scanners: their difference means little")
    if any(volume.array.dtype == np.uint8 for volume in (t2, stir)):
        notes.append("8-bit images were rescaled one by one: the difference of T2 and STIR means little")
    return tuple(notes)


def _source(exam: _Exam, sequences: tuple[Modality, ...], choice: Choice) -> Source:
    csf = exam.regions.csf
    rois = [roi.hash for level, roi in exam.regions.bodies.items() if level in choice.levels] + (
        [csf.hash] if csf else []
    )
    images = "+".join(exam.volumes[sequence].hash for sequence in sequences)
    return Source(images, sha256("+".join(rois).encode()).hexdigest()[:16])
