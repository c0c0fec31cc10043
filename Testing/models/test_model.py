"""From measurements to a prediction; expected numbers are calculated by hand, with math alone."""

import math
from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.measurement import MeasurementTable, Quality, Source
from OVFRiskLib.models.bundle import write_bundle
from OVFRiskLib.models.card import Calibration, Origin, Population, Threshold
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.model import Model
from OVFRiskLib.models.predictors.linear import LogisticPredictor

from .scored import AGE, DENSITY, L1, RADSCORE, card, expit, logistic, one, row, threshold

# --- the number


def test_a_probability_with_its_reasons():
    """-1 - 1.5 × (80 - 100) / 20 + 0.5 × (75 - 70) / 10 = 0.75; typical: vBMD 110, age 70 (its center)."""
    found = one(logistic(DENSITY, AGE), row(80.0))
    assert found.value == pytest.approx(expit(0.75), abs=1e-15)
    assert [(c.title, c.value, c.unit) for c in found.contributions] == [("vBMD", 80.0, "mg/cm3"), ("Age", 75.0, "a")]
    assert [c.amount for c in found.contributions] == pytest.approx([2.25, 0.25])
    assert (found.contribution_scale, found.contribution_method) == ("log-odds", "exact (linear)")
    assert (found.subject, found.model, found.level, found.reason) == ("p", "example 1.0", L1, "")


def test_a_radscore_is_taken_apart():
    """Radscore 0.5 + 2 - 6 = -3.5; 1.5 × (-3.5 - 0.4) / 2 = -2.925, of which 1.5 / 2 × 2 and 1.5 / 2 × -6."""
    rows = (row(0.95, name="original_glcm_Idmn", unit="1"), row(0.7, name="original_shape_Sphericity", unit="1"))
    (found,) = one(logistic(RADSCORE, coefficients=(1.5,)), *rows).contributions
    assert (found.value, found.amount) == pytest.approx((-3.5, -2.925))
    assert [(c.title, c.value) for c in found.parts] == [("Sphericity", 0.7), ("Idmn", 0.95)]
    assert [c.amount for c in found.parts] == pytest.approx([-4.5, 1.5])


def test_interval_and_logistic_calibration():
    """Calibrated log-odds are 0.2 + 0.8 × those of the predictor; the interval's ends alike; SD of the log-odds 0.5."""
    covariance = np.diag([0.25, 0.0])
    plain = logistic(DENSITY, covariance=covariance)
    model = replace(plain, card=replace(plain.card, calibration=Calibration("logistic", 0.2, 0.8)))
    half = 1.959963984540054 * 0.5
    assert one(plain, row(80.0)).interval == pytest.approx((expit(0.5 - half), expit(0.5 + half)))
    found = one(model, row(80.0))
    assert found.value == pytest.approx(expit(0.2 + 0.8 * 0.5))
    assert found.interval == pytest.approx((expit(0.6 - 0.8 * half), expit(0.6 + 0.8 * half)))
    assert found.contribution_method == "exact (linear), before calibration"
    assert found.contributions[0].amount == pytest.approx(2.25)


class Constant:
    """A predictor that always gives one number."""

    kind = "constant"

    def __init__(self, value):
        self.value = value

    def output(self, x):
        return np.full(len(x), self.value)

    def interval(self, _):
        return None

    def contributions(self, x, typical):
        return LogisticPredictor(0.0, np.zeros(len(x))).contributions(x, typical)


@pytest.mark.parametrize(
    ("raw", "calibration", "value"),
    [
        (0.25, Calibration("isotonic", x=(0.2, 0.4), y=(0.1, 0.5)), 0.2),
        (0.9, Calibration("isotonic", x=(0.2, 0.4), y=(0.1, 0.5)), 0.5),
        (0.0, Calibration("logistic", 1.0, 0.5), 0.0),
        (1.0, Calibration("logistic", 1.0, 0.5), 1.0),
    ],
)
def test_calibration_between_and_at_the_ends(raw, calibration, value):
    model = Model(card(DENSITY, calibration=calibration), Constant(raw), "id")
    assert one(model, row(80.0)).value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("raw", [1.2, -0.1, math.nan, math.inf])
def test_what_is_no_probability_is_refused(raw):
    found = one(Model(card(DENSITY), Constant(raw), "id"), row(80.0))
    assert found.value is None
    assert "no probability" in found.reason


