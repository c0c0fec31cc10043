"""A scanner's own line, and the rules of when a CT gives a density."""

import datetime
import json

import numpy as np
import pytest
from OVFRiskLib.attenuation import Phase
from OVFRiskLib.calibration import Calibration, DensityLine, InternalReference, density_line
from OVFRiskLib.calibration.equivalents import Mineral, hu_per_density, muscle_hu
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality, Volume

LINE = {"slope": 0.8, "intercept": -2.0, "kvp": 120, "date": "2026-01-01", "source": "five-rod phantom"}
TODAY = datetime.date(2026, 6, 1)


def ct(**acquisition):
    return Volume(np.zeros((2, 2, 2)), np.eye(4), Modality.CT, acquisition=acquisition)


@pytest.fixture
def loaded(tmp_path):
    def load(**more):
        path = tmp_path / "line.json"
        path.write_text(json.dumps({**LINE, **more}))
        return Calibration.load(path)

    return load


def test_a_scanners_line_gives_density(loaded):
    line = loaded(error_mg_cm3=3).line(ct(KVP="120"), TODAY)
    assert line.vbmd(100) == pytest.approx(78)
    assert line.error(100) == 3
    assert line.notes == ()
    assert line.as_dict()["settings"]["source"] == "five-rod phantom"
    json.dumps(line.as_dict(), allow_nan=False)


def test_an_unstated_error_is_absent(loaded):
    line = loaded().line(ct(KVP="120"), TODAY)
    assert "states no error" in line.notes[0]
    with pytest.raises(ValueError, match="states no error"):
        line.error(100)


def test_the_tube_voltage_decides(loaded):
    assert loaded().check(ct(KVP="120")) == ""
    assert "unknown" in loaded().line(ct(), TODAY).notes[0]
    with pytest.raises(UserError, match="100 kVp"):
        loaded().line(ct(KVP="100"), TODAY)
    elsewhere = DensityLine(0.8, 0, "rods of another scan", kvp=120)
    assert elsewhere.check(ct(KVP="120.0")) == ()
    with pytest.raises(UserError, match="80 kVp"):
        elsewhere.check(ct(KVP="80"))


@pytest.mark.parametrize(
    ("more", "day", "said"),
    [
        ({}, "2026-12-31", ""),
        ({}, "2027-01-02", "expired on 2027-01-01"),
        ({"valid_until": "2026-03-01"}, "2026-03-01", ""),
        ({"valid_until": "2026-03-01"}, "2026-03-02", "expired on 2026-03-01"),
        ({}, "2025-12-31", "measured after the scan"),
        ({"date": "spring"}, "2026-02-01", "age is unknown"),
    ],
)
def test_an_old_line_is_named(loaded, more, day, said):
    notes = loaded(error_mg_cm3=1, **more).line(ct(KVP="120"), datetime.date.fromisoformat(day)).notes
    assert (said in notes[0]) if said else notes == ()


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        json.dumps({**LINE, "slope": "0.8"}),
        json.dumps({**LINE, "slope": -0.8}),
        json.dumps({**LINE, "more": 1}),
        json.dumps({**LINE, "slope": True}),
        json.dumps({**LINE, "error_mg_cm3": -1}),
        json.dumps({**LINE, "valid_until": "soon"}),
        '{"slope": NaN, "intercept": 0, "kvp": 120, "date": "", "source": ""}',
    ],
)
def test_a_broken_calibration_is_refused(tmp_path, content):
    path = tmp_path / "line.json"
    path.write_text(content)
    with pytest.raises(UserError, match="calibration"):
        Calibration.load(path)


def test_a_missing_calibration_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.json"):
        Calibration.load(tmp_path / "absent.json")


def test_no_density_without_calibration_or_with_contrast():
    ct = Volume(np.zeros((2, 2, 2), dtype=np.int16), np.eye(4), Modality.CT)
    today = datetime.date(2026, 2, 1)
    assert density_line(None, ct, None, Phase.NONE, today) == "no calibration given"
    line = Calibration(0.8, -2.0, 120, "2026-01-01", "rods")
    assert density_line(line, ct, None, Phase.NONE, today).vbmd(100) == pytest.approx(78)
    for phase in (None, Phase.ARTERIAL, Phase.PORTAL_VENOUS):
        assert "without contrast medium" in density_line(line, ct, None, phase, today)


def test_the_error_of_a_fit_and_of_two_references():
    fit = DensityLine(0.8, 0, "rods", centre_hu=100, spread_hu=200, scatter=2, count=4)
    assert fit.error(100) == pytest.approx(1)  # s / sqrt(4)
    assert fit.error(300) == pytest.approx(np.hypot(1, 2))  # and s times one spread
    two = DensityLine(0.8, 0, "muscle and fat", ends=((-100, 3), (60, 4)))
    assert (two.error(-100), two.error(60)) == pytest.approx((3, 4))
    assert two.error(140) == pytest.approx(np.hypot(0.5 * 3, 1.5 * 4))  # half the distance beyond


def test_muscle_and_fat_from_tabulated_coefficients():
    # at 60 keV, by hand from NIST's table: (0.3890 - 0.2059 / 2.44) / 0.2059, and 1060 x 0.2048 / 0.2059 - 1000
    assert hu_per_density(Mineral.K2HPO4, 60) == pytest.approx(1.479, abs=1e-3)
    assert muscle_hu(60) == pytest.approx(54.3, abs=0.1)
    reference = InternalReference()
    assert 40.8 < reference.muscle < 49.6  # at 65 and 75 keV
    assert -100.1 < reference.fat < -80.5
