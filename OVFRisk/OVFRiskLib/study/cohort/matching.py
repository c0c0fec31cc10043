"""Propensity-score matching: each case gets the controls whose score is nearest, as MatchIt's ``nearest`` does.

In rounds: every case, in the order asked for, takes its nearest free control; then every case a second one, and so on
(1:k). Scores are compared to ten decimals, so that patients who are alike on the covariates tie on every machine; ties
go by the patients' keys. (MatchIt breaks ties by the order of the rows.)
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from ...errors import UserError
from .columns import listed, need
from .group_tests import two_groups
from .missing import groups_of
from .propensity import propensity

_DIGITS = 10


class Scale(StrEnum):
    """What distances are measured on."""

    LOGIT = "logit"
    PROBABILITY = "probability"


class Order(StrEnum):
    """Which case chooses first."""

    LARGEST = "largest"  # score: cases that are hardest to match
    SMALLEST = "smallest"
    RANDOM = "random"


@dataclass(frozen=True)
class MatchingDesign:
    """How to match.

    Parameters
    ----------
    covariates : tuple of str
        Of the propensity score.
    ratio : int
        Controls a case.
    caliper : float or None
        Farthest that a control may be, in standard deviations (n - 1, all patients) of the distance's scale.
    scale : Scale
    replace : bool
        Whether a control may serve several cases.
    order : Order
        Without effect where controls are replaced.
    seed : int or None
        Needed for the random order.
    exact : tuple of str
        Columns in which case and control must be equal.
    """

    covariates: tuple[str, ...]
    ratio: int = 1
    caliper: float | None = None
    scale: Scale = Scale.LOGIT
    replace: bool = False
    order: Order = Order.LARGEST
    seed: int | None = None
    exact: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, kind in (("scale", Scale), ("order", Order)):
            if getattr(self, name) not in set(kind):
                raise UserError(f"'{getattr(self, name)}' is no {name} of matching.", f"Choose: {', '.join(kind)}.")
            object.__setattr__(self, name, kind(getattr(self, name)))
        if self.ratio < 1:
            raise UserError(f"1:{self.ratio} cannot be matched.", "Ask for one control a case or more.")
        if self.caliper is not None and not 0 < self.caliper < math.inf:
            raise UserError(f"A caliper of {self.caliper} matches nobody.", "Give a number above 0, e.g. 0.2.")
        if self.order is Order.RANDOM and self.seed is None:
            raise UserError("A random order needs a seed.", "Give one, so that the pairs can be found again.")


@dataclass(frozen=True)
class Matching:
    """Who was matched with whom.

    Parameters
    ----------
    design : MatchingDesign
    pairs : pandas.DataFrame
        A row a pair: case, control, round (1 … ratio), distance. In the order of the cases' rows.
    is_case : pandas.Series of bool
        By patient.
    distance : pandas.Series
        The scale's value, by patient.
    caliper : float or None
        On the distance's scale.
    coefficients : pandas.Series
        Of the propensity score.
    remarks : tuple of str
        What to know: cases without a control or with too few.
    """

    design: MatchingDesign
    pairs: pd.DataFrame
    is_case: pd.Series
    distance: pd.Series
    caliper: float | None
    coefficients: pd.Series
    remarks: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        """All matched patients once, in the table's order."""
        weights = self.weights
        return list(weights.index[weights > 0])

    @property
    def sets(self) -> pd.Series:
        """The case to whom each matched patient belongs (for analyses of matched sets).

        Raises
        ------
        UserError
            When controls were replaced: they belong to several.
        """
        if self.design.replace:
            raise UserError("Matched with replacement there are no sets.", "Match without replacement.")
        mine = dict(zip(self.pairs["control"], self.pairs["case"]))
        return pd.Series({key: mine.get(key, key) for key in self.keys}, name="set", dtype=object)

    @property
    def weights(self) -> pd.Series:
        """A weight a patient: 0 unmatched, 1 for cases; a case's controls share its 1.

        The controls' weights are scaled to sum to their number (MatchIt's weights for the effect on the treated).
        """
        weights = pd.Series(0.0, index=self.is_case.index)
        weights[self.pairs["case"].unique()] = 1.0
        share = 1 / self.pairs.groupby("case")["control"].transform("size")
        controls = share.groupby(self.pairs["control"]).sum()
        weights[controls.index] = controls * (len(controls) / controls.sum())
        return weights


