"""Do two groups differ in one variable? Normality, the fitting test, and the standardised difference."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy import stats
from scipy.special import gammaln

from ...errors import UserError

SHAPIRO_MOST = 5000  # scipy.stats.shapiro: "For N > 5000 the W test statistic is accurate, but the p-value may not be"
LARGE = 300  # from here on the note says that a small departure is enough to reject
_TABLES_MOST = 2_000_000
_EXACT_BELOW = 50  # R's wilcox.test: exact when both groups are smaller and there are no ties
_TIE = 1 + 1e-7  # R's fisher.test takes tables as likely as the observed one within this


class Variances(StrEnum):
    """What the t test takes of the groups' variances."""

    EQUAL = "equal"  # Student's
    UNEQUAL = "unequal"  # Welch's
    TESTED = "tested"  # Student's; where Levene's test rejects equal variances, Mann-Whitney (Huang et al.)


@dataclass(frozen=True)
class Normality:
    """Whether a variable is taken as normally distributed.

    Parameters
    ----------
    normal : bool
    p : tuple of (float or None)
        Shapiro–Wilk, a group each; None where it does not apply.
    note : str
    """

    normal: bool
    p: tuple[float | None, ...]
    note: str = ""


@dataclass(frozen=True)
class Test:
    """A test's result, or why there is none.

    Parameters
    ----------
    name : str
    statistic : float or None
        t, U, chi-square; Fisher's test has none.
    p : float or None
        Two-sided.
    df : float or None
    note : str
        How it was chosen; why there is no `p`.
    """

    __test__ = False  # no test of pytest

    name: str
    statistic: float | None = None
    p: float | None = None
    df: float | None = None
    note: str = ""


def normality(groups: tuple[np.ndarray, ...], alpha: float = 0.05) -> Normality:
    """Test each group by Shapiro–Wilk; normal where none is rejected at `alpha`.

    Groups of fewer than 3, without variation, or of more than 5,000 (where the test has no reliable P value) count as
    not normal, so that nothing rests on a shape that nobody checked.
    """
    found: list[float | None] = []
    notes: dict[str, None] = {}
    for values in groups:
        if not 3 <= len(values) <= SHAPIRO_MOST:
            found.append(None)
            notes[f"n = {len(values)}: Shapiro–Wilk does not apply, taken as not normal"] = None
        elif np.ptp(values) == 0:
            found.append(None)
            notes["all values of a group are equal: not normal"] = None
        else:
            found.append(float(stats.shapiro(values).pvalue))
            if len(values) >= LARGE and found[-1] < alpha:
                skew, kurtosis = stats.skew(values), stats.kurtosis(values)
                shape = f"skewness {skew:.2f}, excess kurtosis {kurtosis:.2f}"
                notes[f"n = {len(values)}: a small departure is enough to reject ({shape})"] = None
    return Normality(all(p is not None and p >= alpha for p in found), tuple(found), "; ".join(notes))


def difference(a: np.ndarray, b: np.ndarray, normal: bool, variances: Variances = Variances.EQUAL) -> Test:
    """Compare a numeric variable: t test where it is normal, else Mann–Whitney."""
    if min(len(a), len(b)) < 2:
        return Test("", note=f"groups of {len(a)} and {len(b)} are too small")
    if np.ptp(np.concatenate([a, b])) == 0:
        return Test("", note="all values are equal")
    if normal and np.ptp(a) == 0 and np.ptp(b) == 0:
        return Test("", note="nothing varies within the groups")
    variances = Variances(variances)
    if normal and variances is Variances.TESTED:
        levene = float(stats.levene(a, b, center="mean").pvalue)
        if levene < 0.05:
            return replace(_mann_whitney(a, b), note=f"Levene's test: P = {levene:.3g}")
    if not normal:
        return _mann_whitney(a, b)
    welch = variances is Variances.UNEQUAL
    found = stats.ttest_ind(a, b, equal_var=not welch)
    return Test("Welch's t test" if welch else "t test", float(found.statistic), float(found.pvalue), float(found.df))


def _mann_whitney(a: np.ndarray, b: np.ndarray) -> Test:
    both = np.concatenate([a, b])
    exact = max(len(a), len(b)) < _EXACT_BELOW and len(np.unique(both)) == len(both)
    found = stats.mannwhitneyu(a, b, method="exact" if exact else "asymptotic")
    return Test("Mann–Whitney U test", float(found.statistic), float(found.pvalue), note="exact" if exact else "")


