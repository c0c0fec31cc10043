"""Keeping what comes out alike when a bone is segmented again."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd

from ...errors import UserError
from .base import Filter, listed, names_of, varies
from .parameter import Parameter

FEWEST_SUBJECTS = 3


class ReproducibilityFilter(Filter):
    """Keeps features that agree between repeated segmentations of the same subjects.

    The outcome is not looked at, and the subjects that were segmented twice may be any: agreement is a property of the
    measurement. It is the same in every fold. The columns need their names: in a pipeline behind another step, set its
    output to pandas.

    Parameters
    ----------
    repeats : sequence of DataFrame
        One table a reading, with the subjects as index and the features as columns; further columns do not matter.
        Two for the concordance correlation, two or more for the intraclass correlations.
    minimum : float
        Of the measure; what equals it stays.
    measure : str
        ``ccc`` (Lin's concordance correlation, with variances of n), ``icc_2_1`` (absolute agreement of single
        readings) or ``icc_3_1`` (their consistency).

    Fitted attributes
    -----------------
    table_ : DataFrame
        ``agreement``, ``kept``, ``note``.
    subjects_ : tuple of str
        Who was read each time.
    """

    PARAMETERS: ClassVar = (
        Parameter("repeats", object, None, "the tables of the repeated segmentations"),
        Parameter("minimum", float, 0.85, "Ge 2025", -1.0, 1.0),
        Parameter("measure", str, "ccc", "Ge 2025", choices=("ccc", "icc_2_1", "icc_3_1")),
    )

    def __init__(
        self, repeats: Sequence[pd.DataFrame] | None = None, minimum: float = 0.85, measure: str = "ccc"
    ) -> None:
        self.repeats = repeats
        self.minimum = minimum
        self.measure = measure

    def _judge(self, x: np.ndarray, y: object) -> pd.DataFrame:  # noqa: ARG002
        readings = self._readings()
        moving = varies(readings.reshape(-1, readings.shape[-1]))
        agreement = np.full(readings.shape[-1], np.nan)
        find = concordance if self.measure == "ccc" else self._icc
        agreement[moving] = find(readings[:, :, moving])
        return pd.DataFrame(
            {
                "agreement": agreement,
                "kept": moving & (agreement >= self.minimum),
                "note": np.where(moving, "", "has one value in all readings"),
            }
        )

    def _icc(self, readings: np.ndarray) -> np.ndarray:
        return intraclass(readings, consistency=self.measure == "icc_3_1")

    def _readings(self) -> np.ndarray:
        """Return the repeated values, shape (subjects, readings, features)."""
        tables = list(self.repeats if self.repeats is not None else ())
        if len(tables) < 2 or (self.measure == "ccc" and len(tables) > 2):
            raise UserError(
                f"{self.measure} was given {len(tables)} tables of repeated segmentations.",
                "Give two tables (icc_2_1 and icc_3_1 take more), one a reading.",
            )
        names = names_of(self)
        for table in tables:
            _check_table(table, names)
        common = tables[0].index[[all(who in table.index for table in tables) for who in tables[0].index]]
        if len(common) < FEWEST_SUBJECTS:
            raise UserError(
                f"Only {len(common)} subjects are in all the tables of repeated segmentations.",
                f"Give at least {FEWEST_SUBJECTS} subjects, under the same names.",
            )
        self.subjects_ = tuple(str(who) for who in common)
        readings = np.stack([table.loc[common, list(names)].to_numpy(float) for table in tables], axis=1)
        bad = ~np.isfinite(readings).all(axis=(0, 1))
        if bad.any():
            raise UserError(
                f"The repeated segmentations have missing values of {listed(names[bad])}.",
                "Leave these subjects or features out.",
            )
        return readings


def _check_table(table: pd.DataFrame, names: np.ndarray) -> None:
    lacking = [name for name in names if name not in table.columns]
    if lacking:
        raise UserError(
            f"The repeated segmentations lack {listed(lacking)}.",
            "Extract them with the same protocol, or leave them out.",
        )
    twice = table.index[table.index.duplicated()].unique()
    if len(twice):
        raise UserError(
            f"The repeated segmentations name {listed(twice)} twice.", "Give one row a subject and reading."
        )


def concordance(readings: np.ndarray) -> np.ndarray:
    """Return Lin's concordance correlation, 2 s_ab / (s_a² + s_b² + (mean a - mean b)²), with moments of n.

    Parameters
    ----------
    readings : ndarray, shape (subjects, 2, features)
    """
    mean = readings.mean(axis=0)
    a, b = np.moveaxis(readings - mean, 1, 0)
    together = 2 * (a * b).mean(axis=0)
    return together / ((a**2).mean(axis=0) + (b**2).mean(axis=0) + (mean[0] - mean[1]) ** 2)


def intraclass(readings: np.ndarray, *, consistency: bool) -> np.ndarray:
    """Return ICC(3,1) where `consistency`, else ICC(2,1), from the mean squares of a two-way layout.

    Shrout and Fleiss' cases 2 and 3; NaN where the readings have no variance to compare.

    Parameters
    ----------
    readings : ndarray, shape (subjects, readings, features)
    """
    n, k, _ = readings.shape
    whole = readings.mean(axis=(0, 1))
    subject, reader = readings.mean(axis=1), readings.mean(axis=0)
    of_subjects = k * ((subject - whole) ** 2).sum(axis=0) / (n - 1)
    of_readers = n * ((reader - whole) ** 2).sum(axis=0) / (k - 1)
    rest = ((readings - subject[:, None] - reader[None] + whole) ** 2).sum(axis=(0, 1)) / ((n - 1) * (k - 1))
    below = of_subjects + (k - 1) * rest
    return (of_subjects - rest) / (below if consistency else below + k * (of_readers - rest) / n)
