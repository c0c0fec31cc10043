"""How far paired readings agree: limits of agreement of the percent difference, and intraclass correlation.

Bland and Altman, Measuring agreement in method comparison studies, Stat Methods Med Res 1999;8:135-160; Shrout and
Fleiss, Intraclass correlations, Psychol Bull 1979;86:420-428.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from ..errors import import_optional

FEWEST_PAIRS = 3
ACCEPTED_PERCENT = 10.0  # Huang et al., Global Spine J 2025: differences under 10 % count as consistent
_LIMIT = 1.96  # SDs about the bias that hold 95 % of normal differences
_SAME = 1e-9  # relative: differences under it are rounding
Interval = tuple[float, float]


@dataclass(frozen=True)
class BlandAltman:
    """Limits of agreement of the percent differences 100 (a - b) / ((a + b) / 2).

    Parameters
    ----------
    means : tuple of float
        (a + b) / 2 of each pair, in the unit of the quantity.
    percent : tuple of float
        Percent difference of each pair.
    bias, sd : float
        Mean and sample SD of the percent differences.
    lower, upper : float
        Limits of agreement, bias -+ 1.96 SD, percent.
    bias_ci, lower_ci, upper_ci : tuple of two floats
        95 % confidence intervals, percent.
    """

    means: tuple[float, ...]
    percent: tuple[float, ...]
    bias: float
    sd: float
    lower: float
    upper: float
    bias_ci: Interval
    lower_ci: Interval
    upper_ci: Interval

    @property
    def accepted(self) -> bool:
        """Whether both limits lie within 10 %."""
        return -ACCEPTED_PERCENT <= self.lower and self.upper <= ACCEPTED_PERCENT

    @property
    def share_within(self) -> float:
        """Share of pairs that differ by no more than 10 %, 0 to 1."""
        return float(np.mean(np.abs(self.percent) <= ACCEPTED_PERCENT))


@dataclass(frozen=True)
class Icc:
    """An intraclass correlation with its 95 % confidence interval."""

    value: float
    ci: Interval


def bland_altman(a: np.ndarray, b: np.ndarray) -> BlandAltman:
    """Return the limits of agreement of the percent difference of paired readings.

    The standard error of the bias is s / sqrt(n), that of a limit s sqrt(1 / n + 1.96² / (2 (n - 1))); both intervals
    use Student's t with n - 1 degrees of freedom.

    Parameters
    ----------
    a, b : ndarray, shape (n,)
        First and second readings of the same n subjects, all positive; n is at least 3.

    Raises
    ------
    ValueError
        When there are too few pairs or a mean is not positive: there is no percent difference then.
    """
    from scipy.stats import t

    a, b = _paired(np.column_stack([a, b])).T
    means = (a + b) / 2
    if np.any(means <= 0):
        raise ValueError("a mean is not positive: there is no percent difference")
    percent = 100 * (a - b) / means
    n, bias, sd = len(percent), float(percent.mean()), float(percent.std(ddof=1))
    quantile = float(t.ppf(0.975, n - 1))
    of_bias = quantile * sd / np.sqrt(n)
    of_limit = quantile * sd * np.sqrt(1 / n + _LIMIT**2 / (2 * (n - 1)))
    lower, upper = bias - _LIMIT * sd, bias + _LIMIT * sd
    return BlandAltman(
        tuple(means.tolist()),
        tuple(percent.tolist()),
        bias,
        sd,
        lower,
        upper,
        _around(bias, of_bias),
        _around(lower, of_limit),
        _around(upper, of_limit),
    )


def intraclass_correlations(ratings: np.ndarray) -> tuple[Icc, Icc]:
    """Return ICC(2,1), absolute agreement, and ICC(3,1), consistency, of single readings, by pingouin.

    Parameters
    ----------
    ratings : ndarray, shape (n, k)
        n subjects, each read k times; n is at least 3.

    Raises
    ------
    ValueError
        When there are too few subjects, or nothing is left of the variance that ICC compares.
    UserError
        When pingouin is missing.
    """
    pingouin = import_optional("pingouin", "Observer agreement")
    pandas = import_optional("pandas", "Observer agreement")
    ratings = _varied(_paired(ratings))
    subject, reading = np.indices(ratings.shape)
    table = {"subject": subject.ravel(), "reading": reading.ravel(), "value": ratings.ravel()}
    with _unrounded(pingouin):
        found = pingouin.intraclass_corr(pandas.DataFrame(table), "subject", "reading", "value")
    interval = next(column for column in found.columns if column.startswith("CI95"))
    random, fixed = (_icc(found.iloc[row]["ICC"], found.iloc[row][interval]) for row in (1, 2))
    return random, fixed


def _icc(value: float, ci: np.ndarray) -> Icc:
    if not np.all(np.isfinite([value, *ci])):
        raise ValueError("the intraclass correlation is not finite")
    return Icc(float(value), (float(ci[0]), float(ci[1])))


def _paired(ratings: np.ndarray) -> np.ndarray:
    ratings = np.asarray(ratings, dtype=float)
    if len(ratings) < FEWEST_PAIRS:
        raise ValueError(f"{len(ratings)} subjects, fewer than {FEWEST_PAIRS}")
    if not np.all(np.isfinite(ratings)):
        raise ValueError("a reading is not finite")
    return ratings


def _varied(ratings: np.ndarray) -> np.ndarray:
    """Return the ratings, or raise a ValueError where a mean square that ICC divides by is zero."""
    scale = np.abs(ratings).max() * _SAME
    subjects, readings = ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
    if np.ptp(subjects) <= scale:
        raise ValueError("the subjects do not differ: no intraclass correlation")
    if np.ptp(ratings, axis=1).max() <= scale:
        raise ValueError("the readings are the same in every subject: no error to compare an ICC with")
    if np.abs(ratings - subjects - readings + ratings.mean()).max() <= scale:
        raise ValueError(
            "the readings differ alike in every subject: no random error that an ICC could be compared with"
        )
    return ratings


@contextmanager
def _unrounded(pingouin: ModuleType) -> Iterator[None]:
    """Pingouin rounds confidence intervals to two digits unless its options say otherwise."""
    before = dict(pingouin.options)
    for name in [name for name in before if name.startswith("round.")]:
        del pingouin.options[name]
    try:
        yield
    finally:
        pingouin.options.clear()
        pingouin.options.update(before)


def _around(value: float, half: float) -> Interval:
    return float(value - half), float(value + half)
