"""The seeded engine against the phantom's truth and the references of real images."""

from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.distance import depth_mm
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_labels import read_labels, read_stored
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.phantom import Fracture, PhantomSettings, make_patient
from OVFRiskLib.segmentation.agreement import dice, surface_distance
from OVFRiskLib.segmentation.engines import ENGINES, Request
from OVFRiskLib.segmentation.seeds import Seed

L1, L2, L3, L4, L5 = VertebralLevel.span("L1-L5")
JITTER_MM = 3.5


def _clicks(centres, jitter=JITTER_MM, seed=0):
    rng = np.random.default_rng(seed)
    away = {level: rng.standard_normal(3) for level in centres}
    return tuple(Seed(centres[v] + jitter * d / np.linalg.norm(d), v) for v, d in away.items())


def _segment(ct, seeds, **wanted):
    return ENGINES["seeded"](ct, Request(tuple(seeds), **wanted), lambda _share, _what: None)


def _body(labels: LabelMap, level):
    return labels.mask(Region(Compartment.BODY, level)).array


@pytest.fixture(scope="module")
def phantom():
    """Scoliosis, a crushed and a wedged body, thick slices."""
    fractures = (Fracture.parse("L1:crush:0.4"), Fracture.parse("L3:wedge:0.3"))
    coarse_mr = {"mr_pixel": 4.0, "mr_slice": 6.0}
    return make_patient(PhantomSettings(11, spacing=(1.5, 1.5, 3.0), fractures=fractures, scoliosis=15.0, **coarse_mr))


@pytest.fixture(scope="module")
def truth(phantom):
    parts = (Compartment.CORTICAL, Compartment.CANCELLOUS)
    bodies = {v: [Region(part, v) for part in parts] for v in VertebralLevel.span("L1-L4")}
    return {level: phantom.compartments.mask(*regions).array for level, regions in bodies.items()}


@pytest.fixture(scope="module")
def centres(phantom, truth):
    return {level: phantom.frames[level].origin for level in truth}


@pytest.fixture(scope="module")
def segmented(phantom, centres):
    return _segment(phantom.ct, _clicks(centres))


def test_bodies_of_a_bent_spine_with_fractures(phantom, truth, segmented):
    for level, body in truth.items():
        assert dice(_body(segmented, level), body) > 0.92, level
        assert surface_distance(_body(segmented, level), body, phantom.ct.spacing)[0] < 0.8, level
    assert segmented.same_grid(phantom.ct)
    assert segmented.levels() == tuple(truth)


def test_a_click_eight_mm_off_still_finds_its_body(phantom, truth, centres):
    labels = _segment(phantom.ct, _clicks(centres, jitter=8.0, seed=2))
    for level, body in truth.items():
        assert dice(_body(labels, level), body) > 0.85, level


def test_storage_and_scale_of_the_image_do_not_matter(phantom, centres, segmented):
    turned = phantom.ct.reoriented("PIR")
    scaled = replace(turned, array=np.float32(1.3) * turned.array + np.float32(40))
    found = _segment(scaled, _clicks(centres)).reoriented(phantom.ct.orientation)
    for level in segmented.levels():
        assert dice(_body(found, level), _body(segmented, level)) > 0.97, level


def test_first_and_last_click_with_the_number_between(phantom, truth, centres):
    ends = _clicks({level: centres[level] for level in (L1, L4)})
    labels = _segment(phantom.ct, ends, between=2)
    assert labels.levels() == (L1, L2, L3, L4)
    for level in (L2, L3):
        assert dice(_body(labels, level), truth[level]) > 0.9, level
    with pytest.raises(UserError, match="usually there are 2"):
        _segment(phantom.ct, ends, between=3)


def test_whole_vertebrae(phantom, centres):
    labels = _segment(phantom.ct, _clicks(centres), whole=True)
    for level in (L2, L3):
        whole = Region(Compartment.WHOLE, level)
        assert dice(labels.mask(whole).array, phantom.labels.mask(whole).array) > 0.84, level


def test_points_that_are_counted_are_told(phantom, centres):
    seeds = [Seed(centres[L1], L1), Seed(centres[L2])]
    labels = _segment(phantom.ct, seeds)
    assert labels.levels() == (L1, L2)
    assert any("counted from L1" in text for text in labels.corrections)


def test_a_body_cut_by_the_border_is_told(phantom, centres):
    ijk = phantom.ct.to_ijk(centres[L4])
    cut = phantom.ct.cropped((slice(round(ijk[2]), phantom.ct.array.shape[0]), slice(0, None), slice(0, None)))
    labels = _segment(cut, _clicks({L3: centres[L3], L4: centres[L4] + (0, 0, 4)}, jitter=0.0))
    assert "L4 touches the image border" in labels.corrections


def test_a_point_outside_the_image_is_refused(phantom):
    with pytest.raises(UserError, match="outside the CT"):
        _segment(phantom.ct, [Seed(np.array([0.0, 0.0, 9999.0]), L1)])


def test_stops_when_the_caller_stops(phantom, centres):
    def stop(share, _what):
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ENGINES["seeded"](phantom.ct, Request(_clicks(centres)), stop)


