"""The set muscles measured in slabs of the spine: volume and fat, from the shapes themselves.

Definition of the slabs (the measuring part has to use the same):

* A **level's slab** lies between two planes perpendicular to the level's own axis (z of its `LevelFrame`, the mean of
  its end plates' normals) at z = +h and z = -h, where h = (Ha + Hp) / 4: half the mean of the anterior and
  the posterior height. So the planes touch the rims of the end plates halfway between the walls; the discs belong to no
  level's slab.
* The **slab of L1 to L5** (level None) lies below the upper plane of L1 and above the lower plane of L5 (each
  perpendicular to its own level's axis), with everything between them, the discs too. Where the anatomy has no L5
  (sacralised), there is no such slab.

The planes have no lateral limit. A muscle is where its label is: bone is left out.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from ..anatomy import Structure, VertebralLevel
from .raster import Axis, Raster, covered
from .scene import Patterns, Scene, draw_scene
from .settings import MUSCLES, PhantomSettings
from .spine import Spine, Vertebra
from .tissues import MUSCLE_OF

INFILTRATED_HU = (-190.0, -30.0)
BOTH_SIDES = {
    Structure.ERECTOR_SPINAE: MUSCLES[:2],
    Structure.PSOAS: MUSCLES[2:],
}
WHOLE_SLAB = (VertebralLevel.L1, VertebralLevel.L5)
_STEP_MM = 1.25  # samples at the slab's planes count in part, so that volumes are far finer than the step
_ASIDE_MM, _BEHIND_MM, _AHEAD_MM = 80.0, 85.0, 62.0  # reach of the muscles about the bodies, for a size factor of 1
_LEAST_MM3 = 100.0  # less is the muscle's pointed end

Slab = Mapping[Structure, tuple[float, float, float]]
"""Volume (mm³), share of it infiltrated with fat (0-1), and mean attenuation (HU) of each muscle."""


def half_height(vertebra: Vertebra) -> float:
    """Return h: how far the slab's planes lie from the body's middle, mm."""
    return float(vertebra.form.half_line(np.zeros(1))[0])


def muscle_slabs(
    settings: PhantomSettings, spine: Spine, patterns: Patterns
) -> Iterator[tuple[VertebralLevel | None, Slab]]:
    """Yield what each level's slab, and last that of L1 to L5 (None), holds of each muscle.

    Muscles of which a slab holds less than 0.1 cm³ are left out of it. The attenuation is that of the drawn tissue,
    before blur and noise: the mixture of lean muscle and fat at each point.
    """
    scene = draw_scene(settings, spine, patterns, _raster(settings, spine))
    found = [(muscle, *_points(scene, settings, muscle)) for muscle in MUSCLES]
    slabs: dict[VertebralLevel | None, Slab] = {}
    width = float(np.prod(scene.raster.pitch)) ** (1 / 3)
    limits: dict[VertebralLevel | None, tuple[VertebralLevel, VertebralLevel]] = {
        level: (level, level) for level in settings.levels[1:-1]
    }
    if set(WHOLE_SLAB) <= set(settings.levels):
        limits[None] = WHOLE_SLAB
    for level, (top, bottom) in limits.items():
        sides = {}
        for muscle, points, hu in found:
            share = _within(spine[top], spine[bottom], points, width)
            sides[muscle] = (share, hu)
        slabs[level] = _summed(sides, float(np.prod(scene.raster.pitch)))
    yield from slabs.items()


def _raster(settings: PhantomSettings, spine: Spine) -> Raster:
    """A grid around the muscles beside the whole levels."""
    s = settings.size
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for level in settings.levels[1:-1]:
        vertebra, reach = spine[level], half_height(spine[level]) + 2
        corners = vertebra.corners(
            np.array([-_ASIDE_MM * s, -_BEHIND_MM * s, -reach]), np.array([_ASIDE_MM * s, _AHEAD_MM * s, reach])
        )
        low, high = np.minimum(low, corners[0]), np.maximum(high, corners[1])
    return Raster(*(Axis.spanning(a, b, _STEP_MM) for a, b in zip(low, high, strict=True)))


def _points(scene: Scene, settings: PhantomSettings, muscle: Structure) -> tuple[np.ndarray, np.ndarray]:
    """RAS of a muscle's samples, shape (3, n), mm, and their attenuation, shape (n,)."""
    tissue = MUSCLE_OF[muscle]
    for found, box, mask, fat in scene.streaks:
        if found is tissue:
            points = scene.raster.points(box)[:, mask]
            return points, settings.muscle_hu + (settings.fat_hu - settings.muscle_hu) * fat
    return np.zeros((3, 0), dtype=np.float32), np.zeros(0, dtype=np.float32)


def _within(top: Vertebra, bottom: Vertebra, points: np.ndarray, width: float) -> np.ndarray:
    """Share of each sample (0-1) that lies between the planes."""
    above = _along(top, points) - np.float32(half_height(top))
    below = -_along(bottom, points) - np.float32(half_height(bottom))
    return covered(np.maximum(above, below), (width,))


def _along(vertebra: Vertebra, points: np.ndarray) -> np.ndarray:
    """Height of points over the body's middle along its axis, mm, float32."""
    axis = vertebra.frame.axes[2]
    return axis.astype(np.float32) @ points - np.float32(axis @ vertebra.frame.origin)


def _summed(sides: Mapping[Structure, tuple[np.ndarray, np.ndarray]], sample_mm3: float) -> Slab:
    slab = {}
    for muscle, parts in {**{m: (m,) for m in MUSCLES}, **BOTH_SIDES}.items():
        share, hu = (np.concatenate([sides[part][n] for part in parts]).astype(np.float64) for n in (0, 1))
        volume = float(share.sum() * sample_mm3)
        if volume < _LEAST_MM3:
            continue
        fatty = (hu >= INFILTRATED_HU[0]) & (hu <= INFILTRATED_HU[1])
        slab[muscle] = volume, float(share[fatty].sum() / share.sum()), float((share * hu).sum() / share.sum())
    return slab
