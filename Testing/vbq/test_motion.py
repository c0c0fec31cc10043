"""The motion that a synthetic patient made between two sequences is found, and none where there was none."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.phantom import PhantomSettings
from OVFRiskLib.phantom.labels import mr_bodies_array, scheme_regions
from OVFRiskLib.phantom.mr import mr_array, mr_raster
from OVFRiskLib.phantom.scene import Patterns, draw_scene
from OVFRiskLib.phantom.spine import build_spine
from OVFRiskLib.vbq import propose_regions
from OVFRiskLib.vbq.motion import Motion, apply, centres, estimate_motion
from OVFRiskLib.vbq.plane import Plane

PLANE = Plane((0.0, 0.0, 0.0), ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))


class Exam:
    """The MR of one synthetic patient (the CT is not needed), the body regions and where L3 lies."""

    def __init__(self, pixel: float) -> None:
        self.settings = PhantomSettings(seed=11, mr_pixel=pixel)
        self.spine = build_spine(self.settings)
        self.raster = mr_raster(self.settings, self.spine)
        self.scene = draw_scene(self.settings, self.spine, Patterns.drawn(self.settings.seed), self.raster)
        self.matrix = self.raster.ijk_to_ras(self.settings.position)

    def volume(self, name: str, motion=(0.0, 0.0, 0.0)) -> Volume:
        settings = replace(self.settings, motion={name: motion})
        return Volume(mr_array(self.scene, settings, self.spine, name), self.matrix, Modality(name.upper()))

    def bodies(self):
        labels = LabelMap(mr_bodies_array(self.scene), self.matrix, scheme_regions())
        return propose_regions({Modality.T1: self.volume("t1")}, labels).bodies

    def pivot(self) -> np.ndarray:
        return self.spine[VertebralLevel.L3].frame.origin + self.settings.position


@pytest.fixture(scope="module")
def fine() -> Exam:
    return Exam(1.0)


@pytest.fixture(scope="module")
def coarse() -> Exam:
    return Exam(1.3)


@pytest.fixture(scope="module")
def found(fine):
    reference, bodies = fine.volume("t1"), fine.bodies()
    plane = bodies[VertebralLevel.L3].plane

    def estimate(exam, name, motion):
        return estimate_motion(reference, exam.volume(name, motion), plane, centres(bodies)), centres(bodies)

    return estimate


def set_place(point, motion, pivot):
    """Where the phantom's motion takes a point: about the middle of L3, the head forwards (see PhantomSettings)."""
    turn = np.radians(motion[2])
    _, ahead, up = point - pivot
    ahead, up = ahead * np.cos(turn) + up * np.sin(turn), up * np.cos(turn) - ahead * np.sin(turn)
    return pivot + np.array([point[0] - pivot[0], ahead + motion[0], up + motion[1]])


@pytest.mark.parametrize(
    ("name", "motion"),
    [
        ("t2", (3.0, -2.0, 4.0)),
        ("t2", (0.6, 1.5, 0.0)),
        ("stir", (10.0, 0.0, -5.0)),
        ("stir", (-6.0, -8.0, 2.5)),
    ],
)
def test_motion_is_found_to_half_a_millimetre(found, coarse, name, motion):
    estimate, bodies = found(coarse, name, motion)
    assert estimate.trusted
    assert not estimate.note
    assert estimate.gain > 0.1
    assert estimate.rotation_deg == pytest.approx(motion[2], abs=0.5)
    for point in bodies.values():
        expected = set_place(point, motion, coarse.pivot())
        assert np.linalg.norm((estimate.moved(point) - expected)[1:]) < 0.5


@pytest.mark.parametrize("name", ["t2", "stir"])
@pytest.mark.parametrize("pixel", ["fine", "coarse"])
def test_without_motion_nothing_is_moved(found, request, name, pixel):
    estimate, _ = found(request.getfixturevalue(pixel), name, (0.0, 0.0, 0.0))
    assert estimate.largest_mm < 0.3
    assert not estimate.trusted
    assert not estimate.matters
    assert "under 1 mm" in estimate.note


def test_the_same_motion_every_time(found, coarse):
    first, second = (found(coarse, "stir", (2.0, 3.0, 1.0))[0] for _ in range(2))
    assert first == second


def test_noise_alone_is_not_trusted(fine):
    bodies = fine.bodies()
    reference = fine.volume("t1")
    noise = np.random.default_rng(4).integers(0, 500, reference.array.shape).astype(np.int16)
    estimate = estimate_motion(
        reference, replace(reference, array=noise), bodies[VertebralLevel.L3].plane, centres(bodies)
    )
    assert not estimate.trusted


def test_nothing_to_look_around(fine):
    volume = fine.volume("t1")
    with pytest.raises(ValueError, match="around the bodies"):
        estimate_motion(volume, volume, PLANE, {})


def motion(anterior=2.0, up=-3.0, degrees=90.0) -> Motion:
    return Motion(anterior, up, degrees, 0.5, True, "", PLANE, (10.0, 0.0), 20.0)


def test_a_point_moves_as_calculated_by_hand():
    # 90 degrees about (anterior 10, up 0), head forwards: 5 mm above the pivot comes to lie 5 mm in front of it.
    assert motion().moved(np.array([7.0, 10.0, 5.0])) == pytest.approx([7.0, 10.0 + 5.0 + 2.0, -3.0])


def test_a_region_moves_with_its_plane(fine):
    roi = fine.bodies()[VertebralLevel.L2]
    moved = apply(roi, motion(degrees=12.0))
    assert moved.outline == roi.outline
    corners = motion(degrees=12.0).moved(roi.plane.to_ras(roi.outline))
    assert moved.plane.to_ras(moved.outline) == pytest.approx(corners, abs=1e-9)
    assert moved.area_mm2 == pytest.approx(roi.area_mm2)


def test_saved_motion_is_the_same():
    assert Motion.from_dict(motion().to_dict()) == motion()


@pytest.mark.parametrize(
    "change", [{"up_mm": float("nan")}, {"trusted": "yes"}, {"pivot": [1.0]}, {"axes": [[1, 0, 0], [1, 0, 0]]}]
)
def test_impossible_motion_is_refused(change):
    with pytest.raises(UserError):
        Motion.from_dict({**motion().to_dict(), **change})


def test_incomplete_motion_is_refused():
    data = motion().to_dict()
    del data["gain"]
    with pytest.raises(UserError, match="gain"):
        Motion.from_dict(data)


@pytest.mark.parametrize(("folder", "other"), [("mr_pair_t1_t2", "t2"), ("mr_pair_t1_stir", "stir")])
def test_real_pairs_there_and_back(shared_data, folder, other):
    """Both pairs are said to be registered; what is found one way is found the other way, to a voxel (1 mm)."""
    t1, second = (
        read_volume(shared_data / folder / f"{name}.nii.gz", Modality(name.upper())) for name in ("t1", other)
    )
    labels = read_labels(shared_data / folder / "t1_bodies.nii.gz", "verse")
    bodies = propose_regions({Modality.T1: t1}, labels).bodies
    plane = bodies[VertebralLevel.L3].plane
    there, back = (estimate_motion(*pair, plane, centres(bodies)) for pair in ((t1, second), (second, t1)))
    for point in centres(bodies).values():
        assert np.linalg.norm(back.moved(there.moved(point)) - point) < 1.0
    assert there.largest_mm < 4
