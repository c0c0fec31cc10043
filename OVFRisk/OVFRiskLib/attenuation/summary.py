"""One trabecular attenuation for a patient: the mean over the lumbar levels that are not fractured.

A fractured body is denser than it was: bone is pressed together. The mean over all non-fractured lumbar levels was the
strongest predictor in a multi-parametric fracture score (Seng 2026, as the project's science page has it).
"""

from collections.abc import Mapping

import numpy as np

from ..anatomy import VertebralLevel

LUMBAR = VertebralLevel.span("L1-L5")


def non_fractured_mean(
    values: Mapping[VertebralLevel, float | None], grades: Mapping[VertebralLevel, int | None]
) -> tuple[float, tuple[VertebralLevel, ...], str]:
    """Return the mean over the non-fractured levels of L1 to L5, these levels, and a note.

    Parameters
    ----------
    values : mapping of VertebralLevel to float or None
        One value a level (HU or mg/cm³); None where there is none.
    grades : mapping of VertebralLevel to int or None
        Genant grade, 0 to 3; a level without a grade does not count as non-fractured.

    Raises
    ------
    ValueError
        When no level is left; the text says why.
    """
    used, left_out = [], []
    for level in LUMBAR:
        if reason := _reason(values.get(level), grades.get(level)):
            left_out.append(f"{level} {reason}")
        else:
            used.append(level)
    if not used:
        raise ValueError(f"no graded, non-fractured level of L1 to L5: {', '.join(left_out)}")
    mean = float(np.mean([values[level] for level in used]))
    note = f"mean of {', '.join(used)}" + (f"; without {', '.join(left_out)}" if left_out else "")
    return mean, tuple(used), note


def _reason(value: float | None, grade: int | None) -> str:
    """Return why a level is not used; empty where it is."""
    if value is None:
        return "(no value)"
    if grade is None:
        return "(not graded)"
    return f"(grade {grade})" if grade > 0 else ""
