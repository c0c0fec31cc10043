import numpy as np
import pytest
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.measurement import Measurement, MeasurementTable, Quality
from OVFRiskLib.models.cutoffs import assess, brief, vbq_cutoffs


def score(name, value, **more):
    return Measurement("p", None, None, name, value, "1", "vbq-1", **more)


def mr(tesla=None):
    scanner = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "Signa HDx"}
    acquisition = scanner | ({"MagneticFieldStrength": tesla} if tesla else {})
    return Volume(np.ones((2, 2, 2)), np.eye(4), Modality.T2, acquisition=acquisition)


def assessed(*rows, tesla="1.5", statistic="mean"):
    found = assess(MeasurementTable(rows), {name: mr(tesla) for name in ("vbq_t1", "vbq_t2")}, statistic)
    return {assessment.name: assessment for assessment in found}


def test_cutoffs_are_the_papers():
    """Huang et al., Table 3."""
    assert {c.name: (c.cutoff, c.sensitivity, c.specificity) for c in vbq_cutoffs()} == {
        "vbq_t1": (4.285, 0.619, 0.619),
        "vbq_t2": (0.555, 0.762, 0.593),
        "vbq_t2_stir": (0.805, 0.738, 0.536),
    }


@pytest.mark.parametrize(("value", "above"), [(0.556, True), (0.555, False), (0.4, False)])
def test_higher_is_worse(value, above):
    found = assessed(score("vbq_t2", value))["vbq_t2"]
    assert found.above is above
    assert found.note == ""
    assert "10.1177/21925682251339995" in found.source


def test_what_is_missing_is_not_judged():
    absent = score("vbq_t1", None, quality=Quality.ABSENT, note="more than two fractured levels")
    found = assessed(absent)
    assert found["vbq_t1"].above is None
    assert found["vbq_t1"].note == "more than two fractured levels"
    assert "not given" in found["vbq_t2"].note


@pytest.mark.parametrize(("tesla", "word"), [(None, "field strength unknown"), ("3", "3 T and 1.5 T")])
def test_another_field_strength_is_said(tesla, word):
    assert word in assessed(score("vbq_t2", 0.6), tesla=tesla)["vbq_t2"].note


def test_another_statistic_is_said():
    assert "mean of the levels, not their median" in assessed(score("vbq_t2", 0.6), statistic="median")["vbq_t2"].note


def test_remarks_on_single_regions_are_counted_not_repeated():
    note = "L1 body: oedema; L2 body: oedema; field strength unknown; L3 csf: small"
    assert brief(note) == "field strength unknown; 3 remarks on single regions stand beside the signals"
    assert brief("field strength unknown") == "field strength unknown"
    assert brief("") == ""
