"""Discs: the row that fits the clicks, and the tilt of a plane."""

import numpy as np
import pytest
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.level_frame import LevelFrame
from OVFRiskLib.segmentation.disc_planes import DiscEvidence, DiscPlane, disc_chain, disc_evidence, fitted_plane
from OVFRiskLib.segmentation.spine_curve import SpineCurve

UP = np.array([0.0, 0.0, 1.0])
BONE, PLATE, DISC = 150.0, 400.0, 60.0
PLATE_MM, HALF_DISC_MM = 2.0, 4.0


def test_a_dark_body_above_a_crushed_one_is_not_a_disc():
    """A body of low density is a valley between its end plates too, and may be clearer than the faint discs."""
    curve = SpineCurve(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 82.0]]))
    s = np.arange(-30.0, 127.0)
    score = np.full(len(s), -25.0)
    discs, dark = (-16.0, 16.0, 48.0, 66.0), 82.0
    score[np.isin(s, discs)], score[s == dark], score[s == 98.0] = 40.0, 55.0, 5.0
    evidence = DiscEvidence(curve, s, score, np.zeros((len(s), 2)), np.full(len(s), 4.0), 80.0)
    found = disc_chain(evidence, [3.5, 28.5, 60.5, 85.5], [32.0] * 4)  # 3.5 mm off the middles
    assert [disc.s for disc in found[:4]] == list(discs)


def test_end_plates_farther_apart_than_a_disc_is_high_count_less():
    ct = block(front=0.0, spacing=1.0, half_mm=8.0)  # 18 mm from plate to plate
    curve = SpineCurve(np.zeros((1, 3)))
    narrow = disc_evidence(block(front=0.0, spacing=1.0, half_mm=4.0), curve, -3, 3).score.max()
    assert disc_evidence(ct, curve, -3, 3).score.max() < narrow - 10


@pytest.mark.parametrize("front", [-12.0, 0.0, 9.0])
@pytest.mark.parametrize("steps_off", [-4.0, 4.0])  # the search tries tilts 6 degrees apart
def test_tilt_of_a_disc(front, steps_off):
    ct = block(front, spacing=3.0)
    found = fitted_plane(ct, disc(front + steps_off, height=1.0), LevelFrame(np.zeros(3), np.eye(3)))
    assert np.rad2deg(np.arccos(found.normal @ normal(front))) < 2.0
    assert found.height(np.zeros(3)) == pytest.approx(0.0, abs=0.7)


def test_thick_slices_show_no_tilt():
    first = disc(4.0)
    assert fitted_plane(block(0.0, spacing=5.0), first, LevelFrame(np.zeros(3), np.eye(3))) is first


def normal(front):
    """Return the normal of a plane that rises by `front` degrees towards the front."""
    return np.array([0.0, -np.sin(np.deg2rad(front)), np.cos(np.deg2rad(front))])


def disc(front, height=0.0):
    """Return a disc as the search may find it."""
    return DiscPlane(0.0, height * UP, normal(front), 2 * HALF_DISC_MM + PLATE_MM, 100.0)


def block(front, spacing, half_mm=HALF_DISC_MM):
    """Return bone around a disc with two end plates through the origin, averaged over its voxels."""
    count = int(60 / spacing) // 2 * 2 + 1
    fine = (np.arange(count * 3) - (count * 3 - 1) / 2) * spacing / 3
    z, y, _ = np.meshgrid(fine, fine, fine[:3], indexing="ij")
    away = np.abs(np.stack([0 * y, y, z], axis=-1) @ normal(front))
    values = np.select([away < half_mm, away < half_mm + PLATE_MM], [DISC, PLATE], BONE)
    mean = values.reshape(count, 3, count, 3, 3).mean(axis=(1, 3, 4), dtype=np.float32)
    matrix = np.diag([spacing, spacing, spacing, 1.0])
    matrix[:3, 3] = -(count - 1) / 2 * spacing
    return Volume(np.repeat(mean[:, :, None], count, axis=2), matrix, Modality.CT)
