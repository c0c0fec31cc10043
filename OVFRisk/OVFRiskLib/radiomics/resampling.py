"""Resampling a region to another voxel size, as PyRadiomics does with ITK (``imageoperations.resampleImage``)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UserError, import_optional
from ..image import Volume
from .filters import IMAGE_TYPES
from .intensities import Intensities, intensities, once_a_volume
from .region import Region
from .sharing import Kept, kept_of
from .spline import FAR, MARGIN, ORDER, AllSamples, Samples, interpolated, interpolated_as_itk

Interpolate = Callable[[np.ndarray, AllSamples], np.ndarray]

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
) -> tuple[Region, Kept, tuple[str, ...]]:
    """Return the part of the resampled image and mask around the region, what is filtered from it, and warnings.

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
        return Region(source.part(box), region.mask[box], region.spacing), Kept(len(IMAGE_TYPES)), ()
    centres = _centres(volume, target)
    places = _nearest_places(centres, volume)
    keys = ("normalize", "normalizeScale", "removeOutliers", "interpolator")
    wanted = (*(settings[key] for key in keys), *np.concatenate([target.spacing, target.size, target.first]).tolist())
    image, filtered = kept_of(volume).get(
        wanted, lambda: (_interpolated(source, volume, target, (centres, places), settings), Kept(len(IMAGE_TYPES)))
    )
    mask = _nearest(region, volume, target) if places is None else _at(region.mask, places)
    if not mask.any():
        raise UserError(
            f"Nothing of the region ({region.voxels} voxels) is left at {target.spacing} mm.",
            "Use a finer resampledPixelSpacing, or none.",
        )
    return Region(image, mask, target.spacing[::-1]), filtered, _warnings(region, image, target, settings)


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


def _straight(volume: Volume) -> bool:
    """Whether image axes are patient axes."""
    return np.count_nonzero(volume.ijk_to_ras[:3, :3]) == 3


def _centres(volume: Volume, target: Target) -> list[np.ndarray]:
    """Return where along k, j, i the new voxel centres lie, in voxels of the old grid.

    Where image axes are patient axes each has its own rounding: that of ITK's ``ResampleImageFilter``, which goes
    through patient space and along i takes shares of the whole line.
    """
    if not _straight(volume):
        return [target.first[n] + target.step[n] * np.arange(target.size[n]) for n in (2, 1, 0)]
    sitk = import_optional("SimpleITK", "Resampling")
    old, new = _place(sitk.Image(1, 1, 1, sitk.sitkUInt8), volume), sitk.Image(1, 1, 1, sitk.sitkUInt8)
    new.SetSpacing(target.spacing.tolist())
    new.SetDirection(old.GetDirection())
    new.SetOrigin(old.TransformContinuousIndexToPhysicalPoint(target.first.tolist()))

    def centre(n: int, at: int) -> float:
        index = [at if axis == n else 0 for axis in range(3)]
        return old.TransformPhysicalPointToContinuousIndex(new.TransformIndexToPhysicalPoint(index))[n]

    size = int(target.size[0])
    start, end = centre(0, 0), centre(0, size)
    lines = [[centre(n, at) for at in range(target.size[n])] for n in (2, 1)]
    return [*map(np.array, lines), start + np.arange(size) / size * (end - start)]


def _nearest_places(centres: list[np.ndarray], volume: Volume) -> list[np.ndarray] | None:
    """Return for each axis (k, j, i) the nearest old voxel of every new one, -1 outside the image.

    Halfway between two voxels rounding decides, in patient space. Where image axes are not patient axes, there is no
    answer an axis if anything lies halfway: None.
    """
    if not _straight(volume) and any(np.any(np.abs(c + 0.5 - np.rint(c + 0.5)) < HALFWAY) for c in centres):
        return None
    nearest = [np.floor(centre + 0.5).astype(np.int64) for centre in centres]
    return [np.where((0 <= n) & (n < length), n, -1) for n, length in zip(nearest, volume.array.shape)]


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
    at: tuple[list[np.ndarray], list[np.ndarray] | None],
    settings: Mapping[str, object],
) -> np.ndarray:
    """Return the image at the new voxel centres, of which `at` has the places and the nearest old voxels."""
    centres, places = at
    if settings["interpolator"] == "sitkBSpline" and places is not None:
        _check_length(source.raw.shape)
        samples = tuple(Samples(centre, length) for centre, length in zip(centres, source.raw.shape))
        if source.dtype.kind == "f" and not source.bins_hang_on_rounding(tuple(s.around(1) for s in samples)):
            return _blank_outside(_spline(source, samples, ORDER + MARGIN, interpolated), places)
        if _straight(volume):
            return _blank_outside(_spline(source, samples, FAR, interpolated_as_itk), places)
    keys = ("normalize", "normalizeScale", "removeOutliers", "interpolator")
    whole, interpolator, pixel_type = _interpolation(volume, *(settings[key] for key in keys))
    return _resample(whole, volume, target, interpolator, pixel_type)


def _spline(source: Intensities, samples: AllSamples, margin: int, interpolate: Interpolate) -> np.ndarray:
    """Interpolate from the voxels around the region; integers are cut towards zero, as ITK does."""
    part = source.part(tuple(s.around(margin) for s in samples))
    found = interpolate(np.array(part, dtype=float, order="C", copy=None if part.flags.owndata else True), samples)
    if source.dtype.kind in "iu":
        limits = np.iinfo(source.dtype)
        found = found.clip(limits.min, limits.max)
    return found.astype(source.dtype, copy=False)


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
    _place(image, volume)
    resample = sitk.ResampleImageFilter()
    resample.SetOutputSpacing(target.spacing.tolist())
    resample.SetOutputDirection(image.GetDirection())
    resample.SetOutputOrigin(image.TransformContinuousIndexToPhysicalPoint(target.first.tolist()))
    resample.SetSize(target.size.tolist())
    resample.SetOutputPixelType(pixel_type)
    resample.SetInterpolator(interpolator)
    return sitk.GetArrayFromImage(resample.Execute(image))


def _place(image: Any, volume: Volume) -> Any:
    """Put an ITK image where `volume` lies in the patient."""
    lps = np.diag([-1.0, -1.0, 1.0])
    image.SetSpacing(volume.spacing.tolist())
    image.SetDirection((lps @ (volume.ijk_to_ras[:3, :3] / volume.spacing)).ravel().tolist())
    image.SetOrigin((lps @ volume.ijk_to_ras[:3, 3]).tolist())
    return image


def _warnings(region: Region, image: np.ndarray, target: Target, settings: Mapping[str, object]) -> tuple[str, ...]:
    warnings = []
    if image.dtype.kind in "iu":
        warnings.append("The image holds integers: resampled intensities were cut to integers, towards zero.")
    ties = _ties(region.mask, target)
    if ties:
        warnings.append(
            f"{ties} voxels of the resampled mask lie halfway between two voxels that differ: rounding decides, so that"
            f" a {'' if settings.get('canonicalOrientation') else 'flipped or '}minimally tilted copy of the image"
            " gives other values."
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
        nudged.append(places)
    if all(map(np.array_equal, *nudged)):
        return 0
    one, other = (mask[np.ix_(*places)] for places in nudged)
    return int(np.count_nonzero(one != other))
