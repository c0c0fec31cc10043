"""The four sides of a vertebral body as straight lines of their own tilt: a wedge, or L5, is no rectangle."""

import numpy as np
from scipy import ndimage

from .body_box import Box
from .body_image import Window, edge_across

_TILTS = np.radians(np.arange(-20.0, 20.1, 4.0))  # of one side against the rectangle: a wedge of 40 % has 20 degrees
_SHIFTS_MM = np.arange(-6.0, 6.1, 1.0)
_TILT_COST, _SHIFT_COST = 0.1, 0.1  # of the largest
_MET_COST = 0.6  # of a clear side that lies further inside
_TOLERANCE = 3  # shifts: end plates are hollow
_BLIND = 3  # shifts: a side and its surroundings are that wide
_PLACES = np.linspace(-0.85, 0.85, 15)  # along a side, of its half length; corners are round
_OUTWARDS = np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])  # bottom, front, top, back


def fit_corners(window: Window, box: Box) -> np.ndarray:
    """Return the corners of the quadrangle that fits the body better than `box`.

    Parameters
    ----------
    window : Window
        In units of marrow.
    box : Box

    Returns
    -------
    ndarray, shape (4, 2)
        From the lower back corner to the lower front, the upper front and the upper back one; in the frame of the box,
        mm.
    """
    reach = np.abs(_OUTWARDS) @ box.half
    scores = [_scores(window, box, n, reach[n], box.half[1 - _axis(n)]) for n in range(4)]
    sides = [max(score, key=score.get) for score in scores]  # tilt and shift
    lines = [_line(n, reach[n], *sides[n]) for n in range(4)]
    return np.array([_crossing(lines[n - 1], lines[n]) for n in range(4)])


def _axis(side: int) -> int:
    """Return the axis that a side is perpendicular to: 0 forward, 1 up."""
    return 1 if side % 2 == 0 else 0


def _scores(window: Window, box: Box, side: int, reach: float, half: float) -> dict[tuple[float, float], float]:
    """Return what speaks for each tilt and shift (mm) of a side, `reach` from the middle and `half` of it long."""
    outward = _OUTWARDS[side]
    along = np.array([-outward[1], outward[0]])
    found = {}
    for tilt in _TILTS:
        cos, sin = np.cos(tilt), np.sin(tilt)
        normal, way = cos * outward + sin * along, cos * along - sin * outward
        t = _PLACES * half
        places = (reach + _SHIFTS_MM)[:, None, None] * outward + t[:, None] * way
        drop = edge_across(window, box.to_plane(places), normal @ box.axes, bright=True)
        drop = ndimage.maximum_filter1d(drop, _TOLERANCE, axis=0).mean(axis=1)
        met = np.concatenate([np.zeros(_BLIND), np.maximum.accumulate(np.maximum(drop, 0))[:-_BLIND]])
        worth = drop - _MET_COST * met - _TILT_COST * (tilt / _TILTS[-1]) ** 2
        worth -= _SHIFT_COST * (_SHIFTS_MM / _SHIFTS_MM[-1]) ** 2
        found |= {(float(tilt), float(shift)): float(w) for shift, w in zip(_SHIFTS_MM, worth, strict=True)}
    return found


def _line(side: int, reach: float, tilt: float, shift: float) -> tuple[np.ndarray, float]:
    """Return normal and offset: normal @ place = offset."""
    outward = _OUTWARDS[side]
    normal = np.cos(tilt) * outward + np.sin(tilt) * np.array([-outward[1], outward[0]])
    return normal, float(normal @ ((reach + shift) * outward))


def _crossing(first: tuple[np.ndarray, float], second: tuple[np.ndarray, float]) -> np.ndarray:
    return np.linalg.solve(np.array([first[0], second[0]]), np.array([first[1], second[1]]))
