"""The grids that a patient is drawn on: fine axes in patient space, averaged to the voxels of an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Box = tuple[slice, slice, slice]
_FINE_MM = 1.0  # voxels larger than this are averaged from several samples


@dataclass(frozen=True)
class Axis:
    """One direction of an image: `count` voxels, each averaged from `samples` (odd) fine samples.

    Parameters
    ----------
    start : float
        Centre of the first voxel, mm along R, A or S.
    step : float
        Distance between voxels, mm; negative where the index grows towards L, P or I.
    count : int
    samples : int
    """

    start: float
    step: float
    count: int
    samples: int

    @classmethod
    def spanning(cls, low: float, high: float, spacing: float, *, descending: bool = False) -> "Axis":
        """Return an axis whose voxels cover `low` to `high` (mm)."""
        count = max(int(np.ceil((high - low) / spacing)), 1)
        samples = 2 * round((spacing / _FINE_MM - 1) / 2) + 1 if spacing > _FINE_MM else 1
        middle, half = (low + high) / 2, spacing * (count - 1) / 2
        sign = -1 if descending else 1
        return cls(middle - sign * half, sign * spacing, count, samples)

    @cached_property
    def fine(self) -> np.ndarray:
        """Positions of the fine samples, mm, shape (count * samples,)."""
        step = self.step / self.samples
        return self.start - self.step / 2 + step * (np.arange(self.count * self.samples) + 0.5)

    def range(self, low: float, high: float) -> slice:
        """Return the fine samples between `low` and `high`, mm (possibly none)."""
        within = np.flatnonzero((self.fine >= low) & (self.fine <= high))
        return slice(int(within[0]), int(within[-1]) + 1) if within.size else slice(0, 0)


@dataclass(frozen=True)
class Raster:
    """Three axes of one image. All drawing is on fine arrays indexed (z, y, x).

    Parameters
    ----------
    x, y, z : Axis
        Along R, A, S.
    order : str
        Which axis is i, j and k of the image, e.g. ``yzx`` for sagittal slices.
    """

    x: Axis
    y: Axis
    z: Axis
    order: str = "xyz"

    @property
    def axes(self) -> tuple[Axis, Axis, Axis]:
        """Axes in the order of the fine arrays."""
        return self.z, self.y, self.x

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the fine arrays."""
        return tuple(axis.count * axis.samples for axis in self.axes)

    @property
    def pitch(self) -> tuple[float, ...]:
        """Distance between fine samples along z, y, x, mm."""
        return tuple(abs(axis.step) / axis.samples for axis in self.axes)

    def box(self, low: Sequence[float], high: Sequence[float]) -> Box:
        """Return the fine samples between two corners (R, A, S), mm."""
        return tuple(axis.range(low[n], high[n]) for axis, n in zip(self.axes, (2, 1, 0), strict=True))

    def points(self, box: Box) -> np.ndarray:
        """Return the RAS of the fine samples in `box`, shape (3, nz, ny, nx), float32."""
        z, y, x = (axis.fine[part].astype(np.float32) for axis, part in zip(self.axes, box, strict=True))
        shape = (z.size, y.size, x.size)
        return np.stack(
            [
                np.broadcast_to(x, shape),
                np.broadcast_to(y[:, None], shape),
                np.broadcast_to(z[:, None, None], shape),
            ]
        )

    def averaged(self, fine: np.ndarray) -> np.ndarray:
        """Return the voxels' means of a fine array, indexed (k, j, i) of the image."""
        for n, axis in enumerate(self.axes):
            if axis.samples > 1:
                shape = (*fine.shape[:n], axis.count, axis.samples, *fine.shape[n + 1 :])
                fine = fine.reshape(shape).mean(axis=n + 1, dtype=fine.dtype)
        return self._arranged(fine)

    def centres(self, fine: np.ndarray) -> np.ndarray:
        """Return the values at the voxels' centres of a fine array, indexed (k, j, i) of the image."""
        return self._arranged(fine[tuple(slice(axis.samples // 2, None, axis.samples) for axis in self.axes)])

    def _arranged(self, array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array.transpose(["zyx".index(name) for name in self.order[::-1]]))

    def ijk_to_ras(self, position: Sequence[float]) -> np.ndarray:
        """Return the image's matrix when the patient's origin lies at `position`, RAS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = 0
        for column, name in enumerate(self.order):
            row, axis = "xyz".index(name), getattr(self, name)
            matrix[row, column] = axis.step
            matrix[row, 3] = axis.start + position[row]
        return matrix


def covered(distance: np.ndarray, pitch: Sequence[float]) -> np.ndarray:
    """Return how much of each sample a shape fills (0 to 1), from its signed distance, mm (negative inside).

    `pitch` is the distance between samples along each axis. The share is one half exactly where a sample's centre lies
    on the surface.
    """
    width = float(np.prod(pitch)) ** (1 / len(pitch))
    return np.clip(0.5 - distance / np.float32(width), 0, 1, dtype=np.float32)
