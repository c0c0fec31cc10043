"""Bone quality measured again and again while its regions are dragged: what did not change is not measured twice.

Means, scores and their plus or minus always follow. How unevenly the coil lights the spine takes longer (it looks at
the whole image): while a region is dragged the last known value stays, and is said to be stale.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..anatomy import Region, Structure, VertebralLevel
from ..image import Modality, Volume
from ..measurement import Measurement, MeasurementTable
from ..vbq import scores, signals
from ..vbq.exam import VbqSettings
from ..vbq.regions import Regions
from ..vbq.score_clipping import ceiling_of
from ..vbq.score_definitions import scores_of
from ..vbq.score_exam import Exam
from ..vbq.score_places import Place, places_on
from ..vbq.score_uncertainty import Shifts
from ..vbq.shading import Shading
from ..vbq.signals import Signal

_LIT = VertebralLevel.span("L1-L4")  # whose surroundings tell the coil's shading
Key = tuple[VertebralLevel | None, object, str]


def key_of(row: Measurement) -> Key:
    """Return what a row is known by within one exam."""
    return row.level, row.compartment, row.name


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Parameters
    ----------
    table : MeasurementTable
    stale : frozenset of (level, compartment, name)
        Rows that are still of the regions as they lay before.
    """

    table: MeasurementTable = MeasurementTable()
    stale: frozenset[Key] = frozenset()


@dataclass
class _Known:
    """What was measured last; of a region that has moved, only what is new is measured."""

    signals: dict[tuple[Modality, Place], Signal] = field(default_factory=dict)
    shifts: dict[tuple[Modality, Place], dict[str, float | None]] = field(default_factory=dict)
    shadings: dict[Modality, tuple[tuple, Shading | str]] = field(default_factory=dict)


class Live:
    """One exam's images, measured with whatever regions they are given.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2 and STIR as far as there are.
    """

    def __init__(self, volumes: Mapping[Modality, Volume]) -> None:
        self.volumes = dict(volumes)
        self._ceilings = {sequence: ceiling_of(volume) for sequence, volume in self.volumes.items()}
        self._known = _Known()

    def measure(self, regions: Regions, settings: VbqSettings, subject: str, whole: bool = True) -> Measured:
        """Measure; with everything up to date the table is that of `measure_vbq`.

        Parameters
        ----------
        regions : Regions
        settings : VbqSettings
            Statistic, fractured levels, exclusions and motion.
        subject : str
            A code.
        whole : bool
            Whether the coil's shading is estimated again, too, where the regions have moved.
        """
        known = self._known
        places = {s: places_on(s, regions, settings.exclude, settings.correct_motion) for s in self.volumes}
        fresh = _Known(shadings=known.shadings)
        for sequence, found in places.items():
            for place in found:
                key = sequence, place
                fresh.signals[key] = known.signals.get(key) or self._signal(sequence, place)
                if key in known.shifts:
                    fresh.shifts[key] = known.shifts[key]
        self._known = fresh
        exam = _LiveExam(
            subject=subject,
            protocol=scores.vbq_protocol(regions, settings.statistic, settings.exclude, settings.correct_motion),
            volumes=self.volumes,
            regions=regions,
            signals={s: tuple(fresh.signals[s, place] for place in found) for s, found in places.items()},
            fractured=frozenset(settings.fractured),
            statistic=settings.statistic,
            known=fresh,
            whole=whole,
        )
        table = MeasurementTable(_rows(exam))
        return Measured(table, frozenset((None, None, f"{s.lower()}_shading_percent") for s in exam.outdated))

    def _signal(self, sequence: Modality, place: Place) -> Signal:
        return signals.signal_in(self.volumes[sequence], place, self._ceilings[sequence])


def _rows(exam: Exam) -> Iterable[Measurement]:
    """Return what `measure_vbq` makes of an exam."""
    for sequence, found in exam.signals.items():
        for signal in found:
            yield from scores.signal_rows(exam, sequence, signal)
    yield from scores.radius_row(exam)
    for sequence in exam.volumes:
        yield scores.shading_row(exam, sequence)
    for score in scores_of(exam.volumes):
        yield from scores.score_rows(exam, score)


@dataclass(frozen=True, eq=False)
class _LiveExam(Exam):
    """An exam that asks what is known before it measures."""

    known: _Known
    whole: bool

    @cached_property
    def shifts(self) -> Shifts:
        return _KnownShifts(self)

    @cached_property
    def outdated(self) -> tuple[Modality, ...]:
        """The sequences whose shading is that of regions as they lay before."""
        return tuple(s for s in self.volumes if self.shadings is not None and self.known.shadings[s][0] != self._lit(s))

    @cached_property
    def shadings(self) -> Mapping[Modality, Shading | str]:
        return {sequence: self._known_shading(sequence) for sequence in self.volumes}

    def _known_shading(self, sequence: Modality) -> Shading | str:
        places, (before, found) = self._lit(sequence), self.known.shadings.get(sequence, (None, ""))
        if before is None or (self.whole and before != places):
            found = self._shading(sequence)
            self.known.shadings[sequence] = places, found
        return found

    def _lit(self, sequence: Modality) -> tuple:
        """Return what the shading hangs on."""
        places = (signal.place for signal in self.signals[sequence])
        return tuple(p.roi.hash for p in places if p.region.part is not Structure.CSF and p.region.level in _LIT)


class _KnownShifts(Shifts):
    """Means of moved regions, kept from measurement to measurement."""

    def __init__(self, exam: _LiveExam) -> None:
        places = {s: {signal.place.region: signal.place for signal in found} for s, found in exam.signals.items()}
        super().__init__(exam.volumes, places)
        self._kept, self._where = exam.known.shifts, places

    def means(self, sequence: Modality, region: Region) -> dict[str, float | None]:
        key = sequence, self._where[sequence][region]
        if key not in self._kept:
            self._kept[key] = super().means(sequence, region)
        return self._kept[key]
