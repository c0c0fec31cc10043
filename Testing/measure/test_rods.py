"""Calibration by a phantom's rods: the line that was set is found, and what is no phantom is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Region, Structure
from OVFRiskLib.calibration import rod_line
from OVFRiskLib.calibration.find_rods import find_rods
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.phantom import PhantomSettings, make_patient
from scipy import ndimage

DENSITIES = (0, 50, 100, 200)
NOBODY_LOOKS_AT_THE_MR = {"mr_pixel": 3, "mr_slice": 6}


@pytest.fixture(scope="module")
def phantom():
    known = {}

    def make(seed=3, **settings):
        key = json.dumps([seed, settings])
        if key not in known:
            known[key] = make_patient(PhantomSettings(seed, **settings, **NOBODY_LOOKS_AT_THE_MR))
        return known[key]

    return make


@pytest.fixture(scope="module")
def usual(phantom):
    return phantom(spacing=3.0)


def off(line, hu, settings):
    slope, intercept = settings.rod_line
    return line.vbmd(hu) - (hu - intercept) / slope


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": 3, "spacing": 3.0},
        {"seed": 5, "spacing": 5.0},
        {"seed": 4, "spacing": (1.2, 1.2, 5.0), "noise_hu": 60.0},
        {"seed": 6, "spacing": 2.0, "noise_hu": 60.0, "rod_line": (1.5, -6.0)},
        {"seed": 8, "spacing": (1.5, 1.5, 5.0), "rods": (150, 75, 0)},
        {"seed": 9, "spacing": (1.5, 1.5, 5.0), "rods": (0, 40, 80, 120, 160, 200), "stoutness": 1.6},
    ],
)
def test_the_set_line_is_found(phantom, settings):
    patient = phantom(**settings)
    line = rod_line(patient.ct, patient.settings.rods)
    for hu in patient.settings.cancellous_hu.values():
        error = off(line, hu, patient.settings)
        assert abs(error) < 2
        assert abs(error) < 2 * line.error(hu)
    assert line.r_squared > 0.999
    assert line.kvp == 120
    assert line.notes == ()


def test_the_rods_are_where_they_were_set(usual):
    line = rod_line(usual.ct, DENSITIES)
    for n, reference in enumerate(line.references, 1):
        wanted = [usual.truth.value(name=f"rod{n}_{axis}") for axis in ("right", "anterior")]
        assert reference.centre[:2] == pytest.approx(wanted, abs=1)
        assert reference.radius == pytest.approx(7, abs=1)
        assert reference.hu == pytest.approx(usual.truth.value(name=f"rod{n}_attenuation"), abs=2)
    json.dumps(line.as_dict(), allow_nan=False)


def test_labelled_and_given_rods_say_the_same(usual):
    labelled = rod_line(usual.ct, DENSITIES, usual.labels)
    centres = [reference.centre for reference in labelled.references]
    given = rod_line(usual.ct, DENSITIES, centres=centres)
    for line in (labelled, given):
        assert abs(off(line, 130, usual.settings)) < 2
    assert ("labelled" in labelled.method, "given" in given.method) == (True, True)


def test_other_axes_and_a_turned_patient(usual):
    for turned in (usual.ct.reoriented("LAS"), _tilted(usual.ct)):
        assert abs(off(rod_line(turned, DENSITIES), 130, usual.settings)) < 2


def _tilted(ct, degrees=20):
    """The whole CT cut by slices that stand oblique to the table."""
    array = ndimage.rotate(ct.array.astype(np.float32), degrees, axes=(0, 1), order=1, cval=-1000)
    return Volume(array.round().astype(np.int16), ct.ijk_to_ras, Modality.CT, acquisition=ct.acquisition)


def test_a_table_without_rods_is_none(usual):
    rods = ndimage.binary_dilation(usual.labels.mask(Region(Structure.CALIBRATION_ROD)).array, iterations=1)
    pad = np.random.default_rng(0).normal(-62, 12, rods.shape).astype(np.int16)
    bare = replace(usual.ct, array=np.where(rods, pad, usual.ct.array))
    assert find_rods(bare) == ()
    with pytest.raises(UserError, match="No calibration rods"):
        rod_line(bare, DENSITIES)


@pytest.mark.parametrize("name", ["ct_abdomen_3mm/ct.nii.gz", "ct_contrast_5mm/ct.nii.gz", "ct_dicom_t11_t12/series"])
def test_patients_without_a_phantom_have_no_rods(shared_data, name):
    assert find_rods(read_volume(shared_data / name, Modality.CT)) == ()


def test_a_missing_rod_is_refused(usual):
    for densities in ((0, 50, 100, 150, 200), (0, 100, 200)):
        with pytest.raises(UserError, match=f"4 calibration rods were found in the image, but {len(densities)}"):
            rod_line(usual.ct, densities)


@pytest.mark.parametrize("densities", [(0, 0, 50, 100), (50,), (0, float("nan"), 50, 100)])
def test_impossible_densities_are_refused(usual, densities):
    with pytest.raises(UserError, match="different numbers"):
        rod_line(usual.ct, densities)


def test_a_wrong_list_does_not_fit(usual):
    with pytest.raises(UserError, match="do not fit"):
        rod_line(usual.ct, (0, 150, 180, 200))
    with pytest.raises(UserError, match="HU per mg/cm3"):
        rod_line(usual.ct, (0, 500, 1000, 2000))


def test_rods_in_another_order_than_the_list_are_named(usual, phantom):
    assert rod_line(usual.ct, (200, 100, 50, 0)).notes == ()
    mixed = phantom(spacing=3.0, rods=(50, 0, 200, 100)).ct
    assert rod_line(mixed, (50, 0, 200, 100)).notes == ()
    assert "order" in rod_line(mixed, DENSITIES).notes[0]


def test_a_labelled_rod_that_is_cut_or_hollow_is_refused(usual):
    region = Region(Structure.CALIBRATION_ROD)
    mask = usual.labels.mask(region).array
    rightmost = np.flatnonzero(mask.any(axis=(0, 1))).max()
    short = mask.copy()
    short[30:, :, rightmost - 4 :] = False
    with pytest.raises(UserError, match="shorter"):
        rod_line(usual.ct, DENSITIES, _labels(short, usual))
    hollow = usual.ct.array.copy()
    half = mask.copy()
    half[len(half) // 2 :] = False
    half[:, :, : rightmost - 4] = False
    hollow[half] -= 80
    with pytest.raises(UserError, match="not even"):
        rod_line(replace(usual.ct, array=hollow), DENSITIES, _labels(mask, usual))


def _labels(mask, patient):
    return LabelMap(mask.astype(np.uint8), patient.ct.ijk_to_ras, {1: Region(Structure.CALIBRATION_ROD)})


def test_a_centre_outside_and_two_in_one_rod_are_refused(usual):
    centres = [reference.centre for reference in rod_line(usual.ct, DENSITIES).references]
    with pytest.raises(UserError, match="outside"):
        rod_line(usual.ct, DENSITIES, centres=[*centres[:3], (5000, 0, 0)])
    with pytest.raises(UserError, match="overlap"):
        rod_line(usual.ct, DENSITIES, centres=[*centres[:3], centres[0]])
