"""A curve along the spine with a frame at every place, and the CT resampled along it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline, PPoly

from ..image import Grid
from ..level_frame import ANTERIOR, LevelFrame

_SEARCH_MM = 1.0


@dataclass(frozen=True, eq=False)
class SpineCurve:
    """A smooth curve through points of the spine, straight beyond the first and the last.

    Places on it are given by `s`, mm along the chords, 0 at the lowest point and growing towards the head.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
        RAS mm, in any order.
    forward : ndarray, shape (3,)
        RAS direction of the patient's front.
    up : ndarray, shape (3,)
        RAS direction of the line through a single point.
    """

    points: np.ndarray
    forward: np.ndarray = field(default_factory=ANTERIOR.copy)
    up: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))

    def __post_init__(self) -> None:
        points = np.atleast_2d(np.asarray(self.points, dtype=float))
        object.__setattr__(self, "points", points[np.argsort(points[:, 2], kind="stable")])

    @cached_property
    def knots(self) -> np.ndarray:
        """Place `s` of each point, shape (n,)."""
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))])

    @cached_property
    def _spline(self) -> PPoly | None:
        return CubicSpline(self.knots, self.points, bc_type="natural") if len(self.points) > 1 else None

    def at(self, s: np.ndarray | float) -> np.ndarray:
        """Return the RAS points at the places `s`, shape (..., 3)."""
        s = np.asarray(s, dtype=float)
        inside = np.clip(s, 0, self.knots[-1])
        on_curve = self.points[0] if self._spline is None else self._spline(inside)
        return on_curve + (s - inside)[..., None] * self.direction(s)

    def direction(self, s: np.ndarray | float) -> np.ndarray:
        """Return the unit directions towards the head at the places `s`, RAS, shape (..., 3)."""
        s = np.clip(np.asarray(s, dtype=float), 0, self.knots[-1])
        slope = np.broadcast_to(self.up, (*s.shape, 3)) if self._spline is None else self._spline(s, 1)
        return slope / np.linalg.norm(slope, axis=-1, keepdims=True)

    def frame(self, s: float) -> LevelFrame:
        """Return the frame at `s`: z along the curve, y as near as can be to the front."""
        return LevelFrame(self.at(s), np.eye(3)).aligned(self.direction(s), self.forward)

    def place(self, ras: np.ndarray) -> float:
        """Return the place `s` nearest to a point."""
        reach = np.linalg.norm(np.asarray(ras) - self.points, axis=1).min() + _SEARCH_MM
        s = np.arange(-reach, self.knots[-1] + reach, _SEARCH_MM)
        nearest = s[np.argmin(np.linalg.norm(self.at(s) - ras, axis=1))]
        return float(nearest + self.direction(nearest) @ (ras - self.at(nearest)))

    def sample(self, image: Grid, s: Sequence[float], y: Sequence[float], x: Sequence[float]) -> np.ndarray:
        """Return the image in the curve's frames: shape (len(s), len(y), len(x)); NaN outside the image.

        Parameters
        ----------
        image : Grid
        s, y, x : sequences of float
            Places on the curve, mm to the front and mm to the right of it.
        """
        right, front = np.meshgrid(x, y)
        plane = np.stack([right, front, np.zeros_like(right)], axis=-1)
        return sample(image, np.array([self.frame(place).to_ras(plane) for place in s]))


def sample(image: Grid, ras: np.ndarray) -> np.ndarray:
    """Return the image at RAS points, shape (..., 3), by linear interpolation; NaN outside the image."""
    kji = np.moveaxis(image.to_ijk(ras)[..., ::-1], -1, 0)
    # One slice is no reason to see nothing half a voxel beyond its centre.
    size = np.array(image.array.shape).reshape(-1, *[1] * (kji.ndim - 1))
    outside = np.any((kji < -0.5) | (kji > size - 0.5), axis=0)
    values = ndimage.map_coordinates(image.array, kji, output=np.float32, order=1, mode="nearest")
    values[outside] = np.nan
    return values
