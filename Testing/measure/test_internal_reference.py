"""Calibration by the patient's own muscle and fat, against the phantom's set line."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Structure
from OVFRiskLib.calibration import InternalReference, internal_line
from OVFRiskLib.calibration.mixture import lean_of
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.phantom import PhantomSettings, make_patient

MUSCLES = (
    Structure.ERECTOR_SPINAE_LEFT,
    Structure.ERECTOR_SPINAE_RIGHT,
    Structure.PSOAS_LEFT,
    Structure.PSOAS_RIGHT,
)
VERY_FATTY = dict.fromkeys(MUSCLES, 0.4)
CASES = [
    {"seed": 1, "spacing": (1.2, 1.2, 3.0), "noise_hu": 60.0},
    {"seed": 2, "spacing": (1.2, 1.2, 5.0), "muscle_fat_fraction": VERY_FATTY},
    {"seed": 3, "spacing": 3.0},
    {"seed": 5, "spacing": 5.0},
]


@pytest.fixture(scope="module", params=CASES, ids=["low dose", "fatty", "3 mm", "5 mm"])
def patient(request):
    return make_patient(PhantomSettings(**request.param, mr_pixel=3, mr_slice=6))


def check(patient, line, most):
    slope, intercept = patient.settings.rod_line
    for hu in patient.settings.cancellous_hu.values():
        error = line.vbmd(hu) - (hu - intercept) / slope
        assert abs(error) < most
        assert abs(error) < 2 * line.error(hu)


def test_labelled_tissues_give_the_line(patient):
    check(patient, internal_line(patient.ct, patient.labels), 10)


def test_without_labels_of_tissues_the_image_serves(patient):
    vertebrae = patient.labels.restricted(region for region in patient.labels.regions if region.level)
    line = internal_line(patient.ct, vertebrae)
    check(patient, line, 10)
    assert "under the skin" in line.method
    assert "behind the spine" in line.method


def test_what_was_assumed_is_kept(patient):
    own = InternalReference(muscle=43.2, fat=-84.8, source="the phantom's own line")
    found = internal_line(patient.ct, patient.labels, own).as_dict()
    assert found["settings"]["source"] == "the phantom's own line"
    assert [reference["name"] for reference in found["references"]] == ["fat", "muscle"]
    assert found["references"][0]["hu"] == pytest.approx(patient.settings.fat_hu, abs=2)


def test_lean_muscle_in_a_mixture():
    rng = np.random.default_rng(0)
    share = rng.beta(0.4, 1.2, 20000)
    for noise in (12, 40):
        values = 58 - 160 * share + noise * rng.standard_normal(20000)
        lean, error = lean_of(values, -102, noise)
        assert abs(lean - 58) < min(8, 2 * error)


def test_another_tube_voltage_is_refused(patient):
    acquisition = {**patient.ct.acquisition, "KVP": "80"}
    other = Volume(patient.ct.array, patient.ct.ijk_to_ras, Modality.CT, acquisition=acquisition)
    with pytest.raises(UserError, match="80 kVp"):
        internal_line(other, patient.labels)


def test_a_ct_without_fat_is_refused():
    with pytest.raises(UserError, match="subcutaneous fat"):
        internal_line(Volume(np.full((8, 60, 60), 40, dtype=np.int16), np.eye(4), Modality.CT))
