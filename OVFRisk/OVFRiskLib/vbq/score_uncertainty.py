"""How much a score changes where a second reader puts the regions 2 mm beside the first one's.

A second reader places every region on its own, so the regions are moved one at a time: 2 mm forwards, backwards, up and
down in their plane, the same on all sequences (one region serves them all). Of each region the largest change counts,
and the regions' changes are combined as independent errors: the root of the sum of their squares. Moving all regions
together would hide that a reader errs in the CSF and not in a body; adding the changes up would have one reader err
in all of them at once, each in its worst direction.

A moved region is measured as it lies, also where it leaves the body or the sac: that is what a careless reader gets.
Parts that are left out (haemangioma, veins) stay in their place. A region that leaves the image is not moved there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy import Region, Structure
from ..image import Modality, Volume
from .score_definitions import Means, Score
from .score_places import Place

SHIFT_MM = 2.0
ACCEPTED = 0.10  # Huang et al.: readers' differences under 10 % were considered consistent
_DIRECTIONS = {"forwards": (1, 0), "backwards": (-1, 0), "upwards": (0, 1), "downwards": (0, -1)}
_FEWEST_VOXELS = 5


@dataclass(frozen=True)
class Uncertainty:
    """What a shift of 2 mm does to a score.

    Parameters
    ----------
    half_width : float
        The score is known to plus or minus this.
    share : float
        Of the score.
    worst : Region
        The region whose place matters most.
    worst_share : float
        What it alone changes, of the score.
    notes : tuple of str
        Which shifts could not be measured.
    """

    half_width: float
    share: float
    worst: Region
    worst_share: float
    notes: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """How it was found, in words."""
        return (
            f"± {self.share:.1%} of the score: each region moved by {SHIFT_MM:g} mm in its plane, one at a time, the "
            f"largest changes combined as independent (most from {_named(self.worst)}, {self.worst_share:.1%})"
        )


class Shifts:
    """The mean signals of moved regions, each measured once however many scores need it.

    Parameters
    ----------
    volumes : mapping of Modality to Volume
    places : mapping of Modality to mapping of Region to Place
    """

    def __init__(self, volumes: Mapping[Modality, Volume], places: Mapping[Modality, Mapping[Region, Place]]) -> None:
        self._volumes, self._places = volumes, places
        self._found: dict[tuple[Modality, Region], dict[str, float | None]] = {}

    def means(self, sequence: Modality, region: Region) -> dict[str, float | None]:
        """Return the mean signal for each direction; None where the moved region leaves the image."""
        key = sequence, region
        if key not in self._found:
            place, volume = self._places[sequence][region], self._volumes[sequence]
            self._found[key] = {name: _mean(place, volume, way) for name, way in _DIRECTIONS.items()}
        return self._found[key]


def _mean(place: Place, volume: Volume, way: tuple[int, int]) -> float | None:
    values = place.shifted_values(volume, (SHIFT_MM * way[0], SHIFT_MM * way[1]))
    fine = values.size >= _FEWEST_VOXELS and np.all(np.isfinite(values))
    return float(values.mean()) if fine else None


def uncertainty(
    score: Score, means: Means, bodies: tuple[Region, ...], csf: Region, statistic: str, shifts: Shifts
) -> Uncertainty:
    """Return what a shift of 2 mm does to a score.

    Parameters
    ----------
    score : Score
    means : mapping of (Modality, Region) to float
        The signals that the score was computed from.
    bodies : tuple of Region
    csf : Region
    statistic : str
    shifts : Shifts

    Raises
    ------
    ValueError
        When a moved region leaves no score, or nothing can be moved.
    """
    value = score.value(means, bodies, csf, statistic)
    changes, lost = {}, []
    for region in (*bodies, csf):
        found = []
        for way in _DIRECTIONS:
            moved = {(sequence, region): shifts.means(sequence, region)[way] for sequence in score.sequences}
            if None in moved.values():
                lost.append(f"{_named(region)} {way}")
                continue
            found.append(abs(_moved_value(score, {**means, **moved}, bodies, csf, statistic, region, way) - value))
        if not found:
            raise ValueError(f"{_named(region)} cannot be moved within the image")
        changes[region] = max(found)
    half_width = float(np.sqrt(np.sum(np.square(list(changes.values())))))
    worst = max(changes, key=lambda region: changes[region])
    notes = (f"not moved beyond the image: {', '.join(lost)}",) if lost else ()
    size = abs(value) or np.inf
    return Uncertainty(half_width, half_width / size, worst, changes[worst] / size, notes)


def _moved_value(
    score: Score, means: Means, bodies: tuple[Region, ...], csf: Region, statistic: str, region: Region, way: str
) -> float:
    try:
        return score.value(means, bodies, csf, statistic)
    except ValueError as error:
        raise ValueError(f"with {_named(region)} moved {SHIFT_MM:g} mm {way} there is no score: {error}") from None


def _named(region: Region) -> str:
    return f"CSF at {region.level}" if region.part is Structure.CSF else f"the body of {region.level}"
