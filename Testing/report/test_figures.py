"""Where the pictures cut through the patient, and that sides are not swapped."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.files.figures import draw_figures, planes
from OVFRiskLib.image import LabelMap, Modality, Volume

LEVELS = VertebralLevel.span("T12-L4")


@pytest.fixture(scope="module")
def scoliosis():
    """Bodies whose centres lie on a curve, in an LPS image; values grow to the right, forward and upward."""
    matrix = np.diag([-1.0, -1.0, 2.0, 1.0])
    matrix[:3, 3] = 40.0, 50.0, -60.0
    k, j, i = np.indices((60, 90, 80))
    r, a, s = 40.0 - i, 50.0 - j, -60 + 2.0 * k
    array = np.zeros(r.shape, np.int16)
    centres = {}
    for n, level in enumerate(LEVELS):
        centre = np.array([10 * np.sin(n), -5.0 * n, 40 - 20.0 * n])
        array[(abs(r - centre[0]) < 12) & (abs(a - centre[1]) < 10) & (abs(s - centre[2]) < 9)] = n + 1
        centres[level] = centre
    labels = LabelMap(array, matrix, {n + 1: Region(Compartment.BODY, level) for n, level in enumerate(LEVELS)})
    volumes = {
        axis: Volume(values.astype(np.float32), matrix, modality=Modality.CT) for axis, values in zip("ras", (r, a, s))
    }
    return labels, volumes, centres


def test_centres_are_found(scoliosis):
    labels, _, centres = scoliosis
    for level, centre in planes.body_centres(labels).items():
        assert centre == pytest.approx(centres[level], abs=1.0)


def test_sagittal_follows_the_curve_with_anterior_on_the_left(scoliosis):
    _, volumes, centres = scoliosis
    surface = planes.sagittal(centres, np.array([-40, -30, -50]), np.array([40, 30, 50]), 1.0)
    r, a, s = (surface.sample(volumes[axis]) for axis in "ras")
    for centre in centres.values():
        row, column = np.abs(surface.y - centre[2]).argmin(), np.abs(surface.x + centre[1]).argmin()
        assert (r[row, column], a[row, column], s[row, column]) == pytest.approx(centre, abs=1.0)
    assert a[50, 0] > a[50, -1], "anterior is left"
    assert s[-1, 10] > s[0, 10], "the head is up"


def test_coronal_shows_the_patients_right_on_the_left(scoliosis):
    _, volumes, centres = scoliosis
    surface = planes.coronal(centres, np.array([-30, -30, -50]), np.array([30, 30, 50]), 1.0)
    r, a = surface.sample(volumes["r"]), surface.sample(volumes["a"])
    assert r[50, 0] > r[50, -1]
    for centre in centres.values():
        assert a[np.abs(surface.y - centre[2]).argmin(), 20] == pytest.approx(centre[1], abs=0.6)


def test_axial_is_seen_from_below_with_anterior_up(scoliosis):
    _, volumes, centres = scoliosis
    surface = planes.axial(centres[VertebralLevel.L1], np.array([0.0, 0.0, 1.0]), 15.0, 0.5)
    r, a, s = (surface.sample(volumes[axis]) for axis in "ras")
    assert r[30, 0] > r[30, -1]
    assert a[-1, 30] > a[0, 30]
    assert np.ptp(s) == pytest.approx(0, abs=1e-4)
    tilted = planes.axial(centres[VertebralLevel.L1], np.array([0.0, np.sin(0.3), np.cos(0.3)]), 15.0, 0.5)
    offsets = (tilted.points - centres[VertebralLevel.L1]) @ np.array([0.0, np.sin(0.3), np.cos(0.3)])
    assert offsets == pytest.approx(0, abs=1e-9)


def test_a_plane_maps_its_own_axes(scoliosis):
    _, volumes, _ = scoliosis
    surface = planes.plane(np.array([5.0, 0, 0]), ((0, 1, 0), (0, 0, 1)), (-20, 20, -30, 30), 1.0)
    assert surface.sample(volumes["r"])[10, 10] == pytest.approx(5.0)
    assert surface.sample(volumes["a"])[10, 0] == pytest.approx(20.0)
    assert surface.extent[0] == -20


def test_outside_of_the_image_there_is_nothing(scoliosis):
    _, volumes, _ = scoliosis
    surface = planes.plane(np.array([500.0, 0, 0]), ((0, 1, 0), (0, 0, 1)), (-20, 20, -30, 30), 1.0)
    assert np.isnan(surface.sample(volumes["r"])).all()


def test_every_figure_is_drawn_and_drawn_alike_again(analysis):
    first, second = draw_figures(analysis), draw_figures(analysis)
    assert list(first) == ["ct-overview", "ct-axial", "levels", "mr-regions", "scores"]
    assert first == second
