"""The shading that a synthetic patient was given is found, and taken out where that is asked for."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.phantom import PhantomSettings
from OVFRiskLib.phantom.labels import mr_bodies_array, scheme_regions
from OVFRiskLib.phantom.mr import mr_array, mr_raster
from OVFRiskLib.phantom.scene import Patterns, draw_scene
from OVFRiskLib.phantom.spine import build_spine
from OVFRiskLib.vbq import measure_vbq, propose_regions
from OVFRiskLib.vbq.shading import Shading, estimate_shading, n4_corrected

SEQUENCES = ("t1", "t2", "stir")
L1, L2, L4 = VertebralLevel.L1, VertebralLevel.L2, VertebralLevel.L4


class Exam:
    """The MR of one synthetic patient and its regions."""

    def __init__(self, seed: int) -> None:
        self.settings = PhantomSettings(seed=seed, mr_pixel=1.2)
        self.spine = build_spine(self.settings)
        self.raster = mr_raster(self.settings, self.spine)
        self.scene = draw_scene(self.settings, self.spine, Patterns.drawn(seed), self.raster)
        self.matrix = self.raster.ijk_to_ras(self.settings.position)
        labels = LabelMap(mr_bodies_array(self.scene), self.matrix, scheme_regions())
        clean = {Modality(name.upper()): self.volume(name) for name in SEQUENCES}
        self.regions = propose_regions(clean, labels)

    def volume(self, name: str, **changes) -> Volume:
        array = mr_array(self.scene, replace(self.settings, **changes), self.spine, name)
        return Volume(array, self.matrix, Modality(name.upper()))

    def error(self, volume: Volume) -> float:
        """Percent by which the score is off."""
        name = volume.modality.lower()
        score = measure_vbq({volume.modality: volume}, self.regions).value(name=f"vbq_{name}")
        return 100 * (score / self.settings.vbq[name] - 1)


@pytest.fixture(scope="module")
def exams() -> dict[int, Exam]:
    return {seed: Exam(seed) for seed in (3, 11)}


@pytest.mark.parametrize("seed", [3, 11])
@pytest.mark.parametrize("percent", [-40.0, 0.0, 30.0])
@pytest.mark.parametrize("name", SEQUENCES)
def test_shading_is_found(exams, seed, percent, name):
    """The truth holds between the middles of L1 and L4; the levels' own marrow differs by 3 % (SD) at random."""
    shading = estimate_shading(exams[seed].volume(name, shading_percent=percent), exams[seed].regions.bodies)
    assert shading.percent == pytest.approx(percent, abs=6)
    assert shading.flagged == (percent != 0)
    assert ("consider" in shading.note) == (percent != 0)


def test_brighter_bone_at_one_end_is_no_shading(exams):
    """L1 and L2 a fifth brighter than L3 and L4: bone, since neither canal nor muscle change."""
    exam = exams[11]
    volume = exam.volume("t1")
    array = volume.array.astype(float)
    wanted = [key for key, region in scheme_regions().items() if region.level in (L1, L2)]
    array[np.isin(mr_bodies_array(exam.scene), wanted)] *= 1.25
    shading = estimate_shading(replace(volume, array=array), exam.regions.bodies)
    assert shading.percent == pytest.approx(0, abs=6)
    assert "hard to tell apart" in shading.note


@pytest.mark.parametrize(("name", "percent"), [("t1", 30.0), ("t2", -30.0), ("stir", 30.0)])
def test_n4_brings_the_score_back(exams, name, percent):
    shaded = exams[11].volume(name, shading_percent=percent)
    corrected = n4_corrected(shaded)
    assert abs(exams[11].error(corrected)) < 5
    left = estimate_shading(corrected, exams[11].regions.bodies).percent
    assert abs(left) < 0.7 * abs(percent)
    assert "N4 (shrink factor" in corrected.corrections[-1]
    assert shaded.corrections == ()


@pytest.mark.parametrize("name", SEQUENCES)
def test_n4_leaves_a_clean_image_alone(exams, name):
    clean = exams[11].volume(name)
    assert exams[11].error(n4_corrected(clean)) == pytest.approx(exams[11].error(clean), abs=2)


def test_n4_gives_the_same_image_every_time(exams):
    shaded = exams[3].volume("stir", shading_percent=30.0)
    assert n4_corrected(shaded).hash == n4_corrected(shaded).hash


def test_needs_both_ends(exams):
    bodies = {level: roi for level, roi in exams[3].regions.bodies.items() if level is not L4}
    with pytest.raises(ValueError, match="L1 and L4"):
        estimate_shading(exams[3].volume("t1"), bodies)


def test_needs_tissue(exams):
    volume = exams[3].volume("t1")
    empty = replace(volume, array=np.zeros_like(volume.array))
    with pytest.raises(ValueError, match="too little"):
        estimate_shading(empty, exams[3].regions.bodies)
    with pytest.raises(ValueError, match="no signal"):
        n4_corrected(empty)


@pytest.mark.parametrize(("percent", "flagged"), [(14.9, False), (15.1, True), (-20.0, True)])
def test_flag(percent, flagged):
    assert Shading(percent).flagged is flagged
