"""Which levels a CT itself shows: its bodies, named by its sacrum and ribs without any mask."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..image import Volume
from .automatic import column_curve, find_discs, found_bodies
from .column import find_column, isotropic
from .level_naming import find_sacrum, last_rib, name_levels, rib_reach

_GRID_MM, _BLUR_MM = 2.0, 1.2  # as the automatic engine
_REACH_MM = 12.0  # from a body found to the labelled one; discs are farther


@dataclass(frozen=True, eq=False)
class ImageLevels:
    """Bodies found in a CT.

    Parameters
    ----------
    bodies : mapping of VertebralLevel to ndarray, shape (3,)
        Middle of each, RAS mm.
    source : str
        What they were named by, with the confidence.
    """

    bodies: Mapping[VertebralLevel, np.ndarray]
    source: str

    def at(self, point: np.ndarray) -> VertebralLevel | None:
        """Return the level whose body lies at a point (RAS mm); None where there is none."""
        distance = {level: float(np.linalg.norm(middle - point)) for level, middle in self.bodies.items()}
        nearest = min(distance, key=distance.get)
        return nearest if distance[nearest] <= _REACH_MM else None


def image_levels(ct: Volume) -> ImageLevels | None:
    """Return the levels that a CT shows; None where its sacrum and ribs do not name them clearly."""
    try:
        column = find_column(ct)
        curve = column_curve(column)
        smooth = isotropic(ct, _GRID_MM, blur=_BLUR_MM, outside=np.nan)
        discs = find_discs(smooth, column, curve)
        sacrum = find_sacrum(smooth, discs)
        bodies = found_bodies(ct, curve, discs[sacrum.disc :] if sacrum else discs, open_below=sacrum is None)
        naming = name_levels(bodies, sacrum, last_rib(rib_reach(smooth, curve, bodies)), None)
    except UserError:
        return None
    named = {level: body.point for body, level in zip(bodies, naming.levels, strict=True) if level}
    return ImageLevels(named, naming.notes[0].partition(":")[0])
