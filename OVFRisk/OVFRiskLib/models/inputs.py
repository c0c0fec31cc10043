"""Which number of a patient's measurements each input of a model takes, or why it has none."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import fmean, median

from ..anatomy import VertebralLevel
from ..measurement import Measurement, Quality
from ..multiparametric import Person
from .card import Input, Statistic
from .facts import Facts
from .other_protocol import other_protocol
from .prediction import OutOfRange
from .remarks import Remark, by_reason

PERSONAL = {"age": "a", "sex_male": "1"}
"""What is known of the person, not measured; with its unit."""

_STATISTICS = {Statistic.MEAN: fmean, Statistic.MEDIAN: median, Statistic.MINIMUM: min, Statistic.MAXIMUM: max}
_ROUNDING = 1e-9  # tables keep ten digits: a training value that was written and read again is still inside
_OWN_UNCERTAINTY = ("_uncertainty", "_error")  # rows beside a value: VBQ's, vBMD's
_STALE = "measured before its image or segmentation was edited; update the measurements, then score again"


@dataclass(frozen=True)
class Picked:
    """What one input of a model got.

    Parameters
    ----------
    input : Input
    value : float or None
        In the input's unit.
    imputed : bool
        Whether the value, or a part of it, stands for a missing one.
    missing : tuple of str
        What has no value of its own, each with its reason: ``title: why``.
    refusals : tuple of Remark
        What must be put right first (stale, another protocol, another unit); nothing is imputed then.
    notes : tuple of Remark
        What to keep in mind of the value.
    outside : tuple of OutOfRange
    half_width : float or None
        Plus or minus, as the measurement states it.
    protocol_id : str
    terms : tuple of Picked
        Of a radscore at one level; empty where several levels were combined.
    """

    input: Input
    value: float | None = None
    imputed: bool = False
    missing: tuple[str, ...] = ()
    refusals: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()
    outside: tuple[OutOfRange, ...] = ()
    half_width: float | None = None
    protocol_id: str = ""
    terms: tuple["Picked", ...] = ()

    @property
    def scaled(self) -> float:
        """What the predictor sees."""
        return (self.value - self.input.center) / self.input.scale


@dataclass(frozen=True)
class Record:
    """One patient's measurements, by level, part and name.

    Parameters
    ----------
    subject : str
    rows : mapping of (level, part, name) to list of Measurement
        One a protocol.
    person : Person
    stale : collection of Measurement
    protocols : mapping of str to mapping
        Radiomics protocols by id, to say how two of them differ.
    """

    subject: str
    rows: Mapping[tuple, list[Measurement]]
    person: Person = Person()
    stale: Collection[Measurement] = frozenset()
    protocols: Mapping[str, Mapping[str, object]] | None = None

    @classmethod
    def of(
        cls,
        subject: str,
        measured: Iterable[Measurement],
        facts: Facts,
        stale: Collection[Measurement] = frozenset(),
        protocols: Mapping[str, Mapping[str, object]] | None = None,
    ) -> "Record":
        """Return the record of the patient whose rows `measured` holds.

        Raises
        ------
        UserError
            When the sex in `facts` is neither F nor M.
        """
        rows: dict[tuple, list[Measurement]] = {}
        for row in measured:
            rows.setdefault((row.level, row.compartment, row.name), []).append(row)
        return cls(subject, rows, Person(facts.age, facts.sex), stale, protocols)

    def levels(self, inputs: Iterable[Input]) -> frozenset[VertebralLevel]:
        """Return the levels that have a row, be it absent, of an input of the scored level."""
        wanted = {(one.compartment, one.name) for one in _leaves(inputs) if not one.levels}
        return frozenset(level for level, part, name in self.rows if level is not None and (part, name) in wanted)


def pick(record: Record, wanted: Input, level: VertebralLevel | None) -> Picked:
    """Return what an input gets.

    Parameters
    ----------
    record : Record
    wanted : Input
    level : VertebralLevel or None
        Which is being scored; None for the patient.
    """
    found = _picked(record, wanted, level)
    if found.refusals:
        return replace(found, value=None)
    if found.value is None and wanted.impute is not None:
        why = "; ".join(text.removeprefix(f"{wanted.title}: ") for text in found.missing)
        said = Remark(wanted.title, None, f"no value ({why}), {_number(wanted.impute, wanted.unit)} stands for it")
        return Picked(wanted, wanted.impute, imputed=True, missing=found.missing, notes=(said,))
    return replace(found, outside=(*found.outside, *_outside(wanted, found.value)))


def _leaves(inputs: Iterable[Input]) -> Iterable[Input]:
    for one in inputs:
        yield from _leaves(one.terms) if one.terms else (one,)


def _picked(record: Record, wanted: Input, level: VertebralLevel | None) -> Picked:
    if wanted.name in PERSONAL:
        return _personal(record, wanted)
    levels = wanted.levels or (_where(record, wanted, level),)
    at = {one: (_radscore if wanted.terms else _row)(record, wanted, one) for one in levels}
    return at[levels[0]] if len(at) == 1 else _combined(wanted, at)


def _where(record: Record, wanted: Input, level: VertebralLevel | None) -> VertebralLevel | None:
    """Return whose row to take for the scored level: its own, or the patient's of what is no part of a vertebra."""
    if wanted.terms or wanted.compartment is not None or (level, None, wanted.name) in record.rows:
        return level
    return None if (None, None, wanted.name) in record.rows else level


