"""Threshold and logistic predictors against hand calculations and statsmodels, and what they refuse."""

import json
import math

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.predictors import predictor_from

from .trained import again, in_new_process, patients

SPEC = {"kind": "logistic", "intercept": -1.0, "coefficients": [0.5, -2.0]}
COVARIANCE = [[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.16]]


def test_a_threshold_gives_the_value_itself():
    predictor = predictor_from({"kind": "threshold"}, {}, 1)
    assert predictor.output(np.array([[3.25], [-1.0]])).tolist() == [3.25, -1.0]
    found = predictor.contributions(np.array([3.25]), np.array([3.0]))
    assert (found.amounts.tolist(), found.base, found.scale) == ([0.25], 3.0, "value")
    assert predictor.interval(np.array([3.25])) is None
    assert again(predictor, 1) == predictor


def test_probability_and_contributions_by_hand():
    predictor = predictor_from(SPEC, {}, 2)
    log_odds = -1.0 + 0.5 * 4.0 - 2.0 * 0.25
    assert predictor.output(np.array([[4.0, 0.25]]))[0] == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-15)
    found = predictor.contributions(np.array([4.0, 0.25]), np.array([1.0, 1.0]))
    assert found.amounts == pytest.approx([0.5 * 3.0, -2.0 * -0.75])
    assert found.base == pytest.approx(-1.0 + 0.5 - 2.0)
    assert (found.scale, found.method) == ("log-odds", "exact (linear)")
    assert predictor.interval(np.array([4.0, 0.25])) is None


def test_extreme_inputs_do_not_overflow():
    predictor = predictor_from({"kind": "logistic", "intercept": 0, "coefficients": [1]}, {}, 1)
    assert predictor.output(np.array([[1e5], [-1e5], [0.0]])).tolist() == [1.0, 0.0, 0.5]


def test_interval_is_that_of_statsmodels():
    statsmodels = pytest.importorskip("statsmodels.api")
    x, y = patients(300, 3)
    fit = statsmodels.GLM(y, statsmodels.add_constant(x), family=statsmodels.families.Binomial()).fit()
    covariance = (fit.cov_params() + fit.cov_params().T) / 2
    spec = {
        "kind": "logistic",
        "intercept": float(fit.params[0]),
        "coefficients": fit.params[1:].tolist(),
        "covariance": covariance.tolist(),
    }
    predictor = again(predictor_from(json.loads(json.dumps(spec)), {}, 3), 3)
    expected = fit.get_prediction(statsmodels.add_constant(x)).summary_frame(alpha=0.05)
    for n in (0, 1, 7):
        low, high = predictor.interval(x[n])
        assert low == pytest.approx(expected["mean_ci_lower"][n], abs=1e-9)
        assert high == pytest.approx(expected["mean_ci_upper"][n], abs=1e-9)
    assert predictor.output(x) == pytest.approx(expected["mean"].to_numpy(), abs=1e-9)


def test_scoring_needs_no_training_library(tmp_path):
    script = f"""
import sys
for name in ("sklearn", "xgboost", "torch", "skops", "safetensors", "scipy", "pytorch_tabnet"):
    sys.modules[name] = None
import numpy as np
from OVFRiskLib.models.predictors import predictor_from
spec = {SPEC!r}
print(predictor_from(spec, {{}}, 2).output(np.array([[4.0, 0.25]]))[0])
print(predictor_from({{"kind": "threshold"}}, {{}}, 1).output(np.array([[4.0]]))[0])
try:
    predictor_from({{"kind": "scikit-learn", "version": "1.9.1"}}, {{"predictor.skops": b""}}, 1)
except Exception as error:
    print(type(error).__name__, error.what)
"""
    probability, value, refusal = in_new_process(script, tmp_path).splitlines()
    assert float(probability) == pytest.approx(1 / (1 + math.exp(-0.5)), abs=1e-15)
    assert float(value) == 4.0
    assert refusal.startswith("UserError")
    assert "sklearn" in refusal


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({}, "kind"),
        ([], "not a JSON object"),
        ({"kind": "pickle"}, "pickle"),
        ({"kind": ["logistic"]}, "kind"),
        ({"kind": "../linear"}, "kind"),
        ({"kind": "logistic"}, "'intercept' is missing"),
        ({**SPEC, "surprise": 1}, "surprise"),
        ({**SPEC, "intercept": "1"}, "intercept"),
        ({**SPEC, "intercept": True}, "intercept"),
        ({**SPEC, "intercept": None}, "intercept"),
        ({**SPEC, "intercept": math.nan}, "intercept"),
        ({**SPEC, "intercept": 10**400}, "intercept"),
        ({**SPEC, "coefficients": [1.0]}, "coefficients"),
        ({**SPEC, "coefficients": [1.0, 2.0, 3.0]}, "coefficients"),
        ({**SPEC, "coefficients": [1.0, math.inf]}, r"coefficients\[1\]"),
        ({**SPEC, "coefficients": {"0": 1, "1": 2}}, "coefficients"),
        ({**SPEC, "coefficients": "12"}, "coefficients"),
        ({**SPEC, "covariance": None}, "covariance"),
        ({**SPEC, "covariance": COVARIANCE[:2]}, "covariance"),
        ({**SPEC, "covariance": [[1, 0, 0], [0.5, 1, 0], [0, 0, 1]]}, "symmetric"),
        ({**SPEC, "covariance": [[1, 2, 0], [2, 1, 0], [0, 0, 1]]}, "eigenvalue"),
        ({**SPEC, "covariance": [[-1, 0, 0], [0, -1, 0], [0, 0, -1]]}, "eigenvalue"),
    ],
)
def test_a_wrong_spec_is_refused_in_one_line(spec, says):
    with pytest.raises(UserError, match=says) as refusal:
        predictor_from(spec, {}, 2)
    assert len(refusal.value.what.splitlines()) == 1


@pytest.mark.parametrize(
    ("spec", "parts", "inputs"),
    [
        (SPEC, {"predictor.bin": b""}, 2),
        ({"kind": "threshold"}, {"x": b""}, 1),
        ({"kind": "threshold"}, {}, 2),
        ({"kind": "threshold", "value": 1}, {}, 1),
        ({"kind": "xgboost"}, {}, 2),
        ({"kind": "tabnet"}, {}, 2),
        ({"kind": "scikit-learn", "version": "1.9.1"}, {}, 2),
        ({"kind": "xgboost"}, {"../predictor.json": b""}, 2),
        (SPEC, {}, 0),
        (SPEC, {}, 10**9),
    ],
)
def test_missing_and_superfluous_parts_are_refused(spec, parts, inputs):
    with pytest.raises(UserError):
        predictor_from(spec, parts, inputs)


def test_a_singular_covariance_is_good_enough():
    spec = {**SPEC, "covariance": [[0.04, 0.02, 0.0], [0.02, 0.01, 0.0], [0.0, 0.0, 0.0]]}
    low, high = predictor_from(spec, {}, 2).interval(np.array([2.0, 0.0]))
    half = 1.959963984540054 * math.sqrt(0.04 + 2 * 2 * 0.02 + 4 * 0.01)
    assert math.log(high / (1 - high)) == pytest.approx(half, abs=1e-9)
    assert math.log(low / (1 - low)) == pytest.approx(-half, abs=1e-9)


def test_another_number_of_inputs_is_a_bug():
    predictor = predictor_from(SPEC, {}, 2)
    for x in (np.zeros((1, 3)), np.zeros(2), np.array([[np.nan, 0.0]])):
        with pytest.raises(ValueError, match="finite numbers of shape"):
            predictor.output(x)
