"""One row a patient from measurements: a column a level, or the levels joined to one number.

Columns are called by compartment, level and name: ``cancellous_L1_original_glcm_Idmn``; joined levels by the statistic
instead of the level: ``cancellous_mean_original_glcm_Idmn``; values of the whole patient, and of the one level that a
study looks at, by neither: ``psoas_muscle_volume``.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean, median

import pandas as pd

from ...anatomy import Compartment, Structure, VertebralLevel
from ...errors import UserError
from ...measurement import Measurement, MeasurementTable
from ...models.card import Statistic
from ...models.inputs import PERSONAL
from .columns import Cohort, Column, Place
from .tables import KEY

_JOIN = {Statistic.MEAN: fmean, Statistic.MEDIAN: median, Statistic.MINIMUM: min, Statistic.MAXIMUM: max}
_NOT_MEASURED = "not measured"
_NAMED = 3  # patients named in a message
_Kept = float | tuple[float | None, str] | None
_Spot = tuple[VertebralLevel | None, Compartment | Structure | None, str]


def one_row_a_patient(
    tables: Iterable[MeasurementTable],
    levels: Collection[VertebralLevel] | None = None,
    statistic: Statistic | None = None,
    least: int = 1,
    protocols: Collection[str] = (),
    level_of: Mapping[str, VertebralLevel] | None = None,
) -> Cohort:
    """Return measurements of many patients as one row each.

    Parameters
    ----------
    tables : iterable of MeasurementTable
        Of one patient or of many; a patient may stand in several (measurements and features).
    levels : collection of VertebralLevel, optional
        Whose rows to take; all there are where it is not given. Needed with a `statistic`.
    statistic : Statistic, optional
        How the levels become one number; without it each level has columns of its own.
    least : int
        How many levels must have a value, else the number is absent.
    protocols : collection of str
        Rows of other protocols are not taken; empty takes all.
    level_of : mapping of str to VertebralLevel, optional
        The one level that counts of each patient (the fractured one), by key, for models that score level by level.
        Only its rows are taken, and what is known of the person; `levels` and `statistic` do not go with it.

    Returns
    -------
    Cohort
        Patients in the order of their first rows; columns by level (the patient's own first), compartment and name.

    Raises
    ------
    UserError
        When there is no row, a measurement comes from several protocols or has several units, or stands there twice.
    """
    if level_of is not None and (levels is not None or statistic is not None):
        raise ValueError("a level of each patient's own leaves no levels to join")
    wanted = None if levels is None else tuple(sorted(set(levels), key=lambda level: level.rank))
    if statistic is not None:
        statistic = Statistic(statistic)
        _check_levels(wanted, least)
    heap = _Heap()
    for table in tables:
        for row in table:
            heap.subjects[row.subject] = None  # also where none of its rows is taken
            if not protocols or row.protocol_id in protocols or row.name in PERSONAL:
                level, taken = _own(row, level_of) if level_of is not None else (row.level, _among(row, wanted))
                if taken:
                    heap.add(row, level)
    if not heap.rows:
        raise UserError("There is no measurement to make a table of.", "Check the levels and protocols asked for.")
    heap.check()
    specs = list(_joined_columns(heap, wanted, statistic, least) if statistic else _level_columns(heap))
    return _cohort(heap, specs)


def _among(row: Measurement, levels: Collection[VertebralLevel] | None) -> bool:
    return row.level is None or levels is None or row.level in levels


def _own(row: Measurement, level_of: Mapping[str, VertebralLevel]) -> tuple[None, bool]:
    """Return where a row of the patient's own level belongs, and whether it is one."""
    if row.subject not in level_of:
        raise UserError(f"No level is named for patient {row.subject}.", "Name one, or leave the patient out.")
    return None, row.level == level_of[row.subject] or (row.level is None and row.name in PERSONAL)


def _check_levels(levels: tuple[VertebralLevel, ...] | None, least: int) -> None:
    if levels is None or len(levels) < 2:
        raise UserError("Joining levels needs the names of at least two.", "Say which, e.g. T11 to L2.")
    if not 1 <= least <= len(levels):
        raise UserError(f"{least} of {len(levels)} levels cannot be asked for.", f"Give 1 to {len(levels)}.")


@dataclass
class _Heap:
    """All values by spot and patient, with the units and protocols of each measurement.

    A value that needs no word is kept alone: there may be millions.
    """

    rows: dict[_Spot, dict[str, _Kept]] = field(default_factory=dict)
    subjects: dict[str, None] = field(default_factory=dict)
    protocols: dict[tuple, dict[str, list[str]]] = field(default_factory=dict)
    units: dict[tuple, dict[str, list[str]]] = field(default_factory=dict)
    twice: list[tuple[str, _Spot]] = field(default_factory=list)

    def add(self, row: Measurement, level: VertebralLevel | None) -> None:
        """Put a row where it belongs; `level` is None for the patient's own."""
        spot = (level, row.compartment, row.name)
        for kinds, kind in ((self.units, row.unit), (self.protocols, _protocol(row))):
            who = kinds.setdefault(spot[1:], {}).setdefault(kind, [])
            if len(who) < _NAMED and row.subject not in who:
                who.append(row.subject)
        here = self.rows.setdefault(spot, {})
        if row.subject in here:
            self.twice.append((row.subject, spot))
        here[row.subject] = (row.value, row.note) if row.note else row.value

    def check(self) -> None:
        """Raise a UserError where a measurement mixes units or protocols, or a patient has it twice."""
        for spots, word, todo in (
            (self.units, "units", "Measure all patients alike, or convert the values of one group."),
            (self.protocols, "protocols", "Analyse all patients with one protocol, or say which protocols to take."),
        ):
            for (part, name), kinds in spots.items():
                if len(kinds) > 1:
                    which = "; ".join(f"{kind or 'none'} (e.g. {', '.join(who)})" for kind, who in kinds.items())
                    raise UserError(f"{_title(None, part, name)} has {len(kinds)} {word}: {which}.", todo)
        if self.twice:
            subject, spot = self.twice[0]
            raise UserError(f"Patient {subject} has two values of {_title(*spot)}.", "Give each patient's table once.")

    def column(self, title: str, spot: _Spot, **more: object) -> Column:
        level, part, name = spot
        (unit,), (protocol,) = self.units[spot[1:]], self.protocols[spot[1:]]
        fields = {"levels": (level,) if level else (), **more}
        return Column(title, name, unit, part, protocol_id=protocol, **fields)


def _protocol(row: Measurement) -> str:
    """Return what a row's values must share; densities need not share the line of their scan: that makes them alike."""
    return "" if row.name in PERSONAL or row.protocol_id.startswith("vbmd-") else row.protocol_id


def _title(level: VertebralLevel | Statistic | None, part: Compartment | Structure | None, name: str) -> str:
    return "_".join(text for text in (str(part or "").replace("-", "_"), str(level or ""), name) if text)


def _level_columns(heap: _Heap) -> Iterator[tuple[Column, list[_Spot]]]:
    for spot in sorted(heap.rows, key=_place):
        yield heap.column(_title(*spot), spot), [spot]


def _joined_columns(
    heap: _Heap, levels: tuple[VertebralLevel, ...], statistic: Statistic, least: int
) -> Iterator[tuple[Column, list[_Spot]]]:
    own = [spot for spot in heap.rows if spot[0] is None]
    for spot in sorted(own, key=_place):
        yield heap.column(_title(*spot), spot), [spot]
    names = dict.fromkeys((None, *spot[1:]) for spot in heap.rows if spot[0] is not None)
    for _, part, name in sorted(names, key=_place):
        title = _title(statistic, part, name)
        column = heap.column(title, (None, part, name), levels=levels, statistic=statistic, least=least)
        yield column, [(level, part, name) for level in levels]


def _place(spot: _Spot) -> tuple[int, str, str]:
    level, part, name = spot
    return (-1 if level is None else level.rank, str(part or ""), name)


def _cohort(heap: _Heap, specs: list[tuple[Column, list[_Spot]]]) -> Cohort:
    columns: dict[str, Column] = {}
    values: dict[str, list[float]] = {}
    absent: dict[Place, str] = {}
    flagged: dict[Place, str] = {}
    for column, spots in specs:
        if column.title in columns:
            raise UserError(
                f"Two measurements would be called '{column.title}'.", "Take one of them out of the tables."
            )
        columns[column.title], found = column, []
        at = {spot: heap.rows.get(spot, {}) for spot in spots}
        for subject in heap.subjects:
            value, why, note = _value(column, {spot[0]: rows.get(subject) for spot, rows in at.items()})
            found.append(math.nan if value is None else value)
            if why:
                absent[subject, column.title] = why
            if note:
                flagged[subject, column.title] = note
        values[column.title] = found
    index = pd.Index(list(heap.subjects), name=KEY, dtype=object)
    return Cohort(pd.DataFrame(values, index=index, columns=list(columns)), columns, absent, flagged)


def _value(column: Column, rows: Mapping[VertebralLevel | None, _Kept]) -> tuple[float | None, str, str]:
    """Return a patient's number, why there is none, and what to keep in mind of it."""
    parted = {level: row if isinstance(row, tuple) else (row, "") for level, row in rows.items()}
    known = {level: pair for level, pair in parted.items() if pair[0] is not None}
    reasons = {level: note or _NOT_MEASURED for level, (value, note) in parted.items() if value is None}
    if column.statistic is None:
        ((value, note),) = parted.values()
        return (None, note or _NOT_MEASURED, "") if value is None else (value, "", note)
    lacking = "; ".join(f"{level} {why}" for level, why in reasons.items())
    if len(known) < column.least:
        needed = f"{len(known)} of {len(rows)} levels have a value, {column.least} are needed"
        return None, f"{needed} ({lacking})", ""
    part = [f"{column.statistic} of {', '.join(known)} only ({lacking})"] if reasons else []
    notes = part + [f"{level} {note}" for level, (_, note) in known.items() if note]
    return float(_JOIN[column.statistic]([value for value, _ in known.values()])), "", "; ".join(notes)
