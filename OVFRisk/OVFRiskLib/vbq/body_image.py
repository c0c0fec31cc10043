"""The sequences of an exam on a sagittal plane, made comparable with each other.

Signals are scaled so that 1 is marrow on all of them and 0 the darkest that
lies around, which is cortex, ligament or annulus.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..image import Grid, Modality, Volume
from .plane import Plane
from .sampling import STEP_MM

HALF_SIZE_MM = 48.0  # of a window: a lumbar body with the discs beside it, wherever in the body it was clicked
_LAYERS_MM = (-1.0, 0.0, 1.0)  # of voxels of 1 mm three slices are averaged; a thick slice stays nearly itself
_SMOOTHING_MM = 0.35
_LEAST_SEEN = 0.5  # share of the marrow's places that must lie in the image
_CORTEX_STEP = 0.5  # from marrow to a cortex that voxels have blurred, in units of marrow
_COARSE_MM = 1.5  # what changes within this distance is noise or trabecular texture
_TRUSTED = (0.5, 1.6)  # of the marrow's median: signals that tell about the coil; others are veins, lesions, cortex
_AROUND_MM = 30.0  # a body with its rims and discs
_DARKEST_PERCENT, _MOST_DARK = 5.0, 0.6  # there is always cortex, ligament or annulus so near; in units of marrow
_SIDES_MM = (0.25, 0.75, 1.25)  # where inside and outside of an edge are looked at
_BRIGHTEST = 1.2  # signal above this much of marrow is worth no more: fat, CSF and discs may be brighter than marrow
_MARROW = (0.7, 1.3)
_GRAIN, _BRIGHT_WORTH = 0.15, 0.6  # a rise under 0.15 of marrow is its texture
_LEAST_FACTOR = 0.4  # of the coil across one body


@dataclass(frozen=True)
class Window:
    """A square part of a plane.

    Parameters
    ----------
    plane : Plane
    start : ndarray, shape (2,)
        In-plane position of the first sample, mm; samples are `STEP_MM` apart.
    values : mapping of Modality to ndarray, shape (n, n)
        Signal of each sequence that shows the place; NaN outside the image.
    weights : mapping of Modality to float
        0 to 1: less where noise is not small against the step from marrow to cortex.
    """

    plane: Plane
    start: np.ndarray
    values: Mapping[Modality, np.ndarray]
    weights: Mapping[Modality, float]

    def at(self, places: np.ndarray) -> dict[Modality, np.ndarray]:
        """Return each sequence at in-plane places, shape (..., 2), mm; NaN outside."""
        index = np.moveaxis((places - self.start) / STEP_MM, -1, 0)
        return {s: _linear(values, index) for s, values in self.values.items()}


def open_window(volumes: Mapping[Modality, Volume], plane: Plane, centre: np.ndarray) -> Window:
    """Sample the sequences around an in-plane position, shape (2,), mm, each from its own grid."""
    steps = np.arange(-HALF_SIZE_MM, HALF_SIZE_MM + STEP_MM / 2, STEP_MM)
    places = centre + np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1)
    values = {sequence: _averaged(volume, plane, places) for sequence, volume in volumes.items()}
    return Window(plane, places[0, 0], values, dict.fromkeys(values, 1.0))


def in_units_of_marrow(window: Window, marrow: np.ndarray) -> Window:
    """Divide each sequence by its signal at the in-plane places `marrow`, shape (n, 2), mm.

    A slope of the signal across these places, as under a surface coil, is divided out. Sequences that do not show them
    are left out.
    """
    values, weights = {}, {}
    near = _near(window, marrow.mean(axis=0))
    for sequence, signal in window.at(marrow).items():
        if np.mean(np.isfinite(signal)) < _LEAST_SEEN or not np.nanmedian(signal) > 0:
            continue
        relative = window.values[sequence] / _coil(window, marrow, signal)
        dark = min(float(np.nanpercentile(relative[near], _DARKEST_PERCENT)), _MOST_DARK)
        values[sequence] = (relative - dark) / (1 - dark)
        weights[sequence] = _weight(replace(window, values={sequence: values[sequence]}), marrow)
    return replace(window, values=values, weights=weights)


def edge_across(window: Window, places: np.ndarray, normals: np.ndarray, *, bright: bool) -> np.ndarray:
    """Return how clear the edge of marrow is at in-plane places, on all sequences together.

    Parameters
    ----------
    window : Window
        In units of marrow.
    places : ndarray, shape (..., 2)
        mm.
    normals : ndarray
        Unit vectors outwards; their shape broadcasts to that of `places`.
    bright : bool
        Whether it counts, too, where it is brighter outside (`step_to_bright`): for long straight sides, not for single
        places, where a vein may be.

    Returns
    -------
    ndarray, shape (...)
        1 where marrow borders on the darkest there is; negative where it is brighter outside.
    """
    sides = np.array(_SIDES_MM)[:, None] * np.broadcast_to(normals, places.shape)[..., None, :]
    inner, outer = window.at(places[..., None, :] - sides), window.at(places[..., None, :] + sides)
    total = np.zeros(places.shape[:-1])
    for sequence, weight in window.weights.items():
        drop = np.minimum(inner[sequence], _BRIGHTEST).mean(axis=-1) - outer[sequence].mean(axis=-1)
        edge = np.maximum(drop, -_BRIGHTEST)
        if bright:
            rise = step_to_bright(inner[sequence].mean(axis=-1), outer[sequence].mean(axis=-1))
            edge = np.where(rise > 0, rise, edge)
        total += weight * np.nan_to_num(edge)
    return total / sum(window.weights.values())


def step_to_bright(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Return what a step from marrow to CSF, fat or disc is worth, whose dark rim is too thin to be seen; 0 to 1.

    Less than a dark rim of the same height, since veins and haemangiomas are bright, too.
    """
    marrow = (inside > _MARROW[0]) & (inside < _MARROW[1])
    return np.where(marrow, _BRIGHT_WORTH * np.clip(outside - inside - _GRAIN, 0, 1), 0.0)


