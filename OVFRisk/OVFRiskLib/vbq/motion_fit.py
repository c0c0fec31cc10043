"""How well two sequences of different contrast fit, and the rigid motion in a plane at which they fit best.

The measure is normalised mutual information (Studholme et al., Pattern Recognition 1999;32:71-86): it asks only that
equal tissue has equal signal within each sequence. Everything is computed in one fixed order, nothing is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from ..image import Volume
from .plane import Plane

MOST_MM, MOST_DEGREES = 12.0, 6.0  # a motion beyond is not looked for
_PIXEL_MM = 0.75
_MARGIN_MM = 20.0  # beyond the window: how far its corners may move
_BINS = 32
_COARSE = (3.0, 2.0)  # distance of the places compared and standard deviation of the smoothing, mm
_FINE = (1.5, 0.8)
_SHIFTS_MM = np.arange(-MOST_MM, MOST_MM + 1, 3.0)
_TURNS = (-5.0, -2.5, 0.0, 2.5, 5.0)
_STARTS = 2  # best places of the coarse search that are followed
_SIMPLEX = 1.5  # mm or degrees
Pose = np.ndarray  # anterior mm, up mm, degrees


@dataclass(frozen=True)
class Window:
    """Where two sequences are compared.

    Parameters
    ----------
    plane : Plane
        Axes towards anterior and cranial.
    pivot : ndarray, shape (2,)
        In the plane, mm: what the rotation turns about.
    places : ndarray, shape (n, 2)
        The middles of the bodies in the plane, mm, from head to foot.
    ahead_mm, behind_mm, beyond_mm : float
        How far the window reaches in front of and behind them, and over the first and last.
    aside_mm : sequence of float
        Parallel planes that are compared, too.
    """

    plane: Plane
    pivot: np.ndarray
    places: np.ndarray
    ahead_mm: float
    behind_mm: float
    beyond_mm: float
    aside_mm: Sequence[float]

    def points(self, step: float) -> np.ndarray:
        """Return the places that are compared, shape (n, 2), mm."""
        low, high = self.bounds(0.0)
        u, v = (np.arange(a, b, step) for a, b in zip(low, high))
        grid = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
        order = np.argsort(self.places[:, 1])
        middle = np.interp(grid[:, 1], self.places[order, 1], self.places[order, 0])
        ahead = grid[:, 0] - middle
        return grid[(ahead <= self.ahead_mm) & (ahead >= -self.behind_mm)]

    def bounds(self, margin: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper corner, grown by a margin, mm."""
        low = self.places.min(axis=0) - np.array([self.behind_mm, self.beyond_mm]) - margin
        high = self.places.max(axis=0) + np.array([self.ahead_mm, self.beyond_mm]) + margin
        return low, high


def moved(points: np.ndarray, pose: Sequence[float], pivot: np.ndarray) -> np.ndarray:
    """Return where points of the plane, shape (n, 2), mm, come to lie; a positive angle turns the head forwards."""
    turn = np.radians(pose[2])
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (np.asarray(points) - pivot) @ matrix.T + pivot + np.asarray(pose[:2])


class Fit:
    """The agreement of two sequences in a window, at any pose of the second.

    Parameters
    ----------
    reference, moving : Volume
    window : Window
    step, smoothing : float
        Distance of the places compared, and standard deviation of the smoothing, mm.
    """

    def __init__(self, reference: Volume, moving: Volume, window: Window, step: float, smoothing: float) -> None:
        self._low = window.bounds(_MARGIN_MM)[0]
        self._pivot, self._points = window.pivot, window.points(step)
        fixed = _layers(reference, window, smoothing)
        self._moving = _layers(moving, window, smoothing)
        self._fixed = _binned(self._sampled(fixed, self._points))
        self._range = _range(self._sampled(self._moving, self._points))

    def __call__(self, pose: Sequence[float]) -> float:
        """Return the normalised mutual information: 1 where the sequences tell nothing about each other, at most 2."""
        values = self._sampled(self._moving, moved(self._points, pose, self._pivot))
        place = np.clip((values - self._range[0]) / (self._range[1] - self._range[0]), 0, 1) * (_BINS - 1)
        known = np.isfinite(place) & (self._fixed >= 0)
        if np.count_nonzero(known) < known.size / 2:
            return 1.0
        return _nmi(self._fixed[known], place[known])

    def _sampled(self, layers: np.ndarray, points: np.ndarray) -> np.ndarray:
        where = ((points - self._low) / _PIXEL_MM).T
        return np.concatenate([ndimage.map_coordinates(layer, where, order=1, cval=np.nan) for layer in layers])


