"""The signal in a body's region as maps on its plane: how far each place is from the body's usual signal.

Everything is judged against the body's own marrow, smoothed over a millimetre: noise and texture, which a mean takes
care of, must not be mistaken for a lesion.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from ..image import Modality, Volume
from ..robust import middle_and_spread
from .roi import Roi, _inside
from .sampling import STEP_MM, nearest

AROUND_MM = 16.0  # beyond the region: the discs are looked at, too
_SMOOTHING_MM = 1.0
_TREND_ROUNDS = 4
_TREND_KEPT = 2.5  # spreads within which a place belongs to the usual marrow
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class Chart:
    """A grid on the plane of a body's region.

    Parameters
    ----------
    roi : Roi
    up : ndarray, shape (2,)
        Direction of the spine towards the head, in the plane.
    """

    roi: Roi
    up: np.ndarray

    @cached_property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions along the plane's two axes, mm."""
        corners = np.array(self.roi.outline)
        low, high = corners.min(axis=0) - AROUND_MM, corners.max(axis=0) + AROUND_MM
        return tuple(np.arange(a, b, STEP_MM) for a, b in zip(low, high))

    @cached_property
    def points(self) -> np.ndarray:
        """Places of the grid, shape (nu, nv, 2), mm."""
        return np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1)

    @cached_property
    def inside(self) -> np.ndarray:
        """Which places lie in the region."""
        return _inside(self.points, np.array(self.roi.outline))

    @cached_property
    def height(self) -> np.ndarray:
        """Distance from the region's middle height towards the head, mm."""
        along = self.points @ self.up
        return along - (along[self.inside].min() + along[self.inside].max()) / 2

    @cached_property
    def ahead(self) -> np.ndarray:
        """Distance in front of the region's back, mm."""
        forward = self.points @ np.array([self.up[1], -self.up[0]])
        return forward - forward[self.inside].min()

    def signal(self, volume: Volume, roi: Roi) -> np.ndarray:
        """Return the mean over the region's thickness, NaN outside the image; `roi` may be moved with the patient."""
        half = 0.99 * roi.half_thickness_mm
        layers = [nearest(volume, roi.plane.shifted(distance).to_ras(self.points)) for distance in (-half, 0.0, half)]
        return np.mean(layers, axis=0)

    def parts(self, mask: np.ndarray, least_mm2: float) -> Iterator[np.ndarray]:
        """Return the connected parts of a mask that are not too small and at least 2 mm wide."""
        labels, count = ndimage.label(mask)
        for number in range(1, count + 1):
            part = labels == number
            if np.count_nonzero(part) * STEP_MM**2 >= least_mm2 and ndimage.binary_erosion(part, iterations=2).any():
                yield part

    def hull(self, part: np.ndarray, margin_mm: float) -> np.ndarray | None:
        """Return the corners of the smallest convex outline about a part grown by a margin, shape (n, 2), mm."""
        grown = ndimage.distance_transform_edt(~part, sampling=STEP_MM) <= margin_mm
        half = STEP_MM / 2
        corners = np.concatenate([self.points[grown] + (a, b) for a in (-half, half) for b in (-half, half)])
        try:
            return corners[ConvexHull(corners).vertices]
        except QhullError:
            return None

    def covered(self, outline: Sequence[Sequence[float]]) -> np.ndarray:
        """Return which of the region's places an outline covers, shape (n,)."""
        return _inside(self.points[self.inside], np.array(outline))


@dataclass(frozen=True)
class Contrast:
    """One sequence in a body's region.

    Parameters
    ----------
    sequence : Modality
    values : ndarray
        Smoothed signal over that of the body's usual marrow; NaN outside the image.
    excess : ndarray
        The same as a signed distance: 1 is as far from the usual as it takes to be noticed; zero outside the region.
    """

    sequence: Modality
    values: np.ndarray
    excess: np.ndarray


def spread_of(chart: Chart, signal: np.ndarray) -> float:
    """Return the robust standard deviation of the smoothed signal, as a share of the body's usual one.

    NaN where the region is not wholly in the image, or the usual signal is not positive.
    """
    if not np.all(np.isfinite(signal[chart.inside])):
        return np.nan
    smooth = _smoothed(signal, chart.inside)
    usual = _usual(chart, smooth, np.inf)
    return np.nan if usual is None else middle_and_spread((smooth / usual)[chart.inside])[1]


def contrast(
    chart: Chart, sequence: Modality, signal: np.ndarray, least: float, spread: float, spreads: float
) -> Contrast | None:
    """Return how far each place is from the usual; None where the region is not wholly in the image.

    Parameters
    ----------
    chart : Chart
    sequence : Modality
    signal : ndarray
        From `Chart.signal`.
    least, spreads : float
        What is noticed: this share of the usual signal, and this many times the spread.
    spread : float
        The largest that is believed, as a share of the usual signal: half of the body may be a lesion.
    """
    if not np.all(np.isfinite(signal[chart.inside])):
        return None
    smooth = _smoothed(signal, chart.inside)
    usual = _usual(chart, smooth, spread)
    if usual is None:
        return None
    change = np.where(chart.inside, smooth / usual - 1, 0.0)
    spread = min(spread, middle_and_spread(change[chart.inside])[1])
    around = _smoothed(signal, np.isfinite(signal))
    excess = change / max(least, spreads * spread)
    return Contrast(sequence, np.where(chart.inside, smooth, around) / usual, excess)


def _smoothed(signal: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean around each place over the places `where`; NaN elsewhere."""
    sigma = _SMOOTHING_MM / STEP_MM
    total = ndimage.gaussian_filter(np.where(where, signal, 0.0), sigma, mode="constant")
    weight = ndimage.gaussian_filter(where.astype(float), sigma, mode="constant")
    return np.where(where, total / np.maximum(weight, 1e-6), np.nan)


def _usual(chart: Chart, smooth: np.ndarray, most: float) -> np.ndarray | None:
    """Return the usual marrow's signal, which a coil may tilt: the plane through the commonest values.

    `most` is the largest spread of usual marrow, as a share of its signal.
    """
    inside = chart.inside
    terms = np.stack([np.ones(inside.shape), chart.height, chart.ahead - chart.ahead[inside].mean()], axis=-1)
    values = smooth[inside]
    middle, _ = middle_and_spread(values)
    usual = np.full(inside.shape, middle)
    for _ in range(_TREND_ROUNDS):
        centre, spread = middle_and_spread(values - usual[inside])
        spread = np.clip(spread, _LEAST_SPREAD * abs(middle), max(most, _LEAST_SPREAD) * abs(middle))
        kept = np.abs(values - usual[inside] - centre) <= _TREND_KEPT * spread
        usual = terms @ np.linalg.lstsq(terms[inside][kept], values[kept], rcond=None)[0]
    return np.maximum(usual, 0.2 * middle) if middle > 0 else None


def means(contrasts: Mapping[Modality, Contrast], part: np.ndarray) -> dict[Modality, float]:
    """Return the mean excess of each sequence in a part."""
    return {sequence: float(np.mean(found.excess[part])) for sequence, found in contrasts.items()}
