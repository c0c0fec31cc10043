"""What happens to image and mask before features: checks, normalisation, resampling, resegmentation.

The order and the arithmetic are PyRadiomics' (``featureextractor.execute``, ``imageoperations``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..image import Mask, Volume
from .filters import IMAGE_TYPES
from .filters.image_type import Image
from .intensities import LARGEST, intensities, usable
from .orientation import oriented
from .region import Region
from .resampling import resampled
from .sharing import MAX_VOXELS, Kept

Settings = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A region ready to be described.

    Parameters
    ----------
    region : Region
        For features of the image.
    shape : Region
        For features of the mask.
    voxels : mapping of str to int
        Voxels of the mask as given and after each step.
    warnings : tuple of str
        What a reader of the values should know.
    filtered : Kept
        Images filtered from that of the region.
    """

    region: Region
    shape: Region
    voxels: Mapping[str, int]
    warnings: tuple[str, ...]
    filtered: Kept

    def images(self, image_type: str, settings: Settings) -> Iterable[tuple[str, Image]]:
        """Return the filtered images of a type, shared by regions of one bounding box; not to be changed."""
        kind = IMAGE_TYPES[image_type]
        if kind.of_mask or np.prod(self.region.size) > MAX_VOXELS:
            return kind.images(self.region, settings)
        key = f"{image_type} {sorted(settings.items())} {self.region.box}"
        return self.filtered.get(key, lambda: tuple(kind.images(self.region, settings)))


def prepare(volume: Volume, mask: Mask, settings: Settings) -> Prepared:
    """Return the region that the settings make of `mask` in `volume`.

    Raises
    ------
    UserError
        When image and mask lie on different grids, the mask is empty or too small, its voxels have no intensity, or
        nothing is left of it.
    """
    _check_grids(volume, mask)
    volume, mask = oriented(volume, mask, settings)
    region = Region(volume.array, mask.array, volume.spacing[::-1])
    _check_intensities(region)
    voxels = {"mask": region.voxels}
    image = intensities(volume, settings["normalize"], settings["normalizeScale"], settings["removeOutliers"])
    filtered = Kept(len(IMAGE_TYPES))
    if settings["resampledPixelSpacing"] is not None and settings["interpolator"] is not None:
        region, filtered, warnings = resampled(region, image, volume, settings)
        voxels["resampled"] = region.voxels
    else:
        box = region.grown(settings["padDistance"]) if settings["preCrop"] else (slice(None),) * 3
        region, filtered, warnings = (
            Region(image.part(box), region.mask[box], region.spacing),
            Kept(len(IMAGE_TYPES)),
            (),
        )
    warnings = image.warnings + warnings
    _check_size(region, settings)
    shape = region
    if settings["resegmentRange"] is not None:
        region = _resegmented(region, settings)
        voxels["resegmented"] = region.voxels
        _check_size(region, settings)
        shape = region if settings["resegmentShape"] else shape
    shape = shape.cropped(region.box)  # to what is left, also where it is not cut
    return Prepared(region, shape, voxels, warnings, filtered)


def _check_grids(volume: Volume, mask: Mask) -> None:
    if not volume.same_grid(mask):
        raise UserError(
            f"Image {volume.array.shape} and mask {mask.array.shape} lie on different grids (size, origin, direction).",
            "Resample the mask to the image first.",
        )
    directions = volume.ijk_to_ras[:3, :3] / volume.spacing
    if not np.allclose(directions.T @ directions, np.eye(3), atol=1e-4):
        raise UserError("The axes of the image are not perpendicular.", "Resample the image to a straight grid first.")
    if not mask.array.any():
        raise UserError("The mask is empty.", "Check the label or segment: it marks no voxel of the image.")


def _check_intensities(region: Region) -> None:
    missing = np.count_nonzero(~usable(region.intensities))
    if missing:
        raise UserError(
            f"{missing} voxels of the region have no intensity (NaN, infinite or beyond {LARGEST:g}).",
            "Leave them out of the mask, or mend the image.",
        )


def _check_size(region: Region, settings: Settings) -> None:
    needed, extent = settings["minimumROIDimensions"], sum(n > 1 for n in region.size)
    if region.voxels == 1:
        raise UserError("The region is a single voxel.", "Check the mask: features describe at least two voxels.")
    if extent < needed:
        raise UserError(
            f"The region extends along {extent} image axes only; the protocol asks for {needed}.",
            "Check the mask, or lower minimumROIDimensions.",
        )
    smallest = settings["minimumROISize"]
    if smallest is not None and region.voxels <= smallest:  # PyRadiomics: more than, not at least
        raise UserError(
            f"The region has {region.voxels} voxels; the protocol asks for more than {smallest}.",
            "Check the mask, or lower minimumROISize.",
        )


def _resegmented(region: Region, settings: Settings) -> Region:
    """Keep the voxels whose intensity lies in `resegmentRange`, of HU, of the maximum, or in standard deviations."""
    values = region.image[region.mask]
    low, *high = settings["resegmentRange"]
    mode = settings["resegmentMode"]
    scale = {"absolute": 1.0, "relative": values.max(), "sigma": values.std()}[mode]
    offset = values.mean() if mode == "sigma" else 0.0
    kept = values >= offset + scale * low
    if high:
        kept &= values <= offset + scale * high[0]
    if not kept.any():
        raise UserError(
            f"No voxel of the region has an intensity in resegmentRange {settings['resegmentRange']} ({mode}).",
            f"The region's intensities lie between {values.min():g} and {values.max():g}.",
        )
    mask = np.zeros_like(region.mask)
    mask[region.mask] = kept
    return Region(region.image, mask, region.spacing)
