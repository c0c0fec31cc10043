"""The largest ellipse of CSF in the sac behind a body, along the posterior wall, and the region that is kept in it.

A reader who draws the region again lies about 2 mm beside the first one. The region therefore keeps that distance from
the edge of the CSF where there is room for it, and is drawn long instead of wide: the sac runs along the wall.
The cauda equina lies at the back of the sac in a patient on the back, so of equally good places the foremost is taken.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .csf_map import CsfMap
from .regions import RegionSettings
from .sampling import STEP_MM

_ASPECTS = (1.0, 1.5, 2.0, 2.5, 3.0)  # length over width
_CLEARANCE_MM = 0.25  # a sample reaches half a step beyond its centre
_SLACK_MM = 0.25  # an ellipse this much narrower than the largest may be taken where it is purer
_CORNERS = 64


@dataclass(frozen=True)
class Ellipse:
    """An ellipse of CSF on a map, its long axis along the posterior wall.

    Parameters
    ----------
    csf : CsfMap
    along, behind : float
        Its centre, mm.
    half_width, half_length : float
        Of the largest ellipse that fits into the CSF, mm.
    """

    csf: CsfMap
    along: float
    behind: float
    half_width: float
    half_length: float

    @property
    def worth(self) -> float:
        """Orders ellipses, mm: the width decides how steady a region is, so it counts twice, the length once."""
        return float((self.half_width**2 * self.half_length) ** (1 / 3))

    def region_axes(self, settings: RegionSettings) -> tuple[float, float]:
        """Return half width and half length of the region in it, mm: with the margin where there is room for it."""
        width = max(self.half_width - settings.csf_margin_mm, min(settings.csf_least_radius_mm, self.half_width))
        length = max(self.half_length - settings.csf_margin_mm, width)
        return min(width, settings.csf_radius_mm), min(length, settings.csf_half_length_mm)

    def outline(self, settings: RegionSettings) -> np.ndarray:
        """Return the region in the map's plane as a polygon whose edges touch the ellipse, shape (n, 2), mm."""
        width, length = np.array(self.region_axes(settings)) / np.cos(np.pi / _CORNERS)
        angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        return self.csf.wall.to_plane(self.along + length * np.sin(angles), self.behind + width * np.cos(angles))


def largest_ellipse(csf: CsfMap, settings: RegionSettings) -> Ellipse | None:
    """Return the best ellipse of CSF on a map; None where there is no CSF.

    Squeezing the map along the wall by an aspect turns ellipses of that aspect into circles, and the distance to what
    is no CSF is then the half width of the largest one at each place.
    """
    depths = {aspect: _depth(csf, aspect) for aspect in _ASPECTS}
    largest = {aspect: min(float(depth.max()), _limit(aspect, settings)) for aspect, depth in depths.items()}
    aspect = max(_ASPECTS, key=lambda shape: largest[shape] * shape ** (1 / 3))  # as `worth`
    return _placed(csf, aspect, depths[aspect], largest[aspect]) if largest[aspect] > 0 else None


def _depth(csf: CsfMap, aspect: float) -> np.ndarray:
    """Return the half width of the largest ellipse of CSF about each sample, mm."""
    padded = np.pad(csf.pure, 1)
    return ndimage.distance_transform_edt(padded, sampling=(STEP_MM, STEP_MM / aspect))[1:-1, 1:-1] - _CLEARANCE_MM


def _limit(aspect: float, settings: RegionSettings) -> float:
    """Return the half width of an ellipse that holds the largest region with its margin, mm."""
    widest, longest = settings.csf_radius_mm, settings.csf_half_length_mm
    return min(widest + settings.csf_margin_mm, (longest + settings.csf_margin_mm) / aspect)


def _placed(csf: CsfMap, aspect: float, depth: np.ndarray, largest: float) -> Ellipse:
    """Return the purest of the nearly largest ellipses; of equally pure ones the foremost."""
    enough = min(float(depth.max()) - _SLACK_MM, largest)
    inner = np.where(depth >= enough, _mean_within(csf.purity, enough, aspect * enough), 0.0)
    row, column = np.unravel_index(np.argmax(np.round(inner, 3)), inner.shape)
    half_width = min(float(depth[row, column]), largest)
    return Ellipse(csf, float(csf.along[column]), float(csf.behind[row]), half_width, aspect * half_width)


def _mean_within(values: np.ndarray, half_width: float, half_length: float) -> np.ndarray:
    """Return the mean over an ellipse about each sample; mm."""
    reaches = max(half_width, STEP_MM), max(half_length, STEP_MM)
    rows, columns = (np.arange(-int(r / STEP_MM), int(r / STEP_MM) + 1) * STEP_MM for r in reaches)
    kernel = (np.hypot(rows[:, None] / reaches[0], columns / reaches[1]) <= 1).astype(float)
    return ndimage.correlate(values, kernel / kernel.sum(), mode="constant")
