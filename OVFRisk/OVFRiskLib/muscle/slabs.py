"""The slabs of the body that muscles are measured in.

A level's slab lies between two parallel planes perpendicular to the level's own axis (the mean normal of its end
plates), through the upper and the lower end plate: halfway between where each meets the anterior and the posterior wall
on the mid-sagittal plane. It goes from end plate to end plate, not from mid-disc to mid-disc: the end plates are what a
label map of vertebrae shows, while a mid-disc moves with a fracture or a missing label of the neighbour. Behind a
lordotic spine the slabs of neighbours overlap a little, so volumes of levels do not add up to that of L1-L5.

The slab of L1-L5 lies below L1's upper and above L5's lower plane, with the discs between.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy import VertebralLevel
from ..body_shape import BodyShape, robust_fit
from ..level_frame import LevelFrame
from .settings import LUMBAR

_RIM = 0.03  # share of the depth left out at both ends: rounded corners and osteophytes
_FEWEST_COLUMNS = 8


@dataclass(frozen=True)
class Plane:
    """A plane across the spine.

    Parameters
    ----------
    point : ndarray, shape (3,)
        RAS mm.
    normal : ndarray, shape (3,)
        Unit vector towards the head, RAS.
    """

    point: np.ndarray
    normal: np.ndarray

    def height(self, ras: np.ndarray) -> np.ndarray:
        """Return how far points, shape (..., 3), lie above the plane, mm."""
        height = ras @ self.normal.astype(ras.dtype)
        height -= ras.dtype.type(self.point @ self.normal)
        return height

    def thickness(self, ijk_to_ras: np.ndarray) -> float:
        """Return how far the voxels of a grid extend across the plane, mm."""
        return float(np.abs(self.normal @ ijk_to_ras[:3, :3]).sum())


@dataclass(frozen=True)
class Slab:
    """What lies between two planes.

    Parameters
    ----------
    upper, lower : Plane
    frames : tuple of LevelFrame
        Of the levels in the slab, from head to foot.
    half_widths : tuple of float
        Of their bodies, mm.
    """

    upper: Plane
    lower: Plane
    frames: tuple[LevelFrame, ...]
    half_widths: tuple[float, ...]

    def share(self, ras: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
        """Return which share of each voxel lies in the slab, 0 to 1.

        Parameters
        ----------
        ras : ndarray, shape (n, 3)
            The voxels' centres, mm.
        ijk_to_ras : ndarray, shape (4, 4)
            Their grid.
        """
        above = self.lower.height(ras)
        if np.array_equal(self.lower.normal, self.upper.normal):
            below = float(self.upper.height(self.lower.point)) + above
        else:
            below = self.upper.height(ras)
        above /= self.lower.thickness(ijk_to_ras)
        below /= -self.upper.thickness(ijk_to_ras)
        return np.clip(0.5 + above, 0, 1) * np.clip(0.5 + below, 0, 1)

    def place(self, ras: np.ndarray) -> np.ndarray:
        """Return where points, shape (n, 3), lie between the planes: 0 at the lower, 1 at the upper one."""
        above = self.lower.height(ras)
        return above / np.maximum(above - self.upper.height(ras), 1e-3)

    def beside(self, ras: np.ndarray) -> np.ndarray:
        """Return points, shape (n, 3), in the frame of the level next to each, shape (n, 3), mm."""
        return self._beside(ras)[0]

    def beyond_body(self, ras: np.ndarray) -> np.ndarray:
        """Return how far points, shape (n, 3), lie beside the side wall of the body next to them, shape (n,), mm."""
        local, nearest = self._beside(ras)
        return np.abs(local[:, 0]) - np.array(self.half_widths)[nearest]

    def _beside(self, ras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heights = [np.abs(Plane(frame.origin, frame.axes[2]).height(ras)) for frame in self.frames]
        nearest = np.argmin(heights, axis=0)
        local = np.empty_like(ras)
        for n, frame in enumerate(self.frames):
            here = nearest == n
            local[here] = frame.from_ras(ras[here])
        return local, nearest

    def length(self, ras: np.ndarray) -> float:
        """Return how long the slab is along the spine's axis, beside the spine at the point `ras`, mm.

        The spine's course is moved sideways to the point: behind a lordosis it is shorter than in the bodies' middle.
        """
        if len(self.frames) == 1:
            return -float(self.upper.height(self.lower.point))
        beside = self.beside(ras[None])[0] * (1, 1, 0)
        course = [frame.to_ras(beside) for frame in self.frames]
        first, last = self.frames[0].axes[2], self.frames[-1].axes[2]
        course[:0] = [course[0] - self.upper.height(course[0]) * first]
        course.append(course[-1] - self.lower.height(course[-1]) * last)
        return float(np.linalg.norm(np.diff(course, axis=0), axis=1).sum())


def level_slab(shape: BodyShape | str) -> Slab:
    """Return the slab of one level.

    Raises
    ------
    ValueError
        When the body has no shape or its end plates are not seen well enough.
    """
    if isinstance(shape, str):
        raise ValueError(shape)
    upper, lower = (_plane(shape, profile) for profile in shape.band())
    return Slab(upper, lower, (shape.frame,), (_half_width(shape),))


def lumbar_slab(shapes: Mapping[VertebralLevel, BodyShape | str], usable: Collection[VertebralLevel]) -> Slab:
    """Return the slab from L1's upper to L5's lower end plate.

    Parameters
    ----------
    shapes : mapping
        From `body_shapes`.
    usable : collection of VertebralLevel
        Levels that may be measured; those between the ends serve where they are usable.

    Raises
    ------
    ValueError
        When L1 or L5 is missing or cannot be measured.
    """
    for end in (LUMBAR[0], LUMBAR[-1]):
        if end not in shapes:
            raise ValueError(f"{end}, an end of the slab, is not in the label map")
        if end not in usable:
            raise ValueError(f"{end}, an end of the slab, could not be measured")
    slabs = [level_slab(shapes[level]) for level in LUMBAR if level in usable and level in shapes]
    return Slab(
        slabs[0].upper, slabs[-1].lower, tuple(s.frames[0] for s in slabs), tuple(s.half_widths[0] for s in slabs)
    )


def _plane(shape: BodyShape, profile: np.ndarray) -> Plane:
    """Return the plane at the mean of an end plate's two ends on the mid-sagittal band."""
    u = (shape.anterior - shape.y) / (shape.anterior - shape.posterior)  # 0 at the anterior wall, 1 at the posterior
    seen = np.isfinite(profile) & (u >= _RIM) & (u <= 1 - _RIM)
    if np.count_nonzero(seen) < _FEWEST_COLUMNS:
        raise ValueError("an end plate is seen on too few columns")
    fit = robust_fit(u[seen], profile[seen], degree=2, tolerance=shape.resolution)
    height = float(np.polyval(fit, [0.0, 1.0]).mean())
    return Plane(shape.frame.to_ras([0, 0, height]), shape.frame.axes[2])


def _half_width(shape: BodyShape) -> float:
    columns = np.flatnonzero(np.isfinite(shape.top).any(axis=1))
    return float(shape.x[columns[-1]] - shape.x[columns[0]]) / 2
