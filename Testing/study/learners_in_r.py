"""Regressions by R: `PYTHONPATH=OVFRisk:. python -m Testing.study.learners_in_r` makes the golden values again."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

GOLDEN = Path(__file__).parent / "learners_golden.json"
LINES = """
library(jsonlite)
d <- read.csv(file("stdin"))
m <- glm(y ~ ., data = d, family = binomial, control = list(epsilon = 1e-14, maxit = 100))
p <- predict(m, newdata = d[1:5, ], se.fit = TRUE)
write(toJSON(list(
  table = coef(summary(m)), interval = exp(confint.default(m)), covariance = vcov(m),
  low = plogis(p$fit - qnorm(0.975) * p$se.fit), high = plogis(p$fit + qnorm(0.975) * p$se.fit)
), digits = I(15), auto_unbox = TRUE), stdout())
""".strip().split("\n")


@cache
def tables() -> dict[str, tuple[pd.DataFrame, pd.Series]]:
    """Two real tables: breast masses, malignant or not; diabetics who got worse than the median or not."""
    datasets = pytest.importorskip("sklearn.datasets")
    cancer = datasets.load_breast_cancer(as_frame=True)
    diabetes = datasets.load_diabetes(as_frame=True, scaled=False)
    return {
        "breast-cancer": (cancer.data[["mean texture", "mean smoothness", "radius error"]], 1 - cancer.target),
        "diabetes": (diabetes.data[["age", "bmi", "bp", "s5"]], (diabetes.target > 140.5).astype(int)),
    }


def run_r(name: str) -> dict[str, object]:
    """Return what R finds in the table, or skip where R or a package is not installed."""
    rscript = shutil.which("Rscript")
    if (
        rscript is None
        or subprocess.run([rscript, "-e", "library(jsonlite)"], check=False, capture_output=True).returncode
    ):
        pytest.skip("R with jsonlite is not installed")
    x, y = tables()[name]
    text = x.assign(y=y).to_csv(index=False)
    done = subprocess.run([rscript, "-e", "\n".join(LINES)], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def golden(name: str) -> dict[str, object]:
    """Return the table's golden values."""
    return json.loads(GOLDEN.read_text("utf-8"))[name]


if __name__ == "__main__":
    found = {name: run_r(name) for name in tables()}
    GOLDEN.write_text(json.dumps({"r_lines": LINES, **found}, indent=None, separators=(",", ":")) + "\n", "utf-8")
