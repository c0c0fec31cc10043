"""Lesions that a synthetic patient was given are found and named; healthy marrow is left alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.phantom import PhantomSettings
from OVFRiskLib.phantom.labels import mr_bodies_array, scheme_regions
from OVFRiskLib.phantom.lesion_drawing import lesion_places
from OVFRiskLib.phantom.lesions import Lesion
from OVFRiskLib.phantom.mr import marrow_signals, mr_array, mr_raster
from OVFRiskLib.phantom.scene import Patterns, draw_scene
from OVFRiskLib.phantom.spine import build_spine
from OVFRiskLib.vbq import propose_regions
from OVFRiskLib.vbq.exclusions import Exclusion, ExclusionSettings, propose_exclusions
from OVFRiskLib.vbq.exclusions_kinds import ExclusionKind
from OVFRiskLib.vbq.motion import Motion, apply

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR
SEQUENCES = ("t1", "t2", "stir")
L1, L2, L3, L4 = VertebralLevel.span("L1-L4")
LESIONS = {
    L1: ("L1:haemangioma", ExclusionKind.HAEMANGIOMA),
    L2: ("L2:basivertebral-vein", ExclusionKind.PLEXUS),
    L3: ("L3:sclerosis:5@0,2,1", ExclusionKind.SCLEROSIS),
    L4: ("L4:schmorl:7", ExclusionKind.SCHMORL),
}


class Exam:
    """The MR of one synthetic patient."""

    def __init__(self, seed: int, lesions=()) -> None:
        self.settings = PhantomSettings(seed=seed, mr_pixel=1.0, lesions=[Lesion.parse(text) for text in lesions])
        self.spine = build_spine(self.settings)
        self.raster = mr_raster(self.settings, self.spine)
        self.scene = draw_scene(self.settings, self.spine, Patterns.drawn(seed), self.raster)
        self.matrix = self.raster.ijk_to_ras(self.settings.position)

    def volumes(self, **changes) -> dict[Modality, Volume]:
        settings = replace(self.settings, **changes)
        arrays = {name: mr_array(self.scene, settings, self.spine, name) for name in SEQUENCES}
        return {Modality(n.upper()): Volume(a, self.matrix, Modality(n.upper())) for n, a in arrays.items()}

    def labels(self) -> LabelMap:
        return LabelMap(mr_bodies_array(self.scene), self.matrix, scheme_regions())


@pytest.fixture(scope="module", params=[3, 11])
def pair(request):
    """A patient, healthy and with lesions; the regions are those of the healthy one, as masks often are."""
    healthy, ill = Exam(request.param), Exam(request.param, [text for text, _ in LESIONS.values()])
    volumes = healthy.volumes()
    return healthy, volumes, ill, ill.volumes(), propose_regions(volumes, healthy.labels())


@pytest.mark.parametrize(
    "change", [{}, {"mr_noise": 15.0}, {"mr_noise": 60.0}, {"bias_field": 0.3, "shading_percent": 30.0}]
)
def test_healthy_marrow_stays_in(pair, change):
    healthy, volumes, _, _, regions = pair
    proposal = propose_exclusions(healthy.volumes(**change) if change else volumes, regions)
    assert set(proposal.shares) == {roi.region for roi in regions.bodies.values()}
    assert max(proposal.shares.values()) < 0.01
    assert not proposal.remarks


@pytest.mark.parametrize("sequence", [T1, T2, STIR])
def test_healthy_marrow_stays_in_on_one_sequence(pair, sequence):
    _, volumes, _, _, regions = pair
    proposal = propose_exclusions({sequence: volumes[sequence]}, regions)
    assert not proposal.exclusions
    assert not proposal.remarks


def test_each_lesion_has_its_kind(pair):
    *_, volumes, regions = pair
    found = propose_exclusions(volumes, regions).exclusions
    assert {(e.region.level, e.kind) for e in found} == {(level, kind) for level, (_, kind) in LESIONS.items()}
    assert len(found) == len(LESIONS)


def test_outline_holds_the_lesion(pair):
    _, _, ill, volumes, regions = pair
    found = {e.region.level: e for e in propose_exclusions(volumes, regions).exclusions}
    balls = [lesion for lesion in ill.settings.lesions if lesion.kind in ("sclerosis", "schmorl")]
    assert len(balls) == 2
    for lesion in balls:
        roi = regions.bodies[lesion.level]
        inside = roi.mask_on(volumes[T1]).array
        kji = np.argwhere(inside)
        places = lesion_places(lesion, ill.spine[lesion.level])
        ras = volumes[T1].to_ras(kji[:, ::-1]) - np.array(ill.settings.position)
        core = np.linalg.norm(ras - places[0].centre, axis=1) <= places[0].radius - 0.5
        far = np.linalg.norm(ras - places[0].centre, axis=1) > places[0].radius + 4
        out = found[lesion.level].as_roi(roi).mask_on(volumes[T1]).array[inside]
        assert core.any()
        assert out[core].all()
        assert not out[far].any()


def test_what_is_left_is_healthy_marrow(pair):
    """Without its exclusion a body reads its set signal again (a haemangioma's partial volume stays to 3 %)."""
    _, _, ill, volumes, regions = pair
    for exclusion in propose_exclusions(volumes, regions).exclusions:
        level, roi = exclusion.region.level, regions.bodies[exclusion.region.level]
        for sequence, volume in volumes.items():
            truth = marrow_signals(ill.settings)[sequence.lower()][level]
            inside = roi.mask_on(volume).array
            left = inside & ~exclusion.as_roi(roi).mask_on(volume).array
            before, after = (volume.array[mask].mean() / truth - 1 for mask in (inside, left))
            assert abs(after) < 0.035
            assert abs(after) < max(abs(before), 0.015)


def test_one_sequence_leaves_doubtful_parts_in(pair):
    """On T1 alone a dark part may be sclerosis, oedema or tumour; on T2 alone a bright one haemangioma or oedema."""
    *_, volumes, regions = pair
    for sequence, level in ((T1, L3), (T2, L1)):
        proposal = propose_exclusions({sequence: volumes[sequence]}, regions)
        region = Region(Compartment.BODY, level)
        assert proposal.shares[region] == 0
    proposal = propose_exclusions({T1: volumes[T1]}, regions)
    assert "not known what it is" in proposal.remarks[Region(Compartment.BODY, L3)]


def painted(volume: Volume, mask: np.ndarray, factor: float) -> Volume:
    array = volume.array.astype(np.float32)
    array[mask] *= factor
    return replace(volume, array=array)


def test_oedema_is_flagged_and_stays_in(pair):
    """Oedema in the front of L3: dark on T1, bright on T2 and STIR."""
    _, volumes, _, _, regions = pair
    roi = regions.bodies[L3]
    middle = np.mean(roi.outline, axis=0)[0]
    inside = roi.mask_on(volumes[T1]).array
    kji = np.argwhere(inside)
    ahead = roi.plane.from_ras(volumes[T1].to_ras(kji[:, ::-1]))[:, 0] > middle + 4
    band = np.zeros_like(inside)
    band[tuple(kji[ahead].T)] = True
    factors = {T1: 0.6, T2: 1.4, STIR: 2.0}
    changed = {sequence: painted(volume, band, factors[sequence]) for sequence, volume in volumes.items()}
    proposal = propose_exclusions(changed, regions)
    assert not proposal.exclusions
    assert set(proposal.remarks) == {roi.region}
    assert "oedema" in proposal.remarks[roi.region]
    assert "fracture" in proposal.remarks[roi.region]


@pytest.mark.parametrize("sequences", [(T1, T2, STIR), (STIR,)])
def test_oedema_of_a_whole_body_is_flagged(pair, sequences):
    healthy, volumes, _, _, regions = pair
    body = mr_bodies_array(healthy.scene)
    number = next(n for n, region in scheme_regions().items() if region == Region(Compartment.BODY, L2))
    factors = {T1: 0.8, T2: 1.2, STIR: 1.6}
    changed = {s: painted(volumes[s], body == number, factors[s]) for s in sequences}
    proposal = propose_exclusions(changed, regions)
    assert not proposal.exclusions
    assert list(proposal.remarks) == [Region(Compartment.BODY, L2)]
    assert "oedema" in proposal.remarks[Region(Compartment.BODY, L2)]


def test_a_moved_sequence_is_looked_at_where_the_patient_lies(pair):
    """T2 10 mm higher: without its motion the discs would be taken for lesions."""
    *_, volumes, regions = pair
    plane = regions.bodies[L3].plane
    motion = Motion(0.0, 10.0, 0.0, 1.0, True, "", plane, (0.0, 0.0), 10.0)
    matrix = volumes[T2].ijk_to_ras.copy()
    matrix[2, 3] += 10.0
    moved = {**volumes, T2: replace(volumes[T2], ijk_to_ras=matrix)}
    before = propose_exclusions(volumes, regions)
    after = propose_exclusions(moved, replace(regions, motions={T2: motion}))
    assert {(e.region, e.kind) for e in after.exclusions} == {(e.region, e.kind) for e in before.exclusions}
    roi = regions.bodies[L1]
    assert apply(roi, motion).plane.origin == pytest.approx(np.add(roi.plane.origin, (0, 0, 10.0)))


def test_saved_exclusion_is_the_same(pair):
    *_, volumes, regions = pair
    for exclusion in propose_exclusions(volumes, regions).exclusions:
        assert Exclusion.from_dict(json.loads(json.dumps(exclusion.to_dict()))) == exclusion


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "bruise"},
        {"outline": [[0, 0], [1, 1]]},
        {"outline": [[0, 0], [1, float("nan")], [1, 0]]},
        {"region": 3},
    ],
)
def test_impossible_exclusion_is_refused(change):
    good = Exclusion(Region(Compartment.BODY, L1), ExclusionKind.OTHER, ((0, 0), (4, 0), (0, 4)), "by hand")
    assert Exclusion.from_dict(good.to_dict()) == good
    with pytest.raises(UserError):
        Exclusion.from_dict({**good.to_dict(), **change})


def test_a_stricter_size_finds_less(pair):
    *_, volumes, regions = pair
    none = propose_exclusions(volumes, regions, ExclusionSettings(least_mm2=400.0))
    assert not none.exclusions


@pytest.mark.parametrize(
    ("folder", "names", "flagged"),
    [
        ("mr_pair_t1_t2", ("t1", "t2"), ()),
        ("mr_pair_t1_stir", ("t1", "stir"), (L2,)),
        ("mr_lumbar_t2_bodies", ("t2",), ()),
    ],
)
def test_real_mottled_marrow_stays_in(shared_data, folder, names, flagged):
    """Looked at: no lesion in any region; L2 of the second exam is dark on T1 and bright on STIR (end-plate change)."""
    volumes = {
        Modality(name.upper()): read_volume(shared_data / folder / f"{name}.nii.gz", Modality(name.upper()))
        for name in names
    }
    regions = propose_regions(volumes, read_labels(shared_data / folder / f"{names[0]}_bodies.nii.gz", "verse"))
    proposal = propose_exclusions(volumes, regions)
    assert max(proposal.shares.values()) < 0.01
    for level in flagged:
        assert "oedema" in proposal.remarks[Region(Compartment.BODY, level)]
    if not flagged:
        assert not proposal.remarks
