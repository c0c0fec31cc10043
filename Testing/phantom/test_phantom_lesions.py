"""Lesions and contrast medium lie where the truth says, and look as they should."""

import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.phantom import Lesion, LesionKind, PhantomSettings, make_patient
from scipy import ndimage

KINDS = {"T12": "sclerosis", "L1": "haemangioma", "L2": "cement", "L3": "schmorl", "L4": "metal"}
VEIN = "L5:basivertebral-vein"
LESIONS = tuple(Lesion.parse(text) for text in (*(f"{level}:{kind}" for level, kind in KINDS.items()), VEIN))
COARSE = {"spacing": 1.5, "mr_pixel": 1.2, "noise_hu": 5.0}


@pytest.fixture(scope="module")
def patient():
    return make_patient(PhantomSettings(5, lesions=LESIONS, **COARSE))


@pytest.fixture(scope="module")
def healthy():
    return make_patient(PhantomSettings(5, label_organs=True, **COARSE))


@pytest.fixture(scope="module")
def enhanced():
    return make_patient(PhantomSettings(5, phase="portal-venous", **COARSE))


def centre(patient, level, name):
    ways = ("right", "anterior", "superior")
    return np.array([patient.truth.value(level=VertebralLevel(level), name=f"{name}_centre_{way}") for way in ways])


def around(image, point, radius):
    """Values of an image within `radius` mm of a point."""
    k, j, i = np.indices(image.array.shape, sparse=True)
    c, s = image.to_ijk(point), image.spacing
    away = ((i - c[0]) * s[0]) ** 2 + ((j - c[1]) * s[1]) ** 2 + ((k - c[2]) * s[2]) ** 2
    return image.array[away <= radius**2]


def marrow(patient, level, image):
    hu = "trabecular_attenuation" if image is patient.ct else f"{image.modality.lower()}_signal_intensity"
    part = Compartment.CANCELLOUS if image is patient.ct else Compartment.BODY
    return patient.truth.value(level=VertebralLevel(level), compartment=part, name=hu)


@pytest.mark.parametrize(
    ("level", "kind", "inner", "hu"), [("T12", "sclerosis", 2.5, 500), ("L2", "cement", 4.5, 1500)]
)
def test_compact_lesions(patient, level, kind, inner, hu):
    point = centre(patient, level, kind)
    assert around(patient.ct, point, inner).mean() == pytest.approx(hu, rel=0.03)
    for image in (patient.t1, patient.t2, patient.stir):
        assert around(image, point, 2).mean() < 0.4 * marrow(patient, level, image)


def test_haemangioma(patient):
    """Bright dots in a matrix of fat, and bright on T1 and T2."""
    point = centre(patient, "L1", "haemangioma")
    inside = around(patient.ct, point, 6)
    assert np.percentile(inside, 25) < 20
    assert np.percentile(inside, 97) > 100
    assert inside.mean() < marrow(patient, "L1", patient.ct) - 40
    for image in (patient.t1, patient.t2):
        assert around(image, point, 4).mean() > 1.2 * marrow(patient, "L1", image)


def test_screws(patient):
    """Through both pedicles into the body, cut off at 3071 HU; no signal on MR."""
    body = patient.compartments.mask(
        Region(Compartment.CORTICAL, VertebralLevel.L4), Region(Compartment.CANCELLOUS, VertebralLevel.L4)
    )
    arch = patient.compartments.mask(Region(Compartment.POSTERIOR, VertebralLevel.L4))
    metal = patient.ct.array > 2000
    assert (metal & body.array).sum() * body.voxel_volume > 400
    assert (metal & arch.array).sum() * body.voxel_volume > 300
    assert patient.ct.array.max() == 3071
    for side in ("left", "right"):
        point = centre(patient, "L4", f"metal_{side}")
        assert around(patient.ct, point, 1.5).mean() > 2500
        assert patient.frames[VertebralLevel.L4].from_ras(point)[0] * (1 if side == "right" else -1) > 5
        assert around(patient.t1, point, 2).mean() < 0.3 * marrow(patient, "L4", patient.t1)


def test_schmorls_node_is_disc(patient, healthy):
    level, point = VertebralLevel.L3, centre(patient, "L3", "schmorl")
    inside = point - 2 * patient.frames[level].axes[2]
    expected = {patient.ct: 78, patient.t2: 390}  # of a nucleus
    for image, value in expected.items():
        assert around(image, inside, 1.8).mean() == pytest.approx(value, rel=0.15)
    for bodies in ("labels", "mr_bodies"):
        lost = [
            p.mask(Region(part, level)).volume_mm3
            for p in (getattr(healthy, bodies), getattr(patient, bodies))
            for part in (Compartment.WHOLE if bodies == "labels" else Compartment.BODY,)
        ]
        assert lost[0] - lost[1] == pytest.approx(2 / 3 * np.pi * 5**3, rel=0.35)


def test_vein_on_the_midline(patient):
    frame, point = patient.frames[VertebralLevel.L5], centre(patient, "L5", "basivertebral_vein")
    x, y, z = frame.from_ras(point)
    assert (x, z) == pytest.approx((0, 0), abs=1e-6)
    assert y < 0
    assert around(patient.ct, point, 1.6).mean() < marrow(patient, "L5", patient.ct) - 25
    for image, factor in ((patient.t2, 1.1), (patient.stir, 1.3)):
        assert around(image, point, 2).max() > factor * marrow(patient, "L5", image)


