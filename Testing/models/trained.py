"""Simulated patients and what the tests of predictors do with trained models."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from OVFRiskLib.models.predictors import Predictor, predictor_from

CODE = Path(__file__).resolve().parents[2] / "OVFRisk"


def patients(rows: int, inputs: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return simulated inputs, shape (rows, inputs), and outcomes 0 and 1."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, inputs)) * np.arange(1, inputs + 1)
    risk = x[:, 0] + np.abs(x[:, 1]) - 1.5 + random.normal(size=rows) / 2
    return x, (risk > 0).astype(int)


def again(predictor: Predictor, inputs: int) -> Predictor:
    """Return the predictor that a bundle of `predictor` gives."""
    spec, parts = predictor.parts()
    return predictor_from(spec, {name: bytes(data) for name, data in parts.items()}, inputs)


def in_new_process(script: str, folder: Path) -> str:
    """Run `script` in `folder` by another interpreter; what it prints. A crash shows in the exit code."""
    environment = {**os.environ, "PYTHONPATH": str(CODE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


FUZZ = '''
import json, random
import numpy as np
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.predictors import predictor_from

random.seed(7)
STRANGE = [-1, 0, 1, 2, 3, 7, -2, 255, 2**31, -2**31, 2**63, -2**63, 10**30, 0.5, -1e300, 1e300, 1e39, float("nan"),
           float("inf"), None, True, False, "", "x", "os", "system", "builtins", "eval", [], {}, [0], [[1]], {"a": 1}]

def leaves(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))

def changed(value, path, new):
    copy = json.loads(json.dumps(value))
    if not path:
        return None if new is changed else new
    place = copy
    for key in path[:-1]:
        place = place[key]
    if new is changed:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return copy

def mutations(value, count):
    paths = list(leaves(value))
    for _ in range(count):
        yield changed(value, random.choice(paths), random.choice([*STRANGE, changed]))

def flipped(data, count):
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(random.choice([1, 1, 4])):
            copy[random.randrange(len(copy))] = random.randrange(256)
        yield bytes(copy)
        yield data[: random.randrange(len(data))]

refusals = uses = 0
def tried(spec, parts, inputs):
    """Only a UserError of one line may come of it; what is accepted must work."""
    global refusals, uses
    try:
        predictor = predictor_from(spec, parts, inputs)
        x = np.random.default_rng(0).normal(size=(20, inputs)) * 5
        output = predictor.output(x)
        assert output.shape == (20,) and ((output >= 0) & (output <= 1)).all()
        found = predictor.contributions(x[0], x[1])
        assert np.isfinite(found.amounts).all() and np.isfinite(found.base)
        uses += 1
    except UserError as error:
        assert len(error.what.splitlines()) == 1 and len(error.what) < 400, error.what
        refusals += 1
'''
