"""The synthetic patient's set scores come back: fractured, scoliotic, with a narrow canal; each flag has its cause."""

from functools import cache

import pytest
from OVFRiskLib.anatomy import Structure, VertebralLevel
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.measurement import Quality
from OVFRiskLib.phantom import Fracture, FractureKind, PhantomSettings
from OVFRiskLib.phantom.labels import mr_bodies_array, scheme_regions
from OVFRiskLib.phantom.mr import mr_array, mr_raster
from OVFRiskLib.phantom.scene import Patterns, draw_scene
from OVFRiskLib.phantom.spine import build_spine
from OVFRiskLib.phantom.truth import truth_table
from OVFRiskLib.vbq import measure_vbq, propose_regions

L2, L3 = VertebralLevel.L2, VertebralLevel.L3
SCORES = ("vbq_t1", "vbq_t2", "vbq_stir", "vbq_t2_stir")
CASES = {
    "clean": {"seed": 11},
    "fracture": {"seed": 3, "fractures": (Fracture(L2, FractureKind.WEDGE, 0.3),)},
    "scoliosis": {"seed": 5, "scoliosis": 15.0},
    "stenosis": {"seed": 4, "stenosis": {L3: 0.5}},
}


@cache
def measured(case: str):
    """Truth, regions and measurements of a patient without CT, which takes longest and is not looked at."""
    settings = PhantomSettings(**CASES[case])
    spine, patterns = build_spine(settings), Patterns.drawn(settings.seed)
    raster = mr_raster(settings, spine)
    scene, place = draw_scene(settings, spine, patterns, raster), raster.ijk_to_ras(settings.position)
    known = {"MagneticFieldStrength": "1.5", "Manufacturer": "OVFRisk (synthetic)"}
    volumes = {
        sequence: Volume(mr_array(scene, settings, spine, sequence.lower()), place, sequence, acquisition=known)
        for sequence in (Modality.T1, Modality.T2, Modality.STIR)
    }
    regions = propose_regions(volumes, LabelMap(mr_bodies_array(scene), place, scheme_regions()))
    table = measure_vbq(volumes, regions, fractured=[fracture.level for fracture in settings.fractures])
    return truth_table(settings, spine, [], patterns), regions, table


@pytest.mark.parametrize("case", CASES)
def test_scores_within_two_percent(case):
    truth, _, table = measured(case)
    for name in SCORES:
        assert table.value(name=name) == pytest.approx(truth.value(level=None, name=name), rel=0.02)


def test_nothing_is_flagged_on_a_clean_patient():
    _, regions, table = measured("clean")
    assert [(row.name, row.note) for row in table if row.quality is not Quality.OK] == []
    assert regions.csf.region.level is L3
    for name in SCORES:
        assert 0 < table.value(name=f"{name}_uncertainty") < 0.1 * table.value(name=name)


def test_narrow_canal_sends_csf_to_an_adjacent_level():
    truth, regions, table = measured("stenosis")
    assert regions.csf.region.level in (L2, VertebralLevel.L4)
    assert "the sac at L3 is" in regions.csf.note
    said = float(regions.csf.note.split(" mm wide")[0].split()[-1])
    assert said == pytest.approx(truth.value(compartment=Structure.SPINAL_CANAL, name="sac_depth"), abs=1.0)
    assert all("stenosis?" in row.note for name in SCORES for row in table.where(name=name))
