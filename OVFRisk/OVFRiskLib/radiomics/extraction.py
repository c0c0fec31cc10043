"""Features of a region in an image: the one function that everything else here serves."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..image import Mask, Volume
from . import shape, shape2d
from .classes import FEATURES, IMAGE_CLASSES, MEASURES, SHAPE_CLASSES
from .discretisation import GreyLevels, discretised
from .feature import Undefined
from .preprocessing import Prepared, prepare
from .protocol import Protocol
from .region import Region

FEW_LEVELS = 8
"""With fewer grey levels texture hardly differs between regions; a warning says so."""

_FIXED_BY_ONE_LEVEL = re.compile(
    r"_(glcm|ngtdm)_|_firstorder_(Entropy|Uniformity)$"
    r"|_gl\w+_(GrayLevelVariance|GrayLevelNonUniformityNormalized|(Low|High)GrayLevel\w*Emphasis)$"
)


@dataclass(frozen=True, eq=False)
class Features:
    """The features of one region.

    Parameters
    ----------
    values : mapping of str to float
        Finite values by PyRadiomics' names, e.g. ``original_glcm_Idmn``, always in one order.
    absent : mapping of str to str
        Features of the protocol that have no value for this region, and why.
    diagnostics : mapping
        ``voxels`` of the mask as given and after each step, ``spacing_mm`` (i, j, k) and ``size`` of the described
        region, ``grey_levels`` of each image type, ``constant_features`` (those that one grey level fixes).
    warnings : tuple of str
        What a reader of the values should know.
    protocol_id : str
        What the values are comparable with.
    """

    values: Mapping[str, float]
    absent: Mapping[str, str]
    diagnostics: Mapping[str, object]
    warnings: tuple[str, ...]
    protocol_id: str


def extract(volume: Volume, mask: Mask, protocol: Protocol) -> Features:
    """Return the features that `protocol` asks for, of the region `mask` in `volume`.

    Names and values are those of PyRadiomics 3.0.1 (van Griethuysen et al., Cancer Res 2017;77:e104-e107).

    Raises
    ------
    UserError
        When there is nothing to describe: an empty mask, another grid, a single voxel, intensities that are missing,
        a region that resampling or resegmentation empties, or bins that are too fine.
    """
    prepared = prepare(volume, mask, protocol.setting)
    found = _shape_features(prepared, protocol)
    box, levels_of = prepared.region.cropped(prepared.region.box), {}
    for image_type in protocol.image_type:
        settings = protocol.settings_of(image_type)
        for name, image in prepared.images(image_type, settings):
            levels = _levels(name, image, box, settings)
            if isinstance(levels, GreyLevels):
                levels_of[name] = len(levels.counts)
            found |= _image_features(name, levels, settings, protocol)
    values = {name: value for name, value in found.items() if isinstance(value, float)}
    absent = {name: why for name, why in found.items() if isinstance(why, str)}
    diagnostics = {
        "voxels": dict(prepared.voxels),
        "spacing_mm": prepared.region.spacing[::-1].tolist(),
        "size": list(prepared.region.size[::-1]),
        "grey_levels": levels_of,
        "constant_features": [name for name in values if _is_constant(name, levels_of)],
    }
    warnings = (*prepared.warnings, *protocol.warnings, *_level_warnings(levels_of))
    return Features(values, absent, diagnostics, warnings, protocol.id)


def _shape_features(prepared: Prepared, protocol: Protocol) -> dict[str, float | str]:
    """Return the features of the mask; PyRadiomics files them under the original image."""
    measures = {"shape": lambda: shape.measure(prepared.shape), "shape2D": lambda: _outline(prepared.shape, protocol)}
    found: dict[str, float | str] = {}
    for group in SHAPE_CLASSES:
        if group in protocol.feature_class:
            found |= _class_features("original", group, measures[group], protocol)
    return found


def _outline(region: Region, protocol: Protocol) -> shape2d.Outline:
    axis = protocol.setting["force2Ddimension"]
    if not protocol.setting["force2D"]:
        raise Undefined("shape2D needs force2D in the protocol")
    if region.mask.shape[axis] > 1:
        raise Undefined(f"the region spans {region.mask.shape[axis]} slices, shape2D describes one")
    return shape2d.measure(region, axis)


def _levels(name: str, image: np.ndarray | str, box: Region, settings: Mapping[str, object]) -> GreyLevels | str:
    """Return the grey levels of a filtered image of the region in `box`, or the reason why there are none."""
    if isinstance(image, str):
        return image
    filtered = box.of(image)
    if not np.isfinite(filtered.ascending[[0, -1]]).all():  # NaN comes last
        return "the filtered image is not finite everywhere in the region"
    try:
        return discretised(filtered, settings)
    except UserError as error:
        raise UserError(f"Image type {name}: {error.what}", error.what_to_do) from None


def _image_features(
    name: str, levels: GreyLevels | str, settings: Mapping[str, object], protocol: Protocol
) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    if isinstance(levels, str):
        chosen = ((group, feature) for group in IMAGE_CLASSES for feature in protocol.feature_class.get(group, ()))
        return {f"{name}_{group}_{feature}": levels for group, feature in chosen}
    for group in IMAGE_CLASSES:
        if group in protocol.feature_class:
            measure = MEASURES[group]
            found |= _class_features(name, group, lambda m=measure: m(levels, settings), protocol)
    return found


def _class_features(
    image: str, group: str, measure: Callable[[], object], protocol: Protocol
) -> dict[str, float | str]:
    """Return the value of each feature of a class, or the reason why it has none."""
    names = protocol.feature_class[group]
    with np.errstate(all="ignore"):  # what is not finite is reported as absent
        try:
            measured = measure()
        except Undefined as reason:
            return {f"{image}_{group}_{name}": str(reason) for name in names}
        return {f"{image}_{group}_{name}": _value(FEATURES[group][name].formula, measured) for name in names}


def _value(formula: Callable[[object], float], measured: object) -> float | str:
    try:
        value = float(formula(measured))
    except Undefined as reason:
        return str(reason)
    return value if math.isfinite(value) else "its formula has no finite value for this region"


def _is_constant(name: str, levels_of: Mapping[str, int]) -> bool:
    image = name.partition("_")[0]
    return levels_of.get(image) == 1 and _FIXED_BY_ONE_LEVEL.search(name) is not None


def _level_warnings(levels_of: Mapping[str, int]) -> tuple[str, ...]:
    few = {name: n for name, n in levels_of.items() if n < FEW_LEVELS}
    return tuple(
        f"The image type {name} has {n} grey level{'s' * (n > 1)} here: "
        + ("its texture features are constants." if n == 1 else "its texture features hardly tell regions apart.")
        for name, n in few.items()
    )
