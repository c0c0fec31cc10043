"""Synthetic cohorts of the papers' sizes, whose outcomes come about by a known rule: never evidence of anything.

For tests, demonstrations, power planning, and to show what a procedure finds where there is nothing to find.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.special import expit

from ..errors import UserError
from ..models.card import Statistic
from ..phantom.outcome import intercept_for
from ..radiomics import Protocol
from ..vbq.reading_cohort import COHORT
from .cohort.columns import Cohort, Column
from .synthetic_draw import Structure, draw_clinical, draw_events, structure_of
from .synthetic_rules import RULES, Clinical, Rule, Shape
from .synthetic_truth import SYNTHETIC, SyntheticCohort, Term, Truth, subjects_of
from .synthetic_vbq import vbq_cohort

NAMES = (*RULES, "vbq")
_CENTRES = {"A": ("scanner-1", "scanner-2"), "B": ("scanner-3",)}
_SCANNER_SHARES = (0.45, 0.3, 0.25)
_LEVELS = ("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4")
_LEVEL_SHARES = (0.04, 0.06, 0.14, 0.2, 0.22, 0.16, 0.1, 0.08)


def synthetic_cohort(
    name: str,
    seed: int,
    patients: int | None = None,
    events: int | None = None,
    signal: bool = True,
    scanner_effect: float = 0.0,
    repeated: int = 60,
) -> SyntheticCohort:
    """Draw a synthetic cohort.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    seed : int
        The same seed gives the same cohort; another gives other patients of the same population.
    patients, events : int, optional
        The publication's where not given; events in proportion where only `patients` is.
    signal : bool
        False: no column has anything to do with the outcome.
    scanner_effect : float
        Standard deviation of what each scanner adds to a feature, in SDs of the feature; it also multiplies its spread
        by the exponential of a third as much. The rule is about the values before it.
    repeated : int
        Patients that two readers have read.

    Raises
    ------
    UserError
        When there is no such cohort, or there are no patients with or without the event.
    """
    if name not in NAMES:
        raise UserError(f"There is no synthetic cohort '{name}'.", f"Choose one of: {', '.join(NAMES)}.")
    if name == "vbq":
        return vbq_cohort(seed, *_counts(2 * COHORT, COHORT, patients, events), signal)
    rule = RULES[name]
    count, events = _counts(rule.patients, rule.events, patients, events)
    return _Study(name, rule, seed, count).cohort(events, signal, scanner_effect, repeated)


def _counts(published: int, with_event: int, patients: int | None, events: int | None) -> tuple[int, int]:
    count = published if patients is None else patients
    events = round(with_event * count / published) if events is None else events
    if not 0 < events < count:
        raise UserError(f"{events} events among {count} patients make no cohort.", "Ask for one with and one without.")
    return count, events


class _Study:
    """The patients of a radiomics study, drawn in one order: what is asked for later changes nothing drawn before."""

    def __init__(self, name: str, rule: Rule, seed: int, patients: int) -> None:
        self.name, self.rule, self.rng = name, rule, np.random.default_rng([seed, patients, rule.patients])
        self.features = _feature_columns(rule)
        self.structure = structure_of(rule, list(self.features))
        self.subjects = subjects_of(seed, patients)
        self.z = self.structure.draw(self.rng, patients)
        coefficients = self.structure.coefficients(rule.weights, rule.image_sd)
        place = {column: n for n, column in enumerate(self.features)}
        self.terms = _terms(rule, self.structure, coefficients, place)
        image = self.z[:, [place[column] for column in coefficients]] @ np.array(list(coefficients.values()))
        clinical = {one.title: draw_clinical(self.rng, one, image / rule.image_sd) for one in rule.clinical}
        self.clinical = pd.DataFrame(clinical, index=self.subjects)
        self.places = _places(self.rng, self.subjects, bool(rule.levels))

    def cohort(self, events: int, signal: bool, scanner_effect: float, repeated: int) -> SyntheticCohort:
        values = self._frame(self.structure.values(self.z))
        truth = _truth(self.terms if signal else {}, self.clinical.join(values), events)
        outcome = draw_events(self.rng, truth.log_odds.to_numpy(), events)
        second = self._frame(self.structure.another_reader(self.rng, self.z))
        chosen = np.sort(self.rng.permutation(len(self.subjects))[: max(0, repeated)])
        first, second = (self._scanned(one, scanner_effect) for one in (values, second))
        return SyntheticCohort(
            name=self.name,
            cohort=self._cohort(outcome, first),
            outcome=self.rule.outcome,
            clinical=tuple(self.clinical),
            features=tuple(self.features),
            truth=truth,
            repeats=(first.iloc[chosen], second.iloc[chosen]),
            concordance=pd.Series(self.structure.concordance, list(self.features)),
            sources=MappingProxyType({one.title: one.source for one in self.rule.clinical}),
        )

    def _frame(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, self.subjects, list(self.features))

    def _scanned(self, values: pd.DataFrame, effect: float) -> pd.DataFrame:
        """Return what the patients' scanners make of the features; a scanner is the same in every cohort."""
        if not effect:
            return values
        scanners = [scanner for centre in _CENTRES.values() for scanner in centre]
        rng = np.random.default_rng(len(scanners))
        add, grow = rng.standard_normal((2, len(scanners), values.shape[1]))
        used = self.places["scanner"].map(scanners.index).to_numpy()
        center, scale = self.structure.center, self.structure.scale
        grown = (values.to_numpy() - center) * np.exp(effect / 3 * grow[used])
        return self._frame(center + grown + effect * scale * add[used])

    def _cohort(self, outcome: np.ndarray, values: pd.DataFrame) -> Cohort:
        first = pd.DataFrame({"synthetic": SYNTHETIC, self.rule.outcome: outcome.astype(float)}, self.subjects)
        table = pd.concat([first, self.places, self.clinical, values], axis=1)
        own = {title: Column(title, title) for title in ("synthetic", *self.places)}
        own |= {self.rule.outcome: Column(self.rule.outcome, self.rule.outcome, "1")}
        own |= {one.title: _clinical_column(one, self.rule) for one in self.rule.clinical} | self.features
        return Cohort(table, {title: own[title] for title in table})


