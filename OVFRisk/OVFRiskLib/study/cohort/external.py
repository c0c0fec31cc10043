"""The external set: put away before anything is learned, and looked at once."""

from collections.abc import Sequence
from typing import NoReturn

import pandas as pd

from ...errors import UserError


class ExternalSet:
    """Patients who judge the finished models, once.

    A second look lets what was seen steer what is chosen, and the set is external no more. So the data come out once;
    again only where the caller says so, and then the report can say it, too (`uses`). It cannot be copied or pickled:
    a copy would not know that the other was used.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a patient.
    name : str
        What the set is called in messages and reports.
    uses : sequence of str
        What it was used for before, where a study goes on after a stop.
    """

    def __init__(self, frame: pd.DataFrame, name: str, uses: Sequence[str] = ()) -> None:
        if frame.empty:
            raise UserError(f"The external set {name} has no patient.", "Check how it was chosen.")
        self.name = name
        self._frame = frame.copy()
        self._uses = list(uses)

    @property
    def uses(self) -> tuple[str, ...]:
        """What the set was used for, in order."""
        return tuple(self._uses)

    def take(self, purpose: str, again: bool = False) -> pd.DataFrame:
        """Return the data and note what for.

        Parameters
        ----------
        purpose : str
        again : bool
            Say yes to another look.

        Raises
        ------
        UserError
            When the set was used before and `again` is not said.
        """
        if self._uses and not again:
            raise UserError(
                f"The external set {self.name} was used already, for: {'; '.join(self._uses)}.",
                "Judge all models in one go; to look again all the same, say so: the report will tell.",
            )
        if not purpose:
            raise ValueError("what the external set is used for has to be said")
        self._uses.append(purpose)
        return self._frame.copy()

    def check_apart(self, others: pd.Index) -> None:
        """Raise a UserError where a patient of `others` (training, internal test) is in the set, too."""
        shared = self._frame.index.intersection(others)
        if len(shared):
            what = f"{len(shared)} patients are in the external set {self.name} and outside it, e.g. {shared[0]}."
            raise UserError(what, "Take them out of one of the two.")

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        return f"ExternalSet({self.name!r}, {len(self)} patients, used {len(self._uses)} times)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an external set cannot be copied or pickled: a copy would not know that it was used")
