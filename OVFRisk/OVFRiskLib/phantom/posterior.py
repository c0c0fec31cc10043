"""Pedicles, laminae and processes: unions of tapered rods in the vertebra's frame."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..anatomy import VertebralLevel
from .dimensions import LEVELS, LIKE
from .spine import CANAL_DEPTH_MM, Vertebra

_BLEND_MM = 2.5  # how softly rods merge
_FAR_MM = 9.0


@dataclass(frozen=True)
class Rod:
    """A tapered rod with round ends, flattened or heightened along the axes.

    Parameters
    ----------
    start, end : (x, y, z)
        mm, in some frame.
    radii : (float, float)
        At start and end, mm.
    stretch : (float, float, float)
        Factors on the cross-section along x, y, z.
    """

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radii: tuple[float, float]
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def mirrored(self) -> "Rod":
        """Return the rod of the other side."""
        flip = np.array([-1.0, 1.0, 1.0])
        return replace(self, start=tuple(flip * self.start), end=tuple(flip * self.end))

    def bounds(self, margin: float) -> tuple[np.ndarray, np.ndarray]:
        """Return two corners of the box that holds the rod."""
        ends = np.array([self.start, self.end])
        reach = max(self.radii) * np.array(self.stretch) + margin
        return ends.min(axis=0) - reach, ends.max(axis=0) + reach

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Return the signed distance of points, shape (3, ...), mm, negative inside (rough if stretched)."""
        stretch = np.array(self.stretch, dtype=np.float32)
        start, end = np.array([self.start, self.end], dtype=np.float32) / stretch
        along = end - start
        p = [points[n] / stretch[n] - start[n] for n in range(3)]
        t = np.clip(sum(along[n] * p[n] for n in range(3)) / np.float32(along @ along), 0, 1)
        squared = sum((p[n] - t * along[n]) ** 2 for n in range(3))
        radius = np.float32(self.radii[0]) + t * np.float32(self.radii[1] - self.radii[0])
        # In the squeezed space distances are shorter across the stretched axes; the mean factor keeps cortices even.
        return (np.sqrt(squared) - radius) * np.float32(stretch.mean())


def posterior_rods(vertebra: Vertebra) -> list[Rod]:
    """Return the rods of one level's posterior elements, in its frame, mm."""
    lumbar = vertebra.level.rank >= VertebralLevel.L1.rank
    one_side = list(_lumbar_side(vertebra) if lumbar else _thoracic_side(vertebra))
    return [*one_side, *(rod.mirrored() for rod in one_side), _spinous(vertebra)]


def canal_distance(vertebra: Vertebra, points: np.ndarray) -> np.ndarray:
    """Return the signed distance to the vertebral foramen (of endless height), in the vertebra's frame, mm."""
    wide, deep = 11.6 * vertebra.scale, CANAL_DEPTH_MM / 2 * vertebra.scale
    centre = -vertebra.form.depth / 2 - deep - 0.3
    return (np.hypot(points[0] / wide, (points[1] - centre) / deep) - 1) * deep


def measures(vertebra: Vertebra) -> tuple[float, float, float, float]:
    """Return scale, y of the posterior wall, half the height behind before a fracture, and how low it lies (0-1)."""
    low = LEVELS.index(LIKE.get(vertebra.level, vertebra.level)) / (len(LEVELS) - 2)
    return vertebra.scale, -vertebra.form.depth / 2, vertebra.healthy.posterior / 2, low


def _lumbar_side(vertebra: Vertebra) -> Iterator[Rod]:
    s, wall, half, low = measures(vertebra)
    apart = (10.5 + 5.5 * low) * s  # pedicles and facets stand wider apart towards the sacrum
    pedicle = (3.1 + 2.0 * low) * s
    top = 0.28 * half
    yield Rod((apart, wall + 3, top), (apart + 1 * s, wall - 12 * s, top), (pedicle, pedicle), (1, 1, 1.55))
    yield Rod((apart + 1.5 * s, wall - 12 * s, top), (apart + 4 * s, wall - 16 * s, half + 6 * s), (4.8 * s, 3.4 * s))
    yield Rod((apart + 1 * s, wall - 13 * s, top), (apart - 0.5 * s, wall - 20 * s, -0.5 * half), (4.6 * s, 4.4 * s))
    yield Rod(
        (apart - 0.5 * s, wall - 20 * s, -0.5 * half), (apart - 1 * s, wall - 23 * s, -half - 8 * s), (4.4 * s, 3.4 * s)
    )
    yield Rod(
        (apart - 1 * s, wall - 18.5 * s, -0.3 * half),
        (2 * s, wall - 23 * s, -0.5 * half),
        (2.9 * s, 3 * s),
        (1, 1, 2.7),
    )
    reach = (19 + 8 * np.sin(np.pi * min(max(low, 0.3), 0.9))) * s
    yield Rod(
        (apart + 2 * s, wall - 11 * s, top),
        (apart + reach, wall - 18 * s, top + 3 * s),
        (3.6 * s, 2.6 * s),
        (1, 0.9, 1.5),
    )


def _thoracic_side(vertebra: Vertebra) -> Iterator[Rod]:
    s, wall, half, _ = measures(vertebra)
    apart, top = 11.0 * s, 0.35 * half
    yield Rod((apart - 1, wall + 3, top), (apart, wall - 11 * s, top), (3.2 * s, 3.2 * s), (1, 1, 1.7))
    yield Rod((apart, wall - 12 * s, top), (apart + 1 * s, wall - 15 * s, half + 5 * s), (4.2 * s, 3.2 * s))
    yield Rod((apart, wall - 13 * s, top), (apart - 2.5 * s, wall - 19 * s, -half - 5 * s), (4.2 * s, 3.2 * s))
    yield Rod(
        (apart - 1 * s, wall - 17 * s, -0.2 * half),
        (2 * s, wall - 22.5 * s, -0.45 * half),
        (2.8 * s, 3 * s),
        (1, 1, 2.9),
    )
    yield Rod((apart + 1 * s, wall - 11 * s, top), (apart + 13 * s, wall - 24 * s, top + 2 * s), (4.2 * s, 3.4 * s))


def _spinous(vertebra: Vertebra) -> Rod:
    s, wall, half, _ = measures(vertebra)
    lumbar = vertebra.level.rank >= VertebralLevel.L1.rank
    last = vertebra.level in (VertebralLevel.L5, VertebralLevel.L6)
    start = (0.0, wall - 23.5 * s, -0.45 * half)
    if not lumbar:
        return Rod(start, (0.0, wall - 48 * s, -1.75 * half), (2.9 * s, 2.8 * s), (1, 1, 2.2))
    end = (0.0, wall - (44 if last else 52) * s, -0.95 * half)
    return Rod(start, end, (3.2 * s, 3.4 * s), (1, 1, 2.1 if last else 2.7))


def merged(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the distance to the union of two shapes, softly blended where both are near."""
    near = np.clip(_BLEND_MM - np.abs(a - b), 0, None)
    return np.minimum(a, b) - near**2 / np.float32(4 * _BLEND_MM)


def far(shape: tuple[int, ...]) -> np.ndarray:
    """Return a distance array that is outside everywhere."""
    return np.full(shape, _FAR_MM, dtype=np.float32)
