"""Images, masks and label maps with their place in the patient.

Arrays are indexed (k, j, i); `ijk_to_ras` maps (i, j, k, 1) to RAS world coordinates in mm, as in Slicer.
What is invalid cannot be made; what was made does not change.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import permutations
from types import MappingProxyType
from typing import Self

import numpy as np

from .anatomy import RIBS, Compartment, Label, Region, Structure, VertebralLevel


class Modality(StrEnum):
    """What an image shows; CT in HU, MR by its weighting."""

    CT = "CT"
    T1 = "T1"
    T2 = "T2"
    STIR = "STIR"
    OTHER = "OTHER"


@dataclass(frozen=True, eq=False)
class Grid:
    """A 3-D array in patient space.

    Parameters
    ----------
    array : ndarray, shape (nk, nj, ni)
        Made read-only.
    ijk_to_ras : ndarray, shape (4, 4)
        Voxel centre (i, j, k, 1) to RAS, mm.

    Raises
    ------
    ValueError
        When the array is not 3-D or empty, or the matrix is not an invertible affine one.
    """

    array: np.ndarray
    ijk_to_ras: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", _frozen(np.asarray(self.array)))
        object.__setattr__(self, "ijk_to_ras", _frozen(np.array(self.ijk_to_ras, dtype=float)))
        if self.array.ndim != 3 or 0 in self.array.shape:
            raise ValueError(f"an image has three dimensions and at least one voxel, not shape {self.array.shape}")
        matrix = self.ijk_to_ras
        if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)) or not np.array_equal(matrix[3], (0, 0, 0, 1)):
            raise ValueError("ijk_to_ras must be a finite affine 4 x 4 matrix")
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
            raise ValueError("ijk_to_ras has no inverse")

    @property
    def spacing(self) -> np.ndarray:
        """Voxel size along i, j, k in mm, shape (3,)."""
        return np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mm³."""
        return float(abs(np.linalg.det(self.ijk_to_ras[:3, :3])))

    @property
    def orientation(self) -> str:
        """Anatomical directions towards which i, j, k grow, e.g. ``LPS``."""
        codes = (("L", "R"), ("P", "A"), ("I", "S"))
        return "".join(codes[axis][int(column[axis] > 0)] for axis, column in zip(self._axes, self._directions.T))

    @property
    def _directions(self) -> np.ndarray:
        return self.ijk_to_ras[:3, :3] / self.spacing

    @property
    def _axes(self) -> tuple[int, ...]:
        """The RAS axis (0, 1, 2) that each of i, j, k is closest to, every one once."""
        cosines = np.abs(self._directions)
        return max(permutations(range(3)), key=lambda axes: sum(cosines[a, n] for n, a in enumerate(axes)))

    def to_ras(self, ijk: np.ndarray) -> np.ndarray:
        """Map voxel coordinates (i, j, k), shape (..., 3), to RAS mm."""
        return np.asarray(ijk) @ self.ijk_to_ras[:3, :3].T + self.ijk_to_ras[:3, 3]

    def to_ijk(self, ras: np.ndarray) -> np.ndarray:
        """Map RAS mm, shape (..., 3), to continuous voxel coordinates (i, j, k)."""
        inverse = np.linalg.inv(self.ijk_to_ras)
        return np.asarray(ras) @ inverse[:3, :3].T + inverse[:3, 3]

    def same_grid(self, other: "Grid", tolerance_mm: float = 1e-3) -> bool:
        """Whether both have one shape and all corners within `tolerance_mm` of each other."""
        if self.array.shape != other.array.shape:
            return False
        return bool(np.max(np.abs(self._corners() - other._corners())) <= tolerance_mm)

    def _corners(self) -> np.ndarray:
        """RAS of the centres of the eight corner voxels, shape (8, 3)."""
        nk, nj, ni = self.array.shape
        return self.to_ras([[i, j, k] for i in (0, ni - 1) for j in (0, nj - 1) for k in (0, nk - 1)])

    @cached_property
    def hash(self) -> str:
        """SHA-256 (first 16 digits) of values and geometry."""
        digest = hashlib.sha256(f"{self.array.dtype.str}{self.array.shape}".encode())
        digest.update(np.round(self.ijk_to_ras, 6).tobytes())
        digest.update(np.ascontiguousarray(self.array).data)
        return digest.hexdigest()[:16]

    def cropped(self, box: tuple[slice, slice, slice]) -> Self:
        """Return the part inside `box` (slices along k, j, i with explicit starts)."""
        start = np.array([s.start for s in box][::-1], dtype=float)
        return self._with(self.array[box], _moved(self.ijk_to_ras, start))

    def reoriented(self, orientation: str = "RAS") -> Self:
        """Return the same voxels with i, j, k growing nearest towards `orientation`; nothing is resampled."""
        wanted = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
        columns, order, array = [], [], self.array
        origin = self.ijk_to_ras[:3, 3].copy()
        for axis, sign in (wanted[letter] for letter in orientation):
            n = self._axes.index(axis)
            column = self.ijk_to_ras[:3, n]
            if np.sign(column[axis]) != sign:
                origin += column * (array.shape[2 - n] - 1)
                array = np.flip(array, 2 - n)
                column = -column
            columns.append(column)
            order.append(2 - n)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = np.array(columns).T, origin
        return self._with(np.ascontiguousarray(array.transpose(order[::-1])), matrix)

    def _with(self, array: np.ndarray, ijk_to_ras: np.ndarray) -> Self:
        return replace(self, array=array, ijk_to_ras=ijk_to_ras)