def _feature_columns(rule: Rule) -> dict[str, Column]:
    protocol = Protocol.load(rule.protocol)
    statistic = Statistic.MEAN if rule.levels else None
    return {
        f"{prefix}{name}": Column(
            f"{prefix}{name}", name, "1", part, rule.levels, statistic, len(rule.levels) or 1, protocol.id
        )
        for part, prefix in rule.prefixes.items()
        for name in protocol.feature_names
    }


def _clinical_column(one: Clinical, rule: Rule) -> Column:
    if one.compartment is None:
        return Column(one.title, one.name or one.title, one.unit)
    return Column(one.title, one.name, one.unit, one.compartment, rule.levels, Statistic.MEAN, len(rule.levels))


def _terms(
    rule: Rule, structure: Structure, coefficients: Mapping[str, float], place: Mapping[str, int]
) -> dict[str, Term]:
    terms = {}
    for one in rule.clinical:
        log, binary = one.shape is Shape.LOGNORMAL, one.shape is Shape.BINARY
        center = np.log(one.center) if log else one.center
        if one.coefficient:
            terms[one.title] = Term(one.coefficient, float(center), 1.0 if binary else one.spread, log)
    for name, value in coefficients.items():
        terms[name] = Term(value, float(structure.center[place[name]]), float(structure.scale[place[name]]))
    return terms


def _truth(terms: Mapping[str, Term], values: pd.DataFrame, events: int) -> Truth:
    log_odds = pd.Series(0.0, values.index)
    for name, term in terms.items():
        seen = np.log(values[name]) if term.log else values[name]
        log_odds += term.coefficient * (seen - term.center) / term.scale
    intercept = intercept_for(log_odds.to_numpy(), events)
    text = "logistic: intercept + Σ coefficient × (value - center) / scale" if terms else "none: nothing matters"
    return Truth(MappingProxyType(dict(terms)), intercept, log_odds + intercept, expit(log_odds + intercept), text)


def _places(rng: np.random.Generator, subjects: pd.Index, joined: bool) -> pd.DataFrame:
    """Return centre and scanner, and each patient's level where levels are not joined; none has to do with anything."""
    where = [(centre, scanner) for centre, scanners in _CENTRES.items() for scanner in scanners]
    drawn = [where[n] for n in rng.choice(len(where), size=len(subjects), p=_SCANNER_SHARES)]
    places = pd.DataFrame(drawn, subjects, ["centre", "scanner"])
    if not joined:
        places["level"] = rng.choice(_LEVELS, size=len(subjects), p=_LEVEL_SHARES)
    return places
