"""Several levels and several patients; expected numbers are calculated by hand."""

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.measurement import MeasurementTable, Source
from OVFRiskLib.models.card import Combination, Input, Output, Threshold
from OVFRiskLib.models.model import Model
from OVFRiskLib.models.predictors.threshold import ThresholdPredictor

from .scored import DENSITY, L1, L2, L3, SEVENTY, card, expit, logistic, one, row

ROWS = (row(80.0), row(60.0, L2), row(None, L3))


def test_one_result_a_level_from_head_to_foot():
    found = logistic(DENSITY).predict(MeasurementTable(ROWS[::-1]))
    assert [p.level for p in found] == [L1, L2, L3]
    assert [p.level for p in logistic(DENSITY).predict(MeasurementTable(ROWS[1:]))] == [L2, L3]
    assert [p.value for p in found[:2]] == pytest.approx([expit(0.5), expit(2.0)])
    assert found[2].missing == ("vBMD: cut off",)
    (only,) = logistic(DENSITY, levels=(L2,)).predict(MeasurementTable(ROWS))
    assert only.level is L2


def test_the_highest_level():
    found = one(logistic(DENSITY, combination=Combination.MAXIMUM), *ROWS)
    assert (found.value, found.level) == (pytest.approx(expit(2.0)), None)
    assert found.contributions[0].amount == pytest.approx(3.75)
    assert found.contribution_method == "L2, exact (linear)"
    assert found.warnings[0] == "the highest of L1, L2: that of L2"
    assert found.warnings[1].startswith("L3 took no part: 1 input has no value: vBMD: cut off")
    assert found.missing == ("L3 vBMD: cut off",)


def test_the_mean_of_the_levels():
    """Contributions -1.5 × (80 - 110) / 20 = 2.25 and -1.5 × (60 - 110) / 20 = 3.75."""
    cut = Threshold("Youden", 0.75, "low", "high")
    model = logistic(DENSITY, combination=Combination.MEAN, covariance=np.diag([0.25, 0.0]), thresholds=(cut,))
    found = one(model, *ROWS)
    half = 1.959963984540054 * 0.5
    assert found.value == pytest.approx((expit(0.5) + expit(2.0)) / 2)
    assert found.interval[0] == pytest.approx((expit(0.5 - half) + expit(2.0 - half)) / 2)
    assert found.contributions[0].value == 70.0
    assert found.contributions[0].amount == pytest.approx(3.0)
    assert found.warnings[0] == "the mean of L1, L2"
    assert [c.name for c in found.classes] == ["high" if found.value >= 0.75 else "low"]


@pytest.mark.parametrize("combination", [Combination.MAXIMUM, Combination.MEAN])
def test_a_stale_level_stops_the_patients_result(combination):
    rows = (row(80.0), row(60.0, L2, source=Source("ct", "b")))
    found = one(logistic(DENSITY, combination=combination), *rows, stale={Source("ct", "b")})
    assert found.value is None
    assert found.reason.startswith("vBMD (L2): ")


def test_no_level_at_all():
    found = one(logistic(DENSITY), row(1.0, name="other"))
    assert found.reason == "no level to score: the table has no cancellous vbmd of L1 to L3; measure them first"
    none = one(logistic(DENSITY, combination=Combination.MEAN), row(None), row(None, L2))
    assert none.reason.startswith("L1, L2: 1 input has no value: vBMD: cut off; ")
    assert one(logistic(DENSITY)).value is None


def test_several_patients():
    rows = MeasurementTable((row(80.0), row(60.0, subject="q")))
    found = logistic(DENSITY).predict(rows)
    assert [(p.subject, p.value) for p in found] == [
        ("p", pytest.approx(expit(0.5))),
        ("q", pytest.approx(expit(2.0))),
    ]
    with pytest.raises(UserError, match="2 patients"):
        logistic(DENSITY).predict(rows, SEVENTY)


def test_the_patients_own_rows():
    wanted = Input("vbq_t1", "VBQ-T1", "1")
    model = Model(card(wanted, output=Output.VALUE, combination=Combination.PATIENT), ThresholdPredictor(), "id")
    rows = (row(4.2, None, "vbq_t1", "1"), row(0.2, None, "vbq_t1_uncertainty", "1"))
    found = one(model, *rows)
    assert (found.value, found.interval, found.level) == (4.2, pytest.approx((4.0, 4.4)), None)
