import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.attenuation import TrabecularSettings, trabecular_region
from OVFRiskLib.distance import depth_mm
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.image import LabelMap, Mask, Modality, Volume
from OVFRiskLib.segmentation.compartments import (
    PeelSettings,
    body_shapes,
    shell_thickness,
    split_compartments,
    vertebra,
)
from OVFRiskLib.segmentation.level_check import check_levels

L1, L2 = VertebralLevel.L1, VertebralLevel.L2
LUMBAR = VertebralLevel.span("L1-L5")


def split(labels, shapes, settings=None):
    found = {level: shape for level, shape in shapes.items() if not isinstance(shape, str)}
    return split_compartments(labels, found, settings or PeelSettings())


def body(compartments, level):
    return compartments.mask(Region(Compartment.CORTICAL, level), Region(Compartment.CANCELLOUS, level)).array


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 3.0), (3.0, 3.0, 3.0)])
def test_depth_is_the_distance_to_the_surface(spacing):
    size = np.array([24.0, 24.0, 24.0])
    shape = np.round(size / spacing).astype(int)
    depth = depth_mm(np.ones(shape[::-1], dtype=bool), spacing)
    centres = [(np.arange(n) + 0.5) * s for n, s in zip(shape, spacing, strict=True)]
    x, y, z = np.meshgrid(*centres, indexing="ij")
    exact = np.minimum.reduce([x, size[0] - x, y, size[1] - y, z, size[2] - z]).T
    extent = shape * spacing
    inner = np.minimum.reduce([exact, np.abs(extent[2] - z.T)])
    assert np.max(np.abs(depth - inner)) < 0.8


def test_the_shell_is_as_thick_as_set(block):
    labels = block(size=(40.0, 30.0, 26.0))
    compartments = split(labels, body_shapes(labels, [L1]))
    inner = compartments.mask(Region(Compartment.CANCELLOUS, L1)).volume_mm3
    assert inner == pytest.approx(36 * 26 * 22, rel=0.06)
    assert vertebra(compartments, L1).volume_mm3 == vertebra(labels, L1).volume_mm3


def test_the_arch_is_cut_off_where_another_network_ends_the_body(shapes_of, shared_data):
    """Bodies cut from whole vertebrae, against TotalSegmentator's own body masks of the same scan."""
    labels, shapes = shapes_of("ct_abdomen_3mm/totalsegmentator_labels.nii.gz", "totalsegmentator")
    bodies = read_volume(shared_data / "ct_abdomen_3mm/vertebral_bodies_and_discs.nii.gz", Modality.OTHER)
    reference = bodies.array == 1
    compartments = split(labels, shapes)
    scores = [dice(body(compartments, level), reference & vertebra(labels, level).array) for level in LUMBAR]
    assert min(scores) > 0.92
    assert np.mean(scores) > 0.95


def test_body_only_masks_stay_whole(shapes_of):
    labels, shapes = shapes_of("ct_abdomen_3mm/vertebrae_verse_codes.nii.gz", "verse")
    compartments = split(labels, shapes)
    assert not any(region.part is Compartment.POSTERIOR for region in compartments.regions)


def test_a_body_stored_back_to_front_is_found_and_said(shared_data):
    """The L2 of ct_l2_calibrated lies in its file with the spinous process towards anterior."""
    parts = read_volume(shared_data / "ct_l2_calibrated/sub-verse004_0000_vertebra_21_seg.nii.gz", Modality.OTHER)
    bone = np.where(np.isin(parts.array, (1, 2, 3, 4)), 21, 0).astype(np.uint8)  # 5, 6: caps of a mechanical test
    labels = LabelMap(bone, parts.ijk_to_ras, {21: Region(Compartment.WHOLE, L2)})
    shapes = body_shapes(labels, [L2])
    assert dice(body(split(labels, shapes), L2), np.isin(parts.array, (1, 2))) > 0.93
    (quality,) = check_levels(labels, [L2], shapes)
    assert quality.usable
    assert "orientation" in quality.note


def test_interior_agrees_with_another_programs(shapes_of, shared_data):
    """L3 of ct_l3_subregions: 49 = border of the body, 50 = interior."""
    labels, shapes = shapes_of("ct_l3_subregions/sub-ct_seg-vert_label-22_msk.nii.gz", "verse")
    parts = read_volume(shared_data / "ct_l3_subregions/sub-ct_seg-subreg_label-22_msk.nii.gz", Modality.OTHER).array
    compartments, l3 = split(labels, shapes), VertebralLevel.L3
    inside = vertebra(labels, l3).array
    assert dice(body(compartments, l3), np.isin(parts, (49, 50)) & inside) > 0.96
    assert dice(compartments.mask(Region(Compartment.CANCELLOUS, l3)).array, (parts == 50) & inside) > 0.9


