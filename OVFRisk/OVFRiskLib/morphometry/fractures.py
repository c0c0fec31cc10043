"""Genant's grade and type of each level, against the level itself and against its neighbours.

Genant et al., J Bone Miner Res 1993;8:1137-1148: a height reduced by 20-25 % is grade 1, by 25-40 % grade 2, by more
grade 3. A vertebra crushed as a whole has no healthy height of its own: its neighbours tell what it was.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..anatomy import VertebralLevel
from ..segmentation.level_quality import BAR, LevelQuality
from .expected import expected_heights
from .heights import Heights

_GRADES = (0.20, 0.25, 0.40)  # least reduction of grades 1, 2, 3
_CRUSH = 0.12, 0.5  # of the posterior height against the neighbours, and as a share of the largest reduction
_LOST = "anterior", "middle"
_SCATTER = 0.05  # of a height among healthy neighbours
_SOUND = 0.15  # a level reduced by less tells what its neighbours were
_HEALTHY_MIDDLE = 0.90  # of the mean of anterior and posterior height


class FractureKind(StrEnum):
    """Shape of a deformity."""

    NONE = "none"
    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"

    @property
    def code(self) -> int:
        """0 none, 1 wedge, 2 biconcave, 3 crush."""
        return list(FractureKind).index(self)


@dataclass(frozen=True)
class Grading:
    """The grade of one level.

    Parameters
    ----------
    grade : int or None
        0 to 3; None where the level cannot be graded.
    kind : FractureKind
    reduction : float or None
        The larger of the two below: the share of height lost.
    own_reduction : float or None
        Of the anterior or middle height against the level's own posterior height, or, where that is higher, against
        the one that the neighbours let expect: a flaring corner or the root of the arch is no height.
    neighbour_reduction : float or None
        Of the anterior or middle height against what the neighbours let expect; None without neighbours. A low
        posterior wall alone is a shape (of L5, above all), no fracture of Genant's.
    posterior_ratio : float or None
        Posterior height over what the neighbours let expect.
    borderline : bool
        Whether the grade would change within the uncertainty.
    note : str
    """

    grade: int | None
    kind: FractureKind = FractureKind.NONE
    reduction: float | None = None
    own_reduction: float | None = None
    neighbour_reduction: float | None = None
    posterior_ratio: float | None = None
    borderline: bool = False
    note: str = ""


@dataclass(frozen=True)
class FractureSummary:
    """All graded levels of a patient: number of fractured ones, worst grade, spinal deformity index (sum of grades)."""

    count: int
    worst: int
    index: int
    levels: tuple[VertebralLevel, ...]


def grade_fractures(
    heights: Mapping[VertebralLevel, Heights | str], qualities: Mapping[VertebralLevel, LevelQuality]
) -> dict[VertebralLevel, Grading]:
    """Grade every level of `heights`.

    Parameters
    ----------
    heights : mapping
        Of each level, or the reason why there are none.
    qualities : mapping
        A level that may not be measured, or is below the bar, gets no grade and is no neighbour.
    """
    known = {v: h for v, h in heights.items() if not _refusal(v, h, qualities.get(v))}
    sound = _sound(known)
    return {v: _graded(v, known, sound) if v in known else _refused(v, h, qualities) for v, h in heights.items()}


def fracture_summary(gradings: Mapping[VertebralLevel, Grading]) -> FractureSummary | None:
    """Return the patient's summary; None where no level is graded."""
    grades = {level: grading.grade for level, grading in gradings.items() if grading.grade is not None}
    if not grades:
        return None
    found = list(grades.values())
    return FractureSummary(sum(grade > 0 for grade in found), max(found), sum(found), tuple(grades))


def _refusal(level: VertebralLevel, heights: Heights | str, quality: LevelQuality | None) -> str:
    if quality and not quality.usable:
        return quality.note
    if isinstance(heights, str):
        return heights
    if level.rank < VertebralLevel.T1.rank or level is VertebralLevel.S1:
        return "Genant's grades are of T1 to L6"
    if quality and quality.score < BAR:
        return f"no grade: {quality.note}"
    return ""


def _refused(
    level: VertebralLevel, heights: Heights | str, qualities: Mapping[VertebralLevel, LevelQuality]
) -> Grading:
    return Grading(None, note=_refusal(level, heights, qualities.get(level)))


def _grade(reduction: float) -> int:
    return int(sum(reduction >= bound for bound in _GRADES))


def _sound(known: Mapping[VertebralLevel, Heights]) -> dict[VertebralLevel, Heights]:
    """Return the levels that show no deformity, by themselves or against the others; all, where none is left."""
    sound = {v: h for v, h in known.items() if _own(h, None)[0] < _GRADES[0]} or dict(known)
    for _ in range(2):
        losses = {v: _losses(h, expected_heights(v, h.depth, sound)) for v, h in known.items()}
        sound = {v: h for v, h in sound.items() if not losses[v] or max(losses[v].values()) < _SOUND} or sound
    return sound


def _own(h: Heights, expected: Mapping[str, float] | None) -> tuple[float, float]:
    """Return the larger reduction against the own posterior height, and its uncertainty."""
    whole, doubt = h.posterior, h.uncertainties["posterior"]
    if expected and whole > expected["posterior"]:
        whole, doubt = expected["posterior"], _SCATTER * expected["posterior"]
    own, place = max((1 - getattr(h, place) / whole, place) for place in _LOST)
    return own, math.hypot(h.uncertainties[place], (1 - own) * doubt) / whole


def _losses(h: Heights, expected: Mapping[str, float] | None) -> dict[str, float]:
    """Return each height's reduction against what the neighbours let expect; empty without neighbours."""
    return {place: float(1 - getattr(h, place) / height) for place, height in (expected or {}).items()}


def _against(h: Heights, expected: Mapping[str, float]) -> tuple[float, float]:
    """Return the larger reduction against what the neighbours let expect, and its uncertainty."""
    other, place = max((1 - getattr(h, place) / expected[place], place) for place in _LOST)
    return other, math.hypot(h.uncertainties[place] / expected[place], (1 - other) * _SCATTER)


def _graded(
    level: VertebralLevel, known: Mapping[VertebralLevel, Heights], sound: Mapping[VertebralLevel, Heights]
) -> Grading:
    h = known[level]
    expected = expected_heights(level, h.depth, sound)
    losses = _losses(h, expected)
    own, other = _own(h, expected), _against(h, expected) if expected else None
    reduction, doubt = max(own, other or own, (0.0, own[1]))
    grade = _grade(reduction)
    low, high = _grade(reduction - doubt), _grade(reduction + doubt)
    notes = []
    if low != high:
        notes.append(f"borderline: grade {low} to {high} within the uncertainty")
    if not expected:
        notes.append("not compared with neighbours: none is sound")
    return Grading(
        grade,
        _kind(h, losses) if grade else FractureKind.NONE,
        reduction,
        own[0],
        other[0] if other else None,
        1 - losses["posterior"] if losses else None,
        low != high,
        "; ".join(notes),
    )


def _kind(h: Heights, losses: Mapping[str, float]) -> FractureKind:
    """Name the deformity: crushed where the posterior wall is lower, too; else by what is most out of shape."""
    if losses and losses["posterior"] >= max(_CRUSH[0], _CRUSH[1] * max(losses.values())):
        return FractureKind.CRUSH
    hollow = 1 - h.middle / (_HEALTHY_MIDDLE * (h.anterior + h.posterior) / 2)
    return FractureKind.WEDGE if 1 - h.anterior_posterior_ratio >= hollow else FractureKind.BICONCAVE
