"""Which readings are compared: one reader twice (intra-observer), or two readers (inter-observer)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import combinations

from ..errors import UserError
from .readings import Reading

_APART = timedelta(days=28)  # Huang et al., Global Spine J 2025: re-examined after more than 4 weeks
_FIELD = "MagneticFieldStrength"
Pair = tuple[Reading, Reading]


class Kind(StrEnum):
    """Who is compared."""

    INTRA = "intra-observer"
    INTER = "inter-observer"


@dataclass(frozen=True)
class Comparison:
    """Pairs of readings, one a subject; a difference is the first minus the second.

    Parameters
    ----------
    kind : Kind
    first, second : str
        Codes of the readers; the same for intra-observer agreement, where the first reading is the earlier.
    pairs : tuple of (Reading, Reading)
        In the order of the subjects' codes.
    notes : tuple of str
        Which readings were used, and what is doubtful about them.
    """

    kind: Kind
    first: str
    second: str
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The comparison in words."""
        if self.kind is Kind.INTRA:
            return f"Intra-observer: {self.first}, first against second reading"
        return f"Inter-observer: {self.first} against {self.second}"


def find_comparisons(readings: Iterable[Reading]) -> tuple[Comparison, ...]:
    """Pair the readings of a cohort by subject, reader and time; inter-observer first.

    A reader's first and second reading of a subject make an intra-observer pair; the first readings of two readers
    make an inter-observer one. Later readings are not used, and a note says so.

    Raises
    ------
    UserError
        When a reading was given twice, or a pair was not read alike: other images, statistic, fractured levels or
        protocol.
    """
    cohort = _by_subject(readings)
    readers = sorted({reader for own in cohort.values() for reader in own})
    inter = [_inter(cohort, first, second) for first, second in combinations(readers, 2)]
    found = [c for c in (*inter, *(_intra(cohort, reader) for reader in readers)) if c.pairs]
    for comparison in found:
        for pair in comparison.pairs:
            _check_pair(*pair)
    return tuple(found)


Cohort = Mapping[str, Mapping[str, Sequence[Reading]]]  # by subject and reader, in the order of time


def _by_subject(readings: Iterable[Reading]) -> Cohort:
    cohort: dict[str, dict[str, list[Reading]]] = defaultdict(lambda: defaultdict(list))
    for reading in sorted(readings, key=lambda r: (r.subject, r.reader, r.time)):
        own = cohort[reading.subject][reading.reader]
        if own and own[-1].time == reading.time:
            where = f"{reading.subject} by {reading.reader}"
            raise UserError(
                f"Two readings of {where} bear the same time, {reading.time.isoformat()}.", "Give each reading once."
            )
        own.append(reading)
    return cohort


def _inter(cohort: Cohort, first: str, second: str) -> Comparison:
    shared = {subject: own for subject, own in cohort.items() if first in own and second in own}
    repeated = [subject for subject, own in shared.items() if max(len(own[first]), len(own[second])) > 1]
    used = f"read more than once; each reader's first reading is used: {', '.join(repeated)}" if repeated else ""
    return _comparison(Kind.INTER, first, second, [(own[first][0], own[second][0]) for own in shared.values()], used)


def _intra(cohort: Cohort, reader: str) -> Comparison:
    repeated = {subject: own[reader] for subject, own in cohort.items() if len(own.get(reader, ())) > 1}
    more = [f"{subject} ({len(own)} readings)" for subject, own in repeated.items() if len(own) > 2]
    used = f"the first two readings are used: {', '.join(more)}" if more else ""
    return _comparison(Kind.INTRA, reader, reader, [(own[0], own[1]) for own in repeated.values()], used)


def _comparison(kind: Kind, first: str, second: str, pairs: Sequence[Pair], used: str) -> Comparison:
    notes = (used, _same_regions(pairs), _soon(kind, pairs), _csf_levels(pairs), _fields(pairs), _mixed(pairs))
    return Comparison(kind, first, second, tuple(pairs), tuple(note for note in notes if note))


def _same_regions(pairs: Sequence[Pair]) -> str:
    same = [a.subject for a, b in pairs if {roi.hash for roi in a.regions} == {roi.hash for roi in b.regions}]
    return f"both readings have the very same regions, so they agree by themselves: {', '.join(same)}" if same else ""


def _soon(kind: Kind, pairs: Sequence[Pair]) -> str:
    soon = [a.subject for a, b in pairs if b.time - a.time <= _APART] if kind is Kind.INTRA else []
    return (
        f"read again within {_APART.days} days, the first reading may be remembered: {', '.join(soon)}" if soon else ""
    )


def _csf_levels(pairs: Sequence[Pair]) -> str:
    """A reader may take the CSF beside L3: that is part of the disagreement, and said."""
    sites = {a.subject: {r.regions.csf.region.level for r in (a, b) if r.regions.csf} for a, b in pairs}
    apart = [subject for subject, levels in sites.items() if len(levels) > 1]
    return f"CSF taken at different levels: {', '.join(apart)}" if apart else ""


def _fields(pairs: Sequence[Pair]) -> str:
    fields = {facts.get(_FIELD) or "unknown" for a, _ in pairs for facts in a.acquisition.values()}
    return f"field strengths differ ({', '.join(sorted(fields))} T)" if len(fields) > 1 else ""


def _mixed(pairs: Sequence[Pair]) -> str:
    readings = [reading for pair in pairs for reading in pair]
    mixed = [
        what
        for what, found in (
            ("versions of OVFRisk", {reading.software for reading in readings}),
            ("protocols", {row.protocol_id for reading in readings for row in reading.measurements}),
        )
        if len(found) > 1
    ]
    return f"the readings were made with different {' and '.join(mixed)}" if mixed else ""


def _check_pair(a: Reading, b: Reading) -> None:
    where = f"{a.subject} by {a.reader} and {b.reader}" if a.reader != b.reader else f"{a.subject} by {a.reader}"
    other = [sequence for sequence in a.images if b.images.get(sequence, a.images[sequence]) != a.images[sequence]]
    if other:
        raise UserError(
            f"The readings of {where} are of different images ({', '.join(other)}).", "Compare readings of one exam."
        )
    if a.statistic != b.statistic:
        raise UserError(
            f"The readings of {where} combine the levels by {a.statistic} and by {b.statistic}.",
            "Measure both with one statistic.",
        )
    if set(a.fractured) != set(b.fractured):
        named = [", ".join(reading.fractured) or "none" for reading in (a, b)]
        raise UserError(
            f"The readings of {where} name different fractured levels ({named[0]} and {named[1]}).",
            "Agree on the fractured levels first, or leave the subject out.",
        )
    if {row.protocol_id for row in a.measurements} != {row.protocol_id for row in b.measurements}:
        raise UserError(
            f"The readings of {where} were made with different region settings.", "Read both with the same settings."
        )
