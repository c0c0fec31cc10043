import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.image import LabelMap, Mask, Modality, Volume

L1 = Region(Compartment.WHOLE, VertebralLevel.L1)
L2 = Region(Compartment.WHOLE, VertebralLevel.L2)
OBLIQUE = np.array([[-0.9, 0.3, 0.1, 5], [-0.2, -1.1, 0.4, -7], [0.1, 0.2, 2.5, 30], [0, 0, 0, 1]])
ORIENTATIONS = [a + b + c for a in "LR" for b in "AP" for c in "IS"]


def counting(shape=(3, 4, 5), matrix=OBLIQUE):
    return Volume(np.arange(np.prod(shape)).reshape(shape), matrix, Modality.CT)


@pytest.mark.parametrize(
    ("array", "matrix"),
    [
        (np.zeros((3, 3)), np.eye(4)),
        (np.zeros((0, 3, 3)), np.eye(4)),
        (np.zeros((3, 3, 3)), np.zeros((4, 4))),
        (np.zeros((3, 3, 3)), np.diag([1, 1, np.nan, 1])),
        (np.zeros((3, 3, 3)), np.eye(3)),
        (np.zeros((3, 3, 3), dtype=complex), np.eye(4)),
    ],
)
def test_an_invalid_image_cannot_be_made(array, matrix):
    with pytest.raises(ValueError, match=r"image|matrix|inverse|numbers"):
        Volume(array, matrix)


def test_an_image_does_not_change():
    volume = counting()
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 1
    with pytest.raises(AttributeError):
        volume.name = "other"


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_reorienting_moves_no_voxel(first, orientation):
    volume = counting()
    turned = volume.reoriented(orientation[first:] + orientation[:first])
    for kji in np.ndindex(volume.array.shape):
        ijk = np.rint(turned.to_ijk(volume.to_ras(kji[::-1]))).astype(int)
        assert turned.array[tuple(ijk[::-1])] == volume.array[kji]
    assert turned.reoriented(volume.orientation).same_grid(volume)


@given(st.tuples(*[st.floats(-50, 50)] * 3))
def test_ras_and_ijk_are_inverse(point):
    volume = counting()
    assert np.allclose(volume.to_ras(volume.to_ijk(point)), point)


def test_cropping_keeps_the_place_in_the_patient():
    volume = counting()
    part = volume.cropped((slice(1, 3), slice(2, 4), slice(3, 5)))
    assert part.array[0, 0, 0] == volume.array[1, 2, 3]
    assert np.allclose(part.to_ras([0, 0, 0]), volume.to_ras([3, 2, 1]))


def test_grids_differ_by_shape_or_by_a_shift():
    volume = counting()
    moved = OBLIQUE.copy()
    moved[0, 3] += 0.01
    assert volume.same_grid(counting())
    assert not volume.same_grid(counting(matrix=moved))
    assert not volume.same_grid(counting(shape=(3, 4, 6)))


def test_hash_tells_values_and_place_apart():
    assert counting().hash == counting().hash
    assert counting().hash != counting(matrix=np.eye(4)).hash
    assert counting().hash != Volume(counting().array + 1, OBLIQUE).hash


def test_label_map_knows_only_what_is_there():
    array = np.zeros((2, 2, 2), dtype=np.uint8)
    array[0, 0] = 20
    labels = LabelMap(array, np.eye(4), {20: L1, 21: L2})
    assert labels.regions == (L1,)
    assert labels.mask(L1, L2).volume_mm3 == 2
    assert not labels.mask(L2).array.any()
    assert labels.restricted([L2]).regions == ()


@pytest.mark.parametrize("labels", [{0: L1}, {1: L1, 2: L1}])
def test_ambiguous_labels_are_refused(labels):
    with pytest.raises(ValueError, match=r"background|same region"):
        LabelMap(np.ones((2, 2, 2), dtype=int), np.eye(4), labels)


def test_label_values_may_be_negative_or_large():
    array = np.array([[[-3, 70000, 20]]])
    assert LabelMap(array, np.eye(4), {-3: L2, 70000: L1}).regions == (L1, L2)


def test_mask_box():
    array = np.zeros((5, 6, 7), dtype=bool)
    array[2, 3, 1:4] = True
    assert Mask(array, np.eye(4)).box() == (slice(2, 3), slice(3, 4), slice(1, 4))
    assert Mask(array, np.eye(4)).box(margin=3) == (slice(0, 5), slice(0, 6), slice(0, 7))
    with pytest.raises(ValueError, match="empty"):
        Mask(np.zeros((2, 2, 2), dtype=bool), np.eye(4)).box()
    with pytest.raises(ValueError, match="boolean"):
        Mask(np.zeros((2, 2, 2)), np.eye(4))
