"""The sagittal plane of each clicked body: a common one, and parasagittal ones where the spine swings sideways."""

from collections.abc import Mapping

import numpy as np

from ..anatomy import VertebralLevel
from ..image import Grid
from .plane import Plane
from .regions import RegionSettings

_SCORED = VertebralLevel.span("L1-L4")
_CURVED_FROM = 5  # clicks: with fewer a straight line is what they can tell


def sagittal_plane(grid: Grid, point: np.ndarray) -> Plane:
    """Return the sagittal slice (of a grid in RAS order) nearest to `point` (RAS mm), axes towards front and head."""
    ijk = grid.to_ijk(point)
    origin = grid.to_ras([np.clip(np.rint(ijk[0]), 0, grid.array.shape[2] - 1), ijk[1], ijk[2]])
    forward = grid.ijk_to_ras[:3, 1] / grid.spacing[1]
    up = grid.ijk_to_ras[:3, 2]
    up = up - (up @ forward) * forward
    return Plane(tuple(origin), (tuple(forward), tuple(up / np.linalg.norm(up))))


def planes_of_clicks(
    grid: Grid, clicks: Mapping[VertebralLevel, np.ndarray], settings: RegionSettings
) -> dict[VertebralLevel, tuple[Plane, str]]:
    """Return the plane of each level, and a remark.

    A click is seldom quite on the midline, so a smooth curve through all of them tells how far to the side each level
    lies. The common plane is the slice nearest to the median of L1-L4; a level whose place on the curve is further
    from it than `settings.parasagittal_beyond_mm` gets the slice nearest to its own place.

    Parameters
    ----------
    grid : Grid
        In RAS order.
    clicks : mapping of VertebralLevel to ndarray, shape (3,)
        RAS mm.
    settings : RegionSettings
    """
    first = sagittal_plane(grid, np.median(list(clicks.values()), axis=0))
    at = dict(zip(clicks, first.from_ras(np.array(list(clicks.values()))), strict=True))
    smooth = dict(zip(clicks, _smooth(np.array(list(at.values()))), strict=True))
    typical = float(np.median([smooth[v] for v in clicks if v in _SCORED] or list(smooth.values())))
    common = sagittal_plane(grid, np.array(first.origin) + typical * first.normal)
    return {level: _plane(grid, common, first, smooth[level], settings) for level in clicks}


def _smooth(places: np.ndarray) -> np.ndarray:
    """Return the distance to the side of each place (forward, up, aside) on a smooth curve through all."""
    degree = min(len(places) - 1, 2 if len(places) >= _CURVED_FROM else 1)
    return np.polyval(np.polyfit(places[:, 1], places[:, 2], degree), places[:, 1])


def _plane(grid: Grid, common: Plane, first: Plane, aside: float, settings: RegionSettings) -> tuple[Plane, str]:
    point = np.array(first.origin) + aside * first.normal
    distance = float(common.from_ras(point)[2])
    if abs(distance) <= settings.parasagittal_beyond_mm:
        return common, ""
    own = sagittal_plane(grid, np.array(common.origin) + distance * common.normal)
    side = "right" if distance > 0 else "left"
    return own, f"measured on a parasagittal plane {abs(distance):.0f} mm to the {side} (scoliosis?)"
