import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.image import LabelMap
from OVFRiskLib.segmentation.compartments import body_shapes
from OVFRiskLib.segmentation.level_check import check_levels

T11, T12, L1, L2, L3, L4 = (VertebralLevel(name) for name in ("T11", "T12", "L1", "L2", "L3", "L4"))
ABDOMEN = ("ct_abdomen_3mm/totalsegmentator_labels.nii.gz", "totalsegmentator")


def judged(labels, shapes=None):
    levels = labels.levels()
    return {quality.level: quality for quality in check_levels(labels, levels, shapes or body_shapes(labels, levels))}


def test_a_real_spine_at_the_edge_of_its_image(shapes_of):
    labels, shapes = shapes_of(*ABDOMEN)
    quality = judged(labels, shapes)
    assert not quality[T12].usable
    assert quality[T12].reasons == ("cut off by the border of the image",)
    assert not quality[T11].usable
    assert "fragment" in quality[T11].note
    assert all(quality[level].usable and not quality[level].reasons for level in VertebralLevel.span("L1-L5"))


def test_bodies_only_are_judged_alike(shapes_of):
    labels, shapes = shapes_of("ct_abdomen_3mm/vertebrae_verse_codes.nii.gz", "verse")
    assert {level: quality.usable for level, quality in judged(labels, shapes).items()} == {
        T12: False,
        **dict.fromkeys(VertebralLevel.span("L1-L5"), True),
    }


def test_a_crushed_body_is_no_fragment(shapes_of):
    labels, shapes = shapes_of("masks_fracture/sub-verse004_seg-vert_msk.nii.gz", "verse")
    assert all(quality.usable for quality in judged(labels, shapes).values())


def test_the_slab_of_a_dicom_series(shapes_of):
    labels, shapes = shapes_of("ct_dicom_t11_t12/totalsegmentator_labels.nii.gz", "totalsegmentator")
    assert not any(quality.usable for quality in judged(labels, shapes).values())


def test_swapped_levels_are_told(shapes_of):
    labels, _ = shapes_of(*ABDOMEN)
    value = {region.level: number for number, region in labels.labels.items()}
    array = labels.array.copy()
    array[labels.array == value[L2]], array[labels.array == value[L3]] = value[L3], value[L2]
    quality = judged(LabelMap(array, labels.ijk_to_ras, labels.labels))
    assert [level for level in quality if "swapped" in quality[level].note] == [L2, L3]
    assert not quality[L2].usable


def test_a_second_piece_is_told(shapes_of):
    labels, _ = shapes_of(*ABDOMEN)
    value = next(number for number, region in labels.labels.items() if region.level is L4)
    k = int(np.argwhere(labels.array == value)[:, 0].mean())
    array = labels.array.copy()
    array[k : k + 2][array[k : k + 2] == value] = 0
    assert "separate pieces" in judged(LabelMap(array, labels.ijk_to_ras, labels.labels))[L4].note


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_body_cut_at_any_side_is_not_measured(block, axis):
    labels = block()
    kept = [slice(0, n) for n in labels.array.shape]
    kept[axis] = slice(labels.array.shape[axis] // 2, labels.array.shape[axis])
    cut = labels.cropped(tuple(kept))
    assert cut.regions == (Region(Compartment.WHOLE, L1),)
    assert "border" in judged(cut)[L1].note
