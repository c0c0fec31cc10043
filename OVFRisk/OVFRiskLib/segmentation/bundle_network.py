"""A bundle's network with its weights. Weights are data; TorchScript is a program and is treated as one."""

import hashlib
import math
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError, import_optional
from .bundle_config import BundleConfig

WEIGHTS, SCRIPT = Path("models", "model.pt"), Path("models", "model.ts")
_FEATURE = "Segmenting with a MONAI bundle"
_LARGEST = 4 * 2**30  # bytes, unpacked
_WRAPPERS = ("model", "state_dict", "network", "net")
# What a TorchScript program could reach beyond tensors (files, foreign operators, code that runs while it is loaded).
_REACHES_OUT = re.compile(r"torch\.(from_file|save|load|_save|import_ir\w*)\b|ops\.(?!prim\b|aten\b)\w+|__setstate__")


def load_network(config: BundleConfig, device: str) -> Callable:
    """Return the bundle's network, ready to be called with a tensor of shape (1, 1, x, y, z).

    Raises
    ------
    UserError
        When weights are missing, changed since they were written, damaged, too large, or of another network.
    """
    torch = import_optional("torch", _FEATURE)
    path = weights_file(config)
    _check_device(torch, device)
    _check_hash(config, path)
    _check_archive(path)
    try:
        network = _script(torch, path) if path.suffix == ".ts" else _with_weights(torch, config, path)
        return network.to(device).eval()
    except UserError:
        raise
    except Exception as error:  # a damaged file fails in many ways
        raise UserError(f"{path} could not be loaded: {first_line(error)}", "Get the bundle again.") from error


def weights_file(config: BundleConfig) -> Path:
    """Return the file of weights: the state dict where there is one, else the TorchScript program."""
    path = next((config.folder / name for name in (WEIGHTS, SCRIPT) if (config.folder / name).is_file()), None)
    if path is None:
        raise UserError(f"{config.folder} has no weights (models/model.pt or model.ts).", "Get the whole bundle.")
    if path.suffix == ".pt" and config.network is None:
        raise UserError(f"{config.folder}: inference.json does not define the network.", "It needs 'network_def'.")
    return path


def build_network(definition: Mapping[str, Any]) -> Any:
    """Return the network of a definition, with random weights."""
    nets = import_optional("monai.networks.nets", _FEATURE)
    arguments = {key: value for key, value in definition.items() if not key.startswith("_")}
    try:
        return getattr(nets, definition["_target_"])(**arguments)
    except Exception as error:  # whatever a network makes of arguments that do not fit it
        raise UserError(
            f"The bundle's network {definition['_target_']} cannot be made: {first_line(error)}",
            "Check network_def in its inference.json.",
        ) from error


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_device(torch: Any, device: str) -> None:
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"The device '{device}' cannot be used: {first_line(error)}", "Use --device cpu.") from error


def _check_hash(config: BundleConfig, path: Path) -> None:
    """Refuse files of our own bundles that are no longer what was written."""
    own = config.metadata.get("ovfrisk")
    files = own.get("sha256", {}) if isinstance(own, dict) else {}
    for name, known in files.items() if isinstance(files, dict) else ():
        file = config.folder / name
        if file.name in (path.name, "inference.json") and (not file.is_file() or file_hash(file) != known):
            raise UserError(f"{file} is not the file that the bundle was made with.", "Train it or get it again.")


def _check_archive(path: Path) -> None:
    """Refuse what is no archive of PyTorch, or grows too large when it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no file of PyTorch 1.6 or later.", "Get the bundle again.") from error
    if size > _LARGEST:
        raise UserError(f"{path} holds {size / 2**30:.0f} GB, too much to load.", "Use a smaller network.")


def _script(torch: Any, path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        code = "\n".join(archive.read(name).decode("utf-8") for name in archive.namelist() if name.endswith(".py"))
    found = _REACHES_OUT.search(code)
    if found:
        raise UserError(f"{path} is a program that does more than compute ('{found[0]}').", "Do not use this bundle.")
    return torch.jit.load(str(path), map_location="cpu")


def _with_weights(torch: Any, config: BundleConfig, path: Path) -> Any:
    state = torch.load(path, map_location="cpu", weights_only=True)
    wrapped = next((state[k] for k in _WRAPPERS if isinstance(state, dict) and isinstance(state.get(k), dict)), state)
    if not isinstance(wrapped, dict) or not all(isinstance(value, torch.Tensor) for value in wrapped.values()):
        raise UserError(f"{path} holds no weights by name.", "It must be a state dict.")
    if not all(math.isfinite(float(value.double().sum())) for value in wrapped.values()):
        raise UserError(f"{path} holds weights that are no numbers.", "Get the bundle again.")
    network = build_network(config.network)
    network.load_state_dict(wrapped, strict=True)
    return network


def first_line(error: BaseException) -> str:
    """Return what an error of PyTorch says first; the rest is for programmers."""
    return (str(error) or type(error).__name__).splitlines()[0][:300]
