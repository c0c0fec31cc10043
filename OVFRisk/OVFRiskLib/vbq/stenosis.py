"""Whether the canal is too narrow behind a body for a CSF region: the width of the thecal sac from front to back.

The rule: the sac is narrow where it is under 60 % of the mean of the adjacent levels' widths, or under 7 mm. Neither
figure is from a study of stenosis, and nothing here is a diagnosis. 7 mm is the narrowest region (3 mm) with the 2 mm
to both sides by which readers differ: in a narrower sac no region keeps its value for another reader. Sacs of adjacent
levels differ by far less than 40 % of their width. A user may choose the level (`RegionSettings.csf_level`).
"""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from ..anatomy import VertebralLevel
from .csf_map import CsfMap
from .regions import RegionSettings
from .sampling import STEP_MM

_IN_SAC = 0.2  # of the way from marrow to CSF: halfway from CSF to ligament or fat lies about there, on all sequences
_ROOTS_MM = 2.5  # a darker gap up to this is nerve roots in the sac, not its end
_MIDDLE = 0.5  # of the body's half height: the discs' bulges lie outside


def sac_width(csf: CsfMap) -> float | None:
    """Return the width of the thecal sac behind a body from front to back, mm; None where there is no CSF.

    The median over the rows of the middle half of the body; in each the longest stretch that holds CSF, nerve roots
    included.
    """
    middle = np.abs(csf.along) <= _MIDDLE * csf.wall.half_height
    gap = np.ones((2 * round(_ROOTS_MM / STEP_MM / 2) + 1, 1), dtype=bool)
    sac = np.pad(csf.purity[:, middle] >= _IN_SAC, ((gap.size, gap.size), (0, 0)))
    closed = ndimage.binary_closing(sac, gap)
    width = float(np.median([_longest(column) for column in closed.T])) * STEP_MM
    return width if width > 0 else None


def _longest(column: np.ndarray) -> int:
    pieces, count = ndimage.label(column)
    return int(np.bincount(pieces)[1:].max()) if count else 0


def why_narrow(level: VertebralLevel, widths: Mapping[VertebralLevel, float | None], settings: RegionSettings) -> str:
    """Return why the sac of a level counts as narrow, in words; empty where it does not, or could not be measured.

    Parameters
    ----------
    level : VertebralLevel
    widths : mapping of VertebralLevel to float or None
        Of this level and the adjacent ones, mm.
    settings : RegionSettings
    """
    width = widths.get(level)
    if width is None:
        return ""
    others = [w for other, w in widths.items() if w is not None and abs(other.rank - level.rank) == 1]
    if width < settings.csf_narrow_mm:
        return f"the sac at {level} is only {width:.1f} mm wide from front to back (stenosis?)"
    if others and width < settings.csf_narrow_share * np.mean(others):
        return (
            f"the sac at {level} is {width:.1f} mm wide from front to back, "
            f"{width / np.mean(others):.0%} of the adjacent levels' (stenosis?)"
        )
    return ""
