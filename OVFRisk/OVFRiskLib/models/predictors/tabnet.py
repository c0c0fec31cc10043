"""TabNet networks of pytorch-tabnet."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...errors import import_optional
from .base import Contributions
from .reading import check_keys, check_parts, integer, number, probabilities, refused, row_of, rows_of, shown
from .shapley import shapley

PART = "predictor.safetensors"
WHOLE = {"n_d": (1, 512), "n_a": (1, 512), "n_steps": (1, 20), "n_independent": (0, 10), "n_shared": (0, 10)}
REAL = {"gamma": (0.0, 100.0), "epsilon": (1e-30, 1.0)}
MASKS = ("sparsemax", "entmax")
_FEATURE = "Scoring with a TabNet model"
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class TabnetPredictor:
    """A TabNet network with two outputs; computes in float32 on one thread of the CPU.

    Parameters
    ----------
    network : mapping
        The settings of the network: `WHOLE`, `REAL`, ``mask_type`` and ``groups`` (lists of inputs that share their
        attention).
    inputs : int
    data : bytes
        The weights as safetensors.
    module : torch.nn.Module
    """

    network: Mapping[str, object]
    inputs: int
    data: bytes
    module: object = field(repr=False)
    kind: ClassVar[str] = "tabnet"
    warnings: ClassVar[tuple[str, ...]] = ()

    def output(self, x: np.ndarray) -> np.ndarray:
        """Return the probabilities of class 1, shape (rows,)."""
        import torch

        x = rows_of(x, self.inputs)
        try:
            with _one_thread(torch), torch.inference_mode():
                pieces = [self._softmax(torch, rows) for rows in _pieces(x.astype(np.float32))]
        except RuntimeError as error:  # sparsemax, where numbers that are too large have become NaN
            raise refused(f"its network cannot compute with these numbers ({shown(str(error))})") from error
        return probabilities(np.concatenate(pieces), len(x))

    def interval(self, x: np.ndarray) -> None:
        """Return None: the network knows none."""

    def contributions(self, x: np.ndarray, typical: np.ndarray) -> Contributions:
        """Return Shapley values against `typical`, of the probability."""
        return shapley(self.output, row_of(x, self.inputs), row_of(typical, self.inputs))

    def parts(self) -> tuple[dict[str, object], Mapping[str, bytes]]:
        """Return the JSON object and the weights."""
        return {"kind": self.kind, "network": dict(self.network)}, {PART: self.data}

    def _softmax(self, torch: object, rows: np.ndarray) -> np.ndarray:
        outputs, _ = self.module(torch.from_numpy(rows))
        return torch.softmax(outputs.double(), dim=1)[:, 1].numpy()


def read(spec: Mapping, parts: Mapping[str, bytes], inputs: int) -> TabnetPredictor:
    """Return the predictor of a checked `spec` and checked weights."""
    check_keys(spec, ("kind", "network"))
    check_parts(parts, (PART,))
    network = _settings(spec["network"], inputs)
    weights = _weights(parts[PART])
    module = _module(network, inputs, weights)
    predictor = TabnetPredictor(network, inputs, parts[PART], module)
    predictor.output(np.stack([np.zeros(inputs), np.ones(inputs)]))
    return predictor


def _settings(values: object, inputs: int) -> dict[str, object]:
    if not isinstance(values, Mapping):
        raise refused(f"network is {shown(values)}, not a JSON object")
    check_keys(values, (*WHOLE, *REAL, "mask_type", "groups"))
    if values["mask_type"] not in MASKS:
        raise refused(f"mask_type is {shown(values['mask_type'])}; known are {', '.join(MASKS)}")
    checked = {name: integer(values[name], name, *bounds) for name, bounds in WHOLE.items()}
    checked |= {name: number(values[name], name, *bounds) for name, bounds in REAL.items()}
    if checked["n_independent"] + checked["n_shared"] == 0:
        raise refused("n_independent and n_shared are both 0")
    return checked | {"mask_type": values["mask_type"], "groups": _groups(values["groups"], inputs)}


def _groups(groups: object, inputs: int) -> list[list[int]]:
    if not isinstance(groups, list) or not all(isinstance(group, list) and group for group in groups):
        raise refused("groups is no list of lists of inputs")
    grouped = [[integer(i, "an input in groups", 0, inputs - 1) for i in group] for group in groups]
    flat = [i for group in grouped for i in group]
    if len(set(flat)) < len(flat):
        raise refused("groups names an input twice")
    return grouped


def _weights(data: bytes) -> dict[str, np.ndarray]:
    load = import_optional("safetensors.numpy", _FEATURE).load
    try:
        return load(data)
    except Exception as error:  # SafetensorError, KeyError for unknown types, …
        raise refused(f"{PART} cannot be read ({type(error).__name__}: {shown(str(error))})") from error


def _module(network: Mapping[str, object], inputs: int, weights: Mapping[str, np.ndarray]) -> object:
    """Return the network with `weights`; it takes no memory before their shapes have been compared."""
    torch = import_optional("torch", _FEATURE)
    tab_network = import_optional("pytorch_tabnet.tab_network", _FEATURE)
    utils = import_optional("pytorch_tabnet.utils", _FEATURE)
    groups = utils.create_group_matrix(network["groups"], inputs)
    settings = {name: value for name, value in network.items() if name != "groups"}
    with torch.device("meta"):
        module = tab_network.TabNet(inputs, 2, **settings, group_attention_matrix=groups)
    _check_weights({name: (tuple(t.shape), t.is_floating_point()) for name, t in module.state_dict().items()}, weights)
    tensors = {name: torch.from_numpy(np.array(weights[name])) for name in weights}
    module.load_state_dict(tensors, strict=True, assign=True)
    return module.eval()


def _check_weights(expected: Mapping[str, tuple], weights: Mapping[str, np.ndarray]) -> None:
    names = expected.keys() ^ weights.keys()
    if names:
        raise refused(f"{PART} and the network's settings differ in {shown(min(names))}")
    for name, (shape, real) in expected.items():
        found = weights[name]
        if found.shape != shape or found.dtype != (np.float32 if real else np.int64):
            raise refused(f"{name} in {PART} is {found.dtype}{found.shape}, not {shape}")
        if not np.isfinite(found).all() or (name.endswith("running_var") and (found < 0).any()):
            raise refused(f"{name} in {PART} has a number that cannot be used")


def _pieces(x: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(x), _ROWS_AT_ONCE):
        yield x[start : start + _ROWS_AT_ONCE]


@contextmanager
def _one_thread(torch: object) -> Iterator[None]:
    """Compute on one thread, so that the same row gives the same digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def predictor_of_network(network: Mapping[str, object], inputs: int, weights: Mapping[str, object]) -> TabnetPredictor:
    """Return the predictor of a trained network.

    Parameters
    ----------
    network : mapping
        As in `TabnetPredictor`.
    inputs : int
    weights : mapping of str to ndarray
        Its state.
    """
    data = import_optional("safetensors.numpy", "Exporting a TabNet model").save(dict(weights))
    return read({"kind": TabnetPredictor.kind, "network": dict(network)}, {PART: data}, inputs)
