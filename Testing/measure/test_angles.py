import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.morphometry import Heights, angles
from scipy.spatial.transform import Rotation

LEVELS = VertebralLevel.span("T11-S1")


def leaning(forwards, right=0.0, pose=None):
    """Parallel plates whose normal leans forwards and to the right, degrees, in a patient turned by `pose`."""
    f, r = np.radians([forwards, right])
    pose = Rotation.identity() if pose is None else pose
    normal = pose.apply([np.tan(r), np.tan(f), 1.0])
    normal /= np.linalg.norm(normal)
    return Heights(27, 25, 28, 34, 0, 0, {}, {}, {}, (normal, normal), pose.apply([1.0, 0, 0]))


SPINE = {"T11": 12, "T12": 10, "L1": 4, "L2": -2, "L3": -6, "L4": 2, "L5": 20, "S1": 40}


@pytest.mark.parametrize("pose", [(0, 0, 0), (30, 0, 0), (10, -15, 60)])
def test_sagittal_angles_are_the_set_ones_however_the_patient_lies(pose):
    turn = Rotation.from_euler("xyz", pose, degrees=True)
    found = angles({VertebralLevel(name): leaning(lean, pose=turn) for name, lean in SPINE.items()})
    assert found["lordosis_l1_l5"].degrees == pytest.approx(16, abs=0.1)
    assert found["lordosis_l1_s1"].degrees == pytest.approx(36, abs=0.1)
    assert found["kyphosis_t11_l2"].degrees == pytest.approx(14, abs=0.1)
    assert found["scoliosis_cobb_angle"].degrees == pytest.approx(0, abs=0.1)


def test_scoliosis_is_the_largest_angle_and_names_its_levels():
    tilts = dict(zip(LEVELS, (0, 8, 12, 3, -6, -9, -2, 0), strict=True))
    found = angles({level: leaning(0, tilt) for level, tilt in tilts.items()})["scoliosis_cobb_angle"]
    assert found.degrees == pytest.approx(21, abs=0.3)
    assert "L1" in found.note
    assert "L4" in found.note


def test_a_missing_level_is_named():
    found = angles({VertebralLevel.L1: leaning(4), VertebralLevel.L5: "cut off by the border of the image"})
    assert found["lordosis_l1_l5"].degrees is None
    assert "L5: cut off" in found["lordosis_l1_l5"].note
    assert found["scoliosis_cobb_angle"].degrees is None
