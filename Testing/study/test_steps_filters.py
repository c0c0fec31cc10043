"""Scaling, reproducibility, correlation, mRMR and components, against other packages and by hand."""

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.study.steps import MRMR, AdaptiveScaler, ComponentCheck, CorrelationFilter, ReproducibilityFilter
from OVFRiskLib.study.steps.mrmr import mutual_information, three_states
from sklearn.decomposition import PCA
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.preprocessing import RobustScaler, StandardScaler

from .steps_in_r import tables


def shapes() -> pd.DataFrame:
    random = np.random.default_rng(1)
    normal = random.normal(50, 4, 400)
    outlying = np.where(np.arange(400) < 50, random.uniform(80, 90, 400), normal)  # 12.5 % beyond the fences
    return pd.DataFrame(
        {
            "normal": normal,
            "skewed": random.lognormal(0, 1.2, 400),
            "negative": -random.lognormal(0, 1.2, 400),
            "heavy": random.standard_t(2, 400),
            "outlying": outlying,
            "still": 7.0,
            "rare": (np.arange(400) < 20).astype(float),  # the middle half is one value
        }
    )


def test_scaling_is_by_the_shape_of_the_distribution():
    x = shapes()
    scaler = AdaptiveScaler().set_output(transform="pandas").fit(x)
    methods = ["z-score", "robust", "robust", "robust", "robust", "none", "z-score"]
    assert scaler.table_["method"].tolist() == methods
    assert scaler.table_.loc["outlying", ["skewness", "kurtosis"]].abs().max() < 2.5  # it is the outliers that tell
    assert scaler.table_["note"].tolist()[5:] == ["has one value", "no interquartile range: z-score"]
    found, robust = scaler.transform(x), ["skewed", "negative", "heavy", "outlying"]
    assert found[["normal", "rare"]].to_numpy() == pytest.approx(StandardScaler().fit_transform(x[["normal", "rare"]]))
    assert found[robust].to_numpy() == pytest.approx(RobustScaler().fit_transform(x[robust]))
    assert (found["still"] == 0).all()


def test_moments_are_those_of_pandas_but_for_the_size_correction():
    x = shapes().drop(columns="still")
    big = pd.concat([x] * 200, ignore_index=True)  # the correction of pandas vanishes
    table = AdaptiveScaler().fit(big).table_
    assert table["skewness"].to_numpy() == pytest.approx(big.skew().to_numpy(), rel=1e-3)
    assert table["kurtosis"].to_numpy() == pytest.approx(big.kurt().to_numpy(), rel=1e-3, abs=1e-3)
    pearson = AdaptiveScaler(kurtosis_kind="pearson").fit(big).table_
    assert (pearson["kurtosis"] - table["kurtosis"]).to_numpy() == pytest.approx(3)


def test_outlier_rules_count_by_hand():
    x = pd.DataFrame({"a": [*range(1, 20), 100.0]})  # quartiles 5.75 and 15.25: fences -8.5 and 29.5
    assert AdaptiveScaler().fit(x).table_.loc["a", "outliers"] == pytest.approx(1 / 20)
    assert AdaptiveScaler(outlier_rule="three-sd").fit(x).table_.loc["a", "outliers"] == pytest.approx(1 / 20)
    x = pd.DataFrame({"a": [*range(1, 18), 40.0, 40.0, 40.0]})  # 40 is 2.2 SD from the mean, but beyond the fences
    assert AdaptiveScaler().fit(x).table_.loc["a", "outliers"] == pytest.approx(3 / 20)
    assert AdaptiveScaler(outlier_rule="three-sd").fit(x).table_.loc["a", "outliers"] == 0


def test_test_rows_are_scaled_by_the_training_rows():
    x = shapes()
    scaler = AdaptiveScaler().fit(x[:200])
    assert scaler.transform(x)[:200] == pytest.approx(scaler.transform(x[:200]))
    assert scaler.center_[0] == pytest.approx(x["normal"][:200].mean())


def readings(seed: int = 0, subjects: int = 25, count: int = 2) -> list[pd.DataFrame]:
    random = np.random.default_rng(seed)
    truth = random.normal(size=(subjects, 4))
    noise, shift = np.array([0.05, 0.4, 1.5, 0.1]), np.array([0, 0, 0, 2.0])
    who = [f"P{n}" for n in range(subjects)]
    return [
        pd.DataFrame(truth + random.normal(size=truth.shape) * noise + n * shift, who, list("abcd")).assign(still=1.0)
        for n in range(count)
    ]


def test_concordance_by_hand():
    a, b = [1.0, 2, 3, 4], [1.0, 2, 3, 6]  # variances 1.25 and 3.5, covariance 2, means 2.5 and 3
    table = ReproducibilityFilter([pd.DataFrame({"f": a}), pd.DataFrame({"f": b})], minimum=0.5)
    found = table.fit(pd.DataFrame({"f": [0.0, 1.0]})).table_.loc["f", "agreement"]
    assert found == pytest.approx(2 * 2 / (1.25 + 3.5 + 0.25))


@pytest.mark.parametrize("measure", ["icc_2_1", "icc_3_1"])
def test_intraclass_correlations_are_pingouins(measure):
    statistics = pytest.importorskip("OVFRiskLib.vbq.agreement_statistics")
    pytest.importorskip("pingouin")
    tables_ = readings(count=3)
    found = ReproducibilityFilter(tables_, 0.5, measure).fit(tables_[0]).table_
    for name in "abcd":
        both = statistics.intraclass_correlations(np.column_stack([table[name] for table in tables_]))
        assert found.loc[name, "agreement"] == pytest.approx(both[measure == "icc_3_1"].value, rel=1e-9)