def association(counts: np.ndarray, yates: bool = False) -> Test:
    """Compare a categorical variable: Pearson's chi-square, or Fisher's exact test where counts are small.

    Small: an expected count below 1, or more than a fifth of them below 5 (so any in a 2 × 2 table).

    Parameters
    ----------
    counts : numpy.ndarray
        Categories × groups.
    yates : bool
        Correct for continuity (2 × 2 tables only).
    """
    counts = np.asarray(counts, int)
    counts = counts[counts.sum(axis=1) > 0]
    if counts.shape[1] < 2 or (counts.sum(axis=0) == 0).any():
        return Test("", note="a group is empty")
    if len(counts) < 2:
        return Test("", note="there is one category only")
    expected = stats.contingency.expected_freq(counts)
    small = bool(expected.min() < 1 or (expected < 5).mean() > 0.2)
    note = ""
    if small and counts.shape[1] == 2:
        p = fisher(counts)
        if p is not None:
            return Test("Fisher's exact test", p=p)
        note = "expected counts are small, but Fisher's exact test has too many tables"
    elif small:
        note = "expected counts are small"
    found = stats.chi2_contingency(counts, correction=yates)
    return Test("chi-square test", float(found.statistic), float(found.pvalue), float(found.dof), note)


def fisher(counts: np.ndarray) -> float | None:
    """Return the two-sided P of Fisher's exact test of an r × 2 table; None where there are too many tables.

    The sum of the probabilities of all tables with the same margins that are no likelier than the observed one, as in
    R's fisher.test. (SciPy's is exact for 2 × 2 only.)
    """
    rows, first = counts.sum(axis=1), int(counts[:, 0].sum())
    sums, logs = np.zeros(1, int), np.zeros(1)
    for n, size in enumerate(rows):
        left = int(rows[n + 1 :].sum())
        drawn = np.arange(size + 1)
        if len(sums) * len(drawn) > _TABLES_MOST * 4:
            return None
        total = (sums[:, None] + drawn).ravel()
        weight = (logs[:, None] + _log_choose(int(size), drawn)).ravel()
        possible = (total <= first) & (total + left >= first)
        sums, logs = total[possible], weight[possible]
        if len(sums) > _TABLES_MOST:
            return None
    observed = sum(float(_log_choose(int(size), got)) for size, got in zip(rows, counts[:, 0]))
    every = np.exp(logs - _log_choose(int(rows.sum()), first))
    limit = math.exp(observed - float(_log_choose(int(rows.sum()), first))) * _TIE
    return min(1.0, float(every[every <= limit].sum()))


def _log_choose(n: int, k: np.ndarray | int) -> np.ndarray:
    return gammaln(n + 1) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n + 1, k))


def standardised_difference(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return (mean a - mean b) / sqrt((var a + var b) / 2); None without variation.

    As Austin defines it, with variances of n - 1.
    """
    if min(len(a), len(b)) < 2:
        return None
    spread = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return float((a.mean() - b.mean()) / spread) if spread > 0 else None


def standardised_shares(counts: np.ndarray) -> float | None:
    """Return the standardised difference of two groups' shares; None without variation.

    Of two categories that of the second one's share, (p1 - p2) / sqrt((p1 (1 - p1) + p2 (1 - p2)) / 2) (Austin). Of
    more the distance sqrt(d' S⁻¹ d) over all but the first, S the mean of both groups' multinomial covariances, which
    has no sign.

    Parameters
    ----------
    counts : numpy.ndarray
        Categories × 2.
    """
    counts = np.asarray(counts, float)
    if counts.shape[1] != 2:
        raise ValueError("two groups")
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < 2 or (counts.sum(axis=0) == 0).any():
        return None
    shares = (counts / counts.sum(axis=0))[1:]
    apart = shares[:, 0] - shares[:, 1]
    spread = sum(np.diag(p) - np.outer(p, p) for p in shares.T) / 2
    if np.linalg.matrix_rank(spread) < len(spread):
        return None
    if len(apart) == 1:
        return float(apart[0] / math.sqrt(spread[0, 0]))
    return float(math.sqrt(apart @ np.linalg.solve(spread, apart)))


def two_groups(names: list) -> tuple:
    """Return the names of exactly two groups.

    Raises
    ------
    UserError
    """
    if len(names) != 2:
        raise UserError(
            f"There are {len(names)} groups: {', '.join(map(str, names))}.", "Choose a column that has two values."
        )
    return tuple(names)
