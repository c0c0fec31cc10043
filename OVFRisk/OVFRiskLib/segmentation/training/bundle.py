"""A trained network as a MONAI bundle: one that MONAI itself runs, too."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import import_optional
from ...provenance import software
from ..bundle_network import WEIGHTS, file_hash
from .cases import PARTS, Case, any_synthetic
from .network import geometry, inferer, intensity, network_definition
from .settings import TrainingSettings
from .train import Trained

_CONFIG = Path("configs", "inference.json")
_READING = ("LoadImaged", "EnsureChannelFirstd", "EnsureTyped")


def write_bundle(folder: Path, trained: Trained, cases: Sequence[Case]) -> None:
    """Write configs, weights and what they were trained with into the existing, empty `folder`."""
    torch = import_optional("torch", "Writing a bundle")
    (folder / _CONFIG).parent.mkdir()
    (folder / WEIGHTS).parent.mkdir()
    _write_json(folder / _CONFIG, _inference(trained.settings))
    torch.save(trained.weights, folder / WEIGHTS)
    hashes = {path.as_posix(): file_hash(folder / path) for path in (_CONFIG, WEIGHTS)}
    _write_json(folder / "configs" / "metadata.json", _metadata(trained, cases, hashes))


def _inference(settings: TrainingSettings) -> dict[str, Any]:
    """Return MONAI's configuration; expressions (``$``) are for MONAI, OVFRisk runs none of them."""
    reading = [{"_target_": name, "keys": "image"} for name in _READING]
    steps = [
        step | {"_target_": f"{step['_target_']}d", "keys": "image"} for step in (*geometry(settings), intensity())
    ]
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": network_definition(settings),
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": [*reading, *steps]},
        "inferer": inferer(settings),
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [{"_target_": "AsDiscreted", "keys": "pred", "argmax": True}],
        },
    }


def _metadata(trained: Trained, cases: Sequence[Case], hashes: dict[str, str]) -> dict[str, Any]:
    settings, packages = trained.settings, software()
    synthetic = any_synthetic(cases)
    window = [settings.patch] * 3
    channels = {"0": "background"} | {str(n): str(part) for n, part in enumerate(PARTS, 1)}
    image = {"type": "image", "format": "hounsfield", "modality": "CT", "num_channels": 1, "spatial_shape": window}
    scores = {"type": "probabilities", "format": "segmentation", "num_channels": len(channels), "spatial_shape": window}
    return {
        "name": "OVFRisk cortical and cancellous bone",
        "version": "0.1.0",
        "monai_version": packages.get("monai", ""),
        "pytorch_version": packages.get("torch", ""),
        "numpy_version": packages.get("numpy", ""),
        "task": "Cortical and cancellous bone of vertebral bodies on CT, whatever the level",
        "description": "Trained on SYNTHETIC patients: not for real ones." if synthetic else "Trained by its user.",
        "intended_use": "Research only; what it shows is no diagnosis.",
        "network_data_format": {
            "inputs": {"image": image},
            "outputs": {"pred": {**scores, "channel_def": channels}},
        },
        "ovfrisk": {
            "version": __version__,
            "synthetic": synthetic,
            "cortical_definition": _definition(settings),
            "sha256": hashes,
            "training": _training(trained),
        },
    }


def _definition(settings: TrainingSettings) -> str:
    if settings.shell_mm is None:
        return "as labelled in the training cases"
    return f"the outer {settings.shell_mm:g} mm of the body"


def _training(trained: Trained) -> dict[str, Any]:
    return {
        "settings": asdict(trained.settings),
        "trained_on": list(trained.trained_on),
        "validated_on": list(trained.validated_on),
        "loss": list(trained.losses),
        "validation_dice": [dict(zip(PARTS, each)) for each in trained.dice],
        "best_epoch": trained.best + 1,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
