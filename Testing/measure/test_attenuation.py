import json

import numpy as np
import pytest
from OVFRiskLib.attenuation import TrabecularSettings, attenuation, trabecular_region
from OVFRiskLib.calibration import Calibration
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality, Volume

LINE = {"slope": 0.8, "intercept": -2.0, "kvp": 120, "date": "2026-01-01", "source": "five-rod phantom"}


def ct(array, spacing=(1, 1, 1), **acquisition):
    return Volume(array, np.diag([*spacing, 1.0]), Modality.CT, acquisition=acquisition)


def test_the_shell_does_not_reach_the_trabecular_region():
    body = np.zeros((40, 40, 40), dtype=bool)
    body[5:35, 5:35, 5:35] = True
    image = np.where(body, 700, -50).astype(np.int16)
    image[8:32, 8:32, 8:32] = 120
    region = trabecular_region(body, ct(image), TrabecularSettings())
    assert np.count_nonzero(region) == 22**3
    assert attenuation(image[region]).mean == 120


def test_too_small_a_body_has_no_trabecular_region():
    body = np.zeros((20, 20, 20), dtype=bool)
    body[5:14, 5:14, 5:14] = True
    with pytest.raises(ValueError, match="only 1 voxels lie deeper than 4 mm"):
        trabecular_region(body, ct(np.zeros(body.shape)), TrabecularSettings())


def test_statistics():
    found = attenuation(np.array([90, 100, 110, 160], dtype=np.int16))
    assert (found.mean, found.median, found.voxels) == (115, 105, 4)
    assert found.sd == pytest.approx(np.std([90, 100, 110, 160], ddof=1))
    for values in ([1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="region"):
            attenuation(np.array(values))


def test_a_calibration_gives_density(tmp_path):
    path = tmp_path / "line.json"
    path.write_text(json.dumps(LINE))
    line = Calibration.load(path)
    assert line.vbmd(100) == pytest.approx(78)
    assert line.check(ct(np.zeros((2, 2, 2)), KVP="120")) == ""
    assert "unknown" in line.check(ct(np.zeros((2, 2, 2))))
    with pytest.raises(UserError, match="100 kVp"):
        line.check(ct(np.zeros((2, 2, 2)), KVP="100"))


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        json.dumps({**LINE, "slope": "0.8"}),
        json.dumps({**LINE, "slope": -0.8}),
        json.dumps({**LINE, "more": 1}),
        json.dumps({**LINE, "slope": True}),
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
