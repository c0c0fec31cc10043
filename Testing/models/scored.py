"""Small models and measurements for tests; every number in them is invented."""

import math
from dataclasses import replace

import numpy as np
from OVFRiskLib.anatomy import Compartment, VertebralLevel
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.models.card import Combination, Input, Output, Population, Summary
from OVFRiskLib.models.facts import Facts
from OVFRiskLib.models.model import Model
from OVFRiskLib.models.predictors.linear import LogisticPredictor
from OVFRiskLib.models.predictors.threshold import ThresholdPredictor

from .cards import example_card

L1, L2, L3 = VertebralLevel.span("L1-L3")
BONE = Compartment.CANCELLOUS
DENSITY = Input("vbmd", "vBMD", "mg/cm3", BONE, center=100.0, scale=20.0, training=Summary(20.0, 220.0, 110.0, 30.0))
AGE = Input("age", "Age", "a", center=70.0, scale=10.0)
RADSCORE = Input(
    "radscore",
    "Radscore",
    "1",
    terms=(
        Input("original_glcm_Idmn", "Idmn", "1", BONE, center=0.9, scale=0.05),
        Input("original_shape_Sphericity", "Sphericity", "1", BONE, center=0.5, scale=0.1),
    ),
    coefficients=(2.0, -3.0),
    intercept=0.5,
    scale=2.0,
    training=Summary(-9.0, 9.0, 0.4, 2.0),
)
SEVENTY = Facts(age=75.0)


def row(value, level=L1, name="vbmd", unit="mg/cm3", subject="p", **more):
    if value is None:
        more = {"quality": Quality.ABSENT, "note": "cut off"} | more
    part = None if level is None else BONE
    return Measurement(subject, level, part, name, value, unit, "line-1", **more)


def card(*inputs, **changes):
    plain = {
        "inputs": inputs,
        "calibration": None,
        "thresholds": (),
        "population": Population("x"),
        "settings": {},
        "synthetic": False,
        "combination": Combination.LEVEL,
    }
    found = example_card(**{**plain, **changes})
    alone = found.combination is Combination.PATIENT
    return found if alone or "levels" in changes else replace(found, levels=(L1, L2, L3))


def logistic(*inputs, intercept=-1.0, coefficients=(-1.5, 0.5), covariance=None, **changes):
    slopes = np.array(coefficients[: len(inputs)])
    return Model(card(*inputs, **changes), LogisticPredictor(intercept, slopes, covariance), "id")


def threshold(*thresholds, **changes):
    wanted = replace(DENSITY, center=0.0, scale=1.0, training=None)
    return Model(card(wanted, thresholds=thresholds, output=Output.VALUE, **changes), ThresholdPredictor(), "id")


def expit(x):
    return 1 / (1 + math.exp(-x))


def one(model, *rows, facts=SEVENTY, **more):
    (found,) = model.predict(MeasurementTable(rows), facts, **more)
    return found
