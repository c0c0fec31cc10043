"""Where a score lies among the published groups with and without an osteoporotic fracture.

Groups of Huang et al., Global Spine J 2025, doi:10.1177/21925682251339995, Table 1. A comparison with 84 patients each
of one centre at 1.5 T, never a diagnosis.
"""

from dataclasses import dataclass

from .reading_cohort import published_groups

_GROUPS = ("with fracture", "without fracture")


@dataclass(frozen=True)
class Position:
    """Where a score lies in one group.

    Parameters
    ----------
    group : str
        ``with fracture`` or ``without fracture``.
    mean, sd : float
        Published.
    standard_deviations : float
        How far the score lies above the group's mean, in its SDs; negative below.
    """

    group: str
    mean: float
    sd: float
    standard_deviations: float


def position(name: str, value: float) -> tuple[Position, ...]:
    """Return where a score lies in both groups; empty for what was not published.

    Parameters
    ----------
    name : str
        ``vbq_t1``, ``vbq_t2``, ``vbq_stir`` or ``vbq_t2_stir``.
    value : float
    """
    found = published_groups().get(name, ())
    return tuple(Position(group, mean, sd, (value - mean) / sd) for group, (mean, sd) in zip(_GROUPS, found))