def test_compartments_drawn_by_a_reader_are_kept(block):
    labels = block()
    first = split(labels, body_shapes(labels, [L1]))
    corrected = first.array.copy()
    corrected[first.array == 320] = np.where(np.arange(np.count_nonzero(first.array == 320)) % 7 == 0, 220, 320)
    again = LabelMap(corrected, first.ijk_to_ras, first.labels)
    assert np.array_equal(split(again, body_shapes(again, [L1])).array, corrected)


def test_a_level_without_a_body_keeps_its_label(block):
    labels = block()
    assert split_compartments(labels, {}, PeelSettings()).regions == (Region(Compartment.WHOLE, L1),)


@pytest.mark.parametrize(
    ("name", "cancellous", "cortical", "level", "least"),
    [
        ("ct_l2_calibrated/sub-verse004_0000_vertebra_21_seg.nii.gz", 1, 2, L2, 0.97),
        ("ct_l3_subregions/sub-ct_seg-subreg_label-22_msk.nii.gz", 50, 49, VertebralLevel.L3, 0.92),
    ],
)
def test_a_peel_of_two_voxels_is_what_others_do(shared_data, name, cancellous, cortical, level, least):
    """Both references are erosions of the body by two voxels."""
    parts = read_volume(shared_data / name, Modality.OTHER)
    array = np.isin(parts.array, (cancellous, cortical)).astype(np.uint8)
    inside = vertebra_map(shared_data).array == 22 if level is VertebralLevel.L3 else np.ones(array.shape, dtype=bool)
    labels = LabelMap(array * inside, parts.ijk_to_ras, {1: Region(Compartment.BODY, level)})
    made = split(labels, body_shapes(labels, [level]), PeelSettings(cortical_depth_voxels=2))
    for part, value in ((Compartment.CANCELLOUS, cancellous), (Compartment.CORTICAL, cortical)):
        assert dice(made.mask(Region(part, level)).array, (parts.array == value) & inside) > least


def vertebra_map(shared_data):
    return read_volume(shared_data / "ct_l3_subregions/sub-ct_seg-vert_label-22_msk.nii.gz", Modality.OTHER)


@pytest.mark.parametrize(
    ("spacing", "mm", "voxels"),
    [((0.5, 0.5, 0.5), 2.0, 4), ((1.0, 1.0, 1.0), 2.0, 2), ((2.0, 2.0, 2.0), 2.0, 1), ((3.0, 3.0, 3.0), 3.0, 1)],
)
def test_the_achieved_thickness_is_measured(spacing, mm, voxels):
    """A box whose faces run along voxels: whole voxels as near as can be to 2 mm, and at least one."""
    count = np.round(np.array([30, 36, 36]) / spacing[0]).astype(int)
    array = np.pad(np.ones(count, dtype=np.uint8), 2)
    labels = LabelMap(array, np.diag([*spacing, 1.0]), {1: Region(Compartment.BODY, L1)})
    shell = shell_thickness(split(labels, body_shapes(labels, [L1])), L1)
    assert shell.mm == pytest.approx(mm, abs=0.01)
    assert shell.voxels == pytest.approx(voxels, abs=0.01)


@pytest.mark.parametrize(
    ("name", "kinds", "parts"),
    [
        ("ct_l3_subregions/sub-ct_{}.nii.gz", ("seg-subreg_label-22_msk", "label-22_ct"), (49, 50)),
        ("ct_l2_calibrated/sub-verse004_0000_vertebra_21_{}.nii.gz", ("seg", "im"), (1, 2)),
    ],
)
def test_slice_thickness_moves_trabecular_attenuation_little(shared_data, name, kinds, parts):
    """Slices put together up to 5 mm, from each first slice; the mask holds a thick voxel where half of it was bone."""
    mask, ct = (read_volume(shared_data / name.format(kind), Modality.OTHER).reoriented("RAS") for kind in kinds)
    bone = np.isin(mask.array, parts)
    if "l3" in name:
        bone &= (
            vertebra_map(shared_data).reoriented("RAS").array == 22
        )  # the file's parts are of L2 and L4, too, cut by its border
    box = Mask(bone, mask.ijk_to_ras).box(margin=6)
    bone, image = bone[box], ct.array[box]
    means = []
    for count in range(1, int(5 / mask.spacing[2]) + 1):
        for first in range(count):
            body = thickened(bone[first:], count) >= 0.5
            matrix = np.diag([*mask.spacing * (1, 1, count), 1.0])
            thick = Volume(thickened(image[first:], count), matrix, Modality.CT)
            means.append(thick.array[trabecular_region(body, thick, TrabecularSettings())].mean())
    assert np.max(np.abs(np.array(means) - means[0])) < 2


def thickened(array, count):
    whole = len(array) // count * count
    return array[:whole].reshape(-1, count, *array.shape[1:]).mean(axis=1)


def test_a_peel_needs_a_depth():
    for settings in ({"cortical_depth_mm": 0.0}, {"cortical_depth_voxels": 0}):
        with pytest.raises(UserError, match="depth"):
            PeelSettings(**settings)
