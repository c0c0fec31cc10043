"""Protocols: everything that fixes a feature's value, as data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..errors import UserError
from ..measurement import protocol_id
from ..resources import resource
from .classes import FEATURES, IMAGE_CLASSES, SHAPE_CLASSES
from .filters import IMAGE_TYPES
from .parameter_file import SUFFIXES, parameter_text, read_parameter_file
from .settings import FILTERS, OURS, PREPROCESSING, TEXTURE, parsed

_TEXTS = ("name", "title", "purpose", "source")
_BLOCKS = ("setting", "imageType", "featureClass")
_SCALED_BY_THE_WHOLE_IMAGE = ("Square", "SquareRoot", "Logarithm", "Exponential")


@dataclass(frozen=True)
class Protocol:
    """A checked radiomics protocol; make one with `load` or `from_dict`.

    Parameters
    ----------
    name, title, purpose, source : str
        What it is called, what it is for and where its settings come from.
    setting : mapping
        PyRadiomics' settings, complete: defaults are filled in.
    image_type : mapping of str to mapping
        The image types, each with its own settings (its filter's, complete, and those that override `setting`).
    feature_class : mapping of str to tuple of str
        The features of each class, by PyRadiomics' names.
    """

    name: str
    title: str
    purpose: str
    source: str
    setting: Mapping[str, object]
    image_type: Mapping[str, Mapping[str, object]]
    feature_class: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls, name_or_path: str | Path) -> "Protocol":
        """Return a bundled protocol by its name, or the one in a JSON file or PyRadiomics' YAML parameter file.

        Raises
        ------
        UserError
            Names what is missing, unknown or wrong in it.
        """
        path = _bundled().get(str(name_or_path), Path(name_or_path))
        try:
            values = read_parameter_file(path) if path.suffix in SUFFIXES else json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise UserError(
                f"There is no protocol '{name_or_path}' ({error.strerror}).",
                f"Name a JSON or YAML file, or one of {', '.join(_bundled())}.",
            ) from None
        except ValueError as error:
            raise UserError(f"{path} is no JSON file ({error}).", "Correct it there.") from None
        return cls.from_dict(values, where=str(name_or_path))

    @classmethod
    def from_dict(cls, values: object, where: str = "The protocol") -> "Protocol":
        """Return the protocol that `values` describe, laid out as in a file; `where` names them in messages."""
        if not isinstance(values, Mapping):
            raise UserError(f"{where} is no protocol.", "Write a JSON object as the bundled protocols are.")
        for key in values:
            if key not in ("$schema", *_TEXTS, *_BLOCKS):  # the first is for editors
                raise UserError(f"{where}: '{key}' is unknown.", f"Known are {', '.join(_TEXTS + _BLOCKS)}.")
        texts = {key: _text(values.get(key), key, where) for key in _TEXTS}
        own = parsed(values.get("setting", {}), PREPROCESSING | TEXTURE | OURS, f"{where}, setting")
        own = {name: value for name, value in own.items() if name not in OURS or value != OURS[name].default}
        defaults = {name: known.default for name, known in (PREPROCESSING | TEXTURE).items()}
        image_type = _image_types(values.get("imageType"), where)
        return cls(**texts, setting=defaults | own, image_type=image_type, feature_class=_features(values, where))

    def to_dict(self) -> dict[str, object]:
        """Return the protocol as it is laid out in a file, every default spelled out."""
        classes = {name: list(features) for name, features in self.feature_class.items()}
        types = {name: dict(own) for name, own in self.image_type.items()}
        texts = {key: getattr(self, key) for key in _TEXTS}
        return texts | {"setting": dict(self.setting), "imageType": types, "featureClass": classes}

    def to_yaml(self) -> str:
        """Return the protocol as a parameter file of PyRadiomics, every default spelled out.

        Raises
        ------
        UserError
            When it has a setting that PyRadiomics does not know.
        """
        for name in OURS:
            if name in self.setting:
                raise UserError(f"PyRadiomics has no setting '{name}'.", "Write the protocol as JSON, or remove it.")
        return parameter_text(self.to_dict())

    @cached_property
    def id(self) -> str:
        """``name-<hash>`` of the settings that fix values, defaults included; texts do not count."""
        return protocol_id(self.name, {key: self.to_dict()[key] for key in _BLOCKS})

    def settings_of(self, image_type: str) -> dict[str, object]:
        """Return the settings that hold for one image type."""
        return {**self.setting, **self.image_type[image_type]}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What to know about values of this protocol, whatever the region: one text an image type."""
        resampled = self.setting["resampledPixelSpacing"] is not None and self.setting["interpolator"] is not None
        if resampled or self.setting["preCrop"]:
            return ()
        kinds = [kind for kind in self.image_type if kind in _SCALED_BY_THE_WHOLE_IMAGE]
        return tuple(
            f"The image type {name} is scaled by the largest intensity of the whole image: compare values only between"
            " images of one field of view, or set preCrop or resampledPixelSpacing."
            for kind in kinds
            for name in IMAGE_TYPES[kind].names(self.settings_of(kind))
        )

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The names of all features, e.g. ``wavelet-LLH_glcm_Idmn``, in the order of the tables."""
        images = [name for kind in self.image_type for name in IMAGE_TYPES[kind].names(self.settings_of(kind))]
        placed = [("original", group) for group in SHAPE_CLASSES]
        placed += [(image, group) for image in images for group in IMAGE_CLASSES]
        chosen = self.feature_class
        return tuple(f"{image}_{group}_{name}" for image, group in placed for name in chosen.get(group, ()))


def protocol_names() -> tuple[str, ...]:
    """Return the names of the bundled protocols."""
    return tuple(_bundled())


def _bundled() -> dict[str, Path]:
    return {path.stem: path for path in sorted(resource("Protocols").glob("*.json"))}


def _text(value: object, key: str, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise UserError(f"{where}: '{key}' is missing.", f'Add "{key}": "..." to it.')
    return value


def _image_types(block: object, where: str) -> dict[str, dict[str, object]]:
    types = {}
    for name, own in _block(block, "imageType", where).items():
        if name not in IMAGE_TYPES:
            raise UserError(f"{where}: there is no image type '{name}'.", f"Available: {', '.join(IMAGE_TYPES)}.")
        types[name] = _image_type(name, {} if own is None else own, f"{where}, imageType {name}")
    return {name: types[name] for name in IMAGE_TYPES if name in types}


def _image_type(name: str, own: object, where: str) -> dict[str, object]:
    found = parsed(own, {**FILTERS[name], **TEXTURE}, where)
    for key, known in FILTERS[name].items():
        if known.required and key not in found:
            raise UserError(f"{where}: '{key}' is missing.", f'Add "{key}": ... to it; there is no usual value.')
    return {key: known.default for key, known in FILTERS[name].items()} | found


def _features(values: Mapping, where: str) -> dict[str, tuple[str, ...]]:
    chosen = _block(values.get("featureClass"), "featureClass", where)
    for name in chosen:
        if name not in FEATURES:
            raise UserError(f"{where}: there is no feature class '{name}'.", f"Available: {', '.join(FEATURES)}.")
    return {name: _features_of(name, chosen[name], where) for name in FEATURES if name in chosen}


def _features_of(name: str, wanted: object, where: str) -> tuple[str, ...]:
    """Return the features wanted of a class, in the order of the tables; an empty list or null is all usual ones."""
    known = FEATURES[name]
    if wanted is None or wanted == []:
        return tuple(feature.name for feature in known.values() if not feature.optional)
    if not isinstance(wanted, list):
        raise UserError(f"{where}: featureClass {name} must be a list.", "List its features; [] takes all.")
    for feature in wanted:
        if feature not in list(known):
            raise UserError(f"{where}: {name} has no feature {feature!r}.", f"Available: {', '.join(known)}.")
    return tuple(feature for feature in known if feature in wanted)


def _block(block: object, key: str, where: str) -> Mapping:
    if not isinstance(block, Mapping) or not block:
        raise UserError(f"{where}: '{key}' is missing or empty.", f'Add "{key}": {{"name": ..., ...}} to it.')
    return block
