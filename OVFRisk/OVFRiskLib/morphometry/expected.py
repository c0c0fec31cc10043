"""What heights the neighbours of a level let expect."""

from collections.abc import Mapping

import numpy as np

from ..anatomy import VertebralLevel
from .heights import PLACES, Heights

_REACH = 4  # levels
_PERCENTILE = 60  # of the neighbours' votes: undiagnosed losses pull them down, never up
_MIDDLE = 0.90  # of the mean of anterior and posterior height: end plates are hollow

# Mean sagittal wedge of both sexes, degrees, positive where lower in front: 240 spines on CT, T9 to L5
# (doi 10.1007/s00586-009-1256-6, table 1). Above T9 as at T9.
_WEDGE = {"T9": 3.8, "T10": 3.2, "T11": 5.0, "T12": 4.2, "T13": 3.8, "L1": 3.3, "L2": 1.7, "L3": 0.1}
_WEDGE |= {"L4": -1.9, "L5": -6.2, "L6": -6.2}

# Growth of the height from the level above: 6.5 % from T9 to L1 (262 adults on CT, Palm et al., Sci Rep, abstract);
# slower above, where 3 % is assumed, and none below L2, where L5 is a little lower again.
_GROWTH = dict.fromkeys(VertebralLevel.span("T1-T9"), 1.03) | dict.fromkeys(VertebralLevel.span("T10-L1"), 1.065)
_GROWTH |= {VertebralLevel.T13: 1.0, VertebralLevel.L2: 1.03, VertebralLevel.L5: 0.97}


def expected_heights(
    level: VertebralLevel, depth: float, neighbours: Mapping[VertebralLevel, Heights]
) -> dict[str, float] | None:
    """Return the heights (mm) that healthy neighbours let expect, by place; None without neighbours.

    The mean of anterior and posterior height is taken over from up to four levels either way; wedge and hollow are the
    level's usual ones.

    Parameters
    ----------
    level : VertebralLevel
    depth : float
        Of the level's end plates, mm.
    neighbours : mapping
        `level` itself is not asked.
    """
    size = _sizes()
    votes = [
        (h.anterior + h.posterior) / 2 * size[level] / size[v]
        for v, h in neighbours.items()
        if v is not level and v in size and abs(v.rank - level.rank) <= _REACH
    ]
    if not votes:
        return None
    mean = float(np.percentile(votes, _PERCENTILE))
    half = depth * np.tan(np.radians(_WEDGE.get(level, _WEDGE["T9"])) / 2)
    return dict(zip(PLACES, (mean - half, _MIDDLE * mean, mean + half), strict=True))


def _sizes() -> dict[VertebralLevel, float]:
    levels = [v for v in VertebralLevel if VertebralLevel.T1.rank <= v.rank <= VertebralLevel.L6.rank]
    return dict(zip(levels, np.cumprod([_GROWTH.get(v, 1.0) for v in levels]).tolist(), strict=True))
