"""What each CT measurement hangs on: the one table of rules by which an edit makes rows stale.

Grades are judged against neighbours whose own soundness is judged against theirs, and angles lie in planes of the whole
spine: such rows hang on every level.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..level_measurements import PARTS
from ..measurement import Measurement
from ..muscle.settings import LUMBAR, SIDES

Name = Region | str  # a segment's region; anything else (an image, a region on MRI) by its name
ALL = tuple(VertebralLevel)
_SIDES_OF = {**SIDES, **{side: (side,) for sides in SIDES.values() for side in sides}}
_UNSPLIT = (Compartment.WHOLE, Compartment.BODY)  # parts are split from these
FROM_NEIGHBOURS = (
    "posterior_neighbour_ratio",
    "genant_grade",
    "genant_type",
    "height_reduction",
    "height_reduction_own",  # against the neighbours' posterior height where that is lower
    "height_reduction_neighbours",
)
_DENSITY = ("vbmd", "vbmd_error", "vbmd_non_fractured", "vbmd_non_fractured_error")


@dataclass(frozen=True)
class Hangs:
    """Which segments a value hangs on.

    Parameters
    ----------
    levels : collection of VertebralLevel
    structures : collection of Structure
    parts : collection of Compartment
        Of the levels.
    """

    levels: Collection[VertebralLevel]
    structures: Collection[Structure] = ()
    parts: Collection[Compartment] = tuple(Compartment)

    def on(self, region: Region) -> bool:
        """Whether it hangs on a region."""
        if isinstance(region.part, Structure):
            return region.part in self.structures
        return region.level in self.levels and region.part in self.parts


Rule = tuple[Callable[[Measurement], bool], Callable[[Measurement], Hangs]]

_RULES: tuple[Rule, ...] = (  # the first that fits
    (
        lambda row: isinstance(row.compartment, Structure),
        lambda row: Hangs((row.level,) if row.level else LUMBAR, _SIDES_OF.get(row.compartment, (row.compartment,))),
    ),
    (lambda row: row.level is None, lambda _row: Hangs(ALL)),
    (lambda row: row.name in FROM_NEIGHBOURS, lambda _row: Hangs(ALL)),
    (lambda _row: True, lambda row: Hangs((row.level,))),
)


def hangs_of(row: Measurement, references: Collection[Structure] = ()) -> Hangs:
    """Return what a CT row hangs on.

    Parameters
    ----------
    row : Measurement
    references : collection of Structure
        What density was calibrated with in this scan: rods, or muscle and fat.
    """
    found = next(hangs(row) for fits, hangs in _RULES if fits(row))
    return Hangs(found.levels, tuple(references)) if row.name in _DENSITY and references else found


def features_hang_on(region: Region) -> Hangs:
    """Return what the features of a region hang on: its parts, and what they may have been split from."""
    parts = (*PARTS.get(region.part, (region.part,)), *_UNSPLIT)
    return Hangs((region.level,), parts=parts) if region.level else Hangs((), (region.part,))
