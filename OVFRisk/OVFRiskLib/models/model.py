"""A model applied to a patient's measurements: a number with its reasons, or the reason why there is none."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..measurement import Measurement, MeasurementTable, Source
from .calibrated import calibrated
from .card import Combination, ModelCard, Origin, Output, Threshold
from .explanation import explained
from .facts import Facts
from .inputs import Picked, Record, pick
from .levels import combined
from .population import population_refusal, population_warnings
from .prediction import ClassAt, Prediction
from .predictors.base import Predictor
from .remarks import listed, told

Picks = tuple[Picked, ...]
Stale = MeasurementTable | Collection[Source]
Protocols = Mapping[str, Mapping[str, object]]

_NOTHING_KNOWN = Facts()
_NOT_PUBLISHED = (
    "the numbers of this model were not published; train your own with its inputs and protocol, on patients like yours"
)
_NO_PREDICTOR = "the file holds no predictor; ask its author for a complete one"


@dataclass(frozen=True)
class Model:
    """A card and what it is the card of.

    Parameters
    ----------
    card : ModelCard
    predictor : Predictor or None
        None where nothing is published.
    id : str
    """

    card: ModelCard
    predictor: Predictor | None
    id: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the model of a bundle.

        Raises
        ------
        UserError
            When the file is no bundle, damaged, not safe, or needs a package that is missing.
        """
        from .bundle import read_bundle
        from .predictors import predictor_from

        bundle = read_bundle(path)
        spec = bundle.predictor
        predictor = None if spec is None else predictor_from(spec, bundle.parts, len(bundle.card.inputs))
        return cls(bundle.card, predictor, bundle.id)

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.card.name} {self.card.version}"

    def predict(
        self,
        table: MeasurementTable,
        facts: Facts = _NOTHING_KNOWN,
        stale: Stale = frozenset(),
        protocols: Protocols | None = None,
    ) -> tuple[Prediction, ...]:
        """Return the result for each patient of a table, or for each level; whatever prevents one is its reason.

        Parameters
        ----------
        table : MeasurementTable
            Radiomics features are rows of it, too.
        facts : Facts
        stale : MeasurementTable or collection of Source
            Rows of `table` that an edit made stale, or what they were measured from; the model uses none of them.
        protocols : mapping of str to mapping
            Radiomics protocols by id, to say how another one differs; those that come with OVFRisk are known.

        Raises
        ------
        UserError
            When the facts are no one's: an unknown sex, or an age or sex for a table of several patients.
        """
        of: dict[str, list[Measurement]] = {row.subject: [] for row in table} or {"": []}
        for row in table:
            of[row.subject].append(row)
        if len(of) > 1 and (facts.age is not None or facts.sex is not None):
            raise UserError(f"One age or sex was given for {len(of)} patients.", "Score one patient at a time.")
        old = frozenset(stale) if isinstance(stale, MeasurementTable) else _measured_from(table, stale)
        known = {**(protocols or {}), **self.card.protocols}
        records = (Record.of(subject, rows, facts, old, known) for subject, rows in of.items())
        return tuple(found for record in records for found in _patient(self, record, facts))


def _measured_from(table: MeasurementTable, stale: Collection[Source]) -> frozenset[Measurement]:
    return frozenset(row for row in table if row.source in stale) if stale else frozenset()


def _patient(model: Model, record: Record, facts: Facts) -> tuple[Prediction, ...]:
    card, nothing = model.card, Prediction(record.subject, model.title, None, model.card.output, None)
    if model.predictor is None:
        why = _NOT_PUBLISHED if card.origin is Origin.NOT_PUBLISHED else _NO_PREDICTOR
        return (replace(nothing, reason=why),)
    if unlike := population_refusal(card, facts):
        return (replace(nothing, reason=unlike),)
    levels = (None,) if card.combination is Combination.PATIENT else _levels(card, record)
    if not levels:
        return (replace(nothing, reason=_no_level(card)),)
    picks = {level: tuple(pick(record, one, level) for one in card.inputs) for level in levels}
    if card.combination in (Combination.PATIENT, Combination.LEVEL):
        return tuple(_told(_one(model, found, replace(nothing, level=at)), card, facts) for at, found in picks.items())
    refused = _refusal(found for at in picks.values() for found in at)
    if refused:
        return (replace(nothing, reason=refused),)
    each = {level: _one(model, found, replace(nothing, level=level)) for level, found in picks.items()}
    return (_told(_classified(combined(card, each, nothing), card), card, facts),)


