"""The shape of a vertebral body: end plates, walls, and the signed distance to its surface."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .fractures import Fracture, FractureKind

_CONCAVITY = 0.10  # depth of the natural end-plate concavity (both plates), share of the height
_UPPER_SHARE = 0.42  # of the concavity lies in the upper end plate; lower end plates are the deeper ones
_FRACTURED_UPPER_SHARE = 0.6  # but fractures press the upper one in
_RIM_MM = 1.2  # the rounding of the rim takes at most a quarter of this
_ANGLES = np.linspace(-np.pi, np.pi, 361)


@dataclass(frozen=True)
class Heights:
    """Distances between the end plates at the anterior wall, halfway, and at the posterior wall, mm."""

    anterior: float
    middle: float
    posterior: float


def unfractured_heights(anterior: float, posterior: float) -> Heights:
    """Return the heights of a healthy body: slightly concave end plates."""
    mean = (anterior + posterior) / 2
    return Heights(anterior, mean * (1 - _CONCAVITY), posterior)


def fractured_heights(healthy: Heights, fracture: Fracture | None) -> Heights:
    """Return the heights after a fracture, whose loss then holds exactly (see `Fracture`)."""
    if fracture is None:
        return healthy
    left = 1 - fracture.loss
    if fracture.kind is FractureKind.CRUSH:
        return Heights(healthy.anterior * left, healthy.middle * left, healthy.posterior * left)
    if fracture.kind is FractureKind.BICONCAVE:
        return Heights(healthy.anterior, healthy.posterior * left, healthy.posterior)
    concave = (healthy.anterior + healthy.posterior) / 2 - healthy.middle
    anterior = healthy.posterior * left
    return Heights(anterior, (anterior + healthy.posterior) / 2 - concave, healthy.posterior)


@dataclass(frozen=True)
class BodyForm:
    """A vertebral body in its own frame: x right, y anterior, z along its axis, origin between its walls and plates.

    Parameters
    ----------
    width, depth : float
        Of the end plates, mm; the depth on the mid-sagittal plane.
    heights : Heights
    fractured : bool
        Whether the upper end plate takes most of the concavity.
    waist : float
        Narrowing at half height, share of the radius.
    """

    width: float
    depth: float
    heights: Heights
    fractured: bool = False
    waist: float = 0.11

    @property
    def wedge_angle(self) -> float:
        """Angle between the end plates, degrees; positive where the body is lower in front."""
        return float(np.degrees(2 * np.arctan((self.heights.posterior - self.heights.anterior) / (2 * self.depth))))

    def half_line(self, y: np.ndarray) -> np.ndarray:
        """Return half the distance between the planes through the end plates' rims at `y`, mm."""
        u = 0.5 - y / self.depth
        return (self.heights.anterior + u * (self.heights.posterior - self.heights.anterior)) / 2

    def plates(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return z of the upper and of the lower end plate, mm.

        On the mid-sagittal plane each is a parabola of y; towards the sides the concavity runs out.
        """
        half, dip = self.half_line(y), self._dip(x, y)
        share = _FRACTURED_UPPER_SHARE if self.fractured else _UPPER_SHARE
        return half - share * dip, (1 - share) * dip - half

    def _dip(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        h = self.heights
        deepest = (h.anterior + h.posterior) / 2 - h.middle
        across = np.clip(1 - (2 * y / self.depth) ** 2, 0, None)
        return deepest * across * np.clip(1 - (2 * x / self.width) ** 2, 0, None)

    @cached_property
    def _outline(self) -> tuple[np.ndarray, np.ndarray]:
        """Radius of the end plates' outline at `_ANGLES` (0 is anterior), mm, and its slope per radian."""
        front = np.cos(_ANGLES) >= 0
        notch = 0.06 * self.depth  # the posterior wall is hollow towards the canal
        a, b = self.width / 2, np.where(front, self.depth / 2, self.depth / 2 + notch)
        power = np.where(front, 2.15, 2.6)
        radius = ((np.abs(np.sin(_ANGLES)) / a) ** power + (np.abs(np.cos(_ANGLES)) / b) ** power) ** (-1 / power)
        behind = np.pi - np.abs(_ANGLES)
        radius -= notch * np.exp(-((behind / 0.55) ** 2))
        return radius, np.gradient(radius, _ANGLES)

    def wall_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray | float = np.inf) -> np.ndarray:
        """Return the signed distance to the walls, mm (negative inside); without z, to the end plates' outline."""
        angle = np.arctan2(x, y)
        radius, slope = (np.interp(angle, _ANGLES, table).astype(np.float32) for table in self._outline)
        if np.ndim(z):
            relative = np.clip(z / np.maximum(self.half_line(y), 1), -1, 1)
            backwards = np.clip(-y / np.maximum(np.hypot(x, y), 1e-3), 0, 1)
            radius = radius * (1 - self.waist * (1 - 0.75 * backwards) * (1 - relative**2))
        return (np.hypot(x, y) - radius) * radius / np.hypot(radius, slope)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Return the signed distance to the surface, mm, negative inside.

        Parameters
        ----------
        points : ndarray, shape (3, ...)
            In the body's frame, mm.
        """
        x, y, z = points
        top, bottom = self.plates(x, y)
        plates = np.maximum(
            (z - top) / self._steepness(x, y, upper=True), (bottom - z) / self._steepness(x, y, upper=False)
        )
        return _smooth_max(plates, self.wall_distance(x, y, z), _RIM_MM)

    def _steepness(self, x: np.ndarray, y: np.ndarray, *, upper: bool) -> np.ndarray:
        """Length of the end plate's (dx, dy, dz) per mm of the horizontal plane's normal."""
        n = 0 if upper else 1
        step = 0.5
        along_y = (self.plates(x, y + step)[n] - self.plates(x, y - step)[n]) / (2 * step)
        along_x = (self.plates(x + step, y)[n] - self.plates(x - step, y)[n]) / (2 * step)
        return np.sqrt(1 + along_y**2 + along_x**2)

    @property
    def reach(self) -> tuple[float, float, float]:
        """Half of the box that holds the body, mm."""
        h = self.heights
        return self.width / 2 + 3, self.depth / 2 + 4, max(h.anterior, h.middle, h.posterior) / 2 + 4


def _smooth_max(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    corner = np.clip(width - np.abs(a - b), 0, None)
    return np.maximum(a, b) + corner**2 / (4 * width)
