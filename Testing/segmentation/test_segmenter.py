"""Training of an own network: it learns, it can be resumed, it leaves nothing behind when it is stopped."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.write_images import write_labels, write_volume
from OVFRiskLib.image import LabelMap, Modality, Volume
from OVFRiskLib.segmentation.agreement import dice, surface_distance
from OVFRiskLib.segmentation.bundle_config import read_config
from OVFRiskLib.segmentation.bundle_network import load_network
from OVFRiskLib.segmentation.engines import ENGINES, Request
from OVFRiskLib.segmentation.seeds import Seed
from OVFRiskLib.segmentation.training import augmentation
from OVFRiskLib.segmentation.training.bundle import write_bundle
from OVFRiskLib.segmentation.training.cases import Case, find_cases, parts_array
from OVFRiskLib.segmentation.training.evaluate import evaluate
from OVFRiskLib.segmentation.training.settings import TrainingSettings
from OVFRiskLib.segmentation.training.train import split, train
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("monai")

TINY = TrainingSettings(epochs=6, patch=24, spacing_mm=2.0, width=4, steps=12, learning_rate=1e-2, seed=3)
L2 = VertebralLevel.L2


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> tuple[Case, ...]:
    """Four patients of one body each, 2 mm voxels, with a shell of 4 mm."""
    folder = tmp_path_factory.mktemp("cases")
    for n in range(4):
        _write_case(folder / f"case-{n}", np.random.default_rng(n))
    return find_cases(folder)


def _write_case(folder: Path, rng: np.random.Generator) -> None:
    matrix = np.diag([-2.0, -2.0, 2.0, 1.0])
    matrix[:3, 3] = 40, 40, -40
    k, j, i = np.indices((40, 40, 40))
    place = np.stack([i, j, k], axis=-1) @ matrix[:3, :3].T + matrix[:3, 3] - rng.uniform(-6, 6, 3)
    half = rng.uniform((20, 15, 12), (25, 19, 15))
    depth = np.min(half - np.abs(place), axis=-1)
    hu = np.select([depth >= 4, depth >= 0], [rng.uniform(120, 220), rng.uniform(550, 700)], 30)
    array = np.select([depth >= 4, depth >= 0], [321, 221], 0).astype(np.int16)
    folder.mkdir()
    noisy = (hu + rng.normal(0, 15, hu.shape)).astype(np.int16)
    write_volume(folder / "ct.nii.gz", Volume(noisy, matrix, Modality.CT))
    regions = {221: Region(Compartment.CORTICAL, L2), 321: Region(Compartment.CANCELLOUS, L2)}
    write_labels(folder / "compartments.nii.gz", LabelMap(array, matrix, regions))
    (folder / "phantom.json").write_text('{"label_scheme": "ovfrisk"}')


@pytest.fixture(scope="module")
def trained(cases):
    """A training of seconds."""
    return train(cases, TINY, lambda *_: None)


@pytest.fixture(scope="module")
def bundle(trained, cases, tmp_path_factory) -> Path:
    """Its bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, trained, cases)
    return folder


def test_it_learns(trained):
    assert trained.losses[-1] < 0.6 * trained.losses[0]
    cortical, cancellous = trained.dice[trained.best]
    assert cortical > 0.8
    assert cancellous > 0.85
    assert not {*trained.trained_on} & {*trained.validated_on}


def test_the_same_seed_gives_the_same_network_and_going_on_the_same_as_no_break(trained, cases, tmp_path):
    state = tmp_path / "state.pt"

    def stop_in_epoch_four(_share, what):
        if what.startswith("Epoch 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(cases, TINY, stop_in_epoch_four, state=state)
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]
    resumed = train(cases, TINY, lambda *_: None, state=state)
    assert resumed.losses == trained.losses
    assert resumed.dice == trained.dice
    for name, weights in trained.weights.items():
        assert torch.equal(weights, resumed.weights[name])
    with pytest.raises(UserError, match="other cases or settings"):
        train(cases, replace(TINY, seed=4), lambda *_: None, state=state)
    state.write_bytes(b"damaged")
    with pytest.raises(UserError, match="cannot be read"):
        train(cases, TINY, lambda *_: None, state=state)


def test_it_stops_early(cases):
    hopeless = replace(TINY, epochs=50, steps=1, patience=2, learning_rate=1e-6)
    done = train(cases, hopeless, lambda *_: None)
    assert len(done.losses) == done.best + 3 < 50


def test_the_engine_runs_the_bundle(bundle, cases):
    ct, truth = cases[1].read()
    labels = ENGINES["monai"](ct, Request(bundle=bundle, anchor=Seed(np.zeros(3), L2)), lambda *_: None)
    assert labels.levels() == (L2,)
    for part, bound in ((Compartment.CORTICAL, 0.8), (Compartment.CANCELLOUS, 0.85)):
        assert dice(labels.mask(Region(part, L2)).array, truth.mask(Region(part, L2)).array) > bound
    assert any("synthetic patients" in text for text in labels.corrections)


def test_evaluation_is_on_the_ct_and_by_part(bundle, cases):
    scores = evaluate(read_config(bundle), cases[:1], lambda *_: None)
    assert [score.part for score in scores] == [Compartment.CORTICAL, Compartment.CANCELLOUS]
    assert all(score.dice > 0.8 and score.surface_mm < 1 and score.surface_95_mm <= 4 for score in scores)


def test_monai_itself_runs_the_bundle(bundle):
    parser = pytest.importorskip("monai.bundle").ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    network = parser.get_parsed_content("network").cpu().eval()
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    cube = torch.rand(1, 1, 24, 24, 24)
    with torch.inference_mode():
        assert torch.equal(network(cube), load_network(read_config(bundle), "cpu")(cube))
        assert parser.get_parsed_content("inferer")(cube, network).shape == (1, 3, 24, 24, 24)


