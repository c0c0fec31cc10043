"""Synthetic cohorts: the papers' sizes, outcomes by the rule that is returned, nothing where nothing is asked for."""

import math

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.card import Statistic
from OVFRiskLib.phantom.outcome import intercept_for
from OVFRiskLib.radiomics import Protocol
from OVFRiskLib.study.synthetic import NAMES, synthetic_cohort
from OVFRiskLib.study.synthetic_draw import draw_events
from scipy.stats import norm, ttest_ind
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

# patients, events, features: the abstracts of Che, Ge, Liu (its events are assumed), Huang.
SIZES = {
    "fracture-risk": (240, 80, 2 * 1223),
    "residual-back-pain": (856, 102, 1223),
    "malignant-fracture": (208, 104, 1316),
    "vbq": (168, 84, 0),
}
RADIOMICS = ("fracture-risk", "residual-back-pain", "malignant-fracture")


@pytest.fixture(scope="module", params=NAMES)
def drawn(request):
    return synthetic_cohort(request.param, 3)


@pytest.fixture(scope="module")
def back_pain():
    return synthetic_cohort("residual-back-pain", 3)


def test_sizes_are_the_papers(drawn):
    patients, events, features = SIZES[drawn.name]
    table = drawn.cohort.table
    assert (len(table), table[drawn.outcome].sum(), len(drawn.features)) == (patients, events, features)
    assert set(table[drawn.outcome]) == {0.0, 1.0}


def test_each_row_says_that_it_is_synthetic(drawn):
    assert drawn.cohort.table["synthetic"].str.startswith("SYNTHETIC").all()
    assert drawn.cohort.table.index.str.startswith("synthetic-3-").all()


def test_one_seed_one_cohort(drawn):
    again, other = synthetic_cohort(drawn.name, 3), synthetic_cohort(drawn.name, 4)
    pd.testing.assert_frame_equal(drawn.cohort.table, again.cohort.table, check_exact=True)
    number = drawn.clinical[0]
    assert not np.allclose(drawn.cohort.table[number], other.cohort.table[number])
    assert (
        not np.array_equal(drawn.cohort.table[drawn.outcome], other.cohort.table[drawn.outcome]) or drawn.name == "vbq"
    )


def test_only_bone_density_that_was_not_measured_is_missing(drawn):
    table = drawn.cohort.table.drop(columns="femoral_neck_bmd", errors="ignore")
    assert not table.isna().any(axis=None)


@pytest.mark.parametrize("name", RADIOMICS)
def test_columns_become_inputs_of_a_card(name):
    drawn = synthetic_cohort(name, 1, patients=30)
    protocol = Protocol.load(name)
    found = [drawn.cohort.columns[title].input() for title in drawn.features]
    assert {each.protocol_id for each in found} == {protocol.id}
    assert [each.name for each in found][: len(protocol.feature_names)] == list(protocol.feature_names)
    if name == "fracture-risk":
        first = found[-1]
        assert first.title == f"cancellous_mean_{first.name}"
        assert (first.levels, first.statistic) == (VertebralLevel.span("T11-L2"), Statistic.MEAN)
    ages = drawn.cohort.columns["age"].input(drawn.cohort.table["age"])
    assert (ages.name, ages.unit) == ("age", "a")


@pytest.mark.parametrize("name", RADIOMICS)
def test_log_odds_are_the_returned_terms(name):
    drawn = synthetic_cohort(name, 8)
    table, total = drawn.cohort.table, drawn.truth.intercept
    for column, term in drawn.truth.terms.items():
        value = table[column].map(math.log) if term.log else table[column]
        total = total + term.coefficient * (value - term.center) / term.scale
    assert np.allclose(total, drawn.truth.log_odds)
    assert np.allclose(drawn.truth.probability, 1 / (1 + np.exp(-total)))
    assert drawn.truth.probability.sum() == pytest.approx(SIZES[name][1])


def test_a_regression_on_the_rule_s_columns_finds_its_coefficients():
    """Of 6,000 patients; maximum likelihood's own standard errors, four of them allowed."""
    drawn = synthetic_cohort("malignant-fracture", 2, patients=6_000, events=1_800, repeated=0)
    terms = drawn.truth.terms
    x = np.column_stack(
        [
            ((drawn.cohort.table[c].map(math.log) if t.log else drawn.cohort.table[c]) - t.center) / t.scale
            for c, t in terms.items()
        ]
    )
    model = LogisticRegression(C=np.inf).fit(x, drawn.cohort.table[drawn.outcome])
    probability = model.predict_proba(x)[:, 1]
    design = np.column_stack([np.ones(len(x)), x])
    error = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * (probability * (1 - probability))[:, None]))))[1:]
    true = np.array([term.coefficient for term in terms.values()])
    assert (np.abs(model.coef_[0] - true) < 4 * error).all()
    assert error.max() < 0.1


