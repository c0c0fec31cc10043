"""Resampling a region to another voxel size, as PyRadiomics does with ITK (``imageoperations.resampleImage``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UserError, import_optional
from ..image import Volume
from .intensities import Intensities, intensities, once_a_volume
from .region import Region
from .spline import ORDER, Samples, interpolated

MAX_VOXELS = 2e8
HALFWAY = 1e-6
"""Voxels: nearer than this to halfway, rounding decides."""


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


def resampled(
    region: Region, source: Intensities, volume: Volume, settings: Mapping[str, object]
) -> tuple[Region, tuple[str, ...]]:
    """Return the part of the resampled image and mask around the region, and warnings.

    The image is interpolated, the mask takes the nearest voxel. Integers stay integers, cut towards zero.

    Parameters
    ----------
    region : Region
        Its mask is resampled.
    source : Intensities
        What is interpolated.
    volume : Volume
        The grid of both.

    Raises
    ------
    UserError
        When nothing of the mask is left, or the new grid is too fine.
    """
    target = _target(region, np.array(settings["resampledPixelSpacing"]), settings["padDistance"])
    if np.allclose(region.spacing[::-1], target.spacing):
        box = region.grown(settings["padDistance"])
        return Region(source.part(box), region.mask[box], region.spacing), ()
    places = nearest_places(volume, target)
    image = _interpolated(source, volume, target, places, settings)
    mask = _nearest(region, volume, target) if places is None else _at(region.mask, places)
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


def nearest_places(volume: Volume, target: Target) -> list[np.ndarray] | None:
    """Return for each axis (k, j, i) the nearest old voxel of every new one, -1 outside the image.

    Halfway between two voxels rounding decides, in patient space. Where image axes are patient axes, each axis has its
    own rounding, and ITK is asked for it. Elsewhere there is no such answer if anything lies halfway: None.
    """
    sitk = import_optional("SimpleITK", "Resampling")
    straight = np.count_nonzero(volume.ijk_to_ras[:3, :3]) == 3
    found = []
    for n, length in reversed(list(enumerate(volume.array.shape[::-1]))):
        centre = target.first[n] + target.step[n] * np.arange(target.size[n])
        nearest = np.floor(centre + 0.5).astype(np.int64)
        if np.any(np.abs(centre + 0.5 - np.rint(centre + 0.5)) < HALFWAY):
            if not straight:
                return None
            along = np.arange(3) == n
            ramp = sitk.GetImageFromArray(
                np.arange(1, length + 1, dtype=np.int32).reshape(np.where(along, -1, 1)[::-1])
            )
            line = Target(target.spacing, np.where(along, target.size, 1), target.first * along, target.step)
            nearest = _resample(ramp, volume, line, sitk.sitkNearestNeighbor, ramp.GetPixelID()).ravel() - 1
        found.append(np.where((0 <= nearest) & (nearest < length), nearest, -1))
    return found


def _at(mask: np.ndarray, places: list[np.ndarray]) -> np.ndarray:
    found = mask[np.ix_(*places)]
    return _blank_outside(found, places)


def _blank_outside(array: np.ndarray, places: list[np.ndarray]) -> np.ndarray:
    """Set what lies outside the image to 0 (ITK's default), in place."""
    for axis, place in enumerate(places):
        array[(slice(None),) * axis + (place < 0,)] = 0
    return array


def _interpolated(
    source: Intensities,
    volume: Volume,
    target: Target,
    places: list[np.ndarray] | None,
    settings: Mapping[str, object],
) -> np.ndarray:
    if settings["interpolator"] == "sitkBSpline" and source.dtype.kind == "f" and places is not None:
        _check_length(source.raw.shape)
        samples = _samples(target, source.raw.shape)
        if not source.bins_hang_on_rounding(tuple(s.around(1) for s in samples)):
            return _spline(source, samples, places)
    keys = ("normalize", "normalizeScale", "removeOutliers", "interpolator")
    whole, interpolator, pixel_type = _interpolation(volume, *(settings[key] for key in keys))
    return _resample(whole, volume, target, interpolator, pixel_type)


def _samples(target: Target, shape: tuple[int, ...]) -> tuple[Samples, Samples, Samples]:
    centres = (target.first[n] + target.step[n] * np.arange(target.size[n]) for n in (2, 1, 0))
    return tuple(Samples(centre, length) for centre, length in zip(centres, shape))


def _spline(source: Intensities, samples: tuple[Samples, Samples, Samples], places: list[np.ndarray]) -> np.ndarray:
    """Interpolate from the voxels around the region; 0 outside the image, as ITK has it."""
    part = np.array(source.part(tuple(s.needed for s in samples)), dtype=float, order="C")
    return _blank_outside(interpolated(part, samples).astype(source.dtype, copy=False), places)


def _check_length(shape: tuple[int, ...]) -> None:
    if min(shape) < ORDER:
        raise UserError(
            f"B-spline interpolation needs {ORDER} voxels along every axis; the image has {shape[::-1]}.",
            "Use the interpolator sitkLinear, or no resampling.",
        )


@once_a_volume
def _interpolation(volume: Volume, *settings: object) -> tuple[Any, int, int]:
    """Return what ITK interpolates: the image, or its B-spline coefficients so that they are computed once only.

    The coefficients are of the whole image: where integers are cut off, or bins hang on rounding, on their last bit.
    """
    sitk = import_optional("SimpleITK", "Resampling")
    *normalisation, interpolator = settings
    image = sitk.GetImageFromArray(intensities(volume, *normalisation).array)
    pixel_type = image.GetPixelID()
    if interpolator != "sitkBSpline":
        return image, getattr(sitk, interpolator), pixel_type
    _check_length(volume.array.shape)
    coefficients = sitk.BSplineDecomposition(sitk.Cast(image, sitk.sitkFloat64), ORDER)
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
    for nudge in (-HALFWAY, HALFWAY):
        places = []
        for axis, length in enumerate(mask.shape):
            n = 2 - axis
            centre = target.first[n] + target.step[n] * np.arange(target.size[n]) + nudge
            places.append(np.clip(np.floor(centre + 0.5), 0, length - 1).astype(int))
        nudged.append(mask[np.ix_(*places)])
    return int(np.count_nonzero(nudged[0] != nudged[1]))
