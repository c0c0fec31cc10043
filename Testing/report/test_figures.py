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
    assert list(first) == ["ct-overview", "levels", "ct-axial", "mr-regions", "scores"]
    assert first == second


T8, L1, L2, L3 = (VertebralLevel(name) for name in ("T8", "L1", "L2", "L3"))


class Pen:
    """Takes the place of an axis and keeps what is drawn."""

    def __init__(self):
        self.lines, self.texts = [], []

    def plot(self, x, y, **_):
        self.lines.append((x, y))

    def text(self, x, y, text, **_):
        self.texts.append((float(x), float(y), text))


def test_height_lines_lie_on_the_sagittal_picture_with_the_heights_of_the_table(make_spine):
    from OVFRiskLib.files.figures.heights import draw_height_lines
    from OVFRiskLib.files.report_values import Lookup

    spine = make_spine("L1-L3", graded={L2: (2, 1, 0.30, "")}, muscles=False)
    pen = Pen()
    draw_height_lines(pen, spine.height_lines, Lookup(spine.measurements))
    found = {(round(x, 3), round(y, 3)): text for x, y, text in pen.texts}
    for level, height in ((L1, 25.0), (L2, 17.5), (L3, 25.0)):
        ends = spine.height_lines[level]["anterior"]
        place = -ends[:, 1].mean(), ends[:, 2].mean()  # anterior is left
        assert found[round(place[0], 3), round(place[1], 3)] == f"{height:.1f}"
    assert len(pen.texts) == 9


def test_neighbours_are_joined_and_a_level_without_a_value_leaves_a_gap(make_spine):
    from OVFRiskLib.files.figures import profile
    from OVFRiskLib.files.report_values import Lookup

    spine = make_spine("T12-L3", cut=(L1,), muscles=False)
    rows = {quality.level: n for n, quality in enumerate(spine.levels)}
    pen = Pen()
    profile._draw(pen, Lookup(spine.measurements), rows, profile._ATTENUATION[0])
    x, y = pen.lines[0]
    assert y == [0, 1, 2, 3]
    assert np.isnan(x[1])
    assert [x[n] for n in (0, 2, 3)] == [120.0 - level.rank for level in (VertebralLevel.T12, L2, L3)]
    assert pen.lines[1][0] == [x[0] - 30, x[0] + 30], "the first level's standard deviation"


def test_the_expected_height_is_the_measured_one_over_its_ratio(make_spine):
    from OVFRiskLib.files.figures import profile
    from OVFRiskLib.files.report_values import Lookup

    spine = make_spine("L1-L3", graded={L2: (3, 3, 0.5, "")}, muscles=False)
    pen = Pen()
    profile._draw_expected(pen, Lookup(spine.measurements), {L1: 0, L2: 1, L3: 2})
    assert pen.lines[0][0] == pytest.approx([25 / 0.98, 12.5 / 0.98, 25 / 0.98])


@pytest.mark.parametrize(
    ("span", "spacing", "sway"), [("L3", (2, 2, 5), 0.0), ("T1-L5", (3, 3, 5), 18.0)], ids=["one level", "seventeen"]
)
@pytest.mark.filterwarnings("error")
def test_any_number_of_levels_is_drawn_without_a_complaint_of_the_layout(make_spine, span, spacing, sway):
    graded = {T8: (1, 1, 0.22, "borderline"), L3: (3, 3, 0.45, "")}
    figures = draw_figures(make_spine(span, spacing=spacing, sway=sway, graded=graded, ungraded=(L2,)))
    assert list(figures) == ["ct-overview", "levels", "ct-axial", "muscle"]
    assert "L3: grade 3, crush, −45 %" in figures["ct-overview"].alt
    assert "L3" in figures["levels"].alt.partition("deformed: ")[2]


def test_the_section_shows_muscles_on_their_side_and_the_fat_within(make_spine):
    from OVFRiskLib.anatomy import Structure
    from OVFRiskLib.files.figures import muscle

    spine = make_spine("L2-L4", spacing=(2, 2, 3))
    centre = planes.body_centres(spine.compartments)[L3]
    surface = muscle._section(centre, np.array([0.0, 0, 1]), spine.structures)
    right = muscle._muscles(spine.structures, [Structure.PSOAS_RIGHT])
    inside = muscle.part_sample(surface, spine.structures, right) > 0
    columns = np.flatnonzero(inside.any(axis=0))
    assert surface.x[columns].max() < 0, "the patient's right is on the left"
    for part in (Structure.ERECTOR_SPINAE_LEFT, Structure.PSOAS_LEFT):  # no muscle is cut off by the picture
        mask = muscle.part_sample(surface, spine.structures, muscle._muscles(spine.structures, [part])) > 0
        assert mask.any()
        assert not np.concatenate([mask[[0, -1]].ravel(), mask[:, [0, -1]].ravel()]).any()


def test_the_muscles_are_shown_at_l3_or_the_nearest_level_that_meets_them(make_spine):
    from dataclasses import replace

    from OVFRiskLib.files.figures.muscle import muscle_level

    spine = make_spine("L1-L4", spacing=(3, 3, 3))
    assert muscle_level(spine.compartments, spine.structures) is L3
    array = spine.structures.array.copy()
    centre = spine.structures.to_ijk(planes.body_centres(spine.compartments)[L1])
    array[: round(centre[2]) - 2] = 0  # nothing below L1
    assert muscle_level(spine.compartments, replace(spine.structures, array=array)) is L1
    assert muscle_level(spine.compartments, replace(spine.structures, array=array * 0)) is None


def test_a_part_of_a_picture_is_where_the_grid_is(scoliosis):
    labels, _, centres = scoliosis
    surface = planes.sagittal(centres, np.array([-40, -30, -50]), np.array([40, 30, 50]), 1.0)
    crops = planes.level_crops(labels)
    assert list(crops) == list(LEVELS)
    whole = np.nan_to_num(surface.sample(labels, (labels.array == 2).astype(np.float32)))
    part = surface.near(crops[L1])
    again = np.nan_to_num(part.sample(crops[L1], (crops[L1].array == 2).astype(np.float32)))
    assert again.size < whole.size / 4
    assert again.sum() == pytest.approx(whole.sum(), rel=1e-6)
    assert surface.near(labels.cropped((slice(0, 2), slice(0, 2), slice(0, 2)))) is None
