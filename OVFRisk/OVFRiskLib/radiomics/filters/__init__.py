"""Image types: what PyRadiomics' filters make of a region's image (``imageoperations.get*Image``), by its names."""

from collections.abc import Mapping

from .gradient import GRADIENT
from .image_type import ImageType
from .intensity import EXPONENTIAL, LOGARITHM, SQUARE, SQUARE_ROOT
from .laplacian import LAPLACIAN
from .lbp2d import LBP2D
from .lbp3d import LBP3D
from .original import ORIGINAL
from .wavelet import WAVELET

IMAGE_TYPES: Mapping[str, ImageType] = {
    "Original": ORIGINAL,
    "LoG": LAPLACIAN,
    "Wavelet": WAVELET,
    "Square": SQUARE,
    "SquareRoot": SQUARE_ROOT,
    "Logarithm": LOGARITHM,
    "Exponential": EXPONENTIAL,
    "Gradient": GRADIENT,
    "LBP2D": LBP2D,
    "LBP3D": LBP3D,
}
"""Every image type, in the order of the tables; `settings.FILTERS` holds what each may be set to."""

__all__ = ["IMAGE_TYPES", "ImageType"]