def _averaged(volume: Volume, plane: Plane, places: np.ndarray) -> np.ndarray:
    layers = [_sampled(volume, plane.shifted(distance).to_ras(places)) for distance in _LAYERS_MM]
    seen = np.isfinite(layers).any(axis=0)
    mean = np.nansum(layers, axis=0) / np.maximum(np.isfinite(layers).sum(axis=0), 1)
    smooth = ndimage.gaussian_filter(np.where(seen, mean, 0.0), _SMOOTHING_MM / STEP_MM, mode="nearest")
    return np.where(seen, smooth, np.nan)


def _sampled(grid: Grid, ras: np.ndarray) -> np.ndarray:
    kji = np.moveaxis(grid.to_ijk(ras)[..., ::-1], -1, 0)
    size = np.array(grid.array.shape).reshape(3, 1, 1)
    inside = np.all((kji >= -0.5) & (kji <= size - 0.5), axis=0)
    low = np.clip(np.floor(kji.reshape(3, -1).min(axis=1)).astype(int) - 1, 0, np.array(grid.array.shape) - 1)
    high = np.clip(np.ceil(kji.reshape(3, -1).max(axis=1)).astype(int) + 2, low + 1, grid.array.shape)
    part = grid.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float32)
    values = ndimage.map_coordinates(part, kji - low.reshape(3, 1, 1), order=1, mode="nearest", prefilter=False)
    return np.where(inside, values, np.nan)


def _near(window: Window, centre: np.ndarray) -> tuple[slice, slice]:
    index = np.rint((centre - window.start) / STEP_MM).astype(int)
    reach = int(_AROUND_MM / STEP_MM)
    return tuple(slice(max(int(n) - reach, 0), int(n) + reach + 1) for n in index)


def _coil(window: Window, marrow: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """Return the plane through the marrow's signals, over the whole window; robust by leaving out what is far off."""
    median = float(np.nanmedian(signal))
    low, high = (share * median for share in _TRUSTED)
    used = np.isfinite(signal) & (signal > low) & (signal < high)
    middle = marrow.mean(axis=0)
    terms = np.column_stack([np.ones(used.sum()), marrow[used] - middle])
    fit = np.linalg.lstsq(terms, signal[used], rcond=None)[0]
    size = next(iter(window.values.values())).shape
    u, v = (window.start[n] + STEP_MM * np.arange(size[n]) - middle[n] for n in range(2))
    reach = np.abs(marrow - middle).max(axis=0)  # beyond the body the slope is not known
    u, v = (np.clip(t, -r, r) for t, r in zip((u, v), reach, strict=True))
    plane = fit[0] + fit[1] * u[:, None] + fit[2] * v
    return np.clip(plane, _LEAST_FACTOR * median, median / _LEAST_FACTOR)


def _weight(window: Window, marrow: np.ndarray) -> float:
    """Return the step from marrow to cortex against itself and two standard deviations of the marrow's grain."""
    values = next(iter(window.values.values()))
    filled = np.nan_to_num(values)
    grain = replace(window, values={Modality.OTHER: filled - ndimage.gaussian_filter(filled, _COARSE_MM / STEP_MM)})
    size = np.abs(grain.at(marrow)[Modality.OTHER])
    return float(_CORTEX_STEP / (_CORTEX_STEP + 2 * 1.48 * np.nanmedian(size)))


def _linear(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(values, index, order=1, cval=np.nan, prefilter=False)
