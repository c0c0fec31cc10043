"""Set fractures: which level has lost how much of which height."""

from dataclasses import dataclass
from enum import StrEnum

from ..anatomy import VertebralLevel
from ..errors import UserError
from .dimensions import WHOLE_LEVELS

_HELP = "Write LEVEL:KIND:LOSS, e.g. L1:wedge:0.30; kinds: wedge, biconcave, crush; loss from 0.05 to 0.60."
_LEAST_LOSS, _MOST_LOSS = 0.05, 0.60


class FractureKind(StrEnum):
    """Shape of an osteoporotic deformity (Genant 1993)."""

    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"


@dataclass(frozen=True, slots=True)
class Fracture:
    """One deformed level.

    Parameters
    ----------
    level : VertebralLevel
        One of T11 to L5.
    kind : FractureKind
    loss : float
        Wedge: 1 - Ha/Hp. Biconcave: 1 - Hm/Hp. Crush: share of every height that is lost against the unfractured body.

    Raises
    ------
    UserError
        When the level is not wholly in the image or the loss is out of 0.05 to 0.60.
    """

    level: VertebralLevel
    kind: FractureKind
    loss: float

    def __post_init__(self) -> None:
        if self.level not in WHOLE_LEVELS:
            raise UserError(f"The phantom has no whole level {self.level} to fracture.", "Choose one of T11 to L5.")
        if not _LEAST_LOSS <= self.loss <= _MOST_LOSS:
            raise UserError(f"A height loss of {self.loss:g} at {self.level} is out of range.", _HELP)

    @classmethod
    def parse(cls, text: str) -> "Fracture":
        """Return the fracture written as ``L1:wedge:0.30``.

        Raises
        ------
        UserError
            When the text does not name a level, a kind and a loss.
        """
        try:
            level, kind, loss = text.strip().split(":")
            return cls(VertebralLevel(level.strip().upper()), FractureKind(kind.strip().lower()), float(loss))
        except ValueError as error:
            raise UserError(f"'{text}' is no fracture ({error}).", _HELP) from error

    def __str__(self) -> str:
        return f"{self.level}:{self.kind}:{self.loss:g}"
