"""Observer agreement of vertebral bone quality: repeated readings of a cohort, quantity by quantity."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..measurement import Quality
from .agreement_pairs import Comparison, find_comparisons
from .agreement_quantities import Quantity, Values, collect, quantities_of
from .agreement_statistics import FEWEST_PAIRS, BlandAltman, Icc, bland_altman, intraclass_correlations
from .readings import Reading

FEW_PAIRS = 10  # under it the limits are hardly known; Huang et al. read 20 patients


@dataclass(frozen=True)
class Agreement:
    """How far the readings of one comparison agree in one quantity.

    Parameters
    ----------
    comparison : Comparison
    quantity : Quantity
    subjects : tuple of str
        Codes of the subjects that both readings have it of.
    limits : BlandAltman or None
        None where there are none; the note says why.
    icc_2_1, icc_3_1 : Icc or None
        Absolute agreement and consistency of single readings.
    note : str
        What to keep in mind, or why something is absent.
    """

    comparison: Comparison
    quantity: Quantity
    subjects: tuple[str, ...]
    limits: BlandAltman | None
    icc_2_1: Icc | None
    icc_3_1: Icc | None
    note: str

    @property
    def quality(self) -> Quality:
        """Absent where neither limits nor ICC are there, flagged where there is something to keep in mind."""
        if self.limits is None and self.icc_2_1 is None:
            return Quality.ABSENT
        return Quality.FLAGGED if self.note or self.comparison.notes else Quality.OK


@dataclass(frozen=True)
class AgreementTable:
    """All comparisons of a cohort.

    Parameters
    ----------
    rows : tuple of Agreement
        By comparison (inter-observer first), then scores, signals of the scored levels, CSF and each level.
    notes : tuple of str
        Comparisons that could not be made.
    """

    rows: tuple[Agreement, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Agreement]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons in the table's order."""
        return tuple({id(row.comparison): row.comparison for row in self.rows}.values())

    def of(self, comparison: Comparison) -> tuple[Agreement, ...]:
        """Return the rows of one comparison."""
        return tuple(row for row in self.rows if row.comparison is comparison)


def agreement(readings: Iterable[Reading]) -> AgreementTable:
    """Compare repeated readings of a cohort.

    One reader twice gives intra-observer, two readers give inter-observer agreement; who read what and when tells
    which readings are pairs. In each quantity: Bland and Altman's limits of agreement of the percent difference
    100 (a - b) / ((a + b) / 2), and ICC(2,1) and ICC(3,1).

    Parameters
    ----------
    readings : iterable of Reading

    Raises
    ------
    UserError
        When there are fewer than three subjects with two readings, a reading was given twice, the two readings of a
        subject were not made alike, or pingouin is missing.
    """
    known = tuple(readings)
    found = find_comparisons(known)
    enough = [comparison for comparison in found if len(comparison.pairs) >= FEWEST_PAIRS]
    few = tuple(
        f"{comparison.title}: only {_subjects(len(comparison.pairs))}, not computed"
        for comparison in found
        if comparison not in enough
    )
    if not enough:
        raise UserError(
            f"Agreement needs at least {FEWEST_PAIRS} subjects that were read twice, by one reader or by two; "
            f"the {len(known)} readings have {'; '.join(few) or 'none'}.",
            "Read more subjects again, by the same reader or by another one.",
        )
    return AgreementTable(tuple(row for comparison in enough for row in _rows(comparison)), few)


def _subjects(count: int) -> str:
    return "1 subject" if count == 1 else f"{count} subjects"


def _rows(comparison: Comparison) -> list[Agreement]:
    quantities = quantities_of(comparison.pairs)
    if not quantities:
        raise UserError(
            f"{comparison.title}: the readings have no sequence in common.", "Read the same sequences both times."
        )
    return [_row(comparison, quantity, collect(comparison.pairs, quantity)) for quantity in quantities]


def _row(comparison: Comparison, quantity: Quantity, values: Values) -> Agreement:
    notes = [f"left out, {why}: {', '.join(subjects)}" for why, subjects in values.left_out.items()]
    count = len(values.pairs)
    if count < FEWEST_PAIRS:
        notes.insert(0, f"only {_subjects(count)} with both values, fewer than {FEWEST_PAIRS}")
        return Agreement(comparison, quantity, tuple(values.subjects), None, None, None, "; ".join(notes))
    if count < FEW_PAIRS:
        notes.insert(0, f"only {count} pairs, under {FEW_PAIRS}: the limits are hardly known")
    ratings = np.array(values.pairs)
    limits, iccs = None, (None, None)
    try:
        limits = bland_altman(*ratings.T)
    except ValueError as error:
        notes.append(str(error))
    try:
        iccs = intraclass_correlations(ratings)
    except ValueError as error:
        notes.append(str(error))
    return Agreement(comparison, quantity, tuple(values.subjects), limits, *iccs, "; ".join(notes))


def agreement_columns(table: AgreementTable) -> Mapping[str, list[str | float | None]]:
    """Return the table as columns for `files.tables.write_csv`; what is absent is None.

    Differences, limits and their intervals are percent; shares lie between 0 and 1.
    """
    rows = [_cells(row) for row in table]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _cells(row: Agreement) -> dict[str, str | float | None]:
    limits, c, q = row.limits, row.comparison, row.quantity
    cells = {"comparison": str(c.kind), "first_reader": c.first, "second_reader": c.second}
    cells |= {"name": q.name, "level": str(q.level), "compartment": str(q.compartment), "pairs": len(row.subjects)}
    for name, key in (("bias", "bias"), ("lower_limit", "lower"), ("upper_limit", "upper")):
        low, high = getattr(limits, f"{key}_ci") if limits else (None, None)
        cells |= {f"{name}_percent": getattr(limits, key, None), f"{name}_ci_low": low, f"{name}_ci_high": high}
    cells["sd_percent"] = limits.sd if limits else None
    cells["share_within_10_percent"] = limits.share_within if limits else None
    cells["limits_within_10_percent"] = {True: "yes", False: "no", None: ""}[limits.accepted if limits else None]
    for name, icc in (("icc_2_1", row.icc_2_1), ("icc_3_1", row.icc_3_1)):
        low, high = icc.ci if icc else (None, None)
        cells |= {name: icc.value if icc else None, f"{name}_ci_low": low, f"{name}_ci_high": high}
    return cells | {"quality": str(row.quality), "note": "; ".join(note for note in (row.note, *c.notes) if note)}
