"""A vertebra's own coordinate frame, and which way the spine runs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from .anatomy import VertebralLevel
from .image import Mask

ANTERIOR, POSTERIOR = np.array([0.0, 1.0, 0.0]), np.array([0.0, -1.0, 0.0])


@dataclass(frozen=True)
class LevelFrame:
    """Origin and axes of one level.

    Parameters
    ----------
    origin : ndarray, shape (3,)
        Centre of the vertebral body, RAS mm.
    axes : ndarray, shape (3, 3)
        Unit rows x (to the vertebra's right), y (anterior), z (cranial, normal to the mean end plate), in RAS.
    """

    origin: np.ndarray
    axes: np.ndarray

    def to_ras(self, points: np.ndarray) -> np.ndarray:
        """Map points of the frame (x, y, z), shape (..., 3), mm, to RAS mm."""
        return np.asarray(points) @ self.axes + self.origin

    def from_ras(self, ras: np.ndarray) -> np.ndarray:
        """Map RAS mm, shape (..., 3), to the frame's (x, y, z), mm."""
        return (np.asarray(ras) - self.origin) @ self.axes.T

    def moved(self, offset: np.ndarray) -> "LevelFrame":
        """Return the frame with its origin at `offset` (x, y, z), mm, of this frame."""
        return replace(self, origin=self.to_ras(offset))

    def aligned(self, z: np.ndarray, y: np.ndarray | None = None) -> "LevelFrame":
        """Return the frame with z along `z` (RAS) and y as near as can be to `y` (default: the present one)."""
        z = z / np.linalg.norm(z)
        y = self.axes[1] if y is None else y
        y = y - (y @ z) * z
        y = y / np.linalg.norm(y)
        return replace(self, axes=np.array([np.cross(y, z), y, z]))


def spine_directions(centres: dict[VertebralLevel, np.ndarray]) -> dict[VertebralLevel, np.ndarray]:
    """Return the unit direction towards the head at each level from the levels' centres (RAS mm).

    Levels are taken as they lie, from head to foot: their names may be wrong.
    """
    levels = sorted(centres, key=lambda level: -centres[level][2])
    if len(levels) == 1:
        return {levels[0]: np.array([0.0, 0.0, 1.0])}
    slopes = np.gradient(np.array([centres[level] for level in levels]), axis=0)
    return {level: -slope / np.linalg.norm(slope) for level, slope in zip(levels, slopes, strict=True)}


def anterior_direction(masks: Iterable[Mask]) -> np.ndarray:
    """Return where the vertebrae's front is: RAS anterior, or posterior in an image stored the wrong way round.

    A whole vertebra's body lies over 5 mm in front of its centroid; masks of bodies only tell nothing.
    """
    offsets = [thickest_point(mask)[1] - _centroid(mask)[1] for mask in masks]
    return POSTERIOR if np.median(offsets) < -5 else ANTERIOR


def thickest_point(mask: Mask, forward: np.ndarray | None = None) -> np.ndarray:
    """Return the RAS point deepest inside the mask, shape (3,), rather in front where `forward` (RAS) is known.

    A crushed body may be no thicker than its articular processes; but it always lies in front of them.
    """
    part = mask.cropped(mask.box())
    depth = ndimage.distance_transform_edt(np.pad(part.array, 1), sampling=part.spacing[::-1])[1:-1, 1:-1, 1:-1]
    score = depth[part.array]
    ras = part.to_ras(np.argwhere(part.array)[:, ::-1])
    if forward is not None:
        score = score + 0.2 * ras @ forward
    return ras[score >= score.max() - 0.5].mean(axis=0)


def _centroid(mask: Mask) -> np.ndarray:
    part = mask.cropped(mask.box())
    return part.to_ras(np.argwhere(part.array).mean(axis=0)[::-1])
