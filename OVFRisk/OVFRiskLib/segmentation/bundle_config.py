"""A MONAI bundle's folder, read as data: no expression of it is ever run, no class made that is not listed here."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UserError, import_optional

NETWORKS = (
    "AttentionUnet",
    "BasicUNet",
    "BasicUNetPlusPlus",
    "DynUNet",
    "SegResNet",
    "SegResNetDS",
    "SegResNetVAE",
    "SwinUNETR",
    "UNETR",
    "UNet",
    "VNet",
)
"""Of monai.networks.nets."""

TRANSFORMS: Mapping[str, frozenset[str]] = {
    "GaussianSmooth": frozenset({"sigma"}),
    "NormalizeIntensity": frozenset({"subtrahend", "divisor", "nonzero", "channel_wise"}),
    "Orientation": frozenset({"axcodes"}),
    "ScaleIntensity": frozenset({"minv", "maxv", "factor"}),
    "ScaleIntensityRange": frozenset({"a_min", "a_max", "b_min", "b_max", "clip"}),
    "ScaleIntensityRangePercentiles": frozenset({"lower", "upper", "b_min", "b_max", "clip", "relative"}),
    "Spacing": frozenset({"pixdim", "mode"}),
    "ThresholdIntensity": frozenset({"threshold", "above", "cval"}),
}
"""Of monai.transforms, with the arguments that are understood."""

_NOTHING_TO_DO = ("LoadImage", "EnsureChannelFirst", "EnsureType", "CastToType", "ToTensor")
_WINDOW_ARGUMENTS = ("roi_size", "overlap", "mode", "sigma_scale", "padding_mode", "cval")
_WINDOW_SPEED = ("sw_batch_size", "device", "sw_device", "progress", "cache_roi_weight_map", "buffer_steps")
_LARGEST_FILE = 4 * 2**20  # bytes
_LARGEST_WINDOW = 256  # voxels along an edge
_PADDING = ("constant", "reflect", "replicate", "circular")
_MOST_CHANNELS = 256  # what a byte tells apart
_LARGEST_ARGUMENT = 4096  # of a network: more would not fit in memory
_DEEPEST = 16  # references to references
_FINEST_MM, _COARSEST_MM = 0.3, 10.0
_OTHER = "Use a bundle whose configs/inference.json says it in plain values."


@dataclass(frozen=True)
class Window:
    """How windows are laid over the image (MONAI's SlidingWindowInferer).

    Parameters
    ----------
    roi_size : tuple of 3 int
        Voxels along x, y, z.
    overlap : float
        Share that neighbours have in common.
    mode : str
        Weights within a window: ``constant`` or ``gaussian``.
    sigma_scale : float
        Width of the Gaussian, as a share of the window.
    padding_mode, cval : str, float
        What lies around an image smaller than the window.
    """

    roi_size: tuple[int, int, int]
    overlap: float = 0.25
    mode: str = "constant"
    sigma_scale: float = 0.125
    padding_mode: str = "constant"
    cval: float = 0.0

    def __post_init__(self) -> None:
        edges = len(self.roi_size) == 3 and all(isinstance(n, int) for n in self.roi_size)
        if not edges or not all(8 <= n <= _LARGEST_WINDOW for n in self.roi_size):
            raise UserError(
                f"The bundle's window of {self.roi_size} voxels cannot be used.",
                f"Three edges of 8 to {_LARGEST_WINDOW}.",
            )
        if not _is_number(self.overlap) or not 0 <= self.overlap < 0.9:
            raise UserError(f"The bundle's window overlap {self.overlap} cannot be used.", "Write a share below 0.9.")
        if self.mode not in ("constant", "gaussian"):
            raise UserError(f"The bundle's window mode '{self.mode}' is unknown.", "Write constant or gaussian.")
        if self.padding_mode not in _PADDING or not _is_number(self.cval) or not _is_number(self.sigma_scale):
            raise UserError("What the bundle's windows see beyond the image is not understood.", _OTHER)


@dataclass(frozen=True)
class BundleConfig:
    """What a bundle's text files say.

    Parameters
    ----------
    folder : Path
    network : mapping or None
        Class name under ``_target_`` and plain arguments; None where only a TorchScript is given.
    transforms : tuple of mapping
        The same for each step before the network.
    window : Window
    channels : tuple of str
        The name of each output channel.
    metadata : mapping
        All of metadata.json.
    """

    folder: Path
    network: Mapping[str, Any] | None
    transforms: tuple[Mapping[str, Any], ...]
    window: Window
    channels: tuple[str, ...]
    metadata: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The bundle's own name and version."""
        return f"{self.metadata.get('name') or self.folder.name} {self.metadata.get('version', '')}".strip()


def read_config(folder: Path) -> BundleConfig:
    """Read ``configs/inference.json`` (or .yaml) and ``configs/metadata.json`` of a bundle.

    Raises
    ------
    UserError
        When a file is missing or damaged, or says something that is not plain or not known here.
    """
    folder = Path(folder)
    path = next(
        (p for end in ("json", "yaml", "yml") if (p := folder / "configs" / f"inference.{end}").is_file()), None
    )
    if path is None:
        raise UserError(f"{folder} is no MONAI bundle: configs/inference.json is missing.", "Give the bundle's folder.")
    config, metadata = _Config(path), _mapping(folder / "configs" / "metadata.json")
    return BundleConfig(folder, config.network(), config.transforms(), config.window(), _channels(metadata), metadata)


class _Config:
    """inference.json with its references resolved."""

    def __init__(self, path: Path) -> None:
        self.path, self.content = path, _mapping(path)

    def network(self) -> dict[str, Any] | None:
        found = next(
            (self.content[k] for k in ("network_def", "network") if isinstance(self.content.get(k), dict)), None
        )
        if found is None:
            return None
        definition = self.plain(found, "network_def")
        definition["_target_"] = self._class(definition, "monai.networks.nets.", NETWORKS)
        if _largest(definition) > _LARGEST_ARGUMENT:
            raise UserError(f"{self.path}: the network is too large.", "Check network_def.")
        return definition

    def transforms(self) -> tuple[dict[str, Any], ...]:
        found = self.content.get("preprocessing")
        steps = found.get("transforms") if isinstance(found, dict) else found
        if not isinstance(steps, list):
            raise UserError(f"{self.path} has no list of transforms under 'preprocessing'.", _OTHER)
        return tuple(step for n, each in enumerate(steps) if (step := self._transform(each, n)))

    def window(self) -> Window:
        given = self.content.get("inferer")
        if not isinstance(given, dict):
            raise UserError(f"{self.path} has no 'inferer'.", "It needs a SlidingWindowInferer with roi_size.")
        self._class(given, "monai.inferers.", ("SlidingWindowInferer",))
        used = {key: self.plain(value, f"inferer#{key}") for key, value in given.items() if key in _WINDOW_ARGUMENTS}
        self._only(given, {*_WINDOW_ARGUMENTS, *_WINDOW_SPEED}, "inferer")
        size = used.pop("roi_size", ())
        return Window(tuple(size) if isinstance(size, list) else (size,) * 3, **used)

    def _transform(self, step: Any, n: int) -> dict[str, Any] | None:
        where = f"preprocessing#{n}"
        if not isinstance(step, dict):
            raise UserError(f"{self.path}: {where} is no transform.", _OTHER)
        if step.get("_disabled_") is True:
            return None
        name = self._class(step, "monai.transforms.", (*TRANSFORMS, *_NOTHING_TO_DO))
        if name in _NOTHING_TO_DO:  # the image has been read, and is a float tensor with a channel
            return None
        self._only(step, {*TRANSFORMS[name], "keys"}, f"{where} ({name})")
        plain = {key: self.plain(value, f"{where}#{key}") for key, value in step.items() if key in TRANSFORMS[name]}
        if name == "Spacing":
            _check_spacing(plain, self.path)
        return {"_target_": name, **plain}

    def _class(self, given: Mapping[str, Any], package: str, known: Sequence[str]) -> str:
        """Return the class of `given`, without package and the ``d`` of dictionary transforms."""
        target = str(given.get("_target_", ""))
        name = target.removeprefix(package) if target.startswith(package) else target
        short = next((n for n in (name, name.removesuffix("d"), name.removesuffix("Dict")) if n in known), None)
        if short is None:
            raise UserError(
                f"{self.path} asks for '{target or 'nothing'}', which is not allowed.",
                f"Known are: {', '.join(known)}.",
            )
        return short

    def _only(self, given: Mapping[str, Any], known: set[str], where: str) -> None:
        unknown = sorted(set(given) - known - {"_target_", "_disabled_", "_desc_"})
        if unknown:
            raise UserError(f"{self.path}: {where} has arguments not understood: {', '.join(unknown)}.", _OTHER)

    def plain(self, value: Any, where: str, depth: int = 0) -> Any:
        """Return `value` with references such as ``@pixdim`` replaced; expressions are refused, never run."""
        if depth > _DEEPEST:
            raise UserError(f"{self.path}: '{where}' refers to itself.", _OTHER)
        if isinstance(value, dict):
            return {key: self.plain(item, f"{where}#{key}", depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item, where, depth + 1) for item in value]
        if not isinstance(value, str) or value[:1] not in ("$", "@", "%"):
            return value
        if value[0] != "@":
            raise UserError(f"{self.path}: '{where}' holds an expression ({value[:60]}), which is not run.", _OTHER)
        found: Any = self.content
        for key in value[1:].replace("::", "#").split("#"):
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            raise UserError(f"{self.path}: '{where}' refers to '{value}', which is not there.", _OTHER)
        return self.plain(found, where, depth + 1)


def _mapping(path: Path) -> dict[str, Any]:
    """Return the mapping that a JSON or YAML file holds."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UserError(f"{path} is too large for a bundle's text file.", "Check the bundle.")
        text = path.read_text("utf-8")
        if path.suffix == ".json":
            content = json.loads(text)
        else:
            content = import_optional("yaml", "Reading a bundle's YAML").safe_load(text)
    except FileNotFoundError:
        raise UserError(f"The bundle's file {path} is missing.", "Give a whole MONAI bundle.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {error}.", "Get the bundle again.") from error
    except Exception as error:  # YAML's errors are known only once it is imported
        if isinstance(error, UserError) or type(error).__module__.partition(".")[0] != "yaml":
            raise
        raise UserError(f"{path} is no YAML: {error}.", "Get the bundle again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no settings.", "Get the bundle again.")
    return content


def _channels(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the output channels, in order."""
    found: Any = metadata
    for key in ("network_data_format", "outputs", "pred", "channel_def"):
        found = found.get(key) if isinstance(found, dict) else None
    names = found if isinstance(found, dict) else {}
    if not 2 <= len(names) <= _MOST_CHANNELS or [names.get(str(n)) for n in range(len(names))].count(None):
        raise UserError(
            "The bundle's metadata.json does not say what its output channels mean.",
            'It needs network_data_format, outputs, pred, channel_def: {"0": "background", "1": "vertebrae_L5", …}.',
        )
    return tuple(str(names[str(n)]) for n in range(len(names)))


def _check_spacing(given: Mapping[str, Any], path: Path) -> None:
    pixdim, mode = given.get("pixdim"), given.get("mode", "bilinear")
    if mode not in ("bilinear", "nearest"):
        raise UserError(f"{path}: the interpolation '{mode}' is not known.", "Write bilinear or nearest.")
    if (
        not isinstance(pixdim, list)
        or len(pixdim) != 3
        or not all(_is_number(p) and _FINEST_MM <= p <= _COARSEST_MM for p in pixdim)
    ):
        raise UserError(
            f"{path}: the spacing {pixdim} cannot be used.", f"Three sizes, {_FINEST_MM} to {_COARSEST_MM} mm."
        )


def _largest(value: Any) -> float:
    """Return the largest number, or length of a list, in plain values."""
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = abs(value) if isinstance(value, int | float) else len(items)
    return max([own, *map(_largest, items)])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