def test_another_seed_has_the_same_rule():
    one, two = (synthetic_cohort("fracture-risk", seed).truth.terms for seed in (1, 2))
    assert dict(one) == dict(two)


def test_vbmd_predicts_but_adds_nothing():
    """Che et al.: AUC of vBMD 0.752 and 0.735, no significant gain over the features."""
    scores = []
    for seed in range(8):
        drawn = synthetic_cohort("fracture-risk", seed)
        table = drawn.cohort.table
        scores.append(roc_auc_score(table["fracture"], -table["cancellous_mean_vbmd"]))
        assert "cancellous_mean_vbmd" not in drawn.truth.terms
    assert 0.70 < np.mean(scores) < 0.79


@pytest.mark.parametrize(
    ("name", "published"), [("fracture-risk", 0.840), ("residual-back-pain", 0.927), ("malignant-fracture", 0.846)]
)
def test_the_rule_orders_patients_at_least_as_well_as_the_published_models(name, published):
    scores = []
    for seed in range(5):
        drawn = synthetic_cohort(name, seed, repeated=0)
        scores.append(roc_auc_score(drawn.cohort.table[drawn.outcome], drawn.truth.log_odds))
    assert published - 0.01 < np.mean(scores) < published + 0.06


@pytest.mark.parametrize("name", NAMES)
def test_without_signal_nothing_is_associated(name):
    """P values of all columns are uniform: the share below 0.05 is 5 %, but for what correlated features vary."""
    shares = []
    for seed in range(6):
        drawn = synthetic_cohort(name, seed, signal=False, repeated=0)
        table = drawn.cohort.table
        with_event = table[drawn.outcome] == 1
        assert drawn.truth.probability.nunique() == 1
        assert dict(drawn.truth.terms) == {}
        numbers = table[[*drawn.clinical, *drawn.features]].rank()
        shares.append((ttest_ind(numbers[with_event], numbers[~with_event], nan_policy="omit").pvalue < 0.05).mean())
    assert 0.0 <= np.mean(shares) < 0.12


def test_features_of_one_block_go_together(back_pain):
    z = back_pain.cohort.table[list(back_pain.features)].rank().to_numpy()
    correlation = np.abs(np.corrcoef(z.T))
    block = np.array([name.rsplit("_", 1)[0] for name in back_pain.features])
    family = np.array([name.rsplit("_", 2)[1] for name in back_pain.features])
    same = block[:, None] == block
    within = correlation[same & ~np.eye(len(block), dtype=bool)]
    assert 0.55 < np.median(within) < 0.75
    assert 0.1 < np.median(correlation[~same & (family[:, None] == family)]) < 0.3
    assert np.median(correlation[family[:, None] != family]) < 0.05


def test_a_third_of_the_features_is_skewed(back_pain):
    skewness = back_pain.cohort.table[list(back_pain.features)].skew()
    assert 0.25 < (skewness > 1.5).mean() < 0.45
    assert (skewness[[c for c in back_pain.truth.terms if c in skewness]].abs() < 0.5).all()


def test_two_readers_agree_as_said():
    drawn = synthetic_cohort("residual-back-pain", 1, patients=6000, events=700, repeated=6000)
    first, second = (one.to_numpy() for one in drawn.repeats)
    covariance = ((first - first.mean(0)) * (second - second.mean(0))).mean(0)
    lin = 2 * covariance / (first.var(0) + second.var(0) + (first.mean(0) - second.mean(0)) ** 2)
    assert np.median(np.abs(lin - drawn.concordance)) < 0.01
    assert np.abs(lin - drawn.concordance).max() < 0.25  # lognormal ones vary
    assert (drawn.concordance >= 0.85).sum() == 940  # Ge et al.
    assert (drawn.concordance[[c for c in drawn.truth.terms if c in drawn.concordance]] > 0.85).all()


