"""Optimism correction and .632+ equal R's glm and pROC with the formulas of the R package predboot."""

import json
import shutil
import subprocess
from functools import cache

import numpy as np
import pandas as pd
import pytest
from OVFRiskLib.study.judgement.bootstrap import Bootstrapped, bootstrap_estimates, bootstrapped
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression

RESAMPLES = 25
R = """
suppressMessages({library(pROC); library(jsonlite)})
d <- read.csv(file("stdin")); draws <- grep("^draw", names(d)); x <- d[, -draws]
area <- function(y, p) as.numeric(auc(roc(y, p, levels = c(0, 1), direction = "<", quiet = TRUE)))
fit <- function(rows) glm(y ~ ., data = x[rows, ], family = binomial, control = list(epsilon = 1e-14, maxit = 100))
all <- fit(seq_len(nrow(x))); apparent <- area(x$y, predict(all))
r <- t(sapply(draws, function(k) {
  m <- fit(d[[k]] + 1); own <- x[d[[k]] + 1, ]; out <- x[-(d[[k]] + 1), ]
  c(area(own$y, predict(m, own)), area(x$y, predict(m, x)), area(out$y, predict(m, out)))
}))
harrell <- apparent - mean(r[, 1] - r[, 2]); out <- mean(r[, 3])
R <- if (out <= 0.5) 1 else if (apparent > out) (apparent - out) / (apparent - 0.5) else 0
w <- 0.632 / (1 - 0.368 * R); plus <- (1 - w) * apparent + w * max(out, 0.5)
q <- quantile(r[, 1], c(0.025, 0.975), names = FALSE)
write(toJSON(list(apparent = apparent, harrell = c(harrell, q + harrell - apparent),
  plus = c(plus, q + plus - apparent)), digits = I(15), auto_unbox = TRUE), stdout())
"""
GOLDEN = {
    "apparent": 0.776506696428571,
    "harrell": [0.733256720960791, 0.684652474604544, 0.810090496560191],
    "plus": [0.736207520017008, 0.687603273660762, 0.813041295616409],
}


@cache
def data() -> tuple[pd.DataFrame, np.ndarray]:
    """120 diabetics with six columns, and the rows of each resample."""
    bunch = load_diabetes(as_frame=True)
    table = bunch.data.iloc[:120, :6].assign(y=(bunch.target.head(120) > 140).astype(int))
    draws = np.random.default_rng(5).integers(0, len(table), (RESAMPLES, len(table)))
    return table, draws


@cache
def rows() -> pd.DataFrame:
    """Everybody's predictions by the model of everybody (0) and by each resample's."""
    table, draws = data()
    x, y, n = table.drop(columns="y"), table["y"], len(table)
    parts = []
    for repeat, drawn in enumerate([np.arange(n), *draws]):
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(x.iloc[drawn], y.iloc[drawn])
        columns = {"subject": table.index, "probability": model.predict_proba(x)[:, 1]}
        parts.append(pd.DataFrame(columns).assign(repeat=repeat, drawn=np.bincount(drawn, minlength=n)))
    return pd.concat(parts, ignore_index=True)


def estimates(table: pd.DataFrame, training: pd.Series | None = None) -> dict:
    """Both estimates of the rows."""
    outcome = data()[0]["y"]
    return bootstrap_estimates(bootstrapped(table, outcome, training), table, outcome)


@pytest.mark.parametrize("source", ["golden", "R"])
def test_estimates_equal_r(source):
    expected = GOLDEN if source == "golden" else run_r()
    found = bootstrapped(rows(), data()[0]["y"], None)
    assert found.apparent == pytest.approx(expected["apparent"], abs=1e-9)
    for one, name in zip(estimates(rows()).values(), ("harrell", "plus")):
        assert (one.value, one.low, one.high) == pytest.approx(expected[name], abs=1e-9)
        assert "location-shifted" in one.method


def run_r() -> dict:
    """What R finds, or skip."""
    rscript = shutil.which("Rscript")
    check = [rscript, "-e", "library(pROC); library(jsonlite)"]
    if rscript is None or subprocess.run(check, check=False, capture_output=True).returncode:
        pytest.skip("R with pROC and jsonlite is not installed")
    table, draws = data()
    text = table.assign(**{f"draw{n}": drawn for n, drawn in enumerate(draws)}).to_csv(index=False)
    done = subprocess.run([rscript, "-e", R], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_632_plus_by_hand():
    no_better = Bootstrapped(0.9, np.array([0.95]), np.array([0.8]), np.array([0.45]))
    assert no_better.plus == pytest.approx(0.5)  # overfitting 1: weight 1, of an AUC cut to 0.5
    assert no_better.corrected == pytest.approx(0.75)
    between = Bootstrapped(0.9, np.array([0.9]), np.array([0.9]), np.array([0.7]))  # overfitting 1/2
    weight = 0.632 / 0.816
    assert between.plus == pytest.approx((1 - weight) * 0.9 + weight * 0.7)
    better_outside = Bootstrapped(0.7, np.array([0.7]), np.array([0.7]), np.array([0.8]))  # overfitting 0: .632
    assert better_outside.plus == pytest.approx(0.368 * 0.7 + 0.632 * 0.8)


def test_apparent_figures_may_come_from_the_final_model():
    everybody = rows()[rows()["repeat"] == 0].set_index("subject")["probability"]
    without = rows()[rows()["repeat"] > 0]
    assert estimates(without, everybody) == estimates(rows())
    for training in (None, everybody.iloc[:50]):
        for one in estimates(without, training).values():
            assert one.value is None
            assert "that they all trained" in one.reason


def test_few_resamples_give_no_interval():
    for one in estimates(rows()[rows()["repeat"] < 6]).values():
        assert one.value is not None
        assert one.low is None
        assert one.reason == "5 resamples are too few for percentiles, it takes 20"


def test_resamples_without_an_outcome_do_not_count():
    table, outcome = rows(), data()[0]["y"]
    broken = table[table["repeat"] <= 1].copy()
    in_the_way = (broken["repeat"] == 1) & (broken["subject"].map(outcome) == 1)
    broken.loc[in_the_way, "drawn"] = 1  # nobody with the event is left out
    found = bootstrapped(broken, outcome, None)
    assert found == "no resample leaves out patients of both outcomes"


def test_models_that_fit_their_patients_perfectly_have_no_interval():
    found = Bootstrapped(1.0, np.ones(25), np.linspace(0.8, 0.9, 25), np.linspace(0.7, 0.8, 25))
    for one in bootstrap_estimates(found, rows(), data()[0]["y"]).values():
        assert one.value < 0.95
        assert one.low is one.high is None
        assert "perfectly" in one.reason


def test_an_interval_that_misses_its_value_is_not_given():
    """Bootstrap models that fit their samples far better than the final model fits its patients."""
    own = np.linspace(0.95, 0.99, 25)
    found = Bootstrapped(0.8, own, own - 0.2, own - 0.3)
    for one in bootstrap_estimates(found, rows(), data()[0]["y"]).values():
        assert one.value is not None
        assert one.low is one.high is None
        assert "misses the value" in one.reason
