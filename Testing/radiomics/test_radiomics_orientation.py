"""`canonicalOrientation`: how a volume is stored does not change its features."""

from itertools import permutations, product

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Mask, Volume
from OVFRiskLib.phantom import PhantomSettings, make_patient
from OVFRiskLib.radiomics import Protocol, extract
from OVFRiskLib.radiomics.classes import FEATURES
from OVFRiskLib.radiomics.differences import differences
from OVFRiskLib.radiomics.pyradiomics_engine import extract_by_pyradiomics

CANONICAL = {"canonicalOrientation": True}
TIES = {"resampledPixelSpacing": [1, 1, 1], "binWidth": 20}  # from 1.5 mm: voxels lie halfway between two
STORED = [(order, flips) for order in permutations(range(3)) for flips in product((1, -1), repeat=3)]
ANOTHER = ((2, 0, 1), (-1, 1, -1))


def protocol(**setting):
    texts = dict.fromkeys(("name", "title", "purpose", "source"), "test")
    images = {"Original": {}, "LoG": {"sigma": [2.0]}, "Wavelet": {}}
    classes = dict.fromkeys(name for name in FEATURES if name != "shape2D")
    return Protocol.from_dict(texts | {"setting": setting, "imageType": images, "featureClass": classes})


def stored(array, matrix, order, flips):
    """Return array (k, j, i) and matrix of the same voxels at the same places with other axes."""
    columns, origin, ijk = matrix[:3, :3].copy(), matrix[:3, 3].copy(), array.T
    for axis in range(3):
        if flips[axis] < 0:
            origin += columns[:, axis] * (ijk.shape[axis] - 1)
            columns[:, axis] *= -1
    turned = np.eye(4)
    turned[:3, :3], turned[:3, 3] = columns[:, order], origin
    return np.ascontiguousarray(ijk[tuple(slice(None, None, flip) for flip in flips)].transpose(order).T), turned


def grids(image, mask, matrix, order=(0, 1, 2), flips=(1, 1, 1)):
    array, turned = stored(image, matrix, order, flips)
    return Volume(array, turned), Mask(stored(mask, matrix, order, flips)[0], turned)


@pytest.fixture(scope="module")
def phantom():
    """A crop of a synthetic CT and the mask of a vertebra in it."""
    made = make_patient(PhantomSettings(5, (1.5, 1.5, 3.0), mr_pixel=4.0, mr_slice=6.0))
    mask = made.labels.mask(Region(Compartment.WHOLE, VertebralLevel.L3))
    box = mask.box(8)
    return made.ct.cropped(box).array, mask.cropped(box).array, made.ct.cropped(box).ijk_to_ras


@pytest.fixture(scope="module")
def real(shared_data, read_image):
    """A crop of a real CT and the interior of L3 in it, tilted so that no axis is a patient axis."""
    stem = str(shared_data / "ct_l3_subregions/sub-ct_")
    array, matrix = read_image(stem + "label-22_ct.nii.gz")
    mask = Mask(read_image(stem + "seg-subreg_label-22_msk.nii.gz")[0] == 50, matrix)
    box, turn = mask.box(8), np.eye(4)
    turn[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
    return array[box], mask.array[box], turn @ mask.cropped(box).ijk_to_ras


@pytest.mark.parametrize("source", ["phantom", "real"])
def test_storing_a_volume_otherwise_changes_nothing(request, source):
    images, chosen = request.getfixturevalue(source), protocol(**TIES, **CANONICAL)
    expected = extract(*grids(*images), chosen)
    assert set(expected.values) == set(chosen.feature_names)
    for order, flips in STORED[1::9]:
        found = extract(*grids(*images, order, flips), chosen)
        assert found.values == pytest.approx(expected.values, rel=1e-9, abs=0)
        assert found.diagnostics == expected.diagnostics


def test_without_it_values_hang_on_the_storage(phantom):
    one, other = (extract(*grids(*phantom, *how), protocol(**TIES)).values for how in (STORED[0], ANOTHER))
    assert sum(one[name] != pytest.approx(other[name], rel=1e-6) for name in one) > 100


@pytest.mark.parametrize("storage", STORED)
def test_axes_grow_towards_left_posterior_and_superior(storage):
    """A region 8 mm wide, 6 mm deep and 2 slices of 3 mm high, whatever its axes are called in the file."""
    image = np.random.default_rng(2).normal(100, 40, (9, 12, 14))
    mask = np.zeros(image.shape, bool)
    mask[3:5, 2:8, 3:11] = True
    lps = np.diag([-1.0, -1.0, 3.0, 1.0])
    found = extract(*grids(image, mask, lps, *storage), protocol(**CANONICAL))
    assert found.diagnostics["size"] == [8, 6, 2]
    assert found.diagnostics["spacing_mm"] == [1, 1, 3]
    assert found.values == extract(Volume(image, lps), Mask(mask, lps), protocol()).values


def test_a_mask_of_another_grid_is_still_refused(phantom):
    image, mask, matrix = phantom
    moved = matrix.copy()
    moved[0, 3] += 0.5
    with pytest.raises(UserError, match="different grids"):
        extract(Volume(image, matrix), Mask(mask, moved), protocol(**CANONICAL))


def test_pyradiomics_sees_the_same_orientation(phantom, agree):
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    pair, chosen = grids(*phantom, *ANOTHER), protocol(**TIES, **CANONICAL)
    agree(extract(*pair, chosen).values, extract_by_pyradiomics(*pair, chosen).values, "canonical orientation, phantom")


def test_it_is_part_of_the_id_only_where_it_is_set():
    plain, spelled, canonical = protocol(), protocol(canonicalOrientation=False), protocol(**CANONICAL)
    assert plain.id == spelled.id != canonical.id
    assert "canonicalOrientation" not in spelled.to_dict()["setting"]
    assert Protocol.from_dict(canonical.to_dict()).id == canonical.id
    assert differences(plain, canonical) == (("setting canonicalOrientation", False, True),)
    assert differences(canonical, plain) == (("setting canonicalOrientation", True, False),)


def test_pyradiomics_parameter_files_cannot_hold_it():
    with pytest.raises(UserError, match="PyRadiomics has no setting 'canonicalOrientation'"):
        protocol(**CANONICAL).to_yaml()
    assert "canonicalOrientation" not in protocol().to_yaml()