def _told(found: Prediction, card: ModelCard, facts: Facts) -> Prediction:
    """Return a result with the warnings on the patient and on a value that may lie on either side of a cut-off."""
    if found.value is None:
        return found
    warnings = (*population_warnings(card, facts), *_undecided(found), *found.warnings)
    return replace(found, warnings=tuple(dict.fromkeys(warnings)))


def _levels(card: ModelCard, record: Record) -> tuple[VertebralLevel, ...]:
    """Return the levels to score: those that were measured; for one result of all, each that should have been."""
    measured = [level for level in card.levels if level in record.levels(card.inputs)]
    return tuple(measured) if card.combination is Combination.LEVEL or not measured else card.levels


def _no_level(card: ModelCard) -> str:
    names = listed([f"{one.compartment or ''} {one.name}".strip() for one in card.inputs])
    levels = f"{card.levels[0]} to {card.levels[-1]}" if len(card.levels) > 1 else "".join(card.levels)
    return f"no level to score: the table has no {names} of {levels}; measure them first"


def _one(model: Model, picks: Picks, nothing: Prediction) -> Prediction:
    """Return the result of one patient or level; `nothing` is the one without a value."""
    missing = tuple(text for one in picks for text in one.missing)
    lacking = [text for one in picks if one.value is None for text in one.missing]
    refused = _refusal(picks)
    if refused or lacking:
        return replace(nothing, missing=missing, reason=refused or _lacking(lacking))
    found = replace(
        nothing,
        missing=missing,
        out_of_range=tuple(text for one in picks for text in one.outside),
        warnings=(
            *getattr(model.predictor, "warnings", ()),
            *told((note for one in picks for note in one.notes), named=len(picks) > 1 or bool(picks[0].terms)),
        ),
    )
    try:
        return _classified(_computed(model, picks, found), model.card)
    except UserError as error:
        return replace(nothing, missing=missing, reason=f"{error.what} {error.what_to_do}")


def _refusal(picks: Iterable[Picked]) -> str:
    return "; ".join(told(refusal for one in picks for refusal in one.refusals))


def _lacking(texts: Sequence[str]) -> str:
    verb = "input has" if len(texts) == 1 else "inputs have"
    return f"{len(texts)} {verb} no value: {listed(texts, by='; ')}; measure or give what is missing, then score again"


def _computed(model: Model, picks: Picks, found: Prediction) -> Prediction:
    """Return `found` with the output, its interval and the contributions."""
    x = np.array([one.scaled for one in picks])
    value = float(model.predictor.output(x[np.newaxis])[0])
    contributions, scale, method = explained(model.predictor, picks)
    why = {"contributions": contributions, "contribution_scale": scale, "contribution_method": method}
    if model.card.output is Output.VALUE:
        if not math.isfinite(value):
            return _useless(found, value)
        half = picks[0].half_width if len(picks) == 1 else None
        return replace(found, value=value, interval=None if half is None else (value - half, value + half), **why)
    interval, calibration = model.predictor.interval(x), model.card.calibration
    if not all(0 <= p <= 1 for p in (value, *(interval or ()))):
        return _useless(found, value)
    if calibration:
        why["contribution_method"] = f"{method}, before calibration"
        value = calibrated(value, calibration)
        interval = interval and tuple(sorted(calibrated(p, calibration) for p in interval))
        if not all(0 <= p <= 1 for p in (value, *(interval or ()))):
            return _useless(found, value)
    return replace(found, value=value, interval=interval, **why)


def _useless(found: Prediction, value: float) -> Prediction:
    kind = "no probability" if found.output is Output.PROBABILITY else "no finite number"
    return replace(found, reason=f"the model gave {value:g}, which is {kind}; do not use this model, tell its author")


def _classified(found: Prediction, card: ModelCard) -> Prediction:
    if found.value is None:
        return found
    return replace(found, classes=tuple(ClassAt(one, _above(one, found.value)) for one in card.thresholds))


def _above(threshold: Threshold, value: float) -> bool:
    return value > threshold.value or (value == threshold.value and threshold.at_value == "above")


def _undecided(found: Prediction) -> tuple[str, ...]:
    """Return a warning for each cut-off that lies within a measured value's own plus or minus."""
    if found.output is not Output.VALUE or found.interval is None:
        return ()
    low, high = found.interval
    at = [one.threshold for one in found.classes if _above(one.threshold, low) != _above(one.threshold, high)]
    half = (high - low) / 2
    return tuple(
        f"the {one.name} {one.value:g} lies within the uncertainty of the value (± {half:.3g}): it may be"
        f" '{one.below}' or '{one.above}'"
        for one in at
    )
