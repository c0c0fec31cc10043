import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.image import LabelMap
from OVFRiskLib.level_frame import LevelFrame, spine_directions
from OVFRiskLib.morphometry import HeightSettings, measure_heights
from OVFRiskLib.segmentation.compartments import body_shapes
from scipy.spatial.transform import Rotation

PLACES = ("anterior", "middle", "posterior")
L1, L2, L3 = VertebralLevel.L1, VertebralLevel.L2, VertebralLevel.L3


def heights(labels, level=L1):
    return measure_heights(body_shapes(labels, [level])[level], HeightSettings())


@pytest.mark.parametrize("loss", [0.0, 0.25, 0.40])
@pytest.mark.parametrize("tilt", [(0, 0, 0), (25, 0, 0), (-20, 10, 0), (15, -8, 12)])
def test_a_tilted_wedge_has_its_heights(block, loss, tilt):
    measured = heights(block(rotation=Rotation.from_euler("xyz", tilt, degrees=True).as_matrix(), anterior_loss=loss))
    # The mean end plate of a wedge leans by half its angle against neither side: heights follow the block's own z.
    assert measured.posterior == pytest.approx(28, abs=0.6)
    assert measured.middle == pytest.approx(28 * (1 - loss / 2), abs=0.6)
    assert measured.anterior == pytest.approx(28 * (1 - loss), abs=0.6)
    assert measured.depth == pytest.approx(34, abs=1.5)
    assert measured.wedge_angle == pytest.approx(np.degrees(2 * np.arctan(28 * loss / 2 / 34)), abs=1.5)


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.8), (0.8, 0.8, 3.0), (3.0, 3.0, 3.0)])
def test_heights_hold_on_coarse_voxels_to_a_third_of_a_slice(block, spacing):
    """On average; where a plate runs nearly along the slices (12 degrees: 7.5 and 16.5), at worst to a whole slice."""
    wanted = dict(zip(PLACES, (19.6, 23.8, 28.0), strict=True))
    errors = []
    for tilt in (4, 12, 20):
        rotation = Rotation.from_euler("x", tilt, degrees=True).as_matrix()
        measured = heights(block(spacing=spacing, rotation=rotation, anterior_loss=0.3))
        errors += [abs(getattr(measured, place) - height) for place, height in wanted.items()]
    assert np.mean(errors) < spacing[2] / 3
    assert np.max(errors) < 0.85 * spacing[2]


@pytest.mark.parametrize("orientation", ["LPS", "PSR", "SAL", "IRP"])
def test_heights_do_not_depend_on_how_the_image_is_stored(block, orientation):
    labels = block(anterior_loss=0.2)
    assert heights(labels.reoriented(orientation)).anterior == pytest.approx(heights(labels).anterior, abs=0.1)


def test_a_crushed_vertebra_of_a_real_patient(shapes_of):
    """VerSe 004: L1 has Genant grade 3; T12 and L2 beside it are normal."""
    _, shapes = shapes_of("masks_fracture/sub-verse004_seg-vert_msk.nii.gz", "verse")
    crushed, above, below = (measure_heights(shapes[VertebralLevel(n)], HeightSettings()) for n in ("L1", "T12", "L2"))
    assert crushed.middle < 0.6 * min(above.middle, below.middle)
    assert min(above.anterior_posterior_ratio, below.anterior_posterior_ratio) > 0.85
    assert min(above.middle_posterior_ratio, below.middle_posterior_ratio) > 0.85


@pytest.fixture
def report_differences(shapes_of, shared_data) -> np.ndarray:
    """Our heights less those of TotalSegmentator's spine report, mm, shape (levels, places)."""
    report = json.loads((shared_data / "ct_abdomen_3mm/totalsegmentator_spine_report.json").read_text())["results"]
    _, shapes = shapes_of("ct_abdomen_3mm/vertebrae_verse_codes.nii.gz", "verse")
    return np.array(
        [
            [getattr(found, place) - report[f"vertebrae_{level}_height_{place}_mm"] for place in PLACES]
            for level in VertebralLevel.span("L1-L5")
            for found in [measure_heights(shapes[level], HeightSettings())]
        ]
    )


@pytest.mark.xfail(strict=True, reason="the report's heights seem to lie inside the walls; measured: 1.72 mm")
def test_heights_are_those_of_another_program(report_differences):
    assert np.mean(np.abs(report_differences)) < 1.5


def test_heights_are_near_those_of_another_program(report_differences):
    """TotalSegmentator's spine report, made from the same masks at 3 mm, in steps of 1.5 mm.

    It tells no definition; its heights are all lower by about one of its steps, those of a body a quarter of the depth
    away from the walls fit it better. So far off on average, and by a similar amount at each place.
    """
    assert np.mean(np.abs(report_differences)) < 1.8
    assert np.ptp(report_differences.mean(axis=0)) < 1.2


def test_lumbar_frames_of_a_real_patient_agree_about_rotation(shapes_of):
    """Masks of whole vertebrae and of bodies only tell the same axial rotation, within 8 degrees."""
    angles = []
    for name, scheme in (
        ("ct_abdomen_3mm/totalsegmentator_labels.nii.gz", "totalsegmentator"),
        ("ct_abdomen_3mm/vertebrae_verse_codes.nii.gz", "verse"),
    ):
        _, shapes = shapes_of(name, scheme)
        forward = [shapes[level].frame.axes[1] for level in VertebralLevel.span("L1-L5")]
        angles.append([np.degrees(np.arctan2(y[0], y[1])) for y in forward])
    assert np.max(np.abs(np.subtract(*angles))) < 8


@pytest.mark.parametrize("place", PLACES)
def test_height_lines_end_where_the_height_ends(block, place):
    measured = heights(block(rotation=Rotation.from_euler("x", 20, degrees=True).as_matrix(), anterior_loss=0.3))
    upper, lower = measured.lines[place]
    assert np.linalg.norm(upper - lower) == pytest.approx(getattr(measured, place), abs=1e-6)


def test_height_lines_stand_from_front_to_back(block):
    measured = heights(block(rotation=Rotation.from_euler("x", 20, degrees=True).as_matrix()))
    anterior, middle, posterior = (measured.lines[place].mean(axis=0)[1] for place in PLACES)
    assert anterior > middle > posterior
    assert measured.lateral_wedge_angle == pytest.approx(0, abs=1)


def test_an_empty_corner_is_no_body():
    array = np.zeros((12, 12, 12), dtype=np.uint8)
    array[0, 0, 0] = 20
    labels = LabelMap(array, np.eye(4), {20: Region(Compartment.WHOLE, L1)})
    assert isinstance(body_shapes(labels, [L1])[L1], str)


def test_frame_round_trip():
    frame = LevelFrame(np.array([1.0, 2, 3]), Rotation.from_euler("xyz", (20, 30, 40), degrees=True).as_matrix())
    assert np.allclose(frame.from_ras(frame.to_ras([4, 5, 6])), [4, 5, 6])
    turned = frame.aligned(np.array([0.1, 0.2, 0.9]))
    assert np.allclose(turned.axes @ turned.axes.T, np.eye(3))
    assert np.linalg.det(turned.axes) == pytest.approx(1)


def test_directions_follow_the_spine():
    straight = spine_directions({L1: np.zeros(3), L2: np.array([0, 0, -30.0]), L3: np.array([0, 10, -60.0])})
    assert np.allclose(straight[L1], [0, 0, 1])
    assert straight[L3][1] < 0 < straight[L3][2]
