"""A plane in patient space."""

from dataclasses import dataclass

import numpy as np

Vector = tuple[float, float, float]
_UNIT_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Plane:
    """A plane in RAS, mm.

    Parameters
    ----------
    origin : tuple of float
        A point on the plane.
    axes : tuple of two tuples of float
        Two perpendicular unit vectors in the plane; on a sagittal plane towards anterior and towards the head.

    Raises
    ------
    ValueError
        When the axes are not perpendicular unit vectors, or a number is not finite.
    """

    origin: Vector
    axes: tuple[Vector, Vector]

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", floats(self.origin, (3,)))
        object.__setattr__(self, "axes", floats(self.axes, (2, 3)))
        if not np.allclose(np.array(self.axes) @ np.array(self.axes).T, np.eye(2), atol=_UNIT_TOLERANCE):
            raise ValueError("the axes of a plane are perpendicular unit vectors")

    @property
    def normal(self) -> np.ndarray:
        """Unit normal, shape (3,); towards the patient's right where the axes are anterior and cranial."""
        return np.cross(*self.axes)

    def to_ras(self, points: np.ndarray) -> np.ndarray:
        """Map points in the plane, shape (..., 2), mm, to RAS mm, shape (..., 3)."""
        return np.asarray(points) @ np.array(self.axes) + self.origin

    def from_ras(self, ras: np.ndarray) -> np.ndarray:
        """Map RAS mm to (first axis, second axis, distance along the normal), shape (..., 3), mm."""
        return (np.asarray(ras) - self.origin) @ np.array([*self.axes, self.normal]).T

    def shifted(self, distance_mm: float) -> "Plane":
        """Return the parallel plane `distance_mm` along the normal."""
        return Plane(tuple(np.array(self.origin) + distance_mm * self.normal), self.axes)


def floats(values: object, shape: tuple[int | None, ...]) -> tuple:
    """Return numbers as nested tuples; a ValueError where they have another shape (None: any) or are not finite."""
    array = np.array(values, dtype=float)
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape)):
        raise ValueError(f"numbers of shape {array.shape} where {shape} is needed")
    if not np.all(np.isfinite(array)):
        raise ValueError("a coordinate is not finite")
    return _as_tuple(array.tolist())


def _as_tuple(values: object) -> object:
    return tuple(_as_tuple(v) for v in values) if isinstance(values, list) else values
