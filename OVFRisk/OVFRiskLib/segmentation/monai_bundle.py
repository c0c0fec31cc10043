"""The engine that runs any MONAI bundle: its text files are read as data, its weights loaded as data."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..anatomy import label_scheme
from ..errors import UserError
from ..image import LabelMap, Modality, Volume
from .bundle_config import BundleConfig, read_config
from .bundle_network import file_hash, load_network, weights_file
from .channel_meaning import Meaning, channel_meaning
from .engines import Report, Request
from .network_image import network_image, onto_ct
from .separate_levels import named_points, with_levels
from .sliding_window import SCORE_BYTES, classify

_LISTED = 5  # channels that mean nothing to us


def segment_monai(ct: Volume, request: Request, report: Report) -> LabelMap:
    """Segment a CT with the network of `request.bundle`.

    Channels that name levels keep them. Where all levels are alike, the vertebrae are told apart by their bodies and
    named from the seeds or the anchor.

    Raises
    ------
    UserError
        When no bundle is given, it is not understood, or nothing names a level.
    """
    if request.bundle is None:
        raise UserError("The engine 'monai' needs a network.", "Add --bundle with the folder of a MONAI bundle.")
    if ct.modality is not Modality.CT:
        raise UserError(f"The image is {ct.modality}, not CT.", "Give a CT.")
    config = read_config(request.bundle)
    meaning = channel_meaning(config.channels)
    if meaning.parts:
        named_points(request)  # before the network runs for minutes
    channels = predict(ct, config, request.device, report)
    report(0.95, "Naming the vertebrae")
    labels = (
        with_levels(_known(channels, meaning), meaning.parts, ct, request)
        if meaning.parts
        else _levelled(channels, meaning, ct)
    )
    touching = tuple(f"{level} touches the image border." for level in _touching(labels))
    return replace(labels, name=ct.name, corrections=(*about(config, meaning), *labels.corrections, *touching))


def predict(ct: Volume, config: BundleConfig, device: str, report: Report) -> np.ndarray:
    """Return the network's channel at each voxel of the CT, uint8, shape (k, j, i)."""
    report(0.0, "Loading the network")
    network = load_network(config, device)
    image, affine = network_image(ct, config.transforms, lambda share: report(0.02 + 0.08 * share, "Preparing the CT"))
    windows: Callable[[float], None] = lambda share: report(0.1 + 0.85 * share, "Running the network")  # noqa: E731
    return onto_ct(
        lambda reference: classify(image, network, config.window, reference, len(config.channels), windows), ct, affine
    )


def about(config: BundleConfig, meaning: Meaning) -> tuple[str, ...]:
    """Return what a reader of the result must know of the bundle."""
    own = config.metadata.get("ovfrisk")
    own = own if isinstance(own, dict) else {}
    weights = weights_file(config)
    notes = [f"Segmented by the network {config.name}, weights {file_hash(weights)[:16]}."]
    if own.get("synthetic"):
        notes.append("The network was trained on synthetic patients: what it finds in a real patient proves nothing.")
    if isinstance(own.get("cortical_definition"), str):
        notes.append(f"Cortical bone as the network learned it: {own['cortical_definition'][:200]}.")
    if weights.suffix == ".ts":
        notes.append("The network is a TorchScript program, which ran as code: use it only from people you trust.")
    if meaning.others:
        more = f" and {len(meaning.others) - _LISTED} more" if len(meaning.others) > _LISTED else ""
        notes.append(f"Other outputs of the network were left out: {', '.join(meaning.others[:_LISTED])}{more}.")
    size = " x ".join(map(str, config.window.roi_size))
    notes.append(f"Scores took at most {SCORE_BYTES / 2**30:g} GB; the network saw windows of {size} voxels.")
    return tuple(notes)


def _known(channels: np.ndarray, meaning: Meaning) -> np.ndarray:
    return np.where(np.isin(channels, list(meaning.parts)), channels, 0)


def _levelled(channels: np.ndarray, meaning: Meaning, ct: Volume) -> LabelMap:
    regions = label_scheme("ovfrisk").regions
    values = {region: value for value, region in regions.items()}
    table = np.zeros(256, dtype=np.int16)
    for channel, region in meaning.regions.items():
        table[channel] = values[region]
    array = table[channels]
    if not array.any():
        raise UserError(
            "The network found no vertebra in this CT.", "Check that it shows the spine and fits the bundle."
        )
    return LabelMap(array, ct.ijk_to_ras, regions)


def _touching(labels: LabelMap) -> list[str]:
    """Return the levels that reach the first or last voxel along an axis."""
    edge = labels.array.copy()
    edge[1:-1, 1:-1, 1:-1] = 0
    found = set(np.unique(edge).tolist())
    return list(dict.fromkeys(r.level for value, r in labels.labels.items() if value in found and r.level))
