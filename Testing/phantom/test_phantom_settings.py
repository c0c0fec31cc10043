"""Settings, determinism, cohorts, and files of the synthetic patient."""

import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.read_images import read_volume
from OVFRiskLib.files.read_labels import read_labels
from OVFRiskLib.files.tables import read_measurements
from OVFRiskLib.files.write_images import write_volume
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.phantom import Fracture, FractureKind, PhantomSettings, make_cohort, make_patient, write_patient

COARSE = {"spacing": 2.0, "mr_pixel": 1.6}
IMAGES = ("ct", "t1", "t2", "stir", "labels", "compartments", "mr_bodies")


@pytest.fixture(scope="module")
def coarse():
    return make_patient(PhantomSettings(5, **COARSE))


def test_fracture_is_parsed():
    assert Fracture.parse(" l1:Wedge:0.30 ") == Fracture(VertebralLevel.L1, FractureKind.WEDGE, 0.30)
    assert str(Fracture.parse("T12:crush:0.4")) == "T12:crush:0.4"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L1",
        "L1:wedge",
        "L1:wedge:much",
        "L9:wedge:0.3",
        "L1:burst:0.3",
        "L1:wedge:0.9",
        "T10:wedge:0.3",
        "L1:wedge:nan",
    ],
)
def test_nonsense_is_no_fracture(text):
    with pytest.raises(UserError):
        Fracture.parse(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"seed": 1, "spacing": 0.01},
        {"seed": 1, "spacing": (1, 1, 40)},
        {"seed": 1, "sex": "X"},
        {"seed": 1, "muscle_fat_fraction": {Structure.PSOAS_LEFT: 1.2}},
        {"seed": 1, "fractures": (Fracture.parse("L1:crush:0.3"), Fracture.parse("L1:wedge:0.3"))},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(UserError):
        PhantomSettings(**wrong)


def test_what_is_given_is_kept_and_the_rest_is_drawn():
    given = PhantomSettings(3, cancellous_hu={VertebralLevel.L2: 77.0}, vbq={"t1": 3.5}, age=80)
    drawn = PhantomSettings(3)
    assert given.cancellous_hu[VertebralLevel.L2] == 77.0
    assert given.vbq["t1"] == 3.5
    assert given.age == 80
    assert given.vbq["t2"] == pytest.approx(drawn.vbq["t2"], abs=0.1)
    assert set(given.cancellous_hu) == set(drawn.cancellous_hu)
    json.dumps(given.as_json(), allow_nan=False)


def test_same_seed_same_bytes(coarse):
    again, other = make_patient(PhantomSettings(5, **COARSE)), make_patient(PhantomSettings(6, **COARSE))
    assert [getattr(again, name).hash for name in IMAGES] == [getattr(coarse, name).hash for name in IMAGES]
    assert all(getattr(other, name).hash != getattr(coarse, name).hash for name in IMAGES)
    assert again.truth.rows == coarse.truth.rows


def test_spacing_changes_the_ct_only(coarse):
    fine = make_patient(PhantomSettings(5, 1.8, mr_pixel=1.6))
    assert fine.t2.hash == coarse.t2.hash
    assert fine.ct.spacing == pytest.approx([1.8] * 3)


def test_bias_field_is_off_and_can_be_on(coarse):
    biased = make_patient(PhantomSettings(5, **COARSE, bias_field=0.4))
    assert biased.ct.hash == coarse.ct.hash
    back = slice(2 * biased.t1.array.shape[2] // 3, None)
    assert biased.t1.array[:, :, back].mean() > 1.05 * coarse.t1.array[:, :, back].mean()


def test_too_many_fractures_leave_no_vbq():
    fractures = tuple(Fracture.parse(f"{level}:wedge:0.3") for level in ("L1", "L2", "L3"))
    rows = make_patient(PhantomSettings(1, fractures=fractures, **COARSE)).truth.where(name="vbq_t1").rows
    assert [row.value for row in rows] == [None]


def test_the_strongest_fractures_still_make_a_patient():
    levels = VertebralLevel.span("T12,L2,L4")
    fractures = tuple(Fracture(level, kind, 0.6) for level, kind in zip(levels, FractureKind, strict=True))
    patient = make_patient(PhantomSettings(2, fractures=fractures, **COARSE))
    for level in levels:
        for part in (Compartment.CORTICAL, Compartment.CANCELLOUS, Compartment.POSTERIOR):
            assert patient.compartments.mask(Region(part, level)).volume_mm3 > 1000


def test_cohort_varies_and_repeats():
    cohort = list(make_cohort(60, 1))
    assert [s.as_json() for s in cohort] == [s.as_json() for s in make_cohort(60, 1)]
    assert len({s.seed for s in cohort}) == 60
    hu = np.array([s.cancellous_hu[VertebralLevel.L1] for s in cohort])
    broken = np.array([bool(s.fractures) for s in cohort])
    assert 8 < broken.sum() < 50
    assert hu.std() > 15
    assert hu[broken].mean() < hu[~broken].mean() - 5
    assert {s.sex for s in cohort} == {"F", "M"}


def test_files_read_back(coarse, tmp_path):
    write_patient(coarse, tmp_path / "out")
    for name, modality in (("ct", Modality.CT), ("t1", Modality.T1), ("t2", Modality.T2), ("stir", Modality.STIR)):
        image = read_volume(tmp_path / "out" / f"{name}.nii.gz", modality)
        assert image.same_grid(getattr(coarse, name))
        assert np.array_equal(image.array, getattr(coarse, name).array)
    for name in ("labels", "compartments", "mr_bodies"):
        labels = read_labels(tmp_path / "out" / f"{name}.nii.gz", "ovfrisk")
        assert labels.labels == getattr(coarse, name).labels
        assert np.array_equal(labels.array, getattr(coarse, name).array)
    about = json.loads((tmp_path / "out" / "phantom.json").read_text("utf-8"))
    assert "SYNTHETIC" in about
    assert about["settings"]["seed"] == 5
    table = read_measurements(tmp_path / "out" / "truth.csv")
    assert len(table) == len(coarse.truth)


def test_files_that_cannot_be_written(coarse, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError):
        write_patient(coarse, tmp_path / "file" / "out")
    with pytest.raises(UserError, match="ending"):
        write_volume(tmp_path / "ct.jpg", coarse.ct)
    sheared = coarse.ct.ijk_to_ras.copy()
    sheared[0, 1] = 1.0
    with pytest.raises(UserError, match="right angles"):
        write_volume(tmp_path / "ct.nii.gz", Volume(coarse.ct.array, sheared, Modality.CT))
