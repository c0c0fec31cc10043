"""Label maps come in with the meaning of each value, or not at all."""

import json
import re

import numpy as np
import pytest
import SimpleITK as sitk
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel, label_scheme, label_schemes
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_labels import read_labels, spans
from OVFRiskLib.files.segmentation_file import write_segmentation
from OVFRiskLib.files.segments import region_named
from OVFRiskLib.resources import resource

L1 = Region(Compartment.WHOLE, VertebralLevel.L1)
KINDS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64")


@pytest.fixture
def verse_array() -> np.ndarray:
    """T12 above L1 above L2 in a RAS array."""
    array = np.zeros((9, 8, 7), np.int16)
    array[6:8, 2:6, 2:5], array[4:6, 2:6, 2:5], array[1:3, 2:6, 2:5] = 19, 20, 21
    return array


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["m.nii.gz", "m.nrrd", "m.mha"])
def test_every_type(kind, name, write_image, verse_array):
    path, _ = write_image(name, verse_array.astype(kind))
    labels = read_labels(path, "verse")
    assert [str(r) for r in labels.regions] == ["T12 whole", "L1 whole", "L2 whole"]
    assert np.array_equal(labels.array, verse_array)
    assert labels.name == "m"
    assert labels.corrections == ()


def test_place_is_kept(directions, write_image):
    array = np.zeros((7, 8, 9), np.int16)
    array[3, 5, 2] = 20
    path, matrix = write_image("m.nii.gz", array, directions)
    labels = read_labels(path, "verse")
    k, j, i = np.argwhere(labels.mask(L1).array)[0]
    assert np.allclose(labels.to_ras([i, j, k]), matrix[:3, :3] @ [2, 5, 3] + matrix[:3, 3], atol=1e-3)


def test_unknown_values_are_left_out_and_told(write_image, verse_array):
    verse_array[0, 0, :4] = [55, 56, 57, 90]
    path, _ = write_image("m.nii.gz", verse_array)
    labels = read_labels(path, "verse")
    assert "55-57, 90" in labels.corrections[0]
    assert set(np.unique(labels.array)) == {0, 19, 20, 21}


def test_no_known_value_names_the_schemes_that_fit(write_image, verse_array):
    path, _ = write_image("m.nii.gz", np.where(verse_array > 0, verse_array + 72, 0).astype(np.int16))
    with pytest.raises(UserError, match=r"91-93.*'verse'") as caught:
        read_labels(path, "verse")
    assert "totalspineseg" in caught.value.what_to_do
    assert "verse" not in caught.value.what_to_do.split(": ")[1].split(", ")


def test_empty_map(write_image):
    path, _ = write_image("m.nii.gz", np.zeros((4, 5, 6), np.uint8))
    with pytest.raises(UserError, match="empty"):
        read_labels(path, "verse")


@pytest.mark.parametrize("value", [19.5, np.nan])
def test_fractions(value, write_image, verse_array):
    array = verse_array.astype(np.float32)
    array[0, 0, 0] = value
    path, _ = write_image("m.nii.gz", array)
    with pytest.raises(UserError, match="fractions"):
        read_labels(path, "verse")


def test_scheme_is_never_guessed(write_image, verse_array):
    path, _ = write_image("m.nii.gz", verse_array)
    with pytest.raises(UserError, match="not known"):
        read_labels(path, None)
    with pytest.raises(UserError, match="is unknown"):
        read_labels(path, "nobody's")


def test_totalsegmentator_map_named_verse(shared_data):
    path = shared_data / "ct_abdomen_3mm" / "totalsegmentator_labels.nii.gz"
    with pytest.raises(UserError, match="fully in 'totalsegmentator'"):
        read_labels(path, "verse")


def test_verse_map_named_totalsegmentator(shared_data):
    with pytest.raises(UserError, match="none of its labels"):
        read_labels(shared_data / "ct_abdomen_3mm" / "vertebrae_verse_codes.nii.gz", "totalsegmentator")


def test_upside_down(write_image, verse_array):
    path, _ = write_image("m.nii.gz", verse_array[::-1].copy())
    with pytest.raises(UserError, match="L2 lies above T12"):
        read_labels(path, "verse")


def test_sides_swapped(write_image):
    array = np.zeros((4, 5, 9), np.int16)
    array[:, :, 6], array[:, :, 2], array[:, :, 4] = 506, 507, 20  # x grows to the right: psoas-left lies there
    path, _ = write_image("m.nii.gz", array)
    with pytest.raises(UserError, match="psoas-left lies on the patient's right"):
        read_labels(path, "ovfrisk")