def match(frame: pd.DataFrame, group: str, case: object, design: MatchingDesign) -> Matching:
    """Match controls to cases by the propensity score.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a patient, indexed by key.
    group : str
        Column of two values.
    case : object
        Which of the values the cases have.
    design : MatchingDesign

    Raises
    ------
    UserError
        When the groups, covariates or exact columns do not do, or nobody can be matched.
    """
    labels = groups_of(frame, group)
    if case not in two_groups(sorted(labels.unique())):
        raise UserError(f"No patient has '{case}' in '{group}'.", f"Its values are: {listed(labels.unique())}.")
    if not frame.index.is_unique:
        raise UserError("A patient has two rows.", "Match a table of one row a patient.")
    is_case = labels == case
    score = propensity(frame, is_case, design.covariates)
    distance = score.logit if design.scale is Scale.LOGIT else score.probability
    caliper = None if design.caliper is None else design.caliper * float(distance.std(ddof=1))
    found = list(_pairs(distance.round(_DIGITS), is_case, _strata(frame, design.exact), caliper, design))
    if not found:
        raise UserError("No case has a control.", "Widen the caliper, or match exactly on less.")
    pairs = pd.DataFrame(found, columns=["case", "control", "round"])
    apart = distance[pairs["case"]].to_numpy() - distance[pairs["control"]].to_numpy()
    pairs["distance"] = np.abs(apart)
    place = {key: n for n, key in enumerate(frame.index)}
    pairs = pairs.sort_values(
        ["case", "round"], key=lambda c: c.map(place) if c.name == "case" else c, ignore_index=True
    )
    return Matching(design, pairs, is_case, distance, caliper, score.coefficients, _remarks(pairs, is_case, design))


def _strata(frame: pd.DataFrame, exact: Sequence[str]) -> pd.Series:
    """Return a number a combination of the exact columns' values."""
    need(frame, list(exact))
    for title in exact:
        if frame[title].isna().any():
            who = listed(frame.index[frame[title].isna()])
            raise UserError(f"Column '{title}' is empty for {who}.", "Complete it, or leave these patients out.")
    if not exact:
        return pd.Series(0, index=frame.index)
    return frame.groupby(list(exact), sort=True).ngroup()


def _pairs(
    score: pd.Series, is_case: pd.Series, strata: pd.Series, caliper: float | None, design: MatchingDesign
) -> Iterator[tuple[object, object, int]]:
    controls = sorted(is_case.index[~is_case])
    theirs, stratum = score[controls].to_numpy(), strata[controls].to_numpy()
    free = np.ones(len(controls), bool)
    farthest = math.inf if caliper is None else caliper + 10.0**-_DIGITS
    had: dict[object, list[int]] = {}
    for turn in range(1, design.ratio + 1):
        for case in _ordered(score[is_case], design):
            apart = np.abs(theirs - score[case]).round(_DIGITS)
            allowed = free & (stratum == strata[case]) & (apart <= farthest)
            allowed[had.get(case, [])] = False
            if allowed.any():
                best = int(np.argmin(np.where(allowed, apart, math.inf)))  # the first of a tie: the smallest key
                had.setdefault(case, []).append(best)
                free[best] = design.replace
                yield case, controls[best], turn


def _ordered(score: pd.Series, design: MatchingDesign) -> list:
    keys = sorted(score.index)
    if design.order is Order.RANDOM:
        return [keys[n] for n in np.random.default_rng(design.seed).permutation(len(keys))]
    sign = -1 if design.order is Order.LARGEST else 1
    return sorted(keys, key=lambda key: sign * score[key])  # stable: ties stay in the keys' order


def _remarks(pairs: pd.DataFrame, is_case: pd.Series, design: MatchingDesign) -> tuple[str, ...]:
    have = pairs["case"].value_counts().reindex(is_case.index[is_case], fill_value=0)
    none, few = have.index[have == 0], have.index[(have > 0) & (have < design.ratio)]
    texts = []
    if len(none):
        texts.append(f"{len(none)} of {len(have)} cases have no control: {listed(none)}")
    if len(few):
        texts.append(f"{len(few)} of {len(have)} cases have fewer than {design.ratio} controls: {listed(few)}")
    return tuple(texts)
