"""A region keeps its place in the patient on every grid, and survives being saved."""

import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.vbq import Plane, Regions, RegionSettings, Roi

L3 = Region(Compartment.BODY, VertebralLevel.L3)
SAGITTAL = Plane((1.0, 0.0, 0.0), ((0, 1, 0), (0, 0, 1)))
SQUARE = ((-5.5, -7.5), (5.5, -7.5), (5.5, 7.5), (-5.5, 7.5))
ORIENTATIONS = ("RAS", "LPS", "PIR", "IPR", "SAL", "ASR", "LAS", "IRA")


def square(plane=SAGITTAL, half=1.5, note="") -> Roi:
    return Roi(L3, plane, SQUARE, half, note)


def centres(mask) -> np.ndarray:
    return mask.to_ras(np.argwhere(mask.array)[:, ::-1])


def test_mask_holds_exactly_the_voxels_whose_centres_lie_inside(make_grid):
    on = make_grid(spacing=(1.0, 1.0, 1.0), half=(10.5, 20.5, 20.5))  # centres at whole mm
    ras = centres(square().mask_on(on))
    assert {*np.round(ras[:, 0])} == {0, 1, 2}
    assert (ras[:, 1].min(), ras[:, 1].max()) == (-5, 5)
    assert (ras[:, 2].min(), ras[:, 2].max()) == (-7, 7)
    assert len(ras) == 3 * 11 * 15


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_mask_is_the_same_in_every_orientation(make_grid, orientation):
    on = make_grid(spacing=(2.0, 1.0, 1.5))
    there = square().mask_on(on.reoriented(orientation)).reoriented("RAS")
    np.testing.assert_array_equal(there.array, square().mask_on(on).array)


def test_mask_on_an_oblique_grid(make_grid, turned):
    on = make_grid(spacing=(1.0, 0.7, 0.9), turn=turned(20, 2) @ turned(12, 0), half=(30, 40, 40))
    mask = square().mask_on(on)
    ras = centres(mask)
    assert np.all(np.abs(ras[:, 0] - 1) <= 1.5)
    assert np.all((np.abs(ras[:, 1]) <= 5.5) & (np.abs(ras[:, 2]) <= 7.5))
    assert mask.volume_mm3 == pytest.approx(3 * 11 * 15, rel=0.04)


@pytest.mark.parametrize("shift", [0.0, 0.9, 1.3, 2.0, -1.9, 3.3])
def test_thick_slices_give_the_one_nearest_slice(make_grid, shift):
    on = make_grid(spacing=(4.0, 1.0, 1.0), shift=(shift, 0, 0), half=(22.0, 20.5, 20.5))
    slices = np.unique(np.argwhere(square().mask_on(on).array)[:, 2])
    assert len(slices) == 1
    nearest = np.abs(on.to_ras(np.column_stack([np.arange(11), np.zeros(11), np.zeros(11)]))[:, 0] - 1)
    assert nearest[slices[0]] == pytest.approx(nearest.min())


def test_outside_the_image_there_are_no_voxels(make_grid):
    away = Plane((500.0, 0, 0), SAGITTAL.axes)
    assert not square(away).mask_on(make_grid()).array.any()
    assert not square(away).is_within(make_grid())
    assert square().is_within(make_grid())


def test_concave_outline(make_grid):
    corners = ((-8, -8), (8, -8), (8, 8), (0, -4), (-8, 8))
    mask = Roi(L3, SAGITTAL, corners, 1.5).mask_on(make_grid(spacing=(1.0, 0.5, 0.5), half=(10.5, 20.25, 20.25)))
    assert mask.volume_mm3 == pytest.approx(3 * Roi(L3, SAGITTAL, corners, 1.5).area_mm2, rel=0.03)
    assert not np.any((np.abs(centres(mask)[:, 1]) < 1) & (centres(mask)[:, 2] > 0))


def test_size_of_circle_and_ellipse():
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    csf = Region(Structure.CSF, VertebralLevel.L3)
    assert Roi(csf, SAGITTAL, circle * 4, 1).area_mm2 == pytest.approx(np.pi * 16, rel=0.002)
    assert Roi(csf, SAGITTAL, circle * (3, 6) + (20, 5), 1).inscribed_radius_mm == pytest.approx(3, rel=0.002)


def test_round_trip_through_json():
    regions = Regions(
        (square(note="flat"), Roi(Region(Structure.CSF, VertebralLevel.L4), SAGITTAL.shifted(2), SQUARE, 2.0)),
        {Region(Compartment.BODY, VertebralLevel.L1): "not in the label map"},
        RegionSettings(inset_mm=3.0),
    )
    again = Regions.from_dict(json.loads(json.dumps(regions.to_dict())))
    assert again == regions
    assert [roi.hash for roi in again] == [roi.hash for roi in regions]


def test_hash_tells_an_edit_but_not_a_note():
    moved = Roi(L3, SAGITTAL, np.add(SQUARE, (0.1, 0)), 1.5)
    assert square().hash == square(note="looked at").hash
    assert len({square().hash, moved.hash, square(half=2.0).hash, square(SAGITTAL.shifted(1)).hash}) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"region": "L3 nothing"}, "nothing"),
        ({"origin": [0, 0]}, "shape"),
        ({"axes": [[0, 1, 0], [0, 1, 1]]}, "perpendicular"),
        ({"outline": [[0, 0], [1, 1], [2, 2]]}, "area"),
        ({"outline": [[0, 0], [1, float("nan")], [2, 0]]}, "finite"),
        ({"half_thickness_mm": 0}, "positive"),
        ({"outline": "round"}, "not valid"),
    ],
)
def test_a_damaged_file_is_refused(change, said):
    with pytest.raises(UserError, match=said):
        Roi.from_dict({**square().to_dict(), **change})


def test_a_missing_entry_is_named():
    data = square().to_dict()
    del data["outline"]
    with pytest.raises(UserError, match="outline"):
        Roi.from_dict(data)


def test_two_references_are_no_reference():
    first, second = (Roi(Region(Structure.CSF, level), SAGITTAL, SQUARE, 1.0) for level in VertebralLevel.span("L3-L4"))
    with pytest.raises(ValueError, match="two CSF"):
        Regions((first, second))
    with pytest.raises(ValueError, match="two outlines"):
        Regions((square(), square()))