def test_repeats_are_of_patients_of_the_cohort(back_pain):
    first, second = back_pain.repeats
    assert len(first) == 60
    pd.testing.assert_frame_equal(first, back_pain.cohort.table.loc[first.index, list(back_pain.features)])
    assert list(second.index) == list(first.index)


def test_scanners_shift_features_and_nothing_else():
    plain, shifted = (synthetic_cohort("malignant-fracture", 5, scanner_effect=effect) for effect in (0.0, 2.0))
    own = [title for title in plain.cohort.table if title not in plain.features]
    pd.testing.assert_frame_equal(plain.cohort.table[own], shifted.cohort.table[own])
    features = plain.cohort.table[list(plain.features)]
    normal = [name for name in features if abs(features[name].skew()) < 0.5]
    moved = (shifted.cohort.table[normal] - features[normal]) / features[normal].std()
    for _, patients in moved.groupby(plain.cohort.table["scanner"]):
        assert patients.mean().std() == pytest.approx(2.0, rel=0.15)  # over the features, as asked for
    assert (shifted.repeats[1].to_numpy() != plain.repeats[1].to_numpy()).all()


def test_vbq_has_the_published_groups():
    """Huang et al., Table 1: means and SDs with and without fracture, of 20,000 patients each."""
    drawn = synthetic_cohort("vbq", 1, patients=40_000, events=20_000)
    table = drawn.cohort.table
    published = {
        "vbq_t1": (4.400, 0.603, 4.100, 0.589),
        "vbq_t2": (0.601, 0.076, 0.548, 0.075),
        "bmi": (24.39, 4.31, 25.12, 4.92),
    }
    for name, (mean, sd, other, other_sd) in published.items():
        groups = table.groupby("fracture")[name]
        assert groups.mean().to_dict() == pytest.approx({1.0: mean, 0.0: other}, rel=0.005)
        assert groups.std().to_dict() == pytest.approx({1.0: sd, 0.0: other_sd}, rel=0.02)
    assert roc_auc_score(table["fracture"], table["vbq_t2"]) == pytest.approx(
        norm.cdf(0.053 / math.hypot(0.076, 0.075)), abs=0.01
    )
    assert table["sex_male"].mean() == pytest.approx(15 / 84, abs=0.001)
    assert table.groupby("fracture")["femoral_neck_bmd"].count().to_dict() == pytest.approx(
        {1.0: 20_000 * 34 / 84, 0.0: 20_000 * 31 / 84}, rel=0.03
    )


def test_missing_bone_density_has_its_reason():
    drawn = synthetic_cohort("vbq", 1)
    missing = drawn.cohort.table.index[drawn.cohort.table["femoral_neck_bmd"].isna()]
    assert len(missing) > 50
    assert {drawn.cohort.reason(key, "femoral_neck_bmd") for key in missing} == {"not examined"}


def test_what_is_assumed_is_said():
    sources = synthetic_cohort("residual-back-pain", 1, patients=20).sources
    assert set(sources.values()) == {"assumed"}  # Ge's Table 1 is not in what we have read
    assert "Che" in synthetic_cohort("fracture-risk", 1, patients=20).sources["sex_male"]
    assert set(sources) == set(synthetic_cohort("residual-back-pain", 1, patients=20).clinical)


def test_the_number_of_events_is_given_and_their_share_follows_the_odds():
    """Three patients with odds 1, 2, 6 and two events: each pair's share is its product of odds over 2 + 6 + 12."""
    odds, rng = np.log([1.0, 2.0, 6.0]), np.random.default_rng(0)
    pairs = [tuple(np.flatnonzero(draw_events(rng, odds, 2))) for _ in range(20_000)]
    shares = [pairs.count(pair) / len(pairs) for pair in ((0, 1), (0, 2), (1, 2))]
    assert shares == pytest.approx([2 / 20, 6 / 20, 12 / 20], abs=0.015)


def test_the_intercept_gives_the_expected_events():
    odds = np.array([-50.0, 0.0, 3.0, 40.0])
    assert (1 / (1 + np.exp(-(odds + intercept_for(odds, 2))))).sum() == pytest.approx(2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "scoliosis"}, "scoliosis"),
        ({"name": "vbq", "patients": 10, "events": 10}, "10 events among 10"),
        ({"name": "fracture-risk", "patients": 1}, "0 events among 1"),
    ],
)
def test_impossible_cohorts_are_refused(arguments, says):
    with pytest.raises(UserError, match=says):
        synthetic_cohort(seed=1, **arguments)
