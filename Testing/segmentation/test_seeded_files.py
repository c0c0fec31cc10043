"""Seeds: naming, and reading from our JSON and 3D Slicer's markups."""

import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_seeds import read_seeds
from OVFRiskLib.segmentation.seeds import Seed, levels_between, named_seeds
from OVFRiskLib.segmentation.spine_curve import SpineCurve

T11, T12, T13, L1, L2 = (VertebralLevel(name) for name in ("T11", "T12", "T13", "L1", "L2"))


def _markups(system, points):
    points = [{"label": label, "position": place, "positionStatus": status} for label, place, status in points]
    return {"markups": [{"type": "Fiducial", "coordinateSystem": system, "controlPoints": points}]}


def _file(tmp_path, content, name="points.mrk.json"):
    path = tmp_path / name
    path.write_text(json.dumps(content), "utf-8")
    return path


@pytest.mark.parametrize(("system", "ras"), [("LPS", (-1, -2, 3)), ("RAS", (1, 2, 3)), (1, (-1, -2, 3))])
def test_slicer_markups_in_either_coordinate_system(tmp_path, system, ras):
    points = [(" l1 ", [1, 2, 3], "defined"), ("L2", [0, 0, 0], "undefined")]
    (seed,) = read_seeds(_file(tmp_path, _markups(system, points)))
    assert seed.level is L1
    assert np.array_equal(seed.point, ras)


def test_own_json(tmp_path):
    content = {"coordinate_system": "RAS", "seeds": [{"level": "T13", "point": [1, 2, 3]}, {"point": [4, 5, 6]}]}
    first, second = read_seeds(_file(tmp_path, content, "seeds.json"))
    assert (first.level, second.level) == (T13, None)
    assert np.array_equal(second.point, (4, 5, 6))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"seeds": [{"level": "L1", "point": [1, 2, 3]}]}, "RAS or LPS"),
        ({"coordinate_system": "RAS", "seeds": [{"level": "L9", "point": [1, 2, 3]}]}, "names no vertebral level"),
        ({"coordinate_system": "RAS", "seeds": [{"level": "L1", "point": [1, 2]}]}, "three numbers"),
        ({"coordinate_system": "RAS", "seeds": []}, "no point"),
        ({"coordinate_system": "RAS", "seeds": 5}, "no list"),
        ({"coordinate_system": "RAS", "seeds": [7]}, "no list"),
        (_markups("LPS", []), "no point"),
        ({"markups": []}, "0 point lists"),
        ({"points": []}, "neither seeds nor markups"),
        ([1, 2], "holds no seeds"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        read_seeds(_file(tmp_path, content))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_seeds(tmp_path / "none.json")


def _column(*levels):
    return [Seed((0, 0, -30.0 * n), level) for n, level in enumerate(levels)]


def test_levels_are_counted_from_the_known_ones():
    levels = [seed.level for seed in named_seeds(_column(None, T12, None, None)[::-1])]
    assert levels == [T11, T12, L1, L2]
    assert [seed.level for seed in named_seeds(_column(T12, None, L1))] == [T12, T13, L1]


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((None, None), "None of the points"),
        ((L1, L1), "Two points"),
        ((L2, L1), "lies above"),
        ((T11, None, None, None, L1), "usually there are 1"),
    ],
)
def test_contradicting_levels_are_refused(levels, message):
    with pytest.raises(UserError, match=message):
        named_seeds(_column(*levels))


def test_no_point_is_refused():
    with pytest.raises(UserError, match="No point"):
        named_seeds([])


def test_levels_between_name_a_transitional_one_only_by_number():
    assert levels_between(T11, L1, 1) == (T12,)
    assert levels_between(T11, L1, 2) == (T12, T13)


def test_a_curve_through_a_circle_has_its_direction_and_places():
    angle = np.deg2rad(np.arange(-30, 31, 10))
    points = 200 * np.stack([0 * angle, np.cos(angle), np.sin(angle)], axis=1)
    curve = SpineCurve(points)
    middle = curve.place((0, 200, 0))
    assert middle == pytest.approx(curve.knots[-1] / 2, abs=0.01)
    assert np.allclose(curve.at(middle), (0, 200, 0), atol=0.05)
    assert np.allclose(curve.frame(middle).axes, np.eye(3), atol=0.01)
    assert curve.place(curve.at(-20.0)) == pytest.approx(-20.0, abs=0.05)
