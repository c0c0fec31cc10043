"""The outline of a vertebral body on its sagittal plane: the best closed curve around the rectangle of `body_box`.

Rays from the middle cut the curve once each, at the step from marrow to the dark rim on all sequences together;
neighbouring rays cut it at nearly the same share of the rectangle. The optimum is found by dynamic programming.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .body_box import Box
from .body_image import Window, edge_across

_RAYS = 120
_RADII = np.linspace(0.5, 1.8, 105)  # of the rectangle
_CORTEX_MM = 0.75  # from where a step to a thin dark line is steepest to the line: the middle of the outer samples
_ROUNDING_MM = 1.5
_LEAST_DROP = 0.2  # of marrow: less is no clear edge
_CROSSED = 0.6  # cost of a clear rim that lies further inside
_BLIND_MM = 1.5  # the rim itself is that wide
_STEP_COST = 0.05  # of a step between neighbouring rays; a clear edge gains 1
_MOST_STEPS = 4
_FAR_COST, _FAR = 0.1, 0.3  # of a place that far from the rectangle


@dataclass(frozen=True)
class Outline:
    """A closed curve in a plane.

    Parameters
    ----------
    corners : ndarray, shape (n, 2)
        mm, in the plane.
    drop : ndarray, shape (n,)
        How much darker it is outside of each corner, 1 where marrow borders on the darkest there is.
    """

    corners: np.ndarray
    drop: np.ndarray


def trace(window: Window, box: Box, corners: np.ndarray) -> Outline:
    """Return the best closed curve around the quadrangle `corners`, shape (4, 2), mm, in the frame of `box`."""
    rim, normals = _template(corners)
    middle = corners.mean(axis=0)
    places = box.to_plane(middle + _RADII[None, :, None] * (rim - middle)[:, None, :])
    normals = normals @ box.axes
    edge = edge_across(window, places, normals[:, None, :], bright=False)
    clear = max(float(np.median(edge.max(axis=1))), _LEAST_DROP)
    edge = edge / clear
    cost = -edge + _CROSSED * _met(edge, np.linalg.norm(rim - middle, axis=1)) + _FAR_COST * ((_RADII - 1) / _FAR) ** 2
    index = _closed_path(cost)
    radii = ndimage.gaussian_filter1d(_RADII[index], 1.0, mode="wrap")
    curve = box.to_plane(middle + radii[:, None] * (rim - middle)) + _CORTEX_MM * normals
    return Outline(curve, clear * edge[np.arange(_RAYS), index])


def _met(edge: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return the clearest edge that each ray has met before it comes to a place, without the edge at the place."""
    met = np.zeros(edge.shape)
    blind = np.ceil(_BLIND_MM / (length * (_RADII[1] - _RADII[0]))).astype(int)
    clearest = np.maximum.accumulate(np.maximum(edge, 0), axis=1)
    for n, steps in enumerate(blind):
        met[n, steps:] = clearest[n, :-steps]
    return met


def _template(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places evenly along the quadrangle with rounded corners, and unit normals outwards, shape (rays, 2)."""
    closed = np.concatenate([corners, corners[:1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.arange(_RAYS) / _RAYS * along[-1]
    rim = np.column_stack([np.interp(places, along, closed[:, n]) for n in range(2)])
    rim = ndimage.gaussian_filter1d(rim, _ROUNDING_MM * _RAYS / along[-1], axis=0, mode="wrap")
    tangent = np.roll(rim, -1, axis=0) - np.roll(rim, 1, axis=0)
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]])
    return rim, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _closed_path(cost):
    """Two rounds about the body; the second half of the first and first half of the second are the closed one."""
    rays, radii = cost.shape
    steps = np.arange(-_MOST_STEPS, _MOST_STEPS + 1)
    total = cost[0].copy()
    came = np.zeros((2 * rays, radii), dtype=int)
    for n in range(1, 2 * rays):
        padded = np.pad(total, _MOST_STEPS, constant_values=np.inf)
        options = np.stack([padded[_MOST_STEPS + d : _MOST_STEPS + d + radii] + _STEP_COST * abs(d) for d in steps])
        best = options.argmin(axis=0)
        came[n] = np.clip(np.arange(radii) + steps[best], 0, radii - 1)
        total = options[best, np.arange(radii)] + cost[n % rays]
    path = np.empty(2 * rays, dtype=int)
    path[-1] = int(total.argmin())
    for n in range(2 * rays - 1, 0, -1):
        path[n - 1] = came[n, path[n]]
    half = rays // 2
    middle = path[half : half + rays]
    return np.roll(middle, half)