def best_pose(reference: Volume, moving: Volume, window: Window) -> tuple[Pose, float, float]:
    """Return the pose at which the sequences fit best, the fit there, and the fit without motion."""
    coarse = Fit(reference, moving, window, *_COARSE)
    grid = [np.array([a, u, t]) for a in _SHIFTS_MM for u in _SHIFTS_MM for t in _TURNS]
    ranked = sorted(grid, key=lambda pose: -coarse(pose))[:_STARTS]
    followed = [_climbed(coarse, pose) for pose in (*ranked, np.zeros(3))]
    fine = Fit(reference, moving, window, *_FINE)
    pose = _climbed(fine, max(followed, key=coarse))
    return pose, fine(pose), fine(np.zeros(3))


def _climbed(fit: Fit, start: Pose) -> Pose:
    simplex = np.vstack([start, start + _SIMPLEX * np.eye(3)])
    options = {"initial_simplex": simplex, "xatol": 0.02, "fatol": 1e-6, "maxiter": 150}
    return optimize.minimize(lambda pose: -fit(pose), start, method="Nelder-Mead", options=options).x


def _layers(volume: Volume, window: Window, smoothing: float) -> np.ndarray:
    """Return the window's planes, resampled and smoothed, NaN outside the image; shape (planes, u, v)."""
    low, high = window.bounds(_MARGIN_MM)
    u, v = (np.arange(a, b, _PIXEL_MM) for a, b in zip(low, high))
    grid = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1)
    ras = np.stack([window.plane.shifted(distance).to_ras(grid) for distance in window.aside_mm])
    ijk = volume.to_ijk(ras)
    size = np.array(volume.array.shape[::-1])
    inside = np.all((ijk >= -0.5) & (ijk <= size - 0.5), axis=-1)
    kji = np.moveaxis(ijk[..., ::-1], -1, 0)
    values = ndimage.map_coordinates(volume.array.astype(np.float32), kji, order=1, mode="nearest")
    smooth = ndimage.gaussian_filter(values, (0, smoothing / _PIXEL_MM, smoothing / _PIXEL_MM), mode="nearest")
    return np.where(inside, smooth, np.nan)


def _range(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(known, (0.5, 99.5))
    return float(low), float(max(high, low + 1e-6))


def _binned(values: np.ndarray) -> np.ndarray:
    """Return the bin of each value; -1 where there is none."""
    low, high = _range(values)
    place = np.clip((values - low) / (high - low), 0, 1) * (_BINS - 1)
    return np.where(np.isfinite(place), np.rint(np.nan_to_num(place)), -1).astype(int)


def _nmi(fixed: np.ndarray, place: np.ndarray) -> float:
    """Return the NMI; a value between two bins counts in both, so that it changes smoothly with the pose."""
    low = np.minimum(place.astype(int), _BINS - 2)
    share = place - low
    size = _BINS * _BINS
    joint = np.bincount(fixed * _BINS + low, 1 - share, size) + np.bincount(fixed * _BINS + low + 1, share, size)
    joint = joint.reshape(_BINS, _BINS) / place.size
    together = _entropy(joint)
    return (_entropy(joint.sum(axis=0)) + _entropy(joint.sum(axis=1))) / together if together > 0 else 1.0


def _entropy(shares: np.ndarray) -> float:
    found = shares[shares > 0]
    return float(-np.sum(found * np.log(found)))
