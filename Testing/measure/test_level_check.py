import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.segmentation.compartments import body_shapes
from OVFRiskLib.segmentation.level_check import check_levels

T11, T12, L1 = VertebralLevel.T11, VertebralLevel.T12, VertebralLevel.L1
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


def test_the_slab_of_a_dicom_series(shapes_of):
    labels, shapes = shapes_of("ct_dicom_t11_t12/totalsegmentator_labels.nii.gz", "totalsegmentator")
    assert not any(quality.usable for quality in judged(labels, shapes).values())


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_body_cut_at_any_side_is_not_measured(block, axis):
    labels = block()
    kept = [slice(0, n) for n in labels.array.shape]
    kept[axis] = slice(labels.array.shape[axis] // 2, labels.array.shape[axis])
    cut = labels.cropped(tuple(kept))
    assert cut.regions == (Region(Compartment.WHOLE, L1),)
    assert "border" in judged(cut)[L1].note
