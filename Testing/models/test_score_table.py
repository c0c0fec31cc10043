"""Predictions as rows of a file."""

import csv

from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.files.score_table import score_columns
from OVFRiskLib.files.tables import write_csv
from OVFRiskLib.models.card import Output, Rate, Threshold
from OVFRiskLib.models.prediction import ClassAt, Contribution, OutOfRange, Prediction

CUT = Threshold("Youden", 0.3, "low", "high", sensitivity=Rate(0.8, (0.7, 0.88)), specificity=Rate(0.75))
GIVEN = Prediction(
    subject="p",
    model="risk 1.0",
    level=VertebralLevel.L1,
    output=Output.PROBABILITY,
    value=0.418,
    interval=(0.3, 0.55),
    classes=(ClassAt(CUT, True),),
    contributions=(
        Contribution("vBMD", 71.23, "mg/cm3", 0.824),
        Contribution("Age", 68.0, "a", -0.1, imputed=True),
        Contribution("Idmn", 0.95, "1", 0.05),
        Contribution("Sex", 0.0, "1", 0.01),
    ),
    contribution_scale="log-odds",
    contribution_method="exact (linear)",
    missing=("Age: not given",),
    out_of_range=(OutOfRange("vBMD", 71.23, 80.0, 200.0, "mg/cm3"),),
    warnings=("noisy",),
)
NONE = Prediction("q", "risk 1.0", None, Output.PROBABILITY, None, reason="train your own")


def test_columns_of_a_file(tmp_path):
    write_csv(tmp_path / "scores.csv", score_columns([GIVEN, NONE]))
    given, none = csv.DictReader((tmp_path / "scores.csv").open(encoding="utf-8"))
    assert given == {
        "subject": "p",
        "model": "risk 1.0",
        "level": "L1",
        "output": "probability",
        "value": "0.418",
        "interval_low": "0.3",
        "interval_high": "0.55",
        "class": "high",
        "thresholds": "Youden 0.3: high (sensitivity 80% (70%–88%), specificity 75%)",
        "contributions": "vBMD 71.23 mg/cm³ +0.82, Age (imputed) 68 years -0.1, Idmn 0.95 +0.05 (log-odds)",
        "contribution_method": "exact (linear)",
        "missing": "Age: not given",
        "out_of_range": "vBMD 71.23 mg/cm³ lies outside the training range 80 to 200",
        "warnings": "noisy",
        "reason": "",
    }
    assert (none["value"], none["interval_low"], none["reason"]) == ("", "", "train your own")


def test_no_prediction_keeps_the_columns():
    assert score_columns([]) == {name: [] for name in score_columns([GIVEN])}