def test_a_changed_bundle_is_refused(bundle, tmp_path):
    for path in bundle.rglob("*.*"):
        copy = tmp_path / path.relative_to(bundle)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    config = tmp_path / "configs" / "inference.json"
    config.write_text(config.read_text().replace('"a_max": 1250.0', '"a_max": 1000.0'))
    with pytest.raises(UserError, match="not the file"):
        load_network(read_config(tmp_path), "cpu")


def test_the_bundle_tells_how_it_was_trained(bundle, trained):
    own = json.loads((bundle / "configs" / "metadata.json").read_text())["ovfrisk"]
    assert own["synthetic"] is True
    assert own["training"]["loss"] == list(trained.losses)
    assert own["training"]["settings"]["seed"] == 3


def test_commands(cases, tmp_path):
    from OVFRiskLib.cli import app

    folder, out, scores = cases[0].ct.parents[1], tmp_path / "bundle", tmp_path / "scores"
    sizes = {"epochs": 1, "steps": 2, "batch": 1, "patch": 16, "spacing": 3, "width": 4, "seed": 1}
    small = [text for name, value in sizes.items() for text in (f"--{name}", str(value))]
    done = CliRunner().invoke(app, ["segmenter", "train", "--cases", str(folder), "--out", str(out), *small])
    assert done.exit_code == 0, done.output
    assert "synthetic" in done.output
    done = CliRunner().invoke(app, ["segmenter", "evaluate", str(out), str(scores), "--cases", str(folder)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((scores / "scores.csv").open()))
    assert [(row["case"], row["compartment"]) for row in rows[:2]] == [("case-0", "cortical"), ("case-0", "cancellous")]


def test_stopping_the_command_leaves_nothing(cases, tmp_path, monkeypatch):
    from OVFRiskLib.segmentation.training import train as module

    temporary, out = tmp_path / "temporary", tmp_path / "out"
    temporary.mkdir()
    out.mkdir()
    monkeypatch.setattr(module.tempfile, "tempdir", str(temporary))

    def stop(_share, what):
        if what.startswith("Epoch 2"):
            assert any(temporary.rglob("*.npy"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(cases, TINY, stop)
    assert not any(temporary.iterdir())


def test_cases_that_cannot_be_used(cases, tmp_path):
    with pytest.raises(UserError, match="holds no case"):
        find_cases(tmp_path)
    with pytest.raises(UserError, match="not enough"):
        split(cases[:1], TINY)
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "ct.nii.gz").write_bytes(cases[0].ct.read_bytes())
    with pytest.raises(UserError, match="no compartments"):
        find_cases(tmp_path)
    (folder / "compartments.nii.gz").write_bytes(cases[0].labels.read_bytes())
    with pytest.raises(UserError, match="is not known"):
        find_cases(tmp_path)
    assert not find_cases(tmp_path, "ovfrisk")[0].synthetic


@pytest.mark.parametrize("changes", [{"patch": 20}, {"patch": 8}, {"spacing_mm": 0.1}, {"shell_mm": 9.0}])
def test_settings_that_cannot_be_used(changes):
    with pytest.raises(UserError):
        TrainingSettings(**changes)


def test_the_shell_can_be_drawn_anew():
    array = np.zeros((30, 30, 30), np.int16)
    array[5:25, 5:25, 5:25] = 120
    labels = LabelMap(array, np.eye(4), {120: Region(Compartment.BODY, VertebralLevel.L1)})
    parts = parts_array(labels, 2.0)
    assert np.count_nonzero(parts == 2) == 16**3
    assert np.count_nonzero(parts) == 20**3


def test_surface_distance_of_shifted_boxes():
    a, b = np.zeros((40, 40, 40), bool), np.zeros((40, 40, 40), bool)
    a[10:30, 10:30, 10:30] = True
    b[12:32, 10:30, 10:30] = True
    mean, far = surface_distance(a, b, (1.0, 1.0, 1.5))
    assert far == 3.0  # two planes of 1.5 mm at the ends
    assert 0 < mean < 3.0
    assert surface_distance(a, a, (1, 1, 1)) == (0.0, 0.0)
    assert surface_distance(a, np.zeros_like(a), (1, 1, 1)) is None
    assert dice(a, b) == pytest.approx(0.9)


def test_patches_lie_where_they_should():
    image = np.arange(30.0**3).reshape(30, 30, 30).astype(np.float32)
    np.testing.assert_array_equal(
        augmentation.cut(image, np.array([14.5, 15.5, 10.5]), np.eye(3), 8), image[11:19, 12:20, 7:15]
    )
    mirrored = augmentation.cut(image, np.array([14.5, 15.5, 10.5]), np.diag([-1.0, 1, 1]), 8)
    np.testing.assert_array_equal(mirrored, image[11:19, 12:20, 7:15][::-1])
    assert augmentation.cut(image, np.array([0.0, 0, 0]), np.eye(3), 8, "constant")[:3].max() == 0


def test_changes_keep_the_patch_and_its_scale():
    rng = np.random.default_rng(1)
    hu = rng.normal(200, 50, (16, 16, 16)).astype(np.float32)
    many = [augmentation.changed(rng, hu) for _ in range(50)]
    assert {each.shape for each in many} == {hu.shape}
    means = np.array([each.mean() for each in many])
    assert 5 < means.std() < 40
    frames = np.array([augmentation.random_frame(rng) for _ in range(200)])
    sizes = np.abs(np.linalg.det(frames))
    assert 0.6 < sizes.min() < sizes.max() < 1.55
    assert 0.3 < np.mean(np.linalg.det(frames) < 0) < 0.7