@pytest.mark.parametrize(
    ("value", "at_value", "names"),
    [
        (79.9, "above", ["osteoporosis", "osteopenia"]),
        (80.0, "above", ["osteopenia", "osteopenia"]),
        (80.0, "below", ["osteoporosis", "osteopenia"]),
        (121.0, "above", ["osteopenia", "normal"]),
    ],
)
def test_classes(value, at_value, names):
    cuts = (
        Threshold("osteoporosis", 80.0, "osteoporosis", "osteopenia", at_value),
        Threshold("osteopenia", 120.0, "osteopenia", "normal"),
    )
    found = one(threshold(*cuts), row(value))
    assert found.value == value
    assert [c.name for c in found.classes] == names
    assert found.contributions == ()


def test_a_value_within_its_uncertainty_of_a_cutoff_says_so():
    cut = Threshold("cut-off", 80.0, "low", "normal")
    near = one(threshold(cut), row(82.0), row(3.0, name="vbmd_error"))
    assert near.interval == (79.0, 85.0)
    assert near.warnings == (
        "the cut-off 80 lies within the uncertainty of the value (± 3): it may be 'low' or 'normal'",
    )
    far = one(threshold(cut), row(84.0), row(3.0, name="vbmd_error"))
    assert (far.interval, far.warnings) == ((81.0, 87.0), ())
    assert one(threshold(cut), row(82.0)).interval is None


# --- no number


def test_what_was_not_published():
    model = Model(card(DENSITY, origin=Origin.NOT_PUBLISHED), None, "id")
    assert "train your own" in one(model, row(80.0)).reason


def test_missing_inputs_by_name():
    found = one(logistic(DENSITY, AGE), row(None), facts=Facts())
    assert found.value is None
    assert found.missing == ("vBMD: cut off", "Age: not given")
    assert found.reason.startswith("2 inputs have no value: vBMD: cut off; Age: not given; ")


def test_only_stale_rows_that_the_model_uses_count():
    used, other = row(80.0, source=Source("ct", "a")), row(80.0, L1, "other", source=Source("ct", "b"))
    model = logistic(DENSITY)
    for stale in ({Source("ct", "a")}, MeasurementTable([used])):
        found = one(model, used, other, stale=stale)
        assert found.value is None
        assert found.reason.startswith("vBMD (L1): measured before its image or segmentation was edited; update")
    assert one(model, used, other, stale={Source("ct", "b")}).value is not None


def test_flagged_rows_and_imputed_values_are_warnings():
    flagged = row(80.0, quality=Quality.FLAGGED, note="noisy; noisy; L1 body: bright")
    found = one(logistic(DENSITY, replace(AGE, impute=68.0)), flagged, facts=Facts())
    assert found.warnings == (
        "vBMD (L1): noisy",
        "vBMD (L1): L1 body: bright",
        "Age: no value (not given), 68 a stands for it",
    )
    assert [c.imputed for c in found.contributions] == [False, True]
    assert one(threshold(), flagged).warnings == ("noisy", "L1 body: bright")


def test_out_of_range_inputs_are_named():
    (found,) = one(logistic(DENSITY), row(230.0)).out_of_range
    assert (found.title, found.value, found.minimum, found.maximum) == ("vBMD", 230.0, 20.0, 220.0)


def test_a_strict_population():
    model = logistic(DENSITY, population=Population("x", sex=("F",), strict=True))
    assert "women only" in one(model, row(80.0), facts=Facts(sex="M")).reason
    assert one(model, row(80.0), facts=Facts(sex="F")).value is not None


def test_a_package_that_is_missing_is_a_reason():
    class NeedsMore(Constant):
        def output(self, _):
            raise UserError("This model needs xgboost.", "Install it.")

    found = one(Model(card(DENSITY), NeedsMore(0.5), "id"), row(80.0))
    assert found.reason == "This model needs xgboost. Install it."


def test_from_a_file_and_back(tmp_path):
    model = logistic(DENSITY, AGE)
    write_bundle(tmp_path / "m.ovfrisk", model.card, model.predictor)
    read = Model.load(tmp_path / "m.ovfrisk")
    assert read.card == model.card
    assert one(read, row(80.0)) == one(model, row(80.0))
