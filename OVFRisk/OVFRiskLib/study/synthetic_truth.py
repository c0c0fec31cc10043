"""What a synthetic cohort is: a table that says so in every row, and the rule that made its outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from .cohort.columns import Cohort

SYNTHETIC = "SYNTHETIC: simulated, no patient"


@dataclass(frozen=True)
class Term:
    """A column's part in the log-odds: coefficient × (value - center) / scale, of the value's logarithm if `log`."""

    coefficient: float
    center: float
    scale: float
    log: bool = False


@dataclass(frozen=True, eq=False)
class Truth:
    """The rule that made the outcomes.

    Parameters
    ----------
    terms : mapping of str to Term
        By column; empty where nothing matters, or where the rule is not a sum (`text` says which it is).
    intercept : float
    log_odds, probability : Series
        By patient. The outcomes are independent draws, given their total.
    text : str
    """

    terms: Mapping[str, Term]
    intercept: float
    log_odds: pd.Series
    probability: pd.Series
    text: str


@dataclass(frozen=True, eq=False)
class SyntheticCohort:
    """A synthetic cohort.

    Parameters
    ----------
    name : str
        Of the template that it is for.
    cohort : Cohort
        One row a patient. The column ``synthetic`` says so in every row; others are the `outcome`, ``centre``,
        ``scanner``, ``level`` where each patient has one of its own, the `clinical` ones and the `features`.
    outcome : str
    clinical, features : tuple of str
    truth : Truth
    repeats : tuple of DataFrame
        The features of some patients by two readers, the first reader's as in the cohort. Empty without features.
    concordance : Series
        Between the readers, by feature: what an endless number of patients would give.
    sources : mapping of str to str
        Where each clinical column's marginal is published, or ``assumed``.
    """

    name: str
    cohort: Cohort
    outcome: str
    clinical: tuple[str, ...]
    features: tuple[str, ...]
    truth: Truth
    repeats: tuple[pd.DataFrame, ...] = ()
    concordance: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    sources: Mapping[str, str] = field(default_factory=dict)


def subjects_of(seed: int, patients: int) -> pd.Index:
    """Return the patients' keys, which say that they are synthetic."""
    keys = [f"synthetic-{seed}-{number:03d}" for number in range(1, patients + 1)]
    return pd.Index(keys, name="subject", dtype=object)