@pytest.mark.parametrize("level", KINDS)
def test_bone_around_keeps_its_attenuation(patient, healthy, level):
    """What is over 4 mm deep, and unchanged by the lesion, has the set mean."""
    regions = [Region(part, VertebralLevel(level)) for part in (Compartment.CORTICAL, Compartment.CANCELLOUS)]
    body = healthy.compartments.mask(*regions)
    deep = ndimage.distance_transform_edt(body.array, sampling=body.spacing[::-1]) >= 5
    changed = ndimage.binary_dilation(np.abs(patient.ct.array.astype(int) - healthy.ct.array) > 1, iterations=2)
    mean = patient.ct.array[deep & ~changed].mean()
    assert mean == pytest.approx(marrow(patient, level, patient.ct), abs=3)


def test_lesions_change_nothing_else(patient, healthy):
    for image in ("ct", "t1"):
        far = getattr(patient, image).array != getattr(healthy, image).array
        assert far.mean() < 0.05
    assert patient.truth.value(name="vbq_t1") == healthy.truth.value(name="vbq_t1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L2",
        "L2:tumour",
        "T10:metal",
        "L2:cement:99",
        "L2:schmorl:5:300",
        "L2:metal@1,2,3",
        "L2:cement@1,2",
        "S1:cement",
    ],
)
def test_nonsense_is_no_lesion(text):
    with pytest.raises(UserError):
        Lesion.parse(text)


@pytest.mark.parametrize("text", ["L2:haemangioma", "L2:cement:7:1500", "L4:sclerosis::600@-6,3,2", "L1:schmorl:4"])
def test_text_of_a_lesion_reads_back(text):
    assert str(Lesion.parse(text)) == text
    assert json.loads(json.dumps(PhantomSettings(1, lesions=[Lesion.parse(text)]).as_json()))["lesions"] == [text]


def test_a_lesion_stands_where_it_was_put():
    lesion = Lesion(VertebralLevel.L2, LesionKind.SCLEROSIS, centre=(-6.0, 3.0, 2.0))
    made = make_patient(PhantomSettings(5, 2.0, lesions=[lesion], mr_pixel=2.0, mr_slice=6.0))
    local = made.frames[VertebralLevel.L2].from_ras(centre(made, "L2", "sclerosis"))
    assert local == pytest.approx([-6, 3, 2])


def test_a_lesion_outside_the_body_is_refused():
    with pytest.raises(UserError, match="outside"):
        make_patient(PhantomSettings(5, 2.0, lesions=[Lesion.parse("L2:cement@40,0,0")], mr_pixel=2.0, mr_slice=6.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"lesions": [Lesion.parse("L2:cement"), Lesion.parse("L2:cement:4")]},
        {"lesions": [Lesion.parse("L5:cement")], "anatomy": "sacralised-L5"},
        {"marrow_enhancement_hu": 10.0},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(UserError):
        PhantomSettings(1, **wrong)


@pytest.mark.parametrize(
    ("structure", "hu"),
    [
        (Structure.AORTA, 152),
        (Structure.INFERIOR_VENA_CAVA, 115),
        (Structure.PORTAL_VEIN, 170),
        (Structure.KIDNEY_LEFT, 180),
        (Structure.KIDNEY_RIGHT, 180),
    ],
)
def test_contrast_in_vessels_and_kidneys(enhanced, healthy, structure, hu):
    for patient, expected in ((enhanced, hu), (healthy, 34 if "kidney" in structure else 42)):
        mask = patient.labels.mask(Region(structure))
        core = ndimage.binary_erosion(mask.array, iterations=2)
        assert patient.ct.array[core].mean() == pytest.approx(expected, abs=2)
        assert patient.truth.value(level=None, compartment=structure, name="mean_attenuation") == expected


def test_kidneys_and_vessels_lie_on_their_sides(healthy):
    def x(structure):
        return healthy.labels.to_ras(np.argwhere(healthy.labels.mask(Region(structure)).array)[:, ::-1])[:, 0].mean()

    assert x(Structure.KIDNEY_LEFT) < x(Structure.AORTA) < x(Structure.INFERIOR_VENA_CAVA) < x(Structure.KIDNEY_RIGHT)


def test_marrow_takes_up_contrast(enhanced, healthy):
    """By 18.2 HU (Pompe 2015), and the truth keeps both values."""
    part, level = Compartment.CANCELLOUS, VertebralLevel.L2
    core = ndimage.binary_erosion(healthy.compartments.mask(Region(part, level)).array, iterations=3)
    assert (enhanced.ct.array[core].mean() - healthy.ct.array[core].mean()) == pytest.approx(18.2, abs=0.1)
    shown = enhanced.truth.value(level=level, compartment=part, name="trabecular_attenuation")
    without = enhanced.truth.value(level=level, compartment=part, name="trabecular_attenuation_corrected")
    assert shown - without == pytest.approx(18.2)
    assert without == healthy.truth.value(level=level, compartment=part, name="trabecular_attenuation")
    assert enhanced.truth.value(level=level, name="vbmd") == healthy.truth.value(level=level, name="vbmd")


def test_organs_are_labelled_only_where_asked_for(patient, enhanced):
    assert Region(Structure.AORTA) not in patient.labels.regions
    assert Region(Structure.AORTA) in enhanced.labels.regions
    assert enhanced.t1.hash != patient.t1.hash
