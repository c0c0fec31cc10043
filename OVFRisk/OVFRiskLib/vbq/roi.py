"""A region of interest as plain data in patient space, so that one region serves every sequence and can be edited."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Self, TypeVar

import numpy as np

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..errors import UserError
from ..image import Grid, Mask
from .plane import Plane, floats

_T = TypeVar("_T")


@dataclass(frozen=True)
class Roi:
    """A polygon on a plane, with a thickness: the part of the patient that a signal is measured in.

    Parameters
    ----------
    region : Region
        What it shows, e.g. the body of L1 or the CSF at L3.
    plane : Plane
    outline : tuple of tuples of float, shape (n, 2)
        Corners of the closed polygon in the plane, mm; the last joins the first.
    half_thickness_mm : float
        The region reaches this far to both sides of the plane.
    note : str
        What a reader has to know about it; empty where there is nothing to say.

    Raises
    ------
    ValueError
        When the outline has no area, or a number is not finite or not positive where it must be.
    """

    region: Region
    plane: Plane
    outline: tuple[tuple[float, float], ...]
    half_thickness_mm: float
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "outline", floats(self.outline, (None, 2)))
        object.__setattr__(self, "half_thickness_mm", float(self.half_thickness_mm))
        if not (np.isfinite(self.half_thickness_mm) and self.half_thickness_mm > 0):
            raise ValueError("the half thickness of a region is positive")
        if self.area_mm2 <= 0:
            raise ValueError("the outline of a region encloses an area")

    @property
    def area_mm2(self) -> float:
        """Area of the polygon, mm²."""
        u, v = np.array(self.outline).T
        return float(abs(np.sum(u * np.roll(v, -1) - np.roll(u, -1) * v)) / 2)

    @property
    def inscribed_radius_mm(self) -> float:
        """Distance from the corners' mean to the nearest edge, mm: a circle's radius, half an ellipse's width."""
        start = np.array(self.outline)
        edge = np.roll(start, -1, axis=0) - start
        centre = start.mean(axis=0)
        length2 = np.maximum((edge**2).sum(axis=1), 1e-12)
        along = np.clip(((centre - start) * edge).sum(axis=1) / length2, 0, 1)
        return float(np.linalg.norm(start + along[:, None] * edge - centre, axis=1).min())

    @cached_property
    def hash(self) -> str:
        """SHA-256 (first 16 digits) of what it covers, to 1 µm; the note does not count."""
        place = [np.round(np.array(values), 3).tolist() for values in (self.plane.origin, self.outline)]
        axes = np.round(np.array(self.plane.axes), 6).tolist()
        text = json.dumps([str(self.region), place, axes, round(self.half_thickness_mm, 3)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def mask_on(self, grid: Grid) -> Mask:
        """Return the voxels whose centre lies in the polygon and within the half thickness of the plane.

        Where the voxels are thicker than the region, the slice nearest to the plane is taken instead, so that a region
        on thick slices is never empty. Outside the image there are no voxels: the mask may be partial or empty.
        """
        array = np.zeros(grid.array.shape, dtype=bool)
        box = self.box_on(grid)
        if box:
            array[box] = self.covers(grid, box)
        return Mask(array, grid.ijk_to_ras)

    def values_in(self, volume: Grid) -> np.ndarray:
        """Return the values of the voxels that `mask_on` gives, shape (n,), without a mask of the whole image."""
        box = self.box_on(volume)
        return volume.array[box][self.covers(volume, box)] if box else volume.array[:0].ravel()

    def covers(self, grid: Grid, box: tuple[slice, slice, slice]) -> np.ndarray:
        """Return which voxels of `box` (slices along k, j, i) it holds, in the shape of the box."""
        reach = self._reach(grid)
        kji = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), axis=-1)
        places = self.plane.from_ras(grid.to_ras(kji[..., ::-1]))
        distance = np.round(places[..., 2], 6)
        near = (distance > -reach) & (distance <= reach)  # half open: of two equally near slices one
        return near & _inside(places[..., :2], np.array(self.outline))

    def is_within(self, grid: Grid) -> bool:
        """Whether the whole outline lies in the image, half a voxel beyond the outer voxels' centres included."""
        ijk = grid.to_ijk(self.plane.to_ras(self.outline))
        size = np.array(grid.array.shape[::-1])
        return bool(np.all(ijk >= -0.5) and np.all(ijk <= size - 0.5))

    def box_on(self, grid: Grid) -> tuple[slice, slice, slice] | None:
        """Return the slices along k, j, i that hold the region, or None outside the image."""
        reach = self._reach(grid)
        low, high = np.min(self.outline, axis=0), np.max(self.outline, axis=0)
        corners = self.plane.to_ras(list(product(*zip(low, high))))
        both_sides = np.concatenate([corners + side * reach * self.plane.normal for side in (-1, 1)])
        ijk = grid.to_ijk(both_sides)
        start = np.maximum(np.floor(ijk.min(axis=0)).astype(int), 0)
        stop = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 1, grid.array.shape[::-1])
        if np.any(start >= stop):
            return None
        return tuple(slice(int(a), int(b)) for a, b in zip(start[::-1], stop[::-1]))

    def to_dict(self) -> dict:
        """Return plain data for JSON."""
        return {
            "region": str(self.region),
            "origin": list(self.plane.origin),
            "axes": [list(axis) for axis in self.plane.axes],
            "outline": [list(corner) for corner in self.outline],
            "half_thickness_mm": self.half_thickness_mm,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Self:
        """Return the region that `to_dict` described.

        Raises
        ------
        UserError
            When something is missing or impossible.
        """
        return checked(
            data,
            lambda d: cls(
                parse_region(d["region"]),
                Plane(d["origin"], d["axes"]),
                d["outline"],
                d["half_thickness_mm"],
                d["note"],
            ),
        )

    def _reach(self, grid: Grid) -> float:
        """Half the thickness that is measured, mm: the region's own, at least half a voxel."""
        voxel = np.abs(self.plane.normal @ grid.ijk_to_ras[:3, :3]).sum()
        return round(max(self.half_thickness_mm, voxel / 2), 6)


def _inside(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Whether each point, shape (..., 2), lies in the polygon: a ray to one side crosses an odd number of edges."""
    u, v = points[..., 0], points[..., 1]
    inside = np.zeros(u.shape, dtype=bool)
    for (u0, v0), (u1, v1) in zip(corners, np.roll(corners, -1, axis=0)):
        if v0 != v1:
            spans = (v0 > v) != (v1 > v)
            inside ^= spans & (u < (u1 - u0) * (v - v0) / (v1 - v0) + u0)
    return inside


def parse_region(text: str) -> Region:
    """Return the region that ``str(region)`` wrote; a ValueError where it is none."""
    level, _, part = text.rpartition(" ")
    kinds = Compartment if part in set(Compartment) else Structure
    return Region(kinds(part), VertebralLevel(level) if level else None)


def checked(data: Mapping, make: Callable[[Mapping], _T]) -> _T:
    """Return what `make` makes of `data`; what is missing or impossible becomes a UserError."""
    try:
        return make(data)
    except KeyError as error:
        raise UserError(f"A region file lacks the entry {error}.", "Save the regions again.") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"A region file is not valid: {error}.", "Save the regions again, or correct the file."
        ) from None
