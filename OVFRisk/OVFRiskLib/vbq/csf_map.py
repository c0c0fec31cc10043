"""How much like CSF the signal behind a lumbar body is, on the sequences of an exam together.

CSF is brighter than marrow on T2 and STIR and darker on T1; epidural fat is bright on T1 and dark on STIR: all the
sequences of an exam have to agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..image import Modality, Volume
from .plane import Plane
from .roi import Roi
from .sampling import STEP_MM, nearest
from .sections import Section

PURE = 0.6  # of the way from marrow to CSF: less is nerve roots, fat, partial volume
_FRONT_MM = 14.0  # within this distance of the posterior wall lies the front of the sac, not yet the fat behind it
_SMOOTHING_MM = 1.0


@dataclass(frozen=True)
class Wall:
    """The posterior wall of a body on its sagittal plane.

    Parameters
    ----------
    middle : ndarray, shape (2,)
        In-plane position, mm.
    up, back : ndarray, shape (2,)
        Unit directions along the wall and away from the body.
    half_height : float
        mm along the wall.
    """

    middle: np.ndarray
    up: np.ndarray
    back: np.ndarray
    half_height: float

    def to_plane(self, along: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """Map positions along and behind the wall, mm, to the plane, shape (..., 2)."""
        return self.middle + np.asarray(along)[..., None] * self.up + np.asarray(behind)[..., None] * self.back


@dataclass(frozen=True)
class CsfMap:
    """How much like CSF a plane behind a body is.

    Parameters
    ----------
    plane : Plane
    wall : Wall
    behind, along : ndarray, shapes (m,), (n,)
        Distance behind the posterior wall, and along it from its middle, mm.
    purity : ndarray, shape (m, n)
        0 is marrow or what is less like CSF than it; 1 is the CSF at the front of the sac.
    """

    plane: Plane
    wall: Wall
    behind: np.ndarray
    along: np.ndarray
    purity: np.ndarray

    @property
    def pure(self) -> np.ndarray:
        """Where there is CSF, shape (m, n)."""
        return self.purity >= PURE


def typical_marrow(volume: Volume, bodies: Iterable[Roi]) -> float:
    """Return the levels' typical signal, so that one diseased body does not matter; NaN where all lie outside."""
    signals = [body.values_in(volume) for body in bodies]
    return float(np.median([np.median(signal) for signal in signals if signal.size] or np.nan))


def map_csf(
    volumes: Mapping[Modality, Volume],
    marrow: Mapping[Modality, float],
    plane: Plane,
    wall: Wall,
    band_mm: tuple[float, float],
) -> CsfMap:
    """Map the plane behind a body.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
        T1, T2, STIR as far as there are.
    marrow : mapping of Modality to float
        Signal of marrow on each.
    plane : Plane
        Parallel to the one that `wall` lies on.
    wall : Wall
    band_mm : tuple of float
        Where behind the wall to look.
    """
    behind = np.arange(band_mm[0], band_mm[1] + STEP_MM / 2, STEP_MM)
    along = np.arange(-wall.half_height, wall.half_height + STEP_MM / 2, STEP_MM)
    places = wall.to_plane(*np.meshgrid(along, behind))  # rows go from front to back
    front = behind <= _FRONT_MM
    purities = [_purity(s, _signal(s, v, plane, places), marrow[s], front) for s, v in volumes.items()]
    return CsfMap(plane, wall, behind, along, np.min(purities, axis=0))


def posterior_wall(section: Section) -> Wall:
    """Fit a straight line to the back of a body's section.

    Rows perpendicular to the spine end at the wall; the outer ones belong to the end plates' rims and are left out. The
    fit is a robust one: osteophytes and the foramen of the basivertebral vein do not count.
    """
    forward = np.array([section.up[1], -section.up[0]])
    points = section.points
    rows = np.floor(points @ section.up / STEP_MM).astype(int)
    names, row_of = np.unique(rows, return_inverse=True)
    back = np.full(names.size, np.inf)
    np.minimum.at(back, row_of, points @ forward)
    height = (names + 0.5) * STEP_MM
    inner = np.abs(height - np.median(height)) <= 0.35 * (height[-1] - height[0])
    slope, start = _robust_line(height[inner], back[inner])
    middle = float(np.median(height[inner]))
    along = section.up + slope * forward
    along = along / np.linalg.norm(along)
    place = middle * section.up + (slope * middle + start) * forward
    return Wall(place, along, np.array([-along[1], along[0]]), float(height[-1] - height[0]) / 2)


def _robust_line(t: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return slope and start of the Theil-Sen line."""
    first, second = np.triu_indices(t.size, 1)
    slope = float(np.median((values[second] - values[first]) / (t[second] - t[first])))
    return slope, float(np.median(values - slope * t))


def _signal(sequence: Modality, volume: Volume, plane: Plane, places: np.ndarray) -> np.ndarray:
    """Return the smoothed signal at in-plane places: of three planes 1 mm apart the one least like CSF; NaN outside."""
    layers = [nearest(volume, plane.shifted(distance).to_ras(places)) for distance in (-1.0, 0.0, 1.0)]
    worst = np.max(layers, axis=0) if sequence is Modality.T1 else np.min(layers, axis=0)
    return ndimage.gaussian_filter(worst, _SMOOTHING_MM / STEP_MM)


def _purity(sequence: Modality, signal: np.ndarray, marrow: float, front: np.ndarray) -> np.ndarray:
    """Return how far the signal is on the way from marrow (0) to the CSF at the front of the sac (1)."""
    contrast = np.nan_to_num(marrow - signal if sequence is Modality.T1 else signal - marrow)
    beyond = contrast[front][contrast[front] > 0]
    if beyond.size == 0:
        return np.zeros(signal.shape)
    return np.clip(contrast / np.percentile(beyond, 90), 0, 1)
