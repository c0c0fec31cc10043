"""The feature classes, by PyRadiomics' names, in the order of the tables."""

from collections.abc import Callable, Mapping

from . import firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape, shape2d
from .feature import Feature

SHAPE_CLASSES: Mapping[str, tuple[Feature, ...]] = {"shape": shape.FEATURES, "shape2D": shape2d.FEATURES}
"""Classes of the mask alone; once for all image types, under the name of the original image."""

IMAGE_CLASSES: Mapping[str, tuple[Feature, ...]] = {
    "firstorder": firstorder.FEATURES,
    "glcm": glcm.FEATURES,
    "glrlm": glrlm.FEATURES,
    "glszm": glszm.FEATURES,
    "gldm": gldm.FEATURES,
    "ngtdm": ngtdm.FEATURES,
}
"""Classes that describe every image type."""

MEASURES: Mapping[str, Callable] = {
    "firstorder": firstorder.measure,
    "glcm": glcm.measure,
    "glrlm": glrlm.measure,
    "glszm": glszm.measure,
    "gldm": gldm.measure,
    "ngtdm": ngtdm.measure,
}
"""What turns region, grey levels and settings into what the formulas of a class take."""

FEATURES: Mapping[str, Mapping[str, Feature]] = {
    name: {feature.name: feature for feature in features}
    for name, features in {**SHAPE_CLASSES, **IMAGE_CLASSES}.items()
}
"""Every feature by class and name."""