@pytest.mark.parametrize(
    ("name", "scheme", "levels"),
    [
        ("ct_abdomen_3mm/totalsegmentator_labels", "totalsegmentator", "T11 T12 L1 L2 L3 L4 L5 S1"),
        ("ct_abdomen_3mm/totalsegmentator_fast_labels", "totalsegmentator", "T11 T12 L1 L2 L3 L4 L5 S1"),
        ("ct_abdomen_3mm/vertebrae_verse_codes", "verse", "T12 L1 L2 L3 L4 L5"),
        ("ct_l3_subregions/sub-ct_seg-vert_label-22_msk", "verse", "L2 L3 L4"),
        ("masks_fracture/sub-verse004_seg-vert_msk", "verse", "T9 T10 T11 T12 L1 L2 L3 L4 L5"),
        ("mr_pair_t1_t2/t1_bodies", "verse", "T10 T11 T12 L1 L2 L3 L4 L5"),
        ("mr_vertebra_t2/sub-mri_seg-vert_label-6_msk", "spineps", "C5 C6 C7"),
    ],
)
def test_real_maps(name, scheme, levels, shared_data):
    labels = read_labels(shared_data / f"{name}.nii.gz", scheme)
    assert labels.levels(Compartment.WHOLE) == tuple(levels.split())


def test_spineps_disc_lies_below_its_vertebra(shared_data):
    labels = read_labels(shared_data / "mr_vertebra_t2" / "sub-mri_seg-vert_label-6_msk.nii.gz", "spineps")

    def height(part, level):
        mask = labels.mask(Region(part, VertebralLevel(level)))
        return mask.to_ras(np.argwhere(mask.array)[:, ::-1])[:, 2].mean()

    assert height(Compartment.WHOLE, "C6") > height(Structure.DISC, "C6") > height(Compartment.WHOLE, "C7")
    assert "205-207" in labels.corrections[0]


# --- schemes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "values"),
    [
        (
            "totalsegmentator",
            {25: "sacrum", 26: "S1 whole", 27: "L5 whole", 31: "L1 whole", 32: "T12 whole", 50: "C1 whole"},
        ),
        ("totalsegmentator-v1", {92: "sacrum", 18: "L5 whole", 22: "L1 whole", 23: "T12 whole", 41: "C1 whole"}),
        ("totalsegmentator-mr", {1: "sacrum", 2: "L5 whole", 6: "L1 whole", 7: "T12 whole", 25: "C1 whole"}),
        ("verse", {1: "C1 whole", 8: "T1 whole", 19: "T12 whole", 20: "L1 whole", 25: "L6 whole", 28: "T13 whole"}),
        ("spineps", {20: "L1 whole", 120: "L1 disc", 124: "L5 disc", 128: "T13 disc", 26: "sacrum"}),
        (
            "totalspineseg",
            {11: "C1 whole", 32: "T12 whole", 41: "L1 whole", 91: "T12 disc", 100: "L5 disc", 50: "sacrum"},
        ),
        (
            "ovfrisk",
            {20: "L1 whole", 220: "L1 cortical", 320: "L1 cancellous", 426: "S1 posterior", 620: "L1 disc", 503: "csf"},
        ),
    ],
)
def test_scheme_values(scheme, values):
    assert {value: str(label_scheme(scheme).regions[value]) for value in values} == values


def test_schemes_are_whole():
    entries = json.loads(resource("Terminology", "label_schemes.json").read_text("utf-8"))
    ordinary = [level for level in VertebralLevel if level not in ("T13", "L6", "S1")]
    for entry, scheme in zip(entries, label_schemes().values(), strict=True):
        assert len(set(scheme.regions.values())) == len(scheme.regions), scheme.name
        assert set(ordinary) <= {r.level for r in scheme.regions.values() if r.part is Compartment.WHOLE}, scheme.name
        assert re.search(r"[\w-]+/[\w-]+|OVFRisk", entry["source"])


def test_spans():
    assert spans([5, 1, 2, 3, 9]) == "1-3, 5, 9"
    assert spans([-2, -1]) == "-2 to -1"


# --- .seg.nrrd -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("L1", "L1 whole"), ("l1", "L1 whole"), ("vertebrae_L1", "L1 whole"), ("vertebra L1", "L1 whole"),
        ("L1 vertebra", "L1 whole"), ("T12 cortical", "T12 cortical"), ("L1_cancellous", "L1 cancellous"),
        ("L3 trabecular bone", "L3 cancellous"), ("L2 vertebral body", "L2 body"), ("body L2", "L2 body"),
        ("L4 posterior elements", "L4 posterior"), ("disc_L1_L2", "L1 disc"), ("disc_L5_S", "L5 disc"),
        ("L4 disc", "L4 disc"), ("sacrum", "sacrum"), ("spinal_canal", "spinal-canal"), ("CSF", "csf"),
        ("autochthon_left", "erector-spinae-left"), ("iliopsoas_right", "psoas-right"),
        ("Psoas major left", "psoas-left"), ("calibration-rod", "calibration-rod"), ("S1", "S1 whole"),
        ("erector-spinae-right", "erector-spinae-right"), ("kidney_left", "kidney-left"),
        ("portal_vein_and_splenic_vein", "portal-vein"),
    ],
)  # fmt: skip
def test_segment_names(name, region):
    assert str(region_named(name)) == region