def test_reproducibility_keeps_what_agrees_whatever_the_outcome():
    first, second = readings()
    step = ReproducibilityFilter([first, second.sample(frac=1, random_state=3)]).fit(first, np.zeros(25))
    assert step.table_["kept"].tolist() == [True, True, False, False, False]  # noisy; shifted; without a value
    assert step.table_.loc["still", "note"] == "has one value in all readings"
    assert ReproducibilityFilter([first, second], 0.85, "icc_3_1").fit(first).table_.loc["d", "kept"]  # no shift there
    assert len(step.subjects_) == 25


@pytest.mark.parametrize(
    ("repeats", "what"),
    [
        (None, "0 tables"),
        (readings(count=3), "3 tables"),
        ([readings()[0], readings()[1].drop(columns="b")], "lack b"),
        ([readings()[0], readings()[1].set_axis([f"Q{n}" for n in range(25)])], "Only 0 subjects"),
        ([readings()[0], pd.concat([readings()[1]] * 2)], "twice"),
        ([readings()[0].replace(1.0, np.nan), readings()[1]], "missing values of still"),
    ],
)
def test_wrong_repeats_are_told(repeats, what):
    with pytest.raises(UserError, match=what):
        ReproducibilityFilter(repeats).fit(readings()[0])


def test_correlation_keeps_the_stronger_of_two_and_says_which():
    x, y = tables()["breast-cancer"]
    step = CorrelationFilter(0.9).fit(x, y)
    table, rho = step.table_, x.corr("spearman")
    kept = table.index[table["kept"]]
    among = rho.loc[kept, kept].abs().to_numpy()
    assert among[~np.eye(len(kept), dtype=bool)].max() <= 0.9
    for name, row in table[~table["kept"]].iterrows():
        assert row["correlation"] == pytest.approx(rho.loc[name, row["partner"]])
        assert abs(row["correlation"]) > 0.9
        assert table.loc[row["partner"], "association"] >= row["association"]
    wanted = [abs(roc_auc_score(y, x[name]) - 0.5) for name in x]
    assert table["association"].to_numpy() == pytest.approx(wanted)


def test_correlation_in_the_order_of_the_columns_needs_no_outcome():
    x, _ = tables()["breast-cancer"]
    step = CorrelationFilter(0.9, "pearson", "first").fit(x)
    kept = []
    for name in x:  # the rule, step by step
        if all(abs(np.corrcoef(x[name], x[other])[0, 1]) <= 0.9 for other in kept):
            kept.append(name)
    assert x.columns[step.support_].tolist() == kept
    assert not CorrelationFilter(keep="first").fit(x.assign(still=1.0)).table_.loc["still", "kept"]


def test_mutual_information_is_scikit_learns():
    x, y = tables()["breast-cancer"]
    states = three_states(x.to_numpy())
    cut = states.argmax(axis=0)
    wanted = [mutual_info_score(cut[:, n], y) for n in range(x.shape[1])]
    assert mutual_information(states, y.to_numpy() == 1) == pytest.approx(wanted, abs=1e-12)


# By the package mrmr_selection 0.2.8: mrmr.pandas.mrmr_classif(x, y, K, n_jobs=1) on the two tables.
PICKED = {
    "breast-cancer": "worst concave points;worst perimeter;mean concave points;worst radius;mean perimeter;worst area;"
    "mean radius;mean concavity;worst concavity;mean area",
    "diabetes": "s5;bmi;bp;s3;s4;s6",
}


@pytest.mark.parametrize("name", PICKED)
def test_quotient_of_f_and_correlation_picks_as_mrmr_selection(name):
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = tables()[name]
    y = (datasets.load_diabetes().target > 140).astype(int) if name == "diabetes" else y
    wanted = PICKED[name].split(";")
    assert x.columns[MRMR(len(wanted), "FCQ").fit(x, y).ranking_].tolist() == wanted


@pytest.mark.parametrize("variant", ["MID", "MIQ"])
def test_mutual_information_variants_follow_the_rule_step_by_step(variant):
    x, y = tables()["diabetes"]
    cut = pd.DataFrame(three_states(x.to_numpy()).argmax(axis=0), columns=x.columns)
    relevance, picked = cut.apply(lambda states: mutual_info_score(states, y)), []
    while len(picked) < 5:
        if picked:
            rest = [name for name in cut if name not in picked]
            mean = pd.Series({n: np.mean([mutual_info_score(cut[n], cut[p]) for p in picked]) for n in rest})
            score = relevance[rest] - mean if variant == "MID" else relevance[rest] / mean
        picked.append((score if picked else relevance).idxmax())
    step = MRMR(5, variant).fit(x, y)
    assert x.columns[step.ranking_].tolist() == picked
    assert step.table_.loc[picked, "rank"].tolist() == [1, 2, 3, 4, 5]
    assert step.table_["kept"].sum() == 5


def test_mrmr_takes_all_that_vary_where_there_are_fewer():
    x, y = tables()["diabetes"]
    assert MRMR(50).fit(x.assign(still=1.0), y).table_["kept"].tolist() == [True] * 10 + [False]


def test_components_are_scikit_learns_and_change_nothing():
    x, _ = tables()["breast-cancer"]
    check = ComponentCheck().fit(x.assign(still=2.0))
    wanted = PCA().fit(StandardScaler().fit_transform(x))
    assert check.table_["explained"].to_numpy() == pytest.approx(wanted.explained_variance_ratio_)
    assert check.table_["cumulative"].iloc[-1] == pytest.approx(1)
    assert np.abs(check.loadings_.to_numpy()[:5]) == pytest.approx(np.abs(wanted.components_[:5]), abs=1e-8)
    assert (check.transform(x.assign(still=2.0)) == x.assign(still=2.0).to_numpy()).all()
