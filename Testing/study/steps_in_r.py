"""Golden values of the steps by R: `PYTHONPATH=OVFRisk:. python -m Testing.study.steps_in_r` makes them again."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

GOLDEN = Path(__file__).parent / "steps_golden.json"
LINES = """
suppressMessages({library(glmnet); library(jsonlite)})
d <- read.csv(file("stdin"))
y <- d$y; fold <- d$fold; x <- as.matrix(d[, setdiff(names(d), c("y", "fold"))])
fit <- glmnet(x, y, family = "binomial", standardize = TRUE, thresh = 1e-14, maxit = 1e7)
at <- unique(c(seq(1, length(fit$lambda), by = 12), length(fit$lambda)))
same <- glmnet(x, y, family = "binomial", nlambda = 40, lambda.min.ratio = 1e-3)$lambda
few <- list(family = "binomial", foldid = fold, thresh = 1e-14, maxit = 1e7, lambda = same)
cv <- do.call(cv.glmnet, c(list(x, y), few))
by_auc <- do.call(cv.glmnet, c(list(x, y), few, type.measure = "auc"))
chosen <- function(cv) list(min = cv$lambda.min, se = cv$lambda.1se, mean = cv$cvm, error = cv$cvsd)
rank <- sapply(colnames(x), function(n) wilcox.test(x[y == 1, n], x[y == 0, n], exact = FALSE)$p.value)
one <- function(n) {
  m <- glm(y ~ x[, n], family = binomial, control = list(epsilon = 1e-14, maxit = 100))
  c(coef(summary(m))[2, c(1, 2, 4)], exp(confint.default(m)[2, ]))
}
all <- glm(y ~ x[, 1:5], family = binomial, control = list(epsilon = 1e-14, maxit = 100))
write(toJSON(list(
  penalties = fit$lambda, at = at, coefficients = t(as.matrix(coef(fit)[, at])), explained = fit$dev.ratio[at],
  deviance = chosen(cv), auc = chosen(by_auc), kept = predict(cv, type = "nonzero", s = "lambda.1se")[, 1],
  rank_sum = rank, holm = p.adjust(rank, "holm"), fdr = p.adjust(rank, "BH"),
  univariate = t(suppressWarnings(sapply(colnames(x), one))), multivariate = coef(summary(all))[, c(1, 2, 4)]
), digits = I(15), auto_unbox = TRUE), stdout())
""".strip().split("\n")


@cache
def tables() -> dict[str, tuple[pd.DataFrame, pd.Series]]:
    """Two real tables: 569 breast masses, malignant or not; 442 diabetics who got worse than the median or not."""
    datasets = pytest.importorskip("sklearn.datasets")
    cancer, diabetes = datasets.load_breast_cancer(as_frame=True), datasets.load_diabetes(as_frame=True)
    return {
        "breast-cancer": (cancer.data, 1 - cancer.target),
        "diabetes": (diabetes.data, (diabetes.target > diabetes.target.median()).astype(int)),
    }


def folds(rows: int) -> list[int]:
    """Five folds, dealt out row by row."""
    return [row % 5 for row in range(rows)]


def run_r(name: str) -> dict[str, object]:
    """Return what R finds in the table, or skip where R or a package is not installed."""
    rscript = shutil.which("Rscript")
    check = [rscript, "-e", "library(glmnet); library(jsonlite)"]
    if rscript is None or subprocess.run(check, check=False, capture_output=True).returncode:
        pytest.skip("R with glmnet and jsonlite is not installed")
    x, y = tables()[name]
    text = x.assign(y=y, fold=[1 + fold for fold in folds(len(x))]).to_csv(index=False)
    done = subprocess.run([rscript, "-e", "\n".join(LINES)], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def golden(name: str) -> dict[str, object]:
    """Return the table's golden values."""
    return json.loads(GOLDEN.read_text("utf-8"))[name]


if __name__ == "__main__":
    found = {name: run_r(name) for name in tables()}
    GOLDEN.write_text(json.dumps({"r_lines": LINES, **found}, indent=None, separators=(",", ":")) + "\n", "utf-8")
