"""A figure with its interval, how it was computed, and on whom; or the reason why there is none."""

from dataclasses import dataclass
from math import isfinite

from scipy.stats import norm

LEVEL = 0.95  # of every interval
NORMAL_QUANTILE = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class SignificanceTest:
    """A two-sided test.

    Parameters
    ----------
    name : str
    statistic, p : float or None
        None where the test cannot be made.
    degrees : float or None
        Of freedom, where the statistic has such.
    reason : str or None
        Why there is no statistic.
    """

    name: str
    statistic: float | None
    p: float | None
    degrees: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Parameters
    ----------
    value, low, high : float or None
        None where it cannot be computed; there may be a value without an interval.
    n, events : int
        Patients that went into it, and how many of them have the event.
    method : str
        How value and interval were computed.
    reason : str or None
        Why the value or its interval is absent.
    test : SignificanceTest or None
        Of the value against no effect, where there is such a test.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    events: int
    method: str
    reason: str | None = None
    test: SignificanceTest | None = None

    def __str__(self) -> str:
        if self.value is None:
            return f"absent: {self.reason}"
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (no interval: {self.reason})"
        return f"{self.value:.3f} (95 % CI {self.low:.3f} to {self.high:.3f})"


def absent(n: int, events: int, method: str, reason: str) -> Estimate:
    """Return an estimate without a value."""
    return Estimate(None, None, None, n, events, method, reason)


def of_normal(value: float, variance: float, n: int, events: int, method: str) -> Estimate:
    """Return an estimate with value -+ 1.96 √variance and the z test of value = 0.

    A variance of zero or none gives neither: every patient says the same there, which is no proof of precision.
    """
    if not isfinite(variance) or variance <= ROUNDING:
        reason = NO_VARIANCE if isfinite(variance) else TOO_FEW
        return Estimate(value, None, None, n, events, method, reason, SignificanceTest("z", None, None, None, reason))
    width = NORMAL_QUANTILE * variance**0.5
    test = z_test(value / variance**0.5)
    return Estimate(value, value - width, value + width, n, events, method, None, test)


def z_test(z: float, name: str = "z") -> SignificanceTest:
    """Return the two-sided normal test of the statistic `z`."""
    return SignificanceTest(name, z, float(2 * norm.sf(abs(z))))


ROUNDING = 1e-26  # variances under it are rounding
NO_VARIANCE = "the variance is zero"
TOO_FEW = "fewer than two patients with the event, or fewer than two without"
