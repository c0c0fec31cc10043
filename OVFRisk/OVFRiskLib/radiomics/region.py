"""The voxels that features describe."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..image import bounding_box


@dataclass(frozen=True, eq=False)
class Region:
    """An image and the part of it that is described.

    Parameters
    ----------
    image : ndarray, shape (nk, nj, ni)
        Intensities; arbitrary outside the mask.
    mask : ndarray of bool, shape (nk, nj, ni)
        Not empty.
    spacing : ndarray, shape (3,)
        Voxel size along k, j, i in mm.
    """

    image: np.ndarray
    mask: np.ndarray
    spacing: np.ndarray

    @cached_property
    def box(self) -> tuple[slice, slice, slice]:
        """The bounding box of the mask along k, j, i."""
        return bounding_box(self.mask)

    @cached_property
    def size(self) -> tuple[int, ...]:
        """Number of voxels of the bounding box along k, j, i."""
        return tuple(side.stop - side.start for side in self.box)

    @cached_property
    def places(self) -> np.ndarray:
        """Where the mask's voxels are in the flattened bounding box, ascending."""
        return np.flatnonzero(self.mask[self.box])

    @cached_property
    def voxels(self) -> int:
        """Number of voxels of the mask."""
        return int(np.count_nonzero(self.mask[self.box]))

    @cached_property
    def intensities(self) -> np.ndarray:
        """Intensities of the mask's voxels, shape (voxels,); integers widened so that they cannot overflow."""
        values = self.image[self.box].take(self.places)
        return values if values.dtype.kind == "f" else values.astype(np.int64)

    @cached_property
    def ascending(self) -> np.ndarray:
        """The intensities in ascending order."""
        return np.sort(self.intensities)

    def of(self, image: np.ndarray) -> "Region":
        """Return the same voxels of another image of the same grid."""
        other = Region(image, self.mask, self.spacing)
        other.__dict__.update(box=self.box, places=self.places)
        return other

    def grown(self, margin: int) -> tuple[slice, slice, slice]:
        """Return the bounding box with `margin` voxels around it, as far as the image goes."""
        sides = zip(self.box, self.mask.shape)
        return tuple(slice(max(side.start - margin, 0), min(side.stop + margin, n)) for side, n in sides)

    def cropped(self, box: tuple[slice, slice, slice]) -> "Region":
        """Return the part inside `box`."""
        return Region(self.image[box], self.mask[box], self.spacing)