@pytest.mark.parametrize(
    "name", ["", "liver", "L9", "L12", "rib_left_1", "L1 fracture", "Segment_1", "body", "LL1", "C1x"]
)
def test_other_names_mean_nothing(name):
    assert region_named(name) is None


def test_every_region_reads_its_own_name():
    for region in label_scheme("ovfrisk").regions.values():
        assert region_named(str(region)) == region


def _tags(*segments: tuple[str, int, int], entry: str = "") -> dict[str, str]:
    tags = {}
    for n, (name, layer, value) in enumerate(segments):
        tags |= {f"Segment{n}_ID": f"s{n}", f"Segment{n}_Name": name, f"Segment{n}_Layer": str(layer)}
        tags |= {
            f"Segment{n}_LabelValue": str(value),
            f"Segment{n}_Tags": f"TerminologyEntry:{entry}|" if entry else "",
        }
    return tags


def test_segments_by_name(write_image, verse_array):
    tags = _tags(("vertebrae_T12", 0, 19), ("L1", 0, 20), ("liver", 0, 21))
    path, _ = write_image("p.seg.nrrd", verse_array, **tags)
    labels = read_labels(path, None)
    assert [str(r) for r in labels.regions] == ["T12 whole", "L1 whole"]
    assert "liver" in labels.corrections[0]
    assert np.array_equal(labels.mask(L1).array, verse_array == 20)
    assert labels.name == "p"


def test_segments_by_code(write_image, verse_array):
    code = "Any context~SCT^123037004^Anatomical Structure~SCT^66794005^whatever~^^~~^^~^^"
    path, _ = write_image("p.seg.nrrd", verse_array, **_tags(("Segment_1", 0, 20), entry=code))
    assert read_labels(path, None).regions == (L1,)


def test_name_against_code(write_image, verse_array):
    code = "Any context~SCT^123037004^Anatomical Structure~SCT^66794005^L1 vertebra~^^~~^^~^^"
    path, _ = write_image("p.seg.nrrd", verse_array, **_tags(("L2", 0, 20), entry=code))
    with pytest.raises(UserError, match="'L2' is coded as L1"):
        read_labels(path, None)


def test_part_takes_the_place_of_its_whole(write_image, verse_array):
    whole, part = (verse_array == 20).astype(np.uint8), np.zeros_like(verse_array, np.uint8)
    part[4, 3, 3] = 1
    layers = np.stack([part, whole], axis=-1)
    path, _ = write_image("p.seg.nrrd", layers, **_tags(("L1 cancellous", 0, 1), ("L1", 1, 1)))
    labels = read_labels(path, None)
    cancellous = labels.mask(Region(Compartment.CANCELLOUS, VertebralLevel.L1)).array
    assert np.array_equal(cancellous, part == 1)
    assert np.array_equal(labels.mask(L1).array, (whole == 1) & (part == 0))


def test_overlapping_vertebrae(write_image, verse_array):
    one = (verse_array == 20).astype(np.uint8)
    path, _ = write_image("p.seg.nrrd", np.stack([one, one], axis=-1), **_tags(("L1", 0, 1), ("L2", 1, 1)))
    with pytest.raises(UserError, match=f"'L1' and 'L2' overlap in {one.sum()} voxels"):
        read_labels(path, None)


def test_two_segments_of_one_meaning(write_image, verse_array):
    path, _ = write_image("p.seg.nrrd", verse_array, **_tags(("L1", 0, 20), ("vertebrae_L1", 0, 21)))
    with pytest.raises(UserError, match="both mean L1 whole"):
        read_labels(path, None)


def test_nothing_named_as_a_vertebra(write_image, verse_array):
    path, _ = write_image("p.seg.nrrd", verse_array, **_tags(("liver", 0, 20)))
    with pytest.raises(UserError, match="no segment is named as a vertebra"):
        read_labels(path, "verse")


def test_seg_nrrd_without_segments_needs_a_scheme(write_image, verse_array):
    path, _ = write_image("p.seg.nrrd", verse_array)
    with pytest.raises(UserError, match="not known"):
        read_labels(path, None)
    assert read_labels(path, "verse").levels() == ("T12", "L1", "L2")


def test_folder_and_colour(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        read_labels(tmp_path, "verse")
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((3, 4, 5, 3), np.uint8), isVector=True), str(tmp_path / "rgb.nrrd"))
    with pytest.raises(UserError, match="several values"):
        read_labels(tmp_path / "rgb.nrrd", "verse")


def test_what_we_write_we_read(tmp_path, shared_data):
    labels = read_labels(shared_data / "ct_abdomen_3mm" / "totalsegmentator_fast_labels.nii.gz", "totalsegmentator")
    path = tmp_path / "segmentation.seg.nrrd"
    write_segmentation(path, labels)
    again = read_labels(path, None)
    assert set(again.regions) == set(labels.regions)
    assert np.allclose(again.ijk_to_ras, labels.ijk_to_ras)
    for region in labels.regions:
        assert np.array_equal(again.mask(region).array, labels.mask(region).array), region
