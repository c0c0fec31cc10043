"""Nomograms are those of R's rms; a patient's points give the model's own probability.

nomogram_rms.json holds what R computed, and the lines that did it, on scikit-learn's breast cancer data.
"""

import csv
import io
import json
import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.card import Calibration, Input, Summary
from OVFRiskLib.models.nomogram import nomogram_of, points_of, pretty
from scipy.special import expit

from .cards import example_card

GOLDEN = json.loads(Path(__file__).with_name("nomogram_rms.json").read_text())
R = GOLDEN["values"]
NAMES = ("texture", "smoothness", "symmetry", "fractal", "large")
INVENTED = (-0.4, (1.1, -0.9, 0.5, 0.3))  # intercept and coefficients for the example card
PATIENT = {"Cortical radscore": 0.8, "vBMD": 71.0, "Age": 78.0, "Sex (male)": 0.0}


def rms_model(calibration=None):
    """R's fit as a bundle holds it: the inputs are scaled to mean 0 and SD 1."""
    summaries = [Summary(*found) for found in zip(R["low"], R["high"], R["mean"], R["sd"])]
    inputs = tuple(Input(name, name, "1", center=s.mean, scale=s.sd, training=s) for name, s in zip(NAMES, summaries))
    intercept = R["intercept"] + np.dot(R["coefficients"], R["mean"])
    card = example_card(inputs=inputs, calibration=calibration)
    return nomogram_of(card, intercept, np.multiply(R["coefficients"], R["sd"]))


@pytest.fixture(scope="module")
def rms():
    return rms_model()


@pytest.fixture(scope="module")
def example():
    return nomogram_of(example_card(), *INVENTED)


def test_axes_have_the_ticks_and_points_of_rms(rms):
    for axis, expected in zip(rms.axes, R["axes"], strict=True):
        assert axis.ticks == pytest.approx(expected["ticks"], rel=1e-9)
        assert axis.points == pytest.approx(expected["points"], rel=1e-6, abs=1e-6)
    assert [axis.binary for axis in rms.axes] == [False, False, False, False, True]


def test_total_points_and_their_probability_are_those_of_rms(rms):
    assert rms.total_ticks == pytest.approx(R["total"])
    assert [rms.log_odds(t) for t in R["lp"]["total"]] == pytest.approx(R["lp"]["value"], abs=1e-6)
    probabilities, totals = zip(*rms.probability_ticks)
    assert probabilities == tuple(R["probability"]["value"])
    assert totals == pytest.approx(R["probability"]["total"], abs=1e-6)
    assert [rms.probability(t) for t in totals] == pytest.approx(R["probability"]["value"], abs=1e-6)


def test_patients_get_the_probability_that_r_predicts(rms):
    for values, log_odds in zip(R["patients"], R["patient_lp"], strict=True):
        reading = points_of(rms, dict(zip(NAMES, values)))
        assert rms.log_odds(reading.total) == pytest.approx(log_odds, abs=1e-6)
        assert reading.probability == pytest.approx(expit(log_odds), abs=1e-6)
        assert reading.outside == ()


def test_a_logistic_calibration_moves_the_probability_only(rms):
    calibrated = rms_model(Calibration("logistic", intercept=-0.3, slope=0.8))
    assert dict(calibrated.probability_ticks)[0.2] == pytest.approx(R["calibrated_20"], abs=1e-6)
    for one, other in zip(calibrated.axes, rms.axes):
        assert one.points == pytest.approx(other.points, abs=1e-9)


@pytest.mark.parametrize("case", R["pretty"], ids=lambda case: f"{case['low']:g}..{case['high']:g}")
def test_ticks_are_those_of_r(case):
    for name, intervals in (("ten", 10), ("five", 5)):
        assert pretty(case["low"], case["high"], intervals) == pytest.approx(case[name], rel=1e-12)


def test_r_still_says_the_same():
    rscript = shutil.which("Rscript")
    packages = [rscript, "-e", "library(rms); library(jsonlite)"]
    if rscript is None or subprocess.run(packages, check=False, capture_output=True).returncode:
        pytest.skip("R with rms and jsonlite is not installed")
    lines = [rscript, "-e", "\n".join(GOLDEN["r_lines"])]
    done = subprocess.run(lines, input=breast_cancer(), capture_output=True, text=True, check=True)
    assert flat(json.loads(done.stdout)) == pytest.approx(flat(R), rel=1e-7, abs=1e-9)


def breast_cancer() -> str:
    """The table that R reads: four features, one cut in two, and the diagnosis."""
    data = pytest.importorskip("sklearn.datasets").load_breast_cancer()
    column = {name: data.data[:, n] for n, name in enumerate(data.feature_names)}
    values = [column[f"mean {name}"] for name in ("texture", "smoothness", "symmetry", "fractal dimension")]
    stream = io.StringIO()
    table = csv.writer(stream)
    table.writerow(["malignant", *NAMES])
    for row in zip(1 - data.target, *values, column["mean perimeter"] > 85):
        table.writerow([int(row[0]), *(repr(float(value)) for value in row[1:-1]), int(row[-1])])
    return stream.getvalue()


