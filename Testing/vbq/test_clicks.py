"""Bodies are found from clicks, and what is not found says why."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import LabelMap, Mask, Modality, Volume
from OVFRiskLib.phantom import Fracture, Lesion, Phantom, PhantomSettings, make_patient
from OVFRiskLib.segmentation.seeds import Seed
from OVFRiskLib.vbq import Plane, measure_vbq, propose_regions
from OVFRiskLib.vbq.clicks import regions_from_clicks, sections_from_clicks
from OVFRiskLib.vbq.sampling import STEP_MM, interpolated
from OVFRiskLib.vbq.sections import Section

T1, T2, STIR = Modality.T1, Modality.T2, Modality.STIR
T12, L1, L2, L3, L4, L5 = LEVELS = VertebralLevel.span("T12-L5")


@cache
def patient(name: str) -> Phantom:
    settings = {
        "clean": PhantomSettings(1, spacing=5.0),
        "bent": PhantomSettings(13, spacing=5.0, scoliosis=15.0),
        "ill": PhantomSettings(
            12,
            spacing=5.0,
            fractures=[Fracture.parse("L1:wedge:0.35")],
            lesions=[Lesion.parse("L2:haemangioma"), Lesion.parse("L3:basivertebral-vein")],
            shading_percent=40,
            bias_field=0.3,
            mr_noise=12,
        ),
    }[name]
    return make_patient(settings)


@cache
def exam(name: str) -> tuple[dict[Modality, Volume], LabelMap]:
    made = patient(name)
    return {T1: made.t1, T2: made.t2, STIR: made.stir}, made.mr_bodies.reoriented("RAS")


def body(bodies: LabelMap, level: VertebralLevel) -> Mask:
    mask = bodies.mask(Region(Compartment.BODY, level))
    return mask if mask.array.any() else bodies.mask(Region(Compartment.WHOLE, level))


def middle(bodies: LabelMap, level: VertebralLevel) -> np.ndarray:
    mask = body(bodies, level)
    return mask.to_ras(np.argwhere(mask.array).mean(axis=0)[::-1])


def clicks(bodies: LabelMap, off_mm: float = 0.0, seed: int = 0, levels=LEVELS) -> list[Seed]:
    """A click in the middle of each body, off in a random direction."""
    rng = np.random.default_rng(seed)
    away = rng.standard_normal((len(levels), 3))
    away *= off_mm / np.linalg.norm(away, axis=1, keepdims=True)
    return [Seed(middle(bodies, level) + d, level) for level, d in zip(levels, away, strict=True)]


def dice(found: Section, bodies: LabelMap) -> float:
    u, v = (np.arange(a[0] - 15, a[-1] + 15, STEP_MM) for a in (found.u, found.v))
    truth = interpolated(body(bodies, found.level), found.plane.to_ras(np.stack(np.meshgrid(u, v, indexing="ij"), -1)))
    return (
        2
        * np.count_nonzero(truth[30:, 30:][: len(found.u), : len(found.v)] & found.inside)
        / (np.count_nonzero(truth) + np.count_nonzero(found.inside))
    )


@pytest.mark.parametrize(("name", "seed"), [("clean", 0), ("bent", 2), ("ill", 3)])
def test_outlines_of_phantoms(name, seed):
    volumes, bodies = exam(name)
    sections, missing = sections_from_clicks(volumes, clicks(bodies, 4.0, seed))
    assert missing == {}
    for level in LEVELS:
        assert dice(sections[level], bodies) >= 0.93, level


def test_a_click_6_mm_off_finds_the_same_body():
    volumes, bodies = exam("clean")
    first, _ = sections_from_clicks(volumes, clicks(bodies, levels=(L2, L3, L4)))
    other, _ = sections_from_clicks(volumes, clicks(bodies, 6.0, 5, (L2, L3, L4)))
    for level in (L2, L3, L4):
        middles = [found[level].plane.to_ras(found[level].points.mean(axis=0)) for found in (first, other)]
        np.testing.assert_allclose(middles[0][1:], middles[1][1:], atol=1.0)


@pytest.mark.parametrize("alone", [T1, T2, STIR])
def test_one_sequence_is_enough(alone):
    volumes, bodies = exam("clean")
    sections, _ = sections_from_clicks({alone: volumes[alone]}, clicks(bodies, 4.0, 6, (L1, L2, L3)))
    assert min(dice(found, bodies) for found in sections.values()) >= 0.88


def test_scores_of_clicks_are_the_true_ones():
    volumes, bodies = exam("clean")
    table = measure_vbq(volumes, regions_from_clicks(volumes, clicks(bodies, 4.0, 7)))
    for name in ("vbq_t1", "vbq_t2", "vbq_stir"):
        assert table.value(name=name) == pytest.approx(patient("clean").truth.value(name=name), rel=0.02)


def test_levels_between_two_clicks():
    volumes, bodies = exam("bent")
    sections, _ = sections_from_clicks(volumes, clicks(bodies, 3.0, 8, (T12, L5)))
    assert list(sections) == list(LEVELS)
    for level in (L1, L2, L3, L4):
        assert any("between the clicks of T12 and L5" in note for note in sections[level].notes)
        assert dice(sections[level], bodies) >= 0.9


@pytest.mark.parametrize(("named", "clicked"), [((L1, L4), (L1, L5)), ((L1, L5), (L1, L4))])
def test_wrong_number_between_two_clicks_is_refused(named, clicked):
    volumes, bodies = exam("clean")
    seeds = [Seed(middle(bodies, at), level) for level, at in zip(named, clicked, strict=True)]
    with pytest.raises(UserError, match="could not be found with certainty"):
        sections_from_clicks(volumes, seeds)


def test_scoliosis_gets_parasagittal_planes():
    volumes, bodies = exam("bent")
    sections, _ = sections_from_clicks(volumes, clicks(bodies, 3.0, 9))
    aside = {level: middle(bodies, level)[0] for level in LEVELS}
    assert max(aside.values()) - min(aside.values()) > 8
    for level in LEVELS:
        assert abs(sections[level].plane.origin[0] - aside[level]) <= 4 + 2 + 1  # settings, half a slice, clicks
    assert any("parasagittal" in note for found in sections.values() for note in found.notes)


def test_a_plane_that_was_given_is_taken():
    volumes, bodies = exam("clean")
    given = Plane(tuple(middle(bodies, L3) + np.array((4.0, 0, 0))), ((0, 1, 0), (0, 0, 1)))
    sections, _ = sections_from_clicks(volumes, clicks(bodies, levels=(L3, L4)), plane=given)
    assert {found.plane for found in sections.values()} == {given}


@pytest.mark.parametrize("away", [(0, -55, 0), (0, 45, 0)])
def test_a_click_outside_of_bone_is_refused(away):
    volumes, bodies = exam("clean")
    seeds = [
        Seed(s.point + (np.array(away) if s.level is L3 else 0), s.level)
        for s in clicks(bodies, levels=(L1, L2, L3, L4))
    ]
    sections, missing = sections_from_clicks(volumes, seeds)
    assert L3 not in sections
    assert "L3" in missing[L3]
    assert {L1, L2, L4} <= set(sections)


def test_what_was_not_clicked_is_missing_with_its_reason():
    volumes, bodies = exam("clean")
    regions = regions_from_clicks(volumes, clicks(bodies, levels=(L1, L2, L3, L4)))
    assert list(regions.bodies) == [L1, L2, L3, L4]
    assert regions.missing[Region(Compartment.BODY, L5)] == "L5 was not clicked"


def test_two_clicks_in_one_body_are_refused():
    volumes, bodies = exam("clean")
    seeds = [*clicks(bodies, levels=(L1, L2, L3)), Seed(middle(bodies, L3) - (0, 0, 5), L4)]
    sections, missing = sections_from_clicks(volumes, seeds)
    assert "lead to one body" in missing[L3]
    assert "lead to one body" in missing[L4]
    assert L2 in sections


def test_nothing_to_find_is_said():
    volumes, bodies = exam("clean")
    with pytest.raises(UserError, match="no T1, T2 or STIR"):
        sections_from_clicks({Modality.CT: volumes[T1]}, clicks(bodies))
    with pytest.raises(UserError, match="outside the MR images"):
        sections_from_clicks(volumes, [Seed((5000, 0, 0), L1)])


REAL = {
    "mr_pair_t1_t2": ("t1_bodies.nii.gz", {T1: "t1.nii.gz", T2: "t2.nii.gz"}),
    "mr_lumbar_t2_bodies": ("t2_bodies.nii.gz", {T2: "t2.nii.gz"}),
    "mr_pair_t1_stir": ("t1_bodies.nii.gz", {T1: "t1.nii.gz", STIR: "stir.nii.gz"}),
}


def real(shared_data: Path, folder: str) -> tuple[dict[Modality, Volume], LabelMap]:
    labels, files = REAL[folder]
    volumes = {sequence: read_volume(shared_data / folder / file, sequence) for sequence, file in files.items()}
    return volumes, read_labels(shared_data / folder / labels, "verse").reoriented("RAS")


@pytest.mark.parametrize("folder", REAL)
def test_real_outlines(shared_data, folder):
    volumes, bodies = real(shared_data, folder)
    sections, missing = sections_from_clicks(volumes, clicks(bodies, 3.5, 10))
    assert missing == {}
    found = [dice(sections[level], bodies) for level in LEVELS]
    assert np.mean(found) >= 0.90
    assert min(found) >= 0.84


NARROW = pytest.param(
    "mr_pair_t1_stir",
    marks=pytest.mark.xfail(strict=True, reason="a sac so narrow that CSF makes the difference; measured: 7.2 %"),
)


@pytest.mark.parametrize("folder", ["mr_pair_t1_t2", "mr_lumbar_t2_bodies", NARROW])
def test_real_scores_of_clicks_and_labels(shared_data, folder):
    volumes, bodies = real(shared_data, folder)
    ours = measure_vbq(volumes, regions_from_clicks(volumes, clicks(bodies, 3.5, 10)))
    theirs = measure_vbq(volumes, propose_regions(volumes, bodies))
    for sequence in volumes:
        name = f"vbq_{sequence.lower()}"
        assert ours.value(name=name) == pytest.approx(theirs.value(name=name), rel=0.05)
