"""Resampling a region to another voxel size, as PyRadiomics does with ITK (``imageoperations.resampleImage``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UserError, import_optional
from ..image import Volume
from .intensities import intensities, once_a_volume
from .region import Region

MAX_VOXELS = 2e8
SPLINE_ORDER = 3


@dataclass(frozen=True, eq=False)
class Target:
    """The part of the new grid around the region; all of shape (3,) and along i, j, k.

    Parameters
    ----------
    spacing : ndarray
        mm.
    size : ndarray of int
        Number of voxels.
    first, step : ndarray
        First voxel centre and distance of the next, in voxels of the old grid.
    """

    spacing: np.ndarray
    size: np.ndarray
    first: np.ndarray
    step: np.ndarray


def resampled(region: Region, volume: Volume, settings: Mapping[str, object]) -> tuple[Region, tuple[str, ...]]:
    """Return the part of the resampled image and mask around the region, and warnings.

    The image is interpolated, the mask takes the nearest voxel. Integers stay integers, cut towards zero.

    Raises
    ------
    UserError
        When nothing of the mask is left, or the new grid is too fine.
    """
    target = _target(region, np.array(settings["resampledPixelSpacing"]), settings["padDistance"])
    if np.allclose(region.spacing[::-1], target.spacing):
        return region, ()
    image = _interpolated(volume, target, settings)
    mask = _nearest(region, volume, target)
    if not mask.any():
        raise UserError(
            f"Nothing of the region ({region.voxels} voxels) is left at {target.spacing} mm.",
            "Use a finer resampledPixelSpacing, or none.",
        )
    return Region(image, mask, target.spacing[::-1]), _warnings(region, image, target)


def _target(region: Region, wanted: np.ndarray, pad: int) -> Target:
    """Place the new grid: outer corners of old and new image agree; only the region and `pad` voxels are made."""
    spacing, shape = region.spacing[::-1], np.array(region.mask.shape[::-1])
    start = np.array([side.start for side in region.box[::-1]])
    extent = np.array(region.size[::-1])
    new = np.where((wanted == 0) | (extent == 1), spacing, wanted)
    ratio = spacing / new
    low = np.maximum(np.floor((start - 0.5) * ratio - pad), 0)
    high = np.minimum(np.ceil((start + extent - 0.5) * ratio + pad), np.ceil(shape * ratio) - 1)
    size = (high - low + 1).astype(int)
    if np.prod(size.astype(float)) > MAX_VOXELS:
        raise UserError(f"Resampling to {new} mm makes {size} voxels of the region.", "Use a coarser spacing.")
    return Target(new, size, 0.5 * (new - spacing) / spacing + low / ratio, 1 / ratio)


def _interpolated(volume: Volume, target: Target, settings: Mapping[str, object]) -> np.ndarray:
    keys = ("normalize", "normalizeScale", "removeOutliers", "interpolator")
    source, interpolator, pixel_type = _interpolation(volume, *(settings[key] for key in keys))
    return _resample(source, volume, target, interpolator, pixel_type)


@once_a_volume
def _interpolation(volume: Volume, *settings: object) -> tuple[Any, int, int]:
    """Return what ITK interpolates: the image, or its B-spline coefficients so that they are computed once only.

    The coefficients are of the whole image: near an integer, cut-off integers depend on the last bit of them.
    """
    sitk = import_optional("SimpleITK", "Resampling")
    *normalisation, interpolator = settings
    image = sitk.GetImageFromArray(intensities(volume, *normalisation).array)
    pixel_type = image.GetPixelID()
    if interpolator != "sitkBSpline":
        return image, getattr(sitk, interpolator), pixel_type
    if min(image.GetSize()) < SPLINE_ORDER:
        raise UserError(
            f"B-spline interpolation needs {SPLINE_ORDER} voxels along every axis; the image has {image.GetSize()}.",
            "Use the interpolator sitkLinear, or no resampling.",
        )
    coefficients = sitk.BSplineDecomposition(sitk.Cast(image, sitk.sitkFloat64), SPLINE_ORDER)
    return coefficients, sitk.sitkBSplineResamplerOrder3, pixel_type


def _nearest(region: Region, volume: Volume, target: Target) -> np.ndarray:
    sitk = import_optional("SimpleITK", "Resampling")
    part = region.mask[tuple(slice(side.stop + 1) for side in region.box)]  # from the origin: its place must not move
    image = sitk.GetImageFromArray(part.view(np.uint8))
    return _resample(image, volume, target, sitk.sitkNearestNeighbor, image.GetPixelID()).astype(bool)


def _resample(image: Any, volume: Volume, target: Target, interpolator: int, pixel_type: int) -> np.ndarray:
    """Resample in patient space, as the definition does: voxels halfway between two fall to one by rounding there."""
    sitk = import_optional("SimpleITK", "Resampling")
    lps = np.diag([-1.0, -1.0, 1.0])
    image.SetSpacing(volume.spacing.tolist())
    image.SetDirection((lps @ (volume.ijk_to_ras[:3, :3] / volume.spacing)).ravel().tolist())
    image.SetOrigin((lps @ volume.ijk_to_ras[:3, 3]).tolist())
    resample = sitk.ResampleImageFilter()
    resample.SetOutputSpacing(target.spacing.tolist())
    resample.SetOutputDirection(image.GetDirection())
    resample.SetOutputOrigin(image.TransformContinuousIndexToPhysicalPoint(target.first.tolist()))
    resample.SetSize(target.size.tolist())
    resample.SetOutputPixelType(pixel_type)
    resample.SetInterpolator(interpolator)
    return sitk.GetArrayFromImage(resample.Execute(image))


def _warnings(region: Region, image: np.ndarray, target: Target) -> tuple[str, ...]:
    warnings = []
    if image.dtype.kind in "iu":
        warnings.append("The image holds integers: resampled intensities were cut to integers, towards zero.")
    ties = _ties(region.mask, target)
    if ties:
        warnings.append(
            f"{ties} voxels of the resampled mask lie halfway between two voxels that differ: rounding decides, so that"
            " a flipped or minimally tilted copy of the image gives other values."
        )
    return tuple(warnings)


def _ties(mask: np.ndarray, target: Target) -> int:
    """Count the voxels of the new grid that an infinitesimal shift of it would move into or out of the mask."""
    nudged = []
    for nudge in (-1e-6, 1e-6):
        places = []
        for axis, length in enumerate(mask.shape):
            n = 2 - axis
            centre = target.first[n] + target.step[n] * np.arange(target.size[n]) + nudge
            places.append(np.clip(np.floor(centre + 0.5), 0, length - 1).astype(int))
        nudged.append(mask[np.ix_(*places)])
    return int(np.count_nonzero(nudged[0] != nudged[1]))