def flat(found) -> list[float]:
    """All numbers of nested lists and objects, by sorted keys."""
    if isinstance(found, dict):
        return [number for key in sorted(found) for number in flat(found[key])]
    return [number for item in found for number in flat(item)] if isinstance(found, list) else [found]


def test_points_by_hand():
    """Log-odds -1 + 0.05 (age - 70) - 0.02 (vBMD - 100): 2.5 over 50 to 100 years, 4 over 0 to 200 mg/cm³."""
    age = Input("age", "Age", "a", center=70.0, scale=10.0, training=Summary(50.0, 100.0, 70.0, 10.0))
    vbmd = Input("vbmd", "vBMD", "mg/cm3", center=100.0, scale=25.0, training=Summary(0.0, 200.0, 100.0, 25.0))
    made = nomogram_of(example_card(inputs=(age, vbmd), calibration=None), -1.0, (0.5, -0.5))
    assert [max(axis.points) for axis in made.axes] == pytest.approx([62.5, 100.0])
    assert made.intercept == pytest.approx(-1.0 - 1.0 - 2.0)  # 50 years, 200 mg/cm³
    reading = points_of(made, {"Age": 80.0, "vBMD": 50.0})
    assert reading.points == pytest.approx({"Age": 37.5, "vBMD": 75.0})
    assert reading.probability == pytest.approx(1 / (1 + math.exp(-0.5)))


def test_the_probability_is_the_calibrated_models(example):
    """Radscore: one scale, of the score itself."""
    card, (intercept, coefficients) = example.card, INVENTED
    scaled = [(PATIENT[given.title] - given.center) / given.scale for given in card.inputs]
    log_odds = card.calibration.intercept + card.calibration.slope * (intercept + np.dot(coefficients, scaled))
    assert points_of(example, PATIENT).probability == pytest.approx(expit(log_odds), abs=1e-12)
    assert [axis.title for axis in example.axes] == [given.title for given in card.inputs]


def test_values_outside_count_as_the_model_counts_them_and_are_named(example):
    patient = PATIENT | {"Age": 101.0, "vBMD": 230.0}
    reading = points_of(example, patient)
    assert reading.points["vBMD"] < 0
    assert reading.points["Age"] > max(example.axes[2].points)
    assert reading.outside == (
        "vBMD 230 lies outside the model's range 20 to 220",
        "Age 101 lies outside the model's range 50 to 92",
    )
    scaled = [(patient[given.title] - given.center) / given.scale for given in example.card.inputs]
    log_odds = -0.1 + 0.9 * (INVENTED[0] + np.dot(INVENTED[1], scaled))
    assert reading.probability == pytest.approx(expit(log_odds), abs=1e-12)


def test_an_axis_ends_where_no_value_of_the_range_is_lost(example):
    for axis in example.axes:
        assert axis.ticks[0] <= axis.minimum < axis.maximum <= axis.ticks[-1]
        assert min(axis.points) == 0


def test_a_share_between_0_and_1_is_no_yes_or_no():
    share = Input("share", "Share", "1", training=Summary(0.0, 1.0, 0.5, 0.2))
    card = example_card(inputs=(share, replace(share, title="Flag", training=Summary(0.0, 1.0, 0.3, 0.46))))
    made = nomogram_of(card, 0.0, (1.0, 1.0))
    assert [len(axis.ticks) for axis in made.axes] == [11, 2]


def test_a_value_that_is_neither_0_nor_1_is_named(example):
    assert points_of(example, PATIENT | {"Sex (male)": 0.25}).outside == ("Sex (male) 0.25 is neither 0 nor 1",)


def test_probability_ticks_end_where_the_axes_end():
    age = Input("age", "Age", "a", training=Summary(50.0, 90.0, 70.0, 10.0))
    made = nomogram_of(example_card(inputs=(age,), calibration=None), -4.5, (0.05,))  # log-odds -2 to 0
    assert [p for p, _ in made.probability_ticks] == [0.2, 0.3, 0.4, 0.5]
    assert made.probability_ticks[-1][1] == pytest.approx(100.0)


def test_a_model_without_ranges_has_no_nomogram_unless_they_are_given():
    card = example_card()
    bare = replace(card, inputs=(replace(card.inputs[2], training=None),))
    with pytest.raises(UserError, match="the model does not state the range of Age"):
        nomogram_of(bare, 0.0, (1.0,))
    assert nomogram_of(bare, 0.0, (1.0,), {"Age": (40.0, 90.0)}).axes[0].ticks[0] == 40
    constant = replace(card, inputs=(replace(card.inputs[2], training=Summary(70.0, 70.0, 70.0, 0.0)),))
    with pytest.raises(UserError, match="70 to 70"):
        nomogram_of(constant, 0.0, (1.0,))


def test_what_no_nomogram_can_show_is_refused():
    with pytest.raises(UserError, match="no input changes"):
        nomogram_of(example_card(), 0.0, (0.0,) * 4)
    with pytest.raises(UserError, match="isotonic"):
        nomogram_of(example_card(calibration=Calibration("isotonic", x=(0.0, 1.0), y=(0.0, 1.0))), *INVENTED)


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_no_points_without_a_value(example, value):
    with pytest.raises(ValueError, match="no value of vBMD"):
        points_of(example, PATIENT | {"vBMD": value})
