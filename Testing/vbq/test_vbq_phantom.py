"""The synthetic patient's set scores come back, fractured or not."""

import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.image import Modality
from OVFRiskLib.phantom import Fracture, FractureKind, PhantomSettings, make_patient
from OVFRiskLib.vbq import measure_vbq, propose_regions


@pytest.mark.parametrize("fractures", [(), (Fracture(VertebralLevel.L2, FractureKind.WEDGE, 0.3),)])
def test_scores_within_two_percent(fractures):
    patient = make_patient(PhantomSettings(seed=11, fractures=fractures, spacing=2.0))
    volumes = {Modality.T1: patient.t1, Modality.T2: patient.t2, Modality.STIR: patient.stir}
    regions = propose_regions(volumes, patient.mr_bodies)
    table = measure_vbq(volumes, regions, fractured=[fracture.level for fracture in fractures])
    for name in ("vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir"):
        assert table.value(name=name) == pytest.approx(patient.truth.value(level=None, name=name), rel=0.02)
    assert regions.csf.region.level is VertebralLevel.L3