@dataclass(frozen=True, eq=False)
class Volume(Grid):
    """A CT (HU) or MR image.

    Parameters
    ----------
    modality : Modality
    name : str
        What to call it in messages; never a patient's name.
    corrections : tuple of str
        What reading changed (gantry tilt, …), in words for the report.
    acquisition : mapping of str to str
        DICOM keywords that travel with measurements (MagneticFieldStrength, KVP, …); no patient data.
    """

    modality: Modality = Modality.OTHER
    name: str = ""
    corrections: tuple[str, ...] = ()
    acquisition: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.array.dtype.kind not in "iuf":
            raise ValueError(f"an image holds real numbers, not {self.array.dtype}")


@dataclass(frozen=True, eq=False)
class Mask(Grid):
    """One region: True inside."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.array.dtype != bool:
            raise ValueError(f"a mask is boolean, not {self.array.dtype}")

    @property
    def volume_mm3(self) -> float:
        """Number of voxels times their volume, mm³."""
        return float(np.count_nonzero(self.array) * self.voxel_volume)

    def box(self, margin: int = 0) -> tuple[slice, slice, slice]:
        """Return the bounding box along k, j, i, grown by `margin` voxels within the image.

        Raises
        ------
        ValueError
            When the mask is empty.
        """
        return bounding_box(self.array, margin)


@dataclass(frozen=True, eq=False)
class LabelMap(Grid):
    """Regions that do not overlap, each with its meaning.

    Parameters
    ----------
    labels : mapping of int to Region or Label
        Only values that occur; zero is background. Two values never mean the same region.
    name : str
        What to call it in messages; never a patient's name.
    corrections : tuple of str
        What reading changed or left out, in words for the report.
    """

    labels: Mapping[int, Region | Label] = field(default_factory=dict)
    name: str = ""
    corrections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.array.dtype.kind not in "iu":
            raise ValueError(f"a label map holds integers, not {self.array.dtype}")
        if 0 in self.labels:
            raise ValueError("label 0 is background")
        if len(set(self.labels.values())) != len(self.labels):
            raise ValueError("two labels mean the same region")
        present = present_values(self.array)
        labels = {v: r for v, r in sorted(self.labels.items(), key=lambda item: item[1].sort_key) if v in present}
        object.__setattr__(self, "labels", MappingProxyType(labels))

    @property
    def regions(self) -> tuple[Region | Label, ...]:
        """The regions present, from head to foot."""
        return tuple(self.labels.values())

    def levels(self, part: Compartment | Structure | None = None) -> tuple[VertebralLevel, ...]:
        """The levels present (with the given part), from head to foot; a rib alone is no level."""
        found = {r.level for r in self.regions if r.level and (r.part == part if part else r.part not in RIBS)}
        return tuple(sorted(found, key=lambda level: level.rank))

    def mask(self, *regions: Region | Label) -> Mask:
        """Return the union of `regions`; empty where none is present."""
        found = np.zeros(self.array.shape, dtype=bool)
        for value, region in self.labels.items():  # comparing beats np.isin by far
            if region in regions:
                found |= self.array == value
        return Mask(found, self.ijk_to_ras)

    def restricted(self, regions: Iterable[Region | Label]) -> "LabelMap":
        """Return the map with all but `regions` made background."""
        keep = set(regions)
        labels = {value: region for value, region in self.labels.items() if region in keep}
        array = np.where(np.isin(self.array, list(labels)), self.array, self.array.dtype.type(0))
        return replace(self, array=array, labels=labels)


def bounding_box(array: np.ndarray, margin: int = 0) -> tuple[slice, slice, slice]:
    """Return the slices along k, j, i that hold all non-zero voxels of `array`, grown by `margin` within it."""
    planes = array.any(axis=(1, 2))
    if not planes.any():
        raise ValueError("an empty mask has no bounding box")
    first = _span(planes, margin)
    outline = array[_span(planes)].any(axis=0)  # the rest of the array has nothing to say
    return first, _span(outline.any(axis=1), margin), _span(outline.any(axis=0), margin)


def _span(hits: np.ndarray, margin: int = 0) -> slice:
    places = np.flatnonzero(hits)
    return slice(max(int(places[0]) - margin, 0), min(int(places[-1]) + 1 + margin, hits.size))


def present_values(array: np.ndarray) -> set[int]:
    """Return the values that occur in an integer array."""
    low, high = int(array.min()), int(array.max())
    if 0 <= low and high < 65536:  # counting beats np.unique's sort by far
        return set(np.flatnonzero(np.bincount(array.ravel())).tolist())
    return set(np.unique(array).tolist())


def _frozen(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _moved(ijk_to_ras: np.ndarray, start_ijk: np.ndarray) -> np.ndarray:
    moved = ijk_to_ras.copy()
    moved[:3, 3] += ijk_to_ras[:3, :3] @ start_ijk
    return moved
