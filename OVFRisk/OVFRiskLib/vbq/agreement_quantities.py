"""What two readings are compared in: the scores, and the signals that they are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..anatomy import Compartment, Structure, VertebralLevel
from ..image import Modality
from .agreement_pairs import Pair
from .proposal import LEVELS, SEQUENCES
from .readings import Reading

SCORED = "L1-L4"
_SCORES = {f"vbq_{sequence.lower()}": (sequence,) for sequence in SEQUENCES} | {
    "vbq_t2_stir": (Modality.T2, Modality.STIR)
}


@dataclass(frozen=True)
class Quantity:
    """What two readings are compared in.

    Parameters
    ----------
    name : str
        Name of the measurement, e.g. ``vbq_t1`` or ``t1_signal_intensity``.
    level : str
        ``L1-L4`` for the mean of the scored levels (T12 and L5 in the place of fractured ones; the mean whatever the
        statistic of the scores), a level, or empty.
    compartment : str
        ``body``, ``csf``, or empty for a score.
    """

    name: str
    level: str = ""
    compartment: str = ""

    @property
    def single_level(self) -> bool:
        """Whether it is the signal of one level."""
        return self.level not in ("", SCORED)

    @property
    def title(self) -> str:
        """How it is written, e.g. ``VBQ-T2-STIR``, ``T1 signal, CSF``."""
        if not self.compartment:
            return f"VBQ-{self.sequence}"
        return f"{self.sequence} signal, {'CSF' if self.compartment == Structure.CSF else self.level}"

    @property
    def sequence(self) -> str:
        """What it is measured on: ``T1``, ``T2``, ``STIR`` or ``T2-STIR``."""
        own = self.name.removeprefix("vbq_").removesuffix("_signal_intensity")
        return own.upper().replace("_", "-")


@dataclass
class Values:
    """The values of a quantity in both readings, and why subjects are left out."""

    subjects: list[str] = field(default_factory=list)
    pairs: list[tuple[float, float]] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)


def quantities_of(pairs: Sequence[Pair]) -> list[Quantity]:
    """Return what at least one subject has in both readings: scores, signals of L1-L4 and of CSF, of each level."""
    both = [sequence for sequence in SEQUENCES if any(sequence in a.images and sequence in b.images for a, b in pairs)]
    names = [f"{sequence.lower()}_signal_intensity" for sequence in both]
    scores = [Quantity(name) for name, needed in _SCORES.items() if set(needed) <= set(both)]
    bodies = [Quantity(name, SCORED, Compartment.BODY) for name in names]
    csf = [Quantity(name, "", Structure.CSF) for name in names]
    levels = {level for pair in pairs for reading in pair for s in both for level in reading.level_signals(s)}
    single = [Quantity(name, level, Compartment.BODY) for name in names for level in LEVELS if level in levels]
    return [*scores, *bodies, *csf, *single]


def collect(pairs: Sequence[Pair], quantity: Quantity) -> Values:
    """Return a quantity's values in both readings of each subject, and why subjects are left out."""
    values = Values()
    for pair in pairs:
        try:
            a, b = (_value(reading, quantity) for reading in pair)
            _check_levels(pair, quantity)
        except ValueError as error:
            values.left_out.setdefault(str(error), []).append(pair[0].subject)
        else:
            values.subjects.append(pair[0].subject)
            values.pairs.append((a, b))
    return values


def _value(reading: Reading, quantity: Quantity) -> float:
    """Return the quantity's value; a ValueError says why there is none."""
    if not quantity.compartment:
        return _score(reading, quantity.name)
    sequence = _sequences(quantity)[0]
    if sequence not in reading.images:
        raise ValueError(f"{sequence} not read")
    if quantity.compartment == Structure.CSF:
        return _csf(reading, sequence)
    signals = reading.level_signals(sequence)
    if quantity.single_level:
        return _single(reading, signals, VertebralLevel(quantity.level))
    levels = reading.scored_levels(sequence)
    if not levels:
        raise ValueError("too few levels")
    return float(np.mean([signals[level] for level in levels]))


def _sequences(quantity: Quantity) -> tuple[Modality, ...]:
    return _SCORES.get(quantity.name) or (Modality(quantity.sequence),)


def _csf(reading: Reading, sequence: Modality) -> float:
    row = reading.csf(sequence)
    if row is None or row.value is None:
        raise ValueError("no signal of CSF")
    return row.value


def _single(reading: Reading, signals: Mapping[VertebralLevel, float], level: VertebralLevel) -> float:
    if level in reading.fractured:
        raise ValueError("fractured")
    if level not in signals:
        raise ValueError("no signal")
    return signals[level]


def _score(reading: Reading, name: str) -> float:
    rows = reading.measurements.where(name=name).rows
    if not rows:
        raise ValueError("not measured")
    if rows[0].value is None:
        raise ValueError(rows[0].note)
    return rows[0].value


def _check_levels(pair: Pair, quantity: Quantity) -> None:
    """Two means of different levels are not compared."""
    if quantity.single_level or quantity.compartment == Structure.CSF:
        return
    a, b = (", ".join(reading.scored_levels(*_sequences(quantity))) for reading in pair)
    if a != b:
        raise ValueError(f"made of {a} and of {b}")
