"""TabNet networks against pytorch-tabnet itself, and weights that do not fit."""

import json

import numpy as np
import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.models.export import predictor_of
from OVFRiskLib.models.predictors import predictor_from
from OVFRiskLib.models.predictors.reading import check_keys

from .trained import FUZZ, again, in_new_process, patients

torch = pytest.importorskip("torch")
tab_model = pytest.importorskip("pytorch_tabnet.tab_model")
safetensors = pytest.importorskip("safetensors.numpy")
PART = "predictor.safetensors"


def trained(**settings):
    torch.set_num_threads(1)
    x, y = patients(200)
    model = tab_model.TabNetClassifier(verbose=0, seed=3, device_name="cpu", **settings)
    model.fit(x, y, max_epochs=3, batch_size=64, virtual_batch_size=32)
    return model


@pytest.fixture(scope="module")
def small():
    return predictor_of(trained(n_d=4, n_a=4, n_steps=2, n_shared=1, n_independent=1))[0]


@pytest.mark.parametrize(
    "settings", [{}, {"mask_type": "entmax", "n_d": 4, "n_a": 6, "n_steps": 2, "grouped_features": [[0, 2], [1, 4]]}]
)
def test_probabilities_are_the_library_s(settings):
    model = trained(**settings)
    predictor, center, scale = predictor_of(model)
    x, _ = patients(1000, seed=1)
    assert (center.tolist(), scale.tolist()) == ([0.0] * 5, [1.0] * 5)
    assert np.abs(again(predictor, 5).output(x) - model.predict_proba(x)[:, 1]).max() < 1e-6


def test_the_spec_is_plain_json(small):
    spec, parts = small.parts()
    check_keys(json.loads(json.dumps(spec, allow_nan=False)), ("kind", "network"))
    assert set(parts) == {PART}


def test_the_same_row_gives_the_same_digits(small):
    x, _ = patients(9)
    assert np.array_equal(small.output(x), again(small, 5).output(x))


def test_contributions_sum_up(small):
    x, _ = patients(2)
    found = small.contributions(x[0], x[1])
    low, high = small.output(x[1:])[0], small.output(x[:1])[0]
    assert found.base == pytest.approx(low, abs=1e-6)
    assert found.base + found.amounts.sum() == pytest.approx(high, abs=1e-6)
    assert found.scale == "probability"


WRONG_SETTINGS = {
    "n_d": [0, -1, 1.5, "8", True, None, 10**9, 8],
    "n_steps": [0, 21, 3],
    "n_shared": [-1, 11, 2],
    "gamma": ["1", None, -1.0, 1e9, float("nan")],
    "epsilon": [0.0, "x"],
    "mask_type": ["softmax", 1, ["sparsemax"]],
    "groups": [None, [[]], [[5]], [[-1]], [[0], [0]], [[True]], [0]],
    "surprise": [1],
}


@pytest.mark.parametrize(("key", "value"), [(key, v) for key, values in WRONG_SETTINGS.items() for v in values])
def test_wrong_settings_are_refused(small, key, value):
    spec, parts = small.parts()
    with pytest.raises(UserError) as refusal:
        predictor_from({**spec, "network": {**spec["network"], key: value}}, parts, 5)
    assert len(refusal.value.what.splitlines()) == 1


def test_no_layers_and_missing_settings_are_refused(small):
    spec, parts = small.parts()
    none = {**spec["network"], "n_shared": 0, "n_independent": 0}
    for network in (none, {}, [], None, {k: v for k, v in spec["network"].items() if k != "n_a"}):
        with pytest.raises(UserError):
            predictor_from({**spec, "network": network}, parts, 5)


def changed_weights(small, change):
    spec, parts = small.parts()
    weights = {name: np.array(value) for name, value in safetensors.load(parts[PART]).items()}
    change(weights)
    return spec, {PART: safetensors.save(weights)}


NAME = "tabnet.final_mapping.weight"
VARIANCE = "tabnet.encoder.initial_bn.running_var"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda w: w.pop(NAME), "differ in"),
        (lambda w: w.update(more=np.zeros(1, np.float32)), "differ in 'more'"),
        (lambda w: w.update({NAME: w[NAME].astype(np.float64)}), NAME),
        (lambda w: w.update({NAME: w[NAME].astype(np.float16)}), NAME),
        (lambda w: w.update({NAME: w[NAME].T.copy()}), NAME),
        (lambda w: w.update({NAME: np.full_like(w[NAME], np.nan)}), "cannot be used"),
        (lambda w: w.update({NAME: np.full_like(w[NAME], np.inf)}), "cannot be used"),
        (lambda w: w.update({VARIANCE: -w[VARIANCE]}), "cannot be used"),
        (lambda w: w.update({n: v + np.float32(3e38) for n, v in w.items() if v.ndim == 2}), "cannot compute"),
    ],
)
def test_wrong_weights_are_refused(small, change, says):
    spec, parts = changed_weights(small, change)
    with pytest.raises(UserError, match=says):
        predictor_from(spec, parts, 5)


def test_other_inputs_are_refused(small):
    spec, parts = small.parts()
    with pytest.raises(UserError, match="is float32"):
        predictor_from(spec, parts, 6)


def test_nothing_crashes_on_changed_files(small, tmp_path):
    spec, parts = small.parts()
    (tmp_path / PART).write_bytes(parts[PART])
    script = FUZZ + (
        f"spec, data = {spec!r}, open('{PART}', 'rb').read()\n"
        "size = int.from_bytes(data[:8], 'little')\n"
        "header = json.loads(data[8 : 8 + size])\n"
        "for h in mutations(header, 200):\n"
        "    text = json.dumps(h).encode()\n"
        f"    tried(spec, {{'{PART}': len(text).to_bytes(8, 'little') + text + data[8 + size :]}}, 5)\n"
        f"for d in flipped(data, 60):\n    tried(spec, {{'{PART}': d}}, 5)\n"
        f"for d in flipped(data[: 8 + size], 50):\n    tried(spec, {{'{PART}': d + data[8 + size :]}}, 5)\n"
        "print(refusals, uses)"
    )
    refusals, _ = map(int, in_new_process(script, tmp_path).split())
    assert refusals > 250
