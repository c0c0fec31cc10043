"""The 3-D U-Net, and what happens to a CT before it: both as a MONAI bundle tells them.

Che et al. used a 3-D U-Net for cortical and cancellous bone of T11-L2; their abstract gives no settings, so that
these are our own: four levels, residual units, instance normalisation.
"""

from typing import Any

import numpy as np

from .cases import PARTS
from .settings import TrainingSettings

_LOWEST_HU, _HIGHEST_HU = -250.0, 1250.0


def network_definition(settings: TrainingSettings) -> dict[str, Any]:
    """Return the U-Net as `network_def` of a bundle."""
    return {
        "_target_": "UNet",
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": len(PARTS) + 1,
        "channels": [settings.width * 2**n for n in range(4)],
        "strides": [2, 2, 2],
        "num_res_units": 2,
        "norm": "INSTANCE",
    }


def geometry(settings: TrainingSettings) -> list[dict[str, Any]]:
    """Return the transforms that bring an image onto the network's grid."""
    return [
        {"_target_": "Orientation", "axcodes": "RAS"},
        {"_target_": "Spacing", "pixdim": [settings.spacing_mm] * 3, "mode": "bilinear"},
    ]


def intensity() -> dict[str, Any]:
    """Return the transform of HU to what the network reads."""
    ends = {"a_min": _LOWEST_HU, "a_max": _HIGHEST_HU, "b_min": 0.0, "b_max": 1.0, "clip": True}
    return {"_target_": "ScaleIntensityRange", **ends}


def inferer(settings: TrainingSettings) -> dict[str, Any]:
    """Return how windows are laid over the CT."""
    window = [settings.patch] * 3
    return {"_target_": "SlidingWindowInferer", "roi_size": window, "overlap": 0.25, "mode": "gaussian"}


def scaled(hu: np.ndarray) -> np.ndarray:
    """Return HU as the network reads them, float32: what `intensity` tells MONAI to do."""
    inside = np.clip(hu, _LOWEST_HU, _HIGHEST_HU)
    return ((inside - _LOWEST_HU) / (_HIGHEST_HU - _LOWEST_HU)).astype(np.float32)
