"""The contrast phase is proposed from vessels, with its reason and its doubt; corrections are asked for by name."""

import json

import numpy as np
import pytest
from OVFRiskLib.anatomy import Region, Structure
from OVFRiskLib.attenuation import PUBLISHED, Phase, load_correction, phase_correction, propose_phase
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import LabelMap, Modality, Volume

AORTA, CAVA, PORTAL = Structure.AORTA, Structure.INFERIOR_VENA_CAVA, Structure.PORTAL_VEIN
KIDNEY = Structure.KIDNEY_LEFT


def proposed(radius_mm=9.0, wall=700.0, **hu):
    """Vessels as upright cylinders of 2 mm voxels in tissue of 50 HU, with calcified walls."""
    rng = np.random.default_rng(3)
    image = 50 + rng.normal(0, 25, (30, 30, 30 * len(hu)))
    labels, regions = np.zeros(image.shape, dtype=np.uint8), {}
    rows, columns = np.mgrid[:30, : image.shape[2]]
    for n, (name, value) in enumerate(hu.items(), 1):
        distance = 2 * np.hypot(rows - 15, columns - 30 * (n - 0.5))
        image[:, distance <= radius_mm] += value - 50
        image[:, (distance <= radius_mm) & (distance > radius_mm - 2)] = wall
        labels[:, distance <= radius_mm] = n
        regions[n] = Region(Structure[name.upper()])
    matrix = np.diag([2.0, 2.0, 2.0, 1.0])
    return propose_phase(Volume(image, matrix, Modality.CT), LabelMap(labels, matrix, regions))


@pytest.mark.parametrize(
    ("phase", "hu"),
    [
        (Phase.NONE, {"aorta": 42, "inferior_vena_cava": 40, "kidney_left": 32}),
        (Phase.NONE, {"aorta": 30, "portal_vein": 35}),
        (Phase.ARTERIAL, {"aorta": 320, "portal_vein": 145, "inferior_vena_cava": 90}),
        (Phase.ARTERIAL, {"aorta": 250, "inferior_vena_cava": 60, "kidney_left": 130}),
        (Phase.PORTAL_VENOUS, {"aorta": 150, "portal_vein": 170, "inferior_vena_cava": 120, "kidney_left": 180}),
        (Phase.PORTAL_VENOUS, {"aorta": 160, "portal_vein": 165}),
    ],
)
def test_the_phase_is_read_from_the_vessels(phase, hu):
    proposal = proposed(**hu)
    assert proposal.phase is phase
    assert proposal.reason
    for name, value in hu.items():  # neither walls nor noise reach the reading
        assert proposal.readings[Structure[name.upper()]] == pytest.approx(value, abs=3)


@pytest.mark.parametrize(
    ("reason", "hu"),
    [
        ("no labelled vein", {"aorta": 200}),
        ("aorta is not labelled", {"portal_vein": 170}),
        ("a vein is enhanced and the aorta is not", {"aorta": 45, "inferior_vena_cava": 160}),
        ("a kidney is enhanced", {"aorta": 50, "kidney_left": 160}),
        ("between two phases", {"aorta": 200, "portal_vein": 135}),
        ("later than the portal venous", {"aorta": 110, "portal_vein": 112, "inferior_vena_cava": 108}),
        ("contradict", {"aorta": 120, "kidney_left": 35, "portal_vein": 110}),
    ],
)
def test_where_the_image_does_not_tell_nothing_is_proposed(reason, hu):
    proposal = proposed(**hu)
    assert proposal.phase is None
    assert reason in proposal.reason


def test_a_doubt_is_said():
    assert "alone" in proposed(aorta=42).doubt
    assert "one vein" in proposed(aorta=300, portal_vein=80).doubt
    assert "differ" in proposed(aorta=150, portal_vein=150, inferior_vena_cava=75).doubt


def test_without_vessels_nothing_is_read():
    grid = np.eye(4)
    proposal = propose_phase(
        Volume(np.zeros((4, 4, 4)), grid, Modality.CT), LabelMap(np.zeros((4, 4, 4), dtype=np.uint8), grid)
    )
    assert proposal.phase is None
    assert not proposal.readings
    assert "labelled" in proposal.reason


def test_a_vessel_too_thin_is_not_read():
    assert proposed(radius_mm=2.0, aorta=300, portal_vein=300).readings == {}


def test_other_grids_are_refused():
    volume = Volume(np.zeros((4, 4, 4)), np.eye(4), Modality.CT)
    with pytest.raises(ValueError, match="another grid"):
        propose_phase(volume, LabelMap(np.zeros((4, 4, 5), dtype=np.uint8), np.eye(4)))


def test_published_corrections_give_the_published_means_back():
    """Pompe 2015: 128.8 HU unenhanced, 142.3 arterial, 147.0 portal venous."""
    assert phase_correction("pompe-arterial", Phase.ARTERIAL).corrected(142.3) == pytest.approx(128.8)
    assert phase_correction("pompe-portal-venous", Phase.PORTAL_VENOUS).corrected(147.0) == pytest.approx(128.8)
    assert phase_correction("perez-portal-venous", Phase.PORTAL_VENOUS).corrected(200) == pytest.approx(174)
    assert all(correction.source and correction.source in correction.note for correction in PUBLISHED)


def test_nothing_is_corrected_unless_asked_for():
    assert phase_correction("none", Phase.ARTERIAL) is None
    assert phase_correction("none", None) is None


@pytest.mark.parametrize("phase", [None, Phase.NONE, Phase.PORTAL_VENOUS])
def test_a_correction_of_another_phase_is_refused(phase):
    with pytest.raises(UserError, match="arterial phase"):
        phase_correction("pompe-arterial", phase)
    with pytest.raises(UserError, match="unknown"):
        phase_correction("guess", phase)


OWN = {"name": "ours", "phase": "arterial", "slope": 0.9, "offset": -2, "error": None, "source": "own 50 patients"}


def test_a_correction_of_the_users_own(tmp_path):
    path = tmp_path / "own.json"
    path.write_text(json.dumps(OWN))
    own = load_correction(path)
    assert own.corrected(100) == pytest.approx(88)
    assert own.phase is Phase.ARTERIAL
    assert "own 50 patients" in own.note


@pytest.mark.parametrize(
    "changed",
    [
        {"slope": "1"},
        {"slope": 0},
        {"offset": float("nan")},
        {"phase": "none"},
        {"source": " "},
        {"error": -1},
        {"x": 1},
    ],
)
def test_a_broken_correction_is_refused(tmp_path, changed):
    path = tmp_path / "own.json"
    path.write_text(json.dumps({**OWN, **changed}))
    with pytest.raises(UserError, match="phase correction"):
        load_correction(path)
