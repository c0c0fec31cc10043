"""Limits of agreement and ICC are those of R, of the publications and of a calculation by hand."""

import numpy as np
import pytest
from OVFRiskLib.vbq.agreement_statistics import bland_altman, intraclass_correlations

# Shrout and Fleiss, Psychol Bull 1979;86:420: 6 subjects, 4 judges; published: ICC(2,1) = 0.29, ICC(3,1) = 0.71.
SHROUT_FLEISS = ((9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7))
A = (4.41, 3.87, 5.02, 4.10, 3.55, 4.78, 4.26, 3.98, 5.31, 4.63)
B = (4.29, 3.95, 5.20, 4.02, 3.61, 4.60, 4.31, 3.80, 5.18, 4.77)
# R 4.2.2 with psych 2.2.9 computed R_ICC and R_LIMITS by these lines; m is the 6 x 4 table, cbind(a, b) and
# cbind(a, b + 0.4). lmer = FALSE: from mean squares, as published.
R_LINES = """
r <- psych::ICC(m, lmer = FALSE)$results[2:3, c("ICC", "lower bound", "upper bound")]; print(r, digits = 12)
d <- 100 * (a - b) / ((a + b) / 2); n <- 10; t <- qt(.975, n - 1); s <- sd(d)
lo <- mean(d) - 1.96 * s; up <- mean(d) + 1.96 * s
eb <- t * s / sqrt(n); el <- t * s * sqrt(1 / n + 1.96^2 / (2 * (n - 1)))
print(c(mean(d), s, lo, up, mean(d) - eb, mean(d) + eb, lo - el, lo + el, up - el, up + el), digits = 14)
"""
R_ICC = (
    (
        SHROUT_FLEISS,
        (0.289763779528, 0.0187865133747, 0.761084369649),
        (0.714840714841, 0.342464765034, 0.945858259955),
    ),
    (
        np.column_stack([A, B]),
        (0.972443456834, 0.895317445888, 0.993053504708),
        (0.970049563802, 0.884646934070, 0.992476048829),
    ),
    (
        np.column_stack([A, np.add(B, 0.4)]),
        (0.784068331796, -0.042242492881, 0.960596264152),
        (0.970049563802, 0.884646934070, 0.992476048829),
    ),
)
R_LIMITS = {
    "bias": 0.42827145899681,
    "sd": 3.01073207540223,
    "lower": -5.47276340879157,
    "upper": 6.32930632678518,
    "bias_ci": (-1.7254765231696, 2.5820194411632),
    "lower_ci": (-9.2857016968416, -1.6598251207415),
    "upper_ci": (2.5163680387351, 10.1422446148352),
}


@pytest.mark.parametrize(("ratings", "random", "fixed"), R_ICC)
def test_icc_is_r_s(ratings, random, fixed):
    for ours, theirs in zip(intraclass_correlations(np.array(ratings)), (random, fixed)):
        assert (ours.value, *ours.ci) == pytest.approx(theirs, abs=1e-6)


def test_icc_is_the_published_one_and_from_mean_squares():
    random, fixed = intraclass_correlations(np.array(SHROUT_FLEISS))
    assert (round(random.value, 2), round(fixed.value, 2)) == (0.29, 0.71)
    bms, jms, ems = 11.24, 32.49, 1.02  # mean squares of subjects, judges and error, by hand
    assert random.value == pytest.approx((bms - ems) / (bms + 3 * ems + 4 * (jms - ems) / 6), abs=0.002)
    assert fixed.value == pytest.approx((bms - ems) / (bms + 3 * ems), abs=0.002)


def test_pingouin_keeps_its_own_options():
    pingouin = pytest.importorskip("pingouin")
    before = dict(pingouin.options)
    intraclass_correlations(np.array(SHROUT_FLEISS))
    assert dict(pingouin.options) == before


@pytest.mark.parametrize("name", R_LIMITS)
def test_limits_are_r_s(name):
    assert getattr(bland_altman(np.array(A), np.array(B)), name) == pytest.approx(R_LIMITS[name], abs=1e-6)


def test_limits_by_hand():
    found = bland_altman(np.array([110.0, 100.0, 90.0]), np.array([90.0, 100.0, 110.0]))
    assert found.percent == pytest.approx((20, 0, -20))
    assert found.means == pytest.approx((100, 100, 100))
    assert (found.bias, found.sd, found.lower, found.upper) == pytest.approx((0, 20, -39.2, 39.2))
    t = 4.30265273  # 97.5 % of Student's t with 2 degrees of freedom, from tables
    assert found.bias_ci[1] == pytest.approx(t * 20 / 3**0.5)
    assert found.upper_ci[1] - 39.2 == pytest.approx(t * 20 * (1 / 3 + 1.96**2 / 4) ** 0.5)
    assert (found.accepted, found.share_within) == (False, pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ([[1, 2], [2, 3]], "2 subjects, fewer than 3"),
        ([[1, 2], [2, 1], [1.5, 1.5]], "subjects do not differ"),
        ([[1, 1], [2, 2], [3, 3]], "the same in every subject"),
        ([[1, 2], [2, 3], [3, 4]], "differ alike"),
        ([[1, 2], [2, 3], [3, float("nan")]], "not finite"),
    ],
)
def test_no_icc_where_there_is_nothing_to_compare(ratings, said):
    with pytest.raises(ValueError, match=said):
        intraclass_correlations(np.array(ratings, dtype=float))


def test_no_percent_of_a_mean_that_is_not_positive():
    with pytest.raises(ValueError, match="not positive"):
        bland_altman(np.array([1.0, 2.0, -3.0]), np.array([1.0, 2.0, 3.0]))
