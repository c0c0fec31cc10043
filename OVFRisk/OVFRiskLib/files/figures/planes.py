"""Pictures through an image: flat, or curved along the spine so that every vertebral body is cut through its middle."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ...anatomy import Compartment, Region, VertebralLevel
from ...image import Grid, LabelMap

_BODY = (Compartment.BODY, Compartment.CORTICAL, Compartment.CANCELLOUS)


@dataclass(frozen=True)
class Surface:
    """Where a picture is sampled.

    Parameters
    ----------
    points : ndarray, shape (rows, columns, 3)
        RAS mm; the first row is the lowest.
    x, y : ndarray
        Position of columns and rows on the picture, mm.
    """

    points: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top, mm."""
        return float(self.x[0]), float(self.x[-1]), float(self.y[0]), float(self.y[-1])

    def sample(self, grid: Grid, array: np.ndarray | None = None, order: int = 1) -> np.ndarray:
        """Interpolate linearly (or take the nearest voxel, order 0); NaN outside of the image.

        `array` stands in for the grid's own values.
        """
        ijk = grid.to_ijk(self.points)
        values = grid.array if array is None else array
        return ndimage.map_coordinates(
            values, np.moveaxis(ijk[..., ::-1], -1, 0), output=np.float32, order=order, mode="constant", cval=np.nan
        )

    def near(self, grid: Grid) -> "Surface | None":
        """Return the part of the picture that lies within a (small) grid; None where they do not meet."""
        ijk = grid.to_ijk(self.points)
        size = np.array(grid.array.shape[::-1])
        inside = np.all((ijk > -1) & (ijk < size), axis=-1)
        if not inside.any():
            return None
        y, x = (_whole_span(inside.any(axis=axis)) for axis in (1, 0))
        return Surface(self.points[y, x], self.x[x], self.y[y])


def body_centres(labels: LabelMap) -> dict[VertebralLevel, np.ndarray]:
    """Return the centre of each vertebral body (of the whole label where there is no body), RAS mm."""
    return {level: _centre(part, level) for level, part in level_crops(labels).items()}


def level_crops(labels: LabelMap) -> dict[VertebralLevel, LabelMap]:
    """Return each vertebra cut out of the label map with a voxel's margin, from head to foot."""
    found = ndimage.find_objects(labels.array)
    boxes: dict[VertebralLevel, list] = {}
    for value, region in labels.labels.items():
        if isinstance(region.part, Compartment):
            boxes.setdefault(region.level, []).append(found[value - 1])
    return {level: labels.cropped(_around(boxes[level])) for level in sorted(boxes, key=lambda level: level.rank)}


def _around(boxes: list[tuple[slice, ...]]) -> tuple[slice, ...]:
    spans = zip(*boxes)
    return tuple(
        slice(max(min(s.start for s in span) - 1, 0), max(s.stop for s in span) + 1) for span in map(list, spans)
    )


def sagittal(centres: Mapping[VertebralLevel, np.ndarray], low: np.ndarray, high: np.ndarray, step: float) -> Surface:
    """Return the sagittal surface through all `centres`; anterior is left. `low` and `high` are RAS limits, mm."""
    forward, up = np.arange(high[1], low[1], -step), np.arange(low[2], high[2], step)
    a, s = np.meshgrid(forward, up)
    return Surface(np.stack([_along(centres, 0, s), a, s], axis=-1), -forward, up)


def coronal(centres: Mapping[VertebralLevel, np.ndarray], low: np.ndarray, high: np.ndarray, step: float) -> Surface:
    """Return the coronal surface through all `centres`; the patient's right is left. Limits are RAS, mm."""
    right, up = np.arange(high[0], low[0], -step), np.arange(low[2], high[2], step)
    r, s = np.meshgrid(right, up)
    return Surface(np.stack([r, _along(centres, 1, s), s], axis=-1), -right, up)


def axial(centre: np.ndarray, up: np.ndarray, half_mm: float, step: float) -> Surface:
    """Return the square plane through `centre`, perpendicular to `up` (RAS); anterior is up, right is left."""
    right = np.array([1.0, 0, 0]) - up[0] * up
    right /= np.linalg.norm(right)
    forward = np.cross(up, right)
    positions = np.arange(-half_mm, half_mm + step / 2, step)
    x, y = np.meshgrid(positions, positions)
    # a little behind the body's middle: the arch belongs to the picture
    points = centre - x[..., None] * right + (y - half_mm / 4)[..., None] * forward
    return Surface(points, positions, positions)


def plane(origin: np.ndarray, axes: np.ndarray, limits: tuple[float, float, float, float], step: float) -> Surface:
    """Return a sagittal plane with the given axes (anterior, cranial).

    `limits` are low and high along the first axis, then along the second, mm from `origin`.
    """
    forward, up = np.arange(limits[1], limits[0], -step), np.arange(limits[2], limits[3], step)
    u, v = np.meshgrid(forward, up)
    return Surface(np.stack([u, v], axis=-1) @ np.asarray(axes) + origin, -forward, up)


def _centre(labels: LabelMap, level: VertebralLevel) -> np.ndarray:
    body = labels.mask(*(Region(part, level) for part in _BODY))
    mask = (
        body
        if body.array.any()
        else labels.mask(Region(Compartment.WHOLE, level), Region(Compartment.POSTERIOR, level))
    )
    return mask.to_ras(np.argwhere(mask.array).mean(axis=0)[::-1])


def _whole_span(hits: np.ndarray) -> slice:
    """Return where `hits` are, with one more on either side: a picture has at least two rows and columns."""
    places = np.flatnonzero(hits)
    return slice(max(places[0] - 1, 0), places[-1] + 2)


def _along(centres: Mapping[VertebralLevel, np.ndarray], axis: int, s: np.ndarray) -> np.ndarray:
    """Return the spine's coordinate `axis` at heights `s`, mm; beyond the outermost bodies it stays."""
    ordered = np.array(sorted(centres.values(), key=lambda centre: centre[2]))
    return np.interp(s, ordered[:, 2], ordered[:, axis])
