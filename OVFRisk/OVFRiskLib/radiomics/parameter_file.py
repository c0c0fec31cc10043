"""PyRadiomics' YAML parameter files: what they say as a protocol, and a protocol as such a file.

Their layout is that of ``paramSchema.yaml`` of PyRadiomics 3.0.1.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError, import_optional
from .classes import FEATURES
from .settings import FILTERS, NO_SETTINGS

SUFFIXES = (".yaml", ".yml")
_BLOCKS = ("setting", "imageType", "featureClass")
_TEXTS = ("title", "purpose", "source")
_FILTER_SETTINGS = {name for own in FILTERS.values() for name in own}


def read_parameter_file(path: Path) -> dict[str, object]:
    """Return what a parameter file says, laid out as a protocol's JSON.

    Its name is the file's. Without image types it means the original image, without feature classes all of them.
    Settings of filters among the general ones go to the filters. What fixes no value of a region is left out, and the
    protocol's `source` says so: `label` and the like, and all of `voxelSetting`.

    Raises
    ------
    UserError
        Names the file and the unknown key; OSError is left to the caller.
    """
    values = _parsed(path)
    for key in values:
        if key not in (*_BLOCKS, "voxelSetting"):
            raise UserError(f"{path}: '{key}' is unknown.", f"Known are {', '.join(_BLOCKS)} and voxelSetting.")
    setting = _mapping(values.get("setting"), path, "setting")
    left_out = [name for name in setting if name in NO_SETTINGS] + ["voxelSetting"] * ("voxelSetting" in values)
    kept = {name: value for name, value in setting.items() if name not in NO_SETTINGS}
    general = {name: value for name, value in kept.items() if name not in _FILTER_SETTINGS}
    filters = {name: value for name, value in kept.items() if name in _FILTER_SETTINGS}
    return {
        **_texts(path, left_out),
        "setting": general,
        "imageType": _image_types(values.get("imageType"), filters, path),
        "featureClass": _feature_classes(values.get("featureClass"), general, path),
    }


def parameter_text(layout: Mapping[str, Any]) -> str:
    """Return the text of a parameter file for PyRadiomics, every default spelled out; texts become comments.

    Parameters
    ----------
    layout : mapping
        As `Protocol.to_dict` returns it.
    """
    yaml = import_optional("yaml", "Writing a parameter file")
    head = [f"# {' '.join(layout[key].split())}\n" for key in _TEXTS]
    blocks = yaml.safe_dump({key: layout[key] for key in _BLOCKS}, sort_keys=False, default_flow_style=None, width=120)
    return "".join(head) + blocks


def _parsed(path: Path) -> Mapping:
    yaml = import_optional("yaml", "Reading a parameter file")
    try:
        values = yaml.load(path.read_text("utf-8"), Loader=_strict_loader(yaml))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no YAML file ({' '.join(str(error).split())}).", "Correct it there.") from None
    return _mapping(values, path, "the file")


def _strict_loader(yaml: Any) -> type:
    """Return a loader that refuses a key given twice, where YAML's own takes the last in silence."""

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: Any, node: Any) -> dict:
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for n, key in enumerate(keys) if key in keys[:n]]
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"'{twice[0]}' is given twice", node.start_mark)
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    return Strict


def _mapping(value: object, path: Path, what: str) -> Mapping:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UserError(f"{path}: {what} must hold 'name: value' lines.", "See PyRadiomics' exampleCT.yaml.")
    return value


def _texts(path: Path, left_out: list[str]) -> dict[str, str]:
    source = f"PyRadiomics parameter file {path.name}"
    reasons = NO_SETTINGS | {"voxelSetting": "features describe regions, not voxels"}
    notes = [f"{name} is left out ({reasons[name]})" for name in left_out]
    title = {"name": path.stem, "title": path.stem, "purpose": f"What {path.name} describes."}
    return title | {"source": "; ".join([source, *notes]) + "."}


def _image_types(block: object, filters: Mapping, path: Path) -> dict[str, object]:
    types = _mapping(block, path, "imageType") or {"Original": {}}
    return {name: _with_general(str(name), own, filters, path) for name, own in types.items()}


def _with_general(name: str, own: object, filters: Mapping, path: Path) -> dict[str, object]:
    general = {key: value for key, value in filters.items() if key in FILTERS.get(name, {})}
    return {**general, **_mapping(own, path, f"imageType {name}")}


def _feature_classes(block: object, setting: Mapping, path: Path) -> Mapping:
    """Return the classes; without any, all that PyRadiomics computes: shape2D only of slices."""
    usual = [name for name in FEATURES if name != "shape2D" or setting.get("force2D") is True]
    return _mapping(block, path, "featureClass") or {name: [] for name in usual}