@pytest.fixture(scope="module")
def abdomen(shared_data):
    """CT at 3 mm, its reference bodies, and the found ones."""
    folder = shared_data / "ct_abdomen_3mm"
    ct, reference = _real(folder / "ct.nii.gz"), read_labels(folder / "vertebrae_verse_codes.nii.gz", "verse")
    bodies = {v: reference.mask(Region(Compartment.WHOLE, v)).array for v in (L1, L2, L3, L4, L5)}
    labels = _segment(ct, _clicks({v: _centre(ct, mask) for v, mask in bodies.items()}))
    return ct, bodies, {level: _body(labels, level) for level in bodies}


L5_REFERENCE = (
    "at L5 this reference lies 3.5 mm in front of the posterior wall and 2 mm above the lower end plate of both of "
    "TotalSegmentator's outlines, which the image's half maximum agrees with; measured: Dice 0.887, surface 1.5 mm; "
    "0.94 against the data set's other mask of the bodies, with which this one agrees by 0.877"
)


@pytest.mark.parametrize(
    "level",
    [L1, L2, L3, L4, pytest.param(L5, marks=pytest.mark.xfail(strict=True, reason=L5_REFERENCE))],
)
def test_real_body_at_three_mm(abdomen, level):
    ct, bodies, found = abdomen
    assert dice(found[level], bodies[level]) >= 0.90
    assert surface_distance(found[level], bodies[level], ct.spacing)[0] <= 0.9


def test_real_bodies_at_three_mm_on_average(abdomen):
    _, bodies, found = abdomen
    assert np.mean([dice(found[level], mask) for level, mask in bodies.items()]) >= 0.93


def test_fifth_lumbar_body_against_the_other_reference(abdomen, shared_data):
    ct, _, found = abdomen
    folder = shared_data / "ct_abdomen_3mm"
    bodies = read_stored(folder / "vertebral_bodies_and_discs.nii.gz").array == 1
    levels = read_labels(folder / "totalsegmentator_labels.nii.gz", "totalsegmentator")
    reference = bodies & levels.mask(Region(Compartment.WHOLE, L5)).array
    assert dice(found[L5], reference) >= 0.93
    assert surface_distance(found[L5], reference, ct.spacing)[0] <= 0.9


L1_LESION = "hangs on the click beside the sclerotic lesion; measured: -4.7 HU (nine other clicks -0.6 to -1.4)"


@pytest.mark.parametrize(
    "level", [pytest.param(L1, marks=pytest.mark.xfail(strict=True, reason=L1_LESION)), L2, L3, L4, L5]
)
def test_trabecular_attenuation_at_three_mm(abdomen, level):
    ct, bodies, found = abdomen
    inner, wanted = (ct.array[depth_mm(part[level], ct.spacing) >= 4.0].mean() for part in (found, bodies))
    assert inner == pytest.approx(wanted, abs=3.0)


def test_a_lesion_on_thick_slices_is_not_taken_for_the_body(abdomen):
    ct, bodies, _ = abdomen
    count = ct.array.shape[0] // 2 * 2
    thick, *masks = (
        array[:count].reshape(-1, 2, *array.shape[1:]).mean(axis=1, dtype=np.float32)
        for array in (ct.array, *bodies.values())
    )
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] / 2
    matrix[:3, 2] *= 2
    ct = Volume(thick, matrix, Modality.CT, ct.name)
    masks = {level: mask >= 0.5 for level, mask in zip(bodies, masks, strict=True)}
    labels = _segment(ct, _clicks({level: _centre(ct, mask) for level, mask in masks.items()}))
    for level, mask in masks.items():
        assert dice(_body(labels, level), mask) >= 0.88, level


def test_real_body_of_one_click(shared_data):
    folder = shared_data / "ct_l3_subregions"
    ct = _real(folder / "sub-ct_label-22_ct.nii.gz")
    parts = read_stored(folder / "sub-ct_seg-subreg_label-22_msk.nii.gz").array
    vertebra = read_stored(folder / "sub-ct_seg-vert_label-22_msk.nii.gz").array
    _check_single(ct, (vertebra == 22) & (parts >= 49), L3)


def test_real_body_with_nothing_around(shared_data):
    folder = shared_data / "ct_l2_calibrated"
    ct = _real(folder / "sub-verse004_0000_vertebra_21_im.nii.gz")
    parts = read_stored(folder / "sub-verse004_0000_vertebra_21_seg.nii.gz").array
    _check_single(ct, np.isin(parts, (1, 2)), L2)


def _check_single(ct, body, level):
    labels = _segment(ct, _clicks({level: _centre(ct, body)}))
    assert dice(_body(labels, level), body) >= 0.94
    assert surface_distance(_body(labels, level), body, ct.spacing)[0] <= 0.7


def _real(path):
    stored = read_stored(path)
    return Volume(stored.array, stored.ijk_to_ras, Modality.CT, path.name)


def _centre(ct, mask):
    return ct.to_ras(np.argwhere(mask)[:, ::-1].mean(axis=0))
