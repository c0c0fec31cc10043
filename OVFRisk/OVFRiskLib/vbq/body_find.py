"""One vertebral body on its sagittal plane, from a click in it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..anatomy import VertebralLevel
from ..image import Modality, Volume
from .body_box import Box, fit_box
from .body_image import Window, in_units_of_marrow, open_window
from .body_outline import Outline, trace
from .body_sides import fit_corners
from .plane import Plane
from .sampling import STEP_MM
from .sections import Section

_CLICKED_MM = 5.0  # about a click: most of it is marrow even in a flat body
_MOST_TURN = 8.0  # degrees, in the second look
_INNER = 0.75  # of the rectangle: marrow without the rims
_MARGIN_MM = 3.0  # of a section's samples
_DARK = 0.5  # halfway from what has no signal to marrow
_OPENING_MM = 1.0  # thinner dark lines are the rim itself, veins and noise
_OPEN_MM, _DEEP_MM = 1.5, 3.0  # a node of Schmorl is open to the edge and deeper than the rim
_MOST_DARK = 0.3  # share of a body beyond which dark is no node


@dataclass(frozen=True)
class FoundBody:
    """A body and what it was found by.

    Parameters
    ----------
    window : Window
        In units of its marrow.
    box : Box
    outline : Outline
    """

    window: Window
    box: Box
    outline: Outline

    @property
    def centre(self) -> np.ndarray:
        """RAS of the outline's middle, mm, shape (3,)."""
        return self.window.plane.to_ras(self.outline.corners.mean(axis=0))

    @property
    def seen(self) -> float:
        """Share of the outline that lies in the image of any sequence."""
        values = self.window.at(self.outline.corners).values()
        return float(np.mean(np.any([np.isfinite(v) for v in values], axis=0)))


def find_body(
    volumes: Mapping[Modality, Volume], plane: Plane, click: np.ndarray, up: np.ndarray, usual: np.ndarray
) -> FoundBody:
    """Find the body that a click lies in, its edge the same on all sequences.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
    plane : Plane
        Sagittal; first axis towards anterior, second towards the head.
    click : ndarray, shape (2,)
        In the plane, mm.
    up : ndarray, shape (2,)
        Direction of the spine, in the plane.
    usual : ndarray, shape (2,)
        Half depth and half height to be expected, mm.

    Raises
    ------
    ValueError
        When no sequence shows anything there.
    """
    window = open_window(volumes, plane, click)
    window_at_click = in_units_of_marrow(window, _disc(click))
    if not window_at_click.values:
        raise ValueError("no sequence shows anything at the click")
    box = fit_box(window_at_click, click, up, usual)
    relative = in_units_of_marrow(window, box.inner(_INNER))
    box = fit_box(
        relative, box.centre, box.axes[1], usual, _MOST_TURN
    )  # where in the body the click was no longer matters
    return FoundBody(relative, box, trace(relative, box, fit_corners(relative, box)))


def section(level: VertebralLevel, body: FoundBody, up: np.ndarray, notes: tuple[str, ...]) -> Section:
    """Return the body's section; a dark notch that is open to the edge (a node of Schmorl) is left out."""
    corners = body.outline.corners
    low, high = corners.min(axis=0) - _MARGIN_MM, corners.max(axis=0) + _MARGIN_MM
    u, v = (np.arange(a, b, STEP_MM) for a, b in zip(low, high, strict=True))
    places = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1)
    whole = _inside(places, corners)
    inside = _main_part(whole, _notches(body.window, places, whole))
    share = 1 - np.count_nonzero(inside) / np.count_nonzero(whole)
    if share > 0:
        notes = (*notes, f"{share:.0%} of the body, dark and open to its edge, left out (Schmorl node, sclerosis?)")
    return Section(level, body.window.plane, u, v, inside, up / np.linalg.norm(up), notes)


def _disc(click: np.ndarray) -> np.ndarray:
    steps = np.arange(-_CLICKED_MM, _CLICKED_MM + 0.5)
    places = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    return click + places[np.hypot(*places.T) <= _CLICKED_MM]


def _inside(places: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Whether in-plane places lie in a curve that every ray from its middle cuts once."""
    middle = corners.mean(axis=0)
    polar = [
        (np.arctan2(d[..., 1], d[..., 0]), np.hypot(d[..., 0], d[..., 1])) for d in (places - middle, corners - middle)
    ]
    (angle, distance), (at, reach) = polar
    order = np.argsort(at)
    return distance <= np.interp(angle, at[order], reach[order], period=2 * np.pi)


def _main_part(whole: np.ndarray, notches: np.ndarray) -> np.ndarray:
    """Return the body without its notches, and without what these part from it."""
    if not notches.any():
        return whole
    rest = whole & ~notches
    pieces, count = ndimage.label(ndimage.distance_transform_edt(rest, sampling=STEP_MM) > _OPENING_MM)
    if count == 0:
        return whole
    largest = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return rest & (ndimage.distance_transform_edt(~largest, sampling=STEP_MM) <= _OPENING_MM + STEP_MM)


def _notches(window: Window, places: np.ndarray, whole: np.ndarray) -> np.ndarray:
    signals = window.at(places)
    total = sum(window.weights[s] * np.clip(np.nan_to_num(v, nan=1.0), 0, 1.5) for s, v in signals.items())
    dark = whole & (total / sum(window.weights.values()) < _DARK)
    depth = ndimage.distance_transform_edt(whole, sampling=STEP_MM)
    away = ndimage.distance_transform_edt(dark, sampling=STEP_MM) > _OPENING_MM
    opened = ndimage.distance_transform_edt(~away, sampling=STEP_MM) <= _OPENING_MM + STEP_MM
    pieces, count = ndimage.label(opened & whole)
    numbers = np.arange(1, count + 1)
    if count == 0:
        return np.zeros(whole.shape, dtype=bool)
    nearest, deepest = ndimage.minimum(depth, pieces, numbers), ndimage.maximum(depth, pieces, numbers)
    found = np.isin(pieces, numbers[(nearest <= _OPEN_MM) & (deepest >= _DEEP_MM)])
    return found if np.count_nonzero(found) <= _MOST_DARK * np.count_nonzero(whole) else np.zeros(whole.shape, bool)
