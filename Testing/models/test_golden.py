"""Bundles made by an earlier version (`make_golden.py`) stay readable and give the values written beside them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.measurement import Measurement, MeasurementTable
from OVFRiskLib.models.model import Model

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text()) if (GOLDEN / "expected.json").exists() else {}
WITHOUT_LIBRARIES = ("logistic", "radscore", "threshold")
PACKAGE = Path(__file__).resolve().parents[2] / "OVFRisk"
SCORE = """
import json, sys
for name in ("sklearn", "xgboost", "torch", "skops", "safetensors", "pytorch_tabnet", "pandas"):
    sys.modules[name] = None  # as if it were not installed
sys.path[:0] = sys.argv[2:]
from test_golden import scored
print(json.dumps(scored(sys.argv[1])))
"""


def scored(path: Path | str) -> list[dict]:
    """Return what the bundle says of six simulated patients; measure_2 is missing in the last."""
    x = np.random.default_rng(11).normal(size=(6, 4)).round(6)
    model = Model.load(Path(path))
    return [_plain(model, number, row) for number, row in enumerate(x)]


def _plain(model: Model, number: int, row: np.ndarray) -> dict:
    known = {n: value for n, value in enumerate(row.tolist()) if (number, n) != (5, 2)}
    rows = [Measurement("p", None, None, f"measure_{n}", value, "1", "m") for n, value in known.items()]
    (found,) = model.predict(MeasurementTable(rows))
    amounts = {one.title: one.amount for one in found.contributions}
    return {"value": found.value, "interval": found.interval, "class": found.class_name, "contributions": amounts}


def compare(found: list[dict], name: str) -> None:
    tolerance = 1e-6 if name == "tabnet" else 1e-9
    assert len(found) == len(EXPECTED[name]) == 6
    for ours, written in zip(found, EXPECTED[name]):
        assert ours["class"] == written["class"]
        assert ours["value"] == pytest.approx(written["value"], abs=tolerance)
        assert ours["interval"] == pytest.approx(written["interval"], abs=tolerance)
        assert ours["contributions"] == pytest.approx(written["contributions"], abs=1e-5)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.filterwarnings("ignore")  # of the training libraries, on versions to come
def test_the_values_are_those_written_when_it_was_made(name):
    found = scored(GOLDEN / f"{name}.ovfrisk")
    assert any(one["value"] is not None for one in found)
    compare(found, name)


def test_every_kind_has_a_bundle():
    kinds = {Model.load(GOLDEN / f"{name}.ovfrisk").predictor.kind for name in EXPECTED}
    assert kinds == {"threshold", "logistic", "scikit-learn", "xgboost", "tabnet"}


@pytest.mark.parametrize("name", WITHOUT_LIBRARIES)
def test_another_process_without_the_training_libraries_gives_them_too(name):
    paths = [str(PACKAGE), str(Path(__file__).parent)]
    command = [sys.executable, "-c", SCORE, str(GOLDEN / f"{name}.ovfrisk"), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    compare(json.loads(done.stdout), name)
