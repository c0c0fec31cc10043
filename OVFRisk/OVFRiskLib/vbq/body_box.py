"""The rectangle that a vertebral body fills on its sagittal plane: finds the body around a click off its centre.

Marrow lies inside of all four sides and a dark rim (cortex, with ligament, or the edge of a disc) on them. Sides are
straight here; `body_outline` follows their real form.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..image import Modality
from .body_image import Window, step_to_bright

_GRID_MM = 1.0
_REACH_MM = (34.0, 30.0)  # of the search along and across, from the click
_TILT_STEP = 4.0  # degrees
_TILT_COST, _FAR_TILT = 0.2, np.radians(24.0)  # of a tilt that large
_CLIP = 1.2  # signal above this much of marrow is worth no more: fat, CSF and discs may be brighter than marrow
_CLEAR = 0.5  # drop from marrow to rim that counts as clear
_DARK = (0.6, 0.3)  # below 0.6 of marrow it is less and less marrow, from 0.3 on none
_BRIGHT = (1.7, 2.4)  # likewise above; only half as bad, since haemangiomas and oedema are bright
_STRANGE_COST = 1.5  # of an inside without any marrow, counted with either pair of sides; a clear side gains 1
_DEPTH_COST, _DEPTH_SPREAD = 0.5, 0.2
_TALL_COST, _TALL_SPREAD = 0.5, 0.15  # taller than usual
_FLAT_COST, _FLAT_SPREAD = 0.3, 0.5  # flatter than usual: fractures must stay possible
_FORWARD_MM = (-8.0, -4.0, 0.0, 4.0, 8.0)  # that the search starts from, against the click
_ROUNDS = 4
_LEAST_MM = 6.0  # no height or depth under it
_CORNER_MM = 2.0  # that sides are not looked at near a corner
_MET_COST = 0.7  # of a clear side that lies further inside
_BLIND_MM = 3.0  # a side and its surroundings are that wide
_CLICK_SLACK_MM = 1.0  # that a click may lie outside


@dataclass(frozen=True)
class Box:
    """A rectangle in a plane.

    Parameters
    ----------
    centre : ndarray, shape (2,)
        In-plane position, mm.
    axes : ndarray, shape (2, 2)
        Unit rows: forward and up along the rectangle's sides.
    half : ndarray, shape (2,)
        Half depth and half height, mm.
    score : float
        Up to 4: a clear rim on four sides and marrow inside.
    """

    centre: np.ndarray
    axes: np.ndarray
    half: np.ndarray
    score: float

    def to_plane(self, places: np.ndarray) -> np.ndarray:
        """Map positions along the sides from the centre, mm, shape (..., 2), to the plane."""
        return self.centre + np.asarray(places) @ self.axes

    def inner(self, share: float, step_mm: float = 1.0) -> np.ndarray:
        """Return in-plane places evenly over the rectangle shrunk to `share`, shape (n, 2), mm."""
        sides = [np.linspace(-share * h, share * h, max(int(2 * share * h / step_mm), 3)) for h in self.half]
        return self.to_plane(np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2))


def fit_box(window: Window, click: np.ndarray, up: np.ndarray, usual: np.ndarray, most_tilt: float = 24.0) -> Box:
    """Return the best rectangle around a click.

    Parameters
    ----------
    window : Window
        In units of marrow.
    click : ndarray, shape (2,)
        In-plane position, mm.
    up : ndarray, shape (2,)
        Direction of the spine there, in the plane.
    usual : ndarray, shape (2,)
        Half depth and half height to be expected, mm.
    most_tilt : float
        Of the rectangle against `up`, degrees; L5 is tilted by up to 24 against the line of the centres.
    """
    tilts = np.radians(np.arange(-most_tilt, most_tilt + 0.1, _TILT_STEP))
    boxes = [_best_at(window, click, _turned(up, tilt), usual) for tilt in tilts]
    costs = _TILT_COST * (tilts / _FAR_TILT) ** 2
    return max(zip(boxes, costs, strict=True), key=lambda pair: pair[0].score - pair[1])[0]


def _turned(up: np.ndarray, tilt: float) -> np.ndarray:
    """Return unit rows forward and up, turned forwards by `tilt`."""
    up = up / np.linalg.norm(up)
    forward = np.array([up[1], -up[0]])
    cos, sin = np.cos(tilt), np.sin(tilt)
    return np.array([cos * forward - sin * up, cos * up + sin * forward])


@dataclass(frozen=True)
class _Evidence:
    """What speaks for a side, and against an inside, on a grid (forward, up) about the click; index 0..n-1."""

    top: np.ndarray
    bottom: np.ndarray
    front: np.ndarray
    back: np.ndarray
    strange: np.ndarray


def _best_at(window: Window, click: np.ndarray, axes: np.ndarray, usual: np.ndarray) -> Box:
    f, s = (np.arange(-reach, reach + _GRID_MM / 2, _GRID_MM) for reach in _REACH_MM)
    places = click + np.stack(np.meshgrid(f, s, indexing="ij"), axis=-1) @ axes
    evidence = _evidence(window.at(places), window.weights)
    found = max((_climb(evidence, f, s, usual, start) for start in _FORWARD_MM), key=lambda r: r[0])
    score, (b, a), (low, high) = found
    centre = np.array([f[b] + f[a], s[low] + s[high]]) / 2
    half = np.array([f[a] - f[b], s[high] - s[low]]) / 2
    return Box(click + centre @ axes, axes, half, score)


def _evidence(signals: Mapping[Modality, np.ndarray], weights: Mapping[Modality, float]) -> _Evidence:
    maps = []
    for sequence, values in signals.items():
        seen = np.isfinite(values)
        signal = np.where(seen, values, 1.0)
        sides = [_drop(signal, axis, way) for axis, way in ((1, 1), (1, -1), (0, 1), (0, -1))]
        dark = np.clip((_DARK[0] - signal) / (_DARK[0] - _DARK[1]), 0, 1)
        bright = np.clip((signal - _BRIGHT[0]) / (_BRIGHT[1] - _BRIGHT[0]), 0, 1)
        maps.append(weights[sequence] * np.where(seen, [*sides, dark + bright / 2], 0.0))
    return _Evidence(*(np.sum(maps, axis=0) / sum(weights.values())))


def _drop(signal: np.ndarray, axis: int, way: int) -> np.ndarray:
    """Return how much darker it is on a place than inside of it, 1 for clear; `way` leads outwards along `axis`.

    Where it is much brighter outside that counts, too: less, since veins and haemangiomas are bright.
    """
    inside = np.mean([np.roll(np.minimum(signal, _CLIP), way * n, axis) for n in (1, 2, 3)], axis=0)
    beyond = np.roll(signal, -way, axis)
    drop = np.clip((inside - np.minimum(signal, beyond)) / _CLEAR, 0, 1)
    rise = step_to_bright(inside, beyond) / _CLEAR
    return ndimage.maximum_filter1d(np.maximum(drop, np.minimum(rise, 1)), 3, axis)  # sides are not quite straight


def _climb(
    evidence: _Evidence, f: np.ndarray, s: np.ndarray, usual: np.ndarray, start: float
) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """Improve height and depth in turn from a depth; return score, (back, front) and (bottom, top)."""
    sides = start + np.array([-1, 1]) * usual[0]
    depth = tuple(int(n) for n in np.searchsorted(f, np.clip(sides, f[0], f[-1])))
    tall, deep = _height_cost(s, usual[1]), _depth_cost(f, usual[0])
    score = -np.inf
    height = (0, 0)
    for _ in range(_ROUNDS):
        ends, height = _pair(evidence.bottom, evidence.top, evidence.strange, depth, 0, s, tall)
        walls, depth = _pair(evidence.back, evidence.front, evidence.strange, height, 1, f, deep)
        if ends + walls <= score + 1e-9:
            break
        score = ends + walls
    return float(score), depth, height


def _pair(
    low: np.ndarray, high: np.ndarray, strange: np.ndarray, across: tuple, axis: int, at: np.ndarray, cost: np.ndarray
) -> tuple[float, tuple[int, int]]:
    """Return the score and the best two opposite sides, given the range `across` along the other axis."""
    corner = int(_CORNER_MM / _GRID_MM)
    part = [slice(None), slice(None)]
    part[axis] = slice(across[0] + corner, max(across[1] + 1 - corner, across[0] + corner + 1))
    first, second, inside = (m[tuple(part)].mean(axis=axis) for m in (low, high, strange))
    first, second = _first_met(first[::-1])[::-1], _first_met(second)
    total = np.concatenate([[0.0], np.cumsum(inside)])
    n = np.arange(len(at))
    count = np.maximum(n[None, :] - n[:, None] - 1, 1)
    mean = np.maximum(total[n[None, :]] - total[np.minimum(n[:, None] + 1, len(at))], 0) / count
    score = first[:, None] + second[None, :] - _STRANGE_COST * mean - cost
    best = np.unravel_index(np.argmax(score), score.shape)
    return float(score[best]), (int(best[0]), int(best[1]))


def _first_met(side: np.ndarray) -> np.ndarray:
    """Return what speaks for a side at each distance, less where another was met on the way out from the click."""
    skipped = len(side) // 2 + int(_BLIND_MM / _GRID_MM)
    met = np.zeros(len(side))
    met[skipped:] = np.maximum.accumulate(np.maximum(side[len(side) // 2 : len(side) - (skipped - len(side) // 2)], 0))
    return side - _MET_COST * met


def _size(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lengths between two places, and whether the click lies between them."""
    length = at[None, :] - at[:, None]
    holds = (at[:, None] <= _CLICK_SLACK_MM) & (at[None, :] >= -_CLICK_SLACK_MM) & (length >= _LEAST_MM)
    return length, holds


def _height_cost(at: np.ndarray, usual: float) -> np.ndarray:
    length, holds = _size(at)
    off = length / (2 * usual) - 1
    cost = np.where(off > 0, _TALL_COST * (off / _TALL_SPREAD) ** 2, _FLAT_COST * (off / _FLAT_SPREAD) ** 2)
    return np.where(holds, cost, np.inf)


def _depth_cost(at: np.ndarray, usual: float) -> np.ndarray:
    length, holds = _size(at)
    return np.where(holds, _DEPTH_COST * ((length / (2 * usual) - 1) / _DEPTH_SPREAD) ** 2, np.inf)
