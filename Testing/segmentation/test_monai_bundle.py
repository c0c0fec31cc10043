"""The engine that runs MONAI bundles: windows as MONAI's own, files as data, levels never guessed."""

import json
import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from OVFRiskLib.anatomy import Compartment, Region, Structure, VertebralLevel
from OVFRiskLib.errors import UserError
from OVFRiskLib.image import Modality, Volume
from OVFRiskLib.segmentation.bundle_config import Window, read_config
from OVFRiskLib.segmentation.bundle_network import build_network, load_network
from OVFRiskLib.segmentation.channel_meaning import channel_meaning
from OVFRiskLib.segmentation.engines import ENGINES, Request
from OVFRiskLib.segmentation.network_image import network_image
from OVFRiskLib.segmentation.seeds import Seed
from OVFRiskLib.segmentation.sliding_window import Reference, classify

torch = pytest.importorskip("torch")
inferers = pytest.importorskip("monai.inferers")

L1, L2, L3 = VertebralLevel.span("L1-L3")
UNET = {
    "_target_": "monai.networks.nets.UNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 3,
    "channels": [4, 8],
    "strides": [2],
}
AGNOSTIC = ("background", "cortical", "cancellous")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Density(torch.nn.Module):
    """A network whose answer is known: channel 1 from 400 HU, channel 2 from 150 to 400 HU (image in 1000 HU)."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.one = torch.nn.Parameter(torch.ones(1))
        self.rest = channels - 3

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        none = torch.zeros_like(x)
        scores = [none, 20 * (x - 0.275), 10 * (x - 0.15) * self.one]
        return torch.cat(scores + [none - 100] * self.rest, 1)


def _config(**changes):
    steps = [
        {"_target_": "LoadImaged", "keys": "image", "reader": "$nothing.runs.this"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
        {"_target_": "Spacingd", "keys": "image", "pixdim": "@pixdim", "mode": "bilinear"},
        {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": 0, "a_max": 1000, "b_min": 0, "b_max": 1},
    ]
    return {
        "imports": ["$import os"],
        "device": "$torch.device('cpu')",
        "pixdim": [2.0, 2.0, 2.0],
        "network_def": UNET,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": steps},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "overlap": 0.25, "mode": "gaussian"},
        **changes,
    }


@pytest.fixture
def bundle(tmp_path):
    """Write a bundle: configuration, channel names, and weights or program."""

    def write(config=None, channels=AGNOSTIC, script=None, state=None, **metadata):
        folder = tmp_path / "bundle"
        for name in ("configs", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "configs" / "inference.json").write_text(json.dumps(config or _config()))
        names = {str(n): name for n, name in enumerate(channels)}
        data_format = {"outputs": {"pred": {"channel_def": names}}}
        about = {"name": "test", "version": "1", "network_data_format": data_format, **metadata}
        (folder / "configs" / "metadata.json").write_text(json.dumps(about))
        if script is not None:
            torch.jit.script(script).save(str(folder / "models" / "model.ts"))
        if state is not None:
            torch.save(state, folder / "models" / "model.pt")
        return folder

    return write


@pytest.fixture
def spine():
    """Three bodies of 200 HU with a shell of 600 HU, 36 mm apart, in an image that runs to the left, back and head."""
    return _spine()


def _spine(heights=(36.0, 0.0, -36.0), noise=0.0):
    matrix = np.diag([-2.0, -2.0, 2.0, 1.0])
    matrix[:3, 3] = 40, 36, -70
    grid = Volume(np.zeros((70, 36, 40), np.int16), matrix)
    k, j, i = np.indices(grid.array.shape)
    x, y, z = np.moveaxis(grid.to_ras(np.stack([i, j, k], axis=-1)), -1, 0)
    hu = np.full(grid.array.shape, 30.0)
    for height in heights:
        depth = np.min([20 - np.abs(x), 15 - np.abs(y), 14 - np.abs(z - height)], axis=0)
        hu[depth >= 0] = 600
        hu[depth >= 4] = 200
    hu += noise
    return Volume(hu.astype(np.int16), matrix, Modality.CT, "spine")


def _run(folder, ct, report=lambda *_: None, **request):
    return ENGINES["monai"](ct, Request(bundle=folder, **request), report)


def _anchor(level, z=0.0):
    return Seed(np.array([1.0, 2.0, z]), level)


# --- windows


@pytest.mark.parametrize("shape", [(40, 23, 50), (12, 40, 16)])
@pytest.mark.parametrize("mode", ["gaussian", "constant"])
@pytest.mark.parametrize("limit", [2**30, 60_000])
def test_windows_give_what_monai_gives_however_small_the_tiles(shape, mode, limit):
    torch.manual_seed(1)
    network, image = build_network({**UNET, "_target_": "UNet"}).eval(), torch.randn(1, *shape)
    window = Window((16, 16, 16), 0.25, mode)
    told = []
    same = Reference(shape, np.ones(3), np.zeros(3))
    found = classify(image, network, window, same, 3, told.append, limit)
    with torch.inference_mode():
        scores = inferers.sliding_window_inference(image[None], (16, 16, 16), 1, network, 0.25, mode)[0]
    best = scores.sort(0).values
    clear = (best[2] - best[1] > 1e-5).numpy()  # sums in another order round otherwise
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(found[clear], scores.argmax(0).numpy()[clear])
    assert told == sorted(told)
    assert len(np.unique(found)) == 3


def test_scores_of_a_tile_stay_under_the_bound(monkeypatch):
    shape, limit, made, zeros = (20, 20, 200), 500_000, [], torch.zeros

    def network(cube):
        return cube.repeat(1, 5, 1, 1, 1)

    network.parameters = lambda: iter([torch.ones(1)])
    monkeypatch.setattr(torch, "zeros", lambda *size, **kind: made.append(zeros(*size, **kind)) or made[-1])
    same = Reference(shape, np.ones(3), np.zeros(3))
    classify(torch.randn(1, *shape), network, Window((16, 16, 16)), same, 5, lambda _: None, limit)
    scores = [each.nbytes for each in made if each.dim() == 4]
    assert len(scores) > 1
    assert max(scores) * 6 / 5 <= limit  # five channels and the weights


def test_scores_are_interpolated_before_they_are_compared():
    ramp = torch.arange(20.0).view(1, -1, 1, 1).expand(1, 20, 16, 16)

    def network(cube):
        return torch.cat([torch.full_like(cube, 7.3), cube], 1)

    network.parameters = lambda: iter([torch.zeros(1)])
    fine = Reference((100, 16, 16), np.array([0.19, 1, 1]), np.array([0.05, 0, 0]))
    found = classify(ramp, network, Window((16, 16, 16)), fine, 2, lambda _: None)
    assert np.argmax(found[:, 3, 3]) == np.ceil((7.3 - 0.05) / 0.19)


def test_the_image_is_what_monai_makes_of_it(bundle, spine):
    transforms = pytest.importorskip("monai.transforms")
    data = pytest.importorskip("monai.data")
    config = read_config(bundle(_config(pixdim=[1.5, 2.5, 3.0])))
    image, affine = network_image(spine, config.transforms)
    ras = spine.reoriented("RAS")
    tensor = data.MetaTensor(
        torch.from_numpy(ras.array.T[None].astype(np.float32)), affine=torch.tensor(ras.ijk_to_ras)
    )
    wanted = transforms.Spacing([1.5, 2.5, 3.0], mode="bilinear")(tensor)
    np.testing.assert_allclose(affine, wanted.affine.numpy(), atol=1e-6)
    np.testing.assert_allclose(image.numpy() * 1000, wanted.numpy(), atol=0.1)


# --- levels


def test_bone_without_levels_is_named_from_the_anchor(bundle, spine):
    labels = _run(bundle(script=Density()), spine, anchor=_anchor(L2))
    assert labels.same_grid(spine)
    assert labels.levels(Compartment.CANCELLOUS) == (L1, L2, L3)
    for part, low, high in ((Compartment.CORTICAL, 400, 900), (Compartment.CANCELLOUS, 150, 400)):
        for level, z in ((L1, 36), (L2, 0), (L3, -36)):
            truth = (spine.array >= low) & (spine.array < high) & (_height(spine) > z - 18) & (_height(spine) < z + 18)
            np.testing.assert_array_equal(labels.mask(Region(part, level)).array, truth)
    assert any("Counted from L2: L1, L3" in text for text in labels.corrections)
    assert any("TorchScript" in text for text in labels.corrections)


def _height(volume):
    k = np.arange(volume.array.shape[0])
    return volume.to_ras(np.stack([0 * k, 0 * k, k], axis=-1))[:, 2][:, None, None]


def test_levels_are_never_guessed(bundle, spine):
    with pytest.raises(UserError, match="anchor"):
        _run(bundle(script=Density()), spine)
    with pytest.raises(UserError, match=r"lies 6. mm"):
        _run(bundle(script=Density()), spine, anchor=Seed(np.array([1.0, 66.0, 0.0]), L2))
    with pytest.raises(UserError, match="between L3 and L1"):
        _run(bundle(script=Density()), spine, seeds=(_anchor(L3, 36), _anchor(L1, -36)))


def test_nobody_counts_across_a_gap(bundle):
    ct = _spine((50.0, 16.0, -18.0, -52.0)[:3])
    array = np.concatenate([ct.array, _spine((0.0,)).array])  # the fourth one 100 mm away
    labels = _run(bundle(script=Density()), replace(ct, array=array), anchor=_anchor(L2, 16))
    assert labels.levels() == (L1, L2, L3)
    assert any("beyond a gap" in text for text in labels.corrections)


def test_touching_bodies_are_told_apart(bundle, spine):
    array = spine.array.copy()
    z = _height(spine)
    k, j = np.nonzero((z > 12) & (z < 24))[0], slice(10, 13)
    array[k.min() : k.max() + 1, j, 15:25] = 600  # a bridging osteophyte
    labels = _run(bundle(script=Density()), replace(spine, array=array), anchor=_anchor(L1, 36))
    assert labels.levels() == (L1, L2, L3)
    sizes = [labels.mask(Region(Compartment.CANCELLOUS, level)).volume_mm3 for level in (L1, L2, L3)]
    assert sizes[0] == pytest.approx(sizes[2], rel=0.01)


def test_channels_with_levels_keep_them(bundle, spine):
    folder = bundle(channels=("background", "L4", "vertebrae_T12", "spleen"), script=Density(4))
    labels = _run(folder, spine)
    assert labels.regions == (
        Region(Compartment.WHOLE, VertebralLevel.T12),
        Region(Compartment.WHOLE, VertebralLevel.L4),
    )
    assert any("left out: spleen" in text for text in labels.corrections)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("vertebrae_L1", Region(Compartment.WHOLE, L1)),
        ("L1", Region(Compartment.WHOLE, L1)),
        ("T12 body", Region(Compartment.BODY, VertebralLevel.T12)),
        ("L3_trabecular", Region(Compartment.CANCELLOUS, L3)),
        ("sacrum", Region(Structure.SACRUM)),
        ("Cortical bone", Compartment.CORTICAL),
        ("vertebra", Compartment.WHOLE),
        ("vertebral body", Compartment.BODY),
        ("rib_L1", None),
        ("bone", None),
        ("hip", None),
        ("L9", None),
    ],
)
def test_channel_names(name, meaning):
    filler = "cortical L2" if isinstance(meaning, Region) else "cancellous"
    found = channel_meaning(("background", name, filler))
    assert {**found.regions, **found.parts}.get(1) == meaning
    assert (name in found.others) == (meaning is None)


@pytest.mark.parametrize(
    "names",
    [("L1", "L2"), ("background", "spleen"), ("background", "L1", "cortical"), ("background", "L1", "vertebra L1")],
)
def test_channels_that_cannot_be_used(names):
    with pytest.raises(UserError):
        channel_meaning(names)


# --- files are data


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"network_def": {"_target_": "os.system", "command": "true"}}, "not allowed"),
        ({"network_def": {**UNET, "channels": "$[open('ran', 'w'), 8]"}}, "expression"),
        ({"network_def": {**UNET, "channels": "@nowhere"}}, "not there"),
        ({"pixdim": "@pixdim"}, "refers to itself"),
        ({"pixdim": [1e-6] * 3}, "spacing"),
        ({"preprocessing": {"transforms": [{"_target_": "Lambdad", "func": "$print"}]}}, "not allowed"),
        ({"preprocessing": {"transforms": [{"_target_": "Orientationd", "axcodes": "RAS", "x": 1}]}}, "not understood"),
        ({"preprocessing": "$import os"}, "no list"),
        ({"inferer": {"_target_": "SlidingWindowInferer", "roi_size": [9999] * 3}}, "window"),
        ({"inferer": {"_target_": "SimpleInferer"}}, "not allowed"),
        ({"network_def": {**UNET, "channels": [10**9, 8]}}, "too large"),
    ],
)
def test_configuration_is_not_run(bundle, changes, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=told):
        read_config(bundle(_config(**changes)))
    assert not (tmp_path / "ran").exists()


def test_yaml_does_as_json(bundle):
    yaml = pytest.importorskip("yaml")
    folder = bundle()
    known = read_config(folder)
    path = folder / "configs" / "inference.json"
    path.with_suffix(".yaml").write_text(yaml.safe_dump(json.loads(path.read_text())))
    path.unlink()
    assert read_config(folder) == known
    path.with_suffix(".yaml").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(UserError, match="YAML"):
        read_config(folder)


class Evil:
    def __reduce__(self):
        return (open, ("ran", "w"))


def test_weights_are_data(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = read_config(bundle(state={"weight": Evil()}))
    with pytest.raises(UserError, match="could not be loaded"):
        load_network(config, "cpu")
    (config.folder / "models" / "model.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError, match=r"no file of PyTorch"):
        load_network(config, "cpu")
    assert not (tmp_path / "ran").exists()


class Reaching(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.from_file("ran", size=1)


def test_programs_that_reach_for_files_are_refused(bundle):
    with pytest.raises(UserError, match="more than compute"):
        load_network(read_config(bundle(script=Reaching())), "cpu")


def test_weights_of_another_network_or_changed_ones_are_refused(bundle):
    state = build_network({**UNET, "_target_": "UNet"}).state_dict()
    load_network(read_config(bundle(state={"state_dict": state})), "cpu")
    with pytest.raises(UserError, match="could not be loaded"):
        load_network(read_config(bundle(_config(network_def={**UNET, "channels": [4, 16]}), state=state)), "cpu")
    with pytest.raises(UserError, match="cannot be made"):
        load_network(read_config(bundle(_config(network_def={**UNET, "depth": 3}), state=state)), "cpu")
    with pytest.raises(UserError, match="not the file"):
        load_network(read_config(bundle(state=state, ovfrisk={"sha256": {"models/model.pt": "0"}})), "cpu")
    with pytest.raises(UserError, match="no numbers"):
        load_network(read_config(bundle(state={k: v * np.nan for k, v in state.items()})), "cpu")


def test_what_the_network_gives_must_fit_its_channels(bundle, spine):
    with pytest.raises(UserError, match="2 channels"):
        _run(bundle(channels=("background", "L1"), script=Density()), spine)


def test_a_window_that_does_not_fit_the_network_is_told(bundle, spine):
    network = {**UNET, "channels": [4, 8, 16], "strides": [2, 2]}
    state = build_network({**network, "_target_": "UNet"}).state_dict()
    inferer = {"_target_": "SlidingWindowInferer", "roi_size": [18, 18, 18]}
    with pytest.raises(UserError, match="failed on a window"):
        _run(bundle(_config(network_def=network, inferer=inferer), state=state), spine, anchor=_anchor(L2))


def test_requests_that_cannot_be_met(bundle, spine, tmp_path):
    cases = (
        ({"bundle": None}, "--bundle"),
        ({"bundle": tmp_path / "none"}, "inference.json"),
        ({"bundle": bundle(script=Density()), "device": "cuda:99", "anchor": _anchor(L1)}, "device"),
    )
    for request, told in cases:
        with pytest.raises(UserError, match=told):
            ENGINES["monai"](spine, Request(**request), lambda *_: None)
    with pytest.raises(UserError, match="not CT"):
        _run(bundle(script=Density()), replace(spine, modality=Modality.T1))
    with pytest.raises(UserError, match="no vertebra"):
        _run(bundle(script=Density()), replace(spine, array=np.zeros_like(spine.array)), anchor=_anchor(L1))


def test_it_stops_between_windows(bundle, spine):
    seen = SimpleNamespace(windows=0)

    def report(_share, what):
        seen.windows += what == "Running the network"
        if seen.windows == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(bundle(script=Density()), spine, report, anchor=_anchor(L2))
    assert seen.windows == 3


def test_progress_moves_with_every_window(bundle, spine):
    told = []
    _run(bundle(script=Density()), spine, lambda share, what: told.append((share, what)), anchor=_anchor(L2))
    shares = [share for share, _ in told]
    windows = [share for share, what in told if what == "Running the network"]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] <= 1.0
    assert len(set(windows)) == len(windows) > 20  # 35 x 36 x 40 voxels in windows of 16


def test_a_level_at_the_border_is_told_however_little_is_left(bundle, spine):
    for planes, cut in ((65, False), (58, True), (50, True)):
        labels = _run(bundle(script=Density()), replace(spine, array=spine.array[:planes]), anchor=_anchor(L2))
        assert labels.levels() == (L1, L2, L3)
        assert ("L1 touches the image border." in labels.corrections) == cut