def _personal(record: Record, wanted: Input) -> Picked:
    """Return what is known of the person; a row of the table serves where it was not given."""
    value = record.person.value(wanted.name)
    if value is None and (None, None, wanted.name) in record.rows:
        return _row(record, wanted, None)
    if wanted.unit != PERSONAL[wanted.name]:
        return Picked(wanted, refusals=(_other_unit(wanted, None, PERSONAL[wanted.name]),))
    return Picked(wanted, value, missing=() if value is not None else (f"{wanted.title}: not given",))


def _row(record: Record, wanted: Input, level: VertebralLevel | None) -> Picked:
    rows = record.rows.get((level, wanted.compartment, wanted.name), [])
    fitting = [row for row in rows if wanted.protocol_id in ("", row.protocol_id)]
    if any(row in record.stale for row in fitting):
        return _refused(wanted, level, _STALE)
    valued = [row for row in fitting if row.value is not None]
    if len(valued) > 1:
        return _refused(wanted, level, _several(row.protocol_id for row in valued))
    if not valued:
        return _without(record, wanted, level, fitting, rows)
    (row,) = valued
    if row.unit != wanted.unit:
        return Picked(wanted, refusals=(_other_unit(wanted, level, row.unit),))
    flags = row.note.split("; ") if row.quality is Quality.FLAGGED else []
    notes = tuple(Remark(wanted.title, level, text) for text in flags if text)
    half = _half_width(record, row)
    return Picked(wanted, row.value, notes=notes, half_width=half, protocol_id=row.protocol_id)


def _without(
    record: Record, wanted: Input, level: VertebralLevel | None, fitting: list[Measurement], rows: list[Measurement]
) -> Picked:
    """Return why there is no value: absent, of another protocol, or never measured."""
    others = [row.protocol_id for row in rows if row.value is not None]
    if others and not fitting:
        return _refused(wanted, level, other_protocol(others[0], wanted.protocol_id, record.protocols or {}))
    why = (fitting or rows)[0].note if rows else "not measured"
    return Picked(wanted, missing=(f"{wanted.title}: {why}",))


