"""Random numbers of synthetic cohorts: correlated features, bounded variables, a fixed number of events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .synthetic_rules import Clinical, Rule, Shape

# Shares of a feature's variance: common to its image type and class, common to its class in all images, its own.
_BLOCK, _FAMILY, _OWN = 0.5, 0.2, 0.3
_SKEWED = 0.35  # share of features that are not normal
_LOG_SD = 0.9  # of those: skewness about 4.6, beyond what a z-score is for


@dataclass(frozen=True, eq=False)
class Structure:
    """How the features of one study are distributed: the same for every seed, so that cohorts can be compared.

    Parameters
    ----------
    columns : tuple of str
        ``<compartment>_…<image>_<class>_<name>``.
    block, family : ndarray of int, shape (features,)
        Which features have a variable in common: those of one image type and class, and of one class in all images.
    sign : ndarray, shape (features,)
        1 or -1, for what is in common.
    center, scale : ndarray, shape (features,)
    skewed : ndarray of bool, shape (features,)
        These are lognormal; the others normal.
    concordance : ndarray, shape (features,)
        Lin's coefficient between two readers in an endless population.
    """

    columns: tuple[str, ...]
    block: np.ndarray
    family: np.ndarray
    sign: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    skewed: np.ndarray
    concordance: np.ndarray

    def draw(self, rng: np.random.Generator, patients: int) -> np.ndarray:
        """Return standard normal variables, correlated, shape (patients, features)."""
        common = np.sqrt(_BLOCK) * _common(rng, patients, self.block)
        common += np.sqrt(_FAMILY) * _common(rng, patients, self.family)
        return self.sign * common + np.sqrt(_OWN) * rng.standard_normal(common.shape)

    def values(self, z: np.ndarray) -> np.ndarray:
        """Return the features of standard normal `z`: normal, or the exponential of it."""
        return self.center + self.scale * np.where(self.skewed, np.exp(_LOG_SD * z), z)

    def another_reader(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        """Return another reader's features of the patients `z`, equally distributed, with the `concordance`.

        That of two lognormal variables of log-SD s is (exp(s²r) - 1) / (exp(s²) - 1), with r the correlation of the
        logarithms, by their first two moments.
        """
        growth = np.expm1(_LOG_SD**2)
        r = np.where(self.skewed, np.log1p(self.concordance * growth) / _LOG_SD**2, self.concordance)
        return self.values(r * z + np.sqrt(1 - r**2) * rng.standard_normal(z.shape))

    def coefficients(self, weights: Mapping[str, float], sd: float) -> dict[str, float]:
        """Return `weights` times what gives their sum over the patients' `z` the standard deviation `sd`."""
        weight = np.array([weights.get(name, 0.0) for name in self.columns])
        variance = _OWN * float(weight @ weight)
        for share, member in ((_BLOCK, self.block), (_FAMILY, self.family)):
            variance += share * float((np.bincount(member, weight * self.sign) ** 2).sum())
        return {name: value * sd / variance**0.5 for name, value in weights.items()}


def structure_of(rule: Rule, columns: Sequence[str]) -> Structure:
    """Return the one structure of a study; its rule's own features are normal and reproducible."""
    rng, n = np.random.default_rng([rule.patients, len(columns)]), len(columns)
    named = np.isin(columns, list(rule.weights))
    scale = 10 ** rng.uniform(-2, 3, n)
    order = np.argsort(rng.random(n) - named)  # the named ones first
    good = np.empty(n, dtype=bool)
    good[order] = np.arange(n) < round(rule.reproducible * n)
    families = [f"{column.partition('_')[0]}_{column.rsplit('_', 2)[1]}" for column in columns]
    return Structure(
        columns=tuple(columns),
        block=_numbers([column.rsplit("_", 1)[0] for column in columns]),
        family=_numbers(families),
        sign=rng.choice([-1.0, 1.0], size=n),
        center=scale * rng.uniform(0, 8, n),
        scale=scale,
        skewed=(rng.random(n) < _SKEWED) & ~named,
        concordance=np.where(good, rng.uniform(0.87, 0.99, n), rng.uniform(0.3, 0.83, n)),
    )


def _numbers(groups: Sequence[str]) -> np.ndarray:
    return np.unique(groups, return_inverse=True)[1]


def _common(rng: np.random.Generator, patients: int, member: np.ndarray) -> np.ndarray:
    """Return one standard normal variable a group, repeated for its members."""
    return rng.standard_normal((patients, member.max() + 1))[:, member]


def draw_clinical(rng: np.random.Generator, variable: Clinical, image: np.ndarray) -> np.ndarray:
    """Draw one clinical column; `image` is the image features' part of the log-odds in units of its SD."""
    if variable.shape is Shape.BINARY:
        ones = round(variable.center * image.size)
        return rng.permutation(np.arange(image.size) < ones).astype(float)
    mean = -variable.follows * image
    own = np.sqrt(1 - variable.follows**2)
    value = _shaped(variable, mean + own * rng.standard_normal(image.size))
    while (outside := (value < variable.bounds[0]) | (value > variable.bounds[1])).any():
        again = mean[outside] + own * rng.standard_normal(int(outside.sum()))
        value[outside] = _shaped(variable, again)
    return value


def _shaped(variable: Clinical, z: np.ndarray) -> np.ndarray:
    if variable.shape is Shape.LOGNORMAL:
        return variable.center * np.exp(variable.spread * z)
    return variable.center + variable.spread * z


def draw_events(rng: np.random.Generator, log_odds: np.ndarray, events: int) -> np.ndarray:
    """Draw independent outcomes of these log-odds, given that there are exactly `events`.

    One patient after the other: the probability of an event, given how many are left for those to come, is a quotient
    of elementary symmetric polynomials of the odds.

    Returns
    -------
    ndarray of int, shape (patients,)
        0 and 1.
    """
    to_come = _polynomials(log_odds, events)
    outcome, left = np.zeros(log_odds.size, dtype=int), events
    for patient, uniform in enumerate(rng.random(log_odds.size)):
        if not left:
            break
        with_event = log_odds[patient] + to_come[patient + 1][left - 1] - to_come[patient][left]
        if uniform < np.exp(with_event):
            outcome[patient], left = 1, left - 1
    return outcome


def _polynomials(log_odds: np.ndarray, events: int) -> np.ndarray:
    """Return logarithms: row i, column k of the sum over all k-subsets of patients i… of the product of their odds."""
    found = np.full((log_odds.size + 1, events + 1), -np.inf)
    found[:, 0] = 0.0
    for patient in range(log_odds.size - 1, -1, -1):
        later = found[patient + 1]
        found[patient, 1:] = np.logaddexp(later[1:], log_odds[patient] + later[:-1])
    return found
