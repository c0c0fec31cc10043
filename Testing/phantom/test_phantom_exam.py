"""What goes wrong in an MR exam is as large as it was set."""

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.phantom import (
    PhantomSettings,
    make_patient,
    parse_acquisition,
    parse_motion,
    parse_stenosis,
    typical_acquisition,
)
from scipy import ndimage

COARSE = {"spacing": 2.0, "mr_pixel": 1.0, "mr_slice": 6.0, "mr_noise": 0.0}
MOTION = (6.0, -10.0, 8.0)
STENOSIS = 0.6


@pytest.fixture(scope="module")
def plain():
    return make_patient(PhantomSettings(5, **COARSE))


@pytest.fixture(scope="module")
def spoilt():
    """Shaded T1 and STIR, a moved T2, a stenosis at L3, signals cut off at 500, a 3 T scanner."""
    return make_patient(
        PhantomSettings(
            5,
            **COARSE,
            shading_percent=30.0,
            motion={"t2": MOTION},
            stenosis={VertebralLevel.L3: STENOSIS},
            mr_clip=500.0,
            mr_acquisition=typical_acquisition("3", "A"),
        )
    )


@pytest.fixture(scope="module")
def moved():
    """Only the T2 is moved, and signals are cut off above all that there are."""
    return make_patient(PhantomSettings(5, **COARSE, motion={"t2": MOTION}, mr_clip=5000))


def signal(patient, image, level):
    body = patient.mr_bodies.mask(Region(Compartment.BODY, level)).array
    return image.array[ndimage.binary_erosion(body, np.ones((1, 5, 5)))].astype(float)


def test_shading_along_head_to_foot(plain, spoilt):
    factor = {
        level: signal(spoilt, spoilt.t1, level).mean() / signal(plain, plain.t1, level).mean()
        for level in VertebralLevel.span("L1-L4")
    }
    assert factor[VertebralLevel.L1] - factor[VertebralLevel.L4] == pytest.approx(0.30, abs=0.01)
    assert np.mean(list(factor.values())) == pytest.approx(1, abs=0.01)
    assert spoilt.truth.value(name="shading_percent") == 30


def test_the_moved_patient(plain, moved):
    """A point of the marrow is found again where the motion takes it, and no longer where it was."""
    middle = plain.frames[VertebralLevel.L3].origin
    anterior, up, turn = MOTION[0], MOTION[1], np.radians(MOTION[2])
    points = np.argwhere(plain.mr_bodies.array > 0)[::7]
    here = plain.mr_bodies.to_ras(points[:, ::-1])
    y, z = (here - middle)[:, 1], (here - middle)[:, 2]
    there = here.copy()
    there[:, 1] = middle[1] + anterior + y * np.cos(turn) + z * np.sin(turn)
    there[:, 2] = middle[2] + up - y * np.sin(turn) + z * np.cos(turn)
    inside = (np.abs(moved.t2.to_ijk(there)[:, 1] / moved.t2.array.shape[1] - 0.5) < 0.48).nonzero()[0]
    before = plain.t2.array[tuple(points[inside].T)].astype(float)

    def read(where):
        return ndimage.map_coordinates(moved.t2.array.astype(float), moved.t2.to_ijk(where[inside])[:, ::-1].T, order=1)

    assert np.corrcoef(before, read(there))[0, 1] > 0.97
    assert np.corrcoef(before, read(here))[0, 1] < 0.7
    assert [moved.truth.value(name=f"t2_motion_{n}") for n in ("anterior", "up", "rotation")] == list(MOTION)


def csf_depth(patient, level):
    """Depth of pure CSF and roots in the middle slice at a level's middle, mm."""
    labels, frame = patient.mr_bodies, patient.frames[level]
    i, j, k = np.round(labels.to_ijk(frame.origin)).astype(int)
    bright = patient.stir.array[k, j, i:] > 120  # neither fat nor ligament
    canal = labels.mask(Region(Structure.SPINAL_CANAL), Region(Structure.CSF)).array[k, j, i:]
    return (bright & canal).sum() * labels.spacing[0]


def test_stenosis(plain, spoilt):
    lost = 1 - csf_depth(spoilt, VertebralLevel.L3) / csf_depth(plain, VertebralLevel.L3)
    assert lost == pytest.approx(STENOSIS, abs=0.12)
    assert csf_depth(spoilt, VertebralLevel.L5) == pytest.approx(csf_depth(plain, VertebralLevel.L5), abs=1)
    assert spoilt.truth.value(level=VertebralLevel.L3, name="stenosis") == STENOSIS


def test_clipping(plain, spoilt):
    assert spoilt.t2.array.max() == 500 < plain.t2.array.max()
    assert spoilt.truth.value(name="signal_limit") == 500


def test_acquisition(plain, spoilt):
    assert plain.t1.acquisition["MagneticFieldStrength"] == "1.5"
    assert "EchoTime" not in plain.t1.acquisition
    assert spoilt.stir.acquisition["MagneticFieldStrength"] == "3"
    assert spoilt.stir.acquisition["InversionTime"] == "220"
    assert spoilt.t1.acquisition["Manufacturer"] == "A"
    assert "InversionTime" not in spoilt.t2.acquisition


def test_the_rest_is_as_it_was(plain, moved, spoilt):
    assert spoilt.ct.hash != plain.ct.hash  # the stenosis
    for image in ("ct", "labels", "t1", "stir", "mr_bodies"):
        assert getattr(moved, image).hash == getattr(plain, image).hash
    assert moved.truth.value(name="vbq_t2") == plain.truth.value(name="vbq_t2")


def test_text_is_parsed():
    assert parse_motion("T2:3,-2,4") == ("t2", (3.0, -2.0, 4.0))
    assert parse_stenosis("l3:0.5") == (VertebralLevel.L3, 0.5)
    assert parse_acquisition("t1:EchoTime=9.5") == ("t1", "EchoTime", "9.5")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_motion, "t2"),
        (parse_motion, "t2:1,2"),
        (parse_stenosis, "L9:0.5"),
        (parse_stenosis, "L3"),
        (parse_acquisition, "t9:EchoTime=1"),
        (parse_acquisition, "t1:EchoTime"),
        (typical_acquisition, "7"),
    ],
)
def test_nonsense_is_not_parsed(parse, text):
    with pytest.raises(UserError):
        parse(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"motion": {"flair": (0, 0, 0)}},
        {"motion": {"t2": (0, 0)}},
        {"motion": {"t2": (0, float("nan"), 0)}},
        {"stenosis": {VertebralLevel.L3: 1.0}},
        {"stenosis": {VertebralLevel.S1: 0.5}},
        {"shading_percent": float("nan")},
        {"mr_clip": 0},
        {"mr_acquisition": {"flair": {}}},
    ],
)
def test_wrong_exams_are_refused(wrong):
    with pytest.raises(UserError):
        PhantomSettings(1, **wrong)
