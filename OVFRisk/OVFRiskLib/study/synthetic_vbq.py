"""A synthetic cohort of vertebral bone quality, with the groups that Huang et al. published."""

from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from ..vbq.reading_cohort import published_groups, synthetic_vbq_cohort
from .cohort.columns import Cohort, Column
from .synthetic_truth import SYNTHETIC, SyntheticCohort, Truth, subjects_of

HUANG = "Huang et al., Global Spine J 2026;16:162-170, Table 1"
_OUTCOME = "fracture"
_MALE = 15 / 84
_AGE = (70.5, 5.0)  # median and IQR / 1.349 of both groups, which are matched
_BMI = ((24.39, 4.31), (25.12, 4.92))  # mean, SD with and without fracture
_NECK = ((0.67, 0.096, 34 / 84), (0.74, 0.133, 31 / 84))  # g/cm2: median, IQR / 1.349, share who were examined
_UNITS = {"age": "a", "sex_male": "1", "bmi": "kg/m2", "femoral_neck_bmd": "g/cm2"}


def vbq_cohort(seed: int, patients: int, events: int, signal: bool) -> SyntheticCohort:
    """Draw `events` patients with and the others without a fracture, each group with its published means and SDs.

    All columns are independent of each other within a group (see `vbq.reading_cohort`). Without `signal` the outcome
    is shuffled, so that the columns keep their distribution and have nothing to do with it.

    Returns
    -------
    SyntheticCohort
        Without features and repeats. The truth has no terms: the groups' SDs differ, so that the log-odds are a sum of
        squares; `log_odds` has them, given the scores alone.
    """
    fracture = np.arange(patients) < events
    table = _scores(seed, fracture).assign(**_clinical(np.random.default_rng([seed, 168]), fracture))
    table.index = subjects_of(seed, patients)
    outcome, log_odds = fracture, _log_odds(table, events / patients)
    text = "two groups: independent normal scores with the published means and SDs"
    if not signal:
        outcome = np.random.default_rng([seed, 169]).permutation(fracture)
        log_odds, text = 0 * log_odds + _logit(events / patients), "none: nothing matters"
    first = pd.DataFrame({"synthetic": SYNTHETIC, _OUTCOME: outcome.astype(float)}, table.index)
    table = pd.concat([first, table], axis=1)
    columns = {title: Column(title, title, "" if title == "synthetic" else _UNITS.get(title, "1")) for title in table}
    absent = {(key, "femoral_neck_bmd"): "not examined" for key in table.index[table["femoral_neck_bmd"].isna()]}
    clinical = tuple(table.columns[2:])
    truth = Truth(MappingProxyType({}), _logit(events / patients), log_odds, expit(log_odds), text)
    sources = MappingProxyType(dict.fromkeys(clinical, HUANG))
    return SyntheticCohort("vbq", Cohort(table, columns, absent), _OUTCOME, clinical, (), truth, sources=sources)


def _scores(seed: int, fracture: np.ndarray) -> pd.DataFrame:
    larger = int(max(fracture.sum(), (~fracture).sum()))
    drawn = pd.DataFrame(synthetic_vbq_cohort(seed, larger))[list(published_groups())]
    return pd.concat([drawn[:larger][: fracture.sum()], drawn[larger:][: (~fracture).sum()]], ignore_index=True)


def _clinical(rng: np.random.Generator, fracture: np.ndarray) -> dict[str, np.ndarray]:
    """Return age and sex, alike in both groups, and body mass and bone density, which are not."""
    n, group = fracture.size, np.where(fracture, 0, 1)
    male = np.concatenate([rng.permutation(m) < round(_MALE * m) for m in (fracture.sum(), n - fracture.sum())])
    bmi = np.array(_BMI)[group]
    neck = np.array(_NECK)[group]
    density = neck[:, 0] + neck[:, 1] * rng.standard_normal(n)
    return {
        "age": np.clip(_AGE[0] + _AGE[1] * rng.standard_normal(n), 50, 95),
        "sex_male": male.astype(float),
        "bmi": np.clip(bmi[:, 0] + bmi[:, 1] * rng.standard_normal(n), 14, 45),
        "femoral_neck_bmd": np.where(rng.random(n) < neck[:, 2], density, np.nan),
    }


def _log_odds(table: pd.DataFrame, share: float) -> pd.Series:
    found = pd.Series(_logit(share), table.index)
    for name, (with_it, without) in published_groups().items():
        found += norm.logpdf(table[name], *with_it) - norm.logpdf(table[name], *without)
    return found


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))