def _radscore(record: Record, wanted: Input, level: VertebralLevel | None) -> Picked:
    """Return intercept + the sum of coefficient × scaled term; without a value where a term has none."""
    terms = tuple(pick(record, term, level) for term in wanted.terms)
    if any(term.value is None for term in terms):
        return replace(_gathered(wanted, terms), terms=terms)
    value = wanted.intercept + sum(c * term.scaled for c, term in zip(wanted.coefficients, terms))
    return replace(_gathered(wanted, terms), value=value, terms=terms)


def _combined(wanted: Input, at: Mapping[VertebralLevel | None, Picked]) -> Picked:
    """Return the statistic over the levels that have a value."""
    refused = [found for found in at.values() if found.refusals]
    if refused:
        return _gathered(wanted, refused)
    known = {level: found for level, found in at.items() if found.value is not None}
    lacking = by_reason({level: _reason(found) for level, found in at.items() if level not in known})
    if len(known) < wanted.least:
        levels = f"{len(known)} of {len(at)} levels have a value, {wanted.least} are needed"
        return Picked(wanted, missing=(f"{wanted.title}: {levels} ({lacking})",))
    protocols = dict.fromkeys(found.protocol_id for found in known.values())
    if len(protocols) > 1:
        return _refused(wanted, None, _several(protocols))
    gathered = _gathered(wanted, known.values())
    part = f"{wanted.statistic} of {', '.join(known)} only ({lacking})"
    notes = (*gathered.notes, *((Remark(wanted.title, None, part),) if lacking else ()))
    value = float(_STATISTICS[wanted.statistic]([found.value for found in known.values()]))
    half = _combined_width(wanted.statistic, [found.half_width for found in known.values()])
    return replace(gathered, value=value, notes=notes, half_width=half, protocol_id=next(iter(protocols)))


def _combined_width(statistic: Statistic, widths: list[float | None]) -> float | None:
    """Return the most that errors of these widths can change the statistic, however they go together."""
    if None in widths:
        return None
    return fmean(widths) if statistic is Statistic.MEAN else max(widths)


def _gathered(wanted: Input, parts: Iterable[Picked]) -> Picked:
    """Return what is to be said of several parts, as that of one input without a value."""
    parts = tuple(parts)

    def every(name: str) -> tuple:
        return tuple(dict.fromkeys(one for part in parts for one in getattr(part, name)))

    fields = {name: every(name) for name in ("missing", "refusals", "notes", "outside")}
    return Picked(wanted, imputed=any(part.imputed for part in parts), **fields)


def _reason(found: Picked) -> str:
    return ", ".join(text.removeprefix(f"{found.input.title}: ") for text in found.missing)


def _half_width(record: Record, row: Measurement) -> float | None:
    """Return the plus or minus that was measured with `row`."""
    for suffix in _OWN_UNCERTAINTY:
        beside = record.rows.get((row.level, row.compartment, row.name + suffix), [])
        known = [one.value for one in beside if one.protocol_id == row.protocol_id and one.unit == row.unit]
        if known and known[0] is not None:
            return known[0]
    return None


def _outside(wanted: Input, value: float | None) -> tuple[OutOfRange, ...]:
    known = wanted.training
    if known is None or value is None:
        return ()
    slack = _ROUNDING * max(abs(known.minimum), abs(known.maximum))
    if known.minimum - slack <= value <= known.maximum + slack:
        return ()
    return (OutOfRange(wanted.title, value, known.minimum, known.maximum, wanted.unit),)


def _refused(wanted: Input, level: VertebralLevel | None, why: str) -> Picked:
    return Picked(wanted, refusals=(Remark(wanted.title, level, why),))


def _several(protocols: Iterable[str]) -> str:
    return f"measured with different protocols ({', '.join(protocols)}); keep the rows of one"


def _other_unit(wanted: Input, level: VertebralLevel | None, found: str) -> Remark:
    return Remark(wanted.title, level, f"in {found}, the model needs {wanted.unit}; convert the rows and their unit")


def _number(value: float, unit: str) -> str:
    return f"{value:.4g}" if unit == "1" else f"{value:.4g} {unit}"
