"""One model's result as the panel shows it and the scene keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..files.score_table import main_contributions
from ..models.scoring import Scored
from .view import Cell, RowState, RowView
from .words import _

FIELDS = {
    "model_key": str,
    "title": str,
    "level": str,
    "written": str,
    "class_text": str,
    "reasons": str,
    "remarks": list,
    "fingerprint": str,
}
"""What the scene keeps of a result."""

_ABSENT = "—"


@dataclass(frozen=True)
class Result:
    """What a model gave, as text.

    Parameters
    ----------
    model_key : str
        Of the entry in the list of models.
    title : str
        Of the model.
    level : VertebralLevel or None
    written : str
        The value with its interval; a dash where there is none.
    class_text, reasons : str
    remarks : tuple of str
        Warnings, or why there is no value.
    fingerprint : str
        Of what it was scored from.
    scored : Scored or None
        None for one of a saved scene that does not hold any more.
    """

    model_key: str
    title: str
    level: VertebralLevel | None
    written: str
    class_text: str
    reasons: str
    remarks: tuple[str, ...]
    fingerprint: str
    scored: Scored | None = None

    @classmethod
    def of(cls, model_key: str, scored: Scored, fingerprint: str) -> Self:
        """Return a result that was just computed."""
        found = scored.prediction
        return cls(
            model_key,
            scored.model.card.title,
            found.level,
            scored.written,
            scored.class_text,
            main_contributions(found.contributions, found.contribution_scale),
            scored.remarks,
            fingerprint,
            scored,
        )

    @classmethod
    def from_stored(cls, stored: Mapping[str, object]) -> Self:
        """Return a result of a saved scene.

        Raises
        ------
        UserError
            When its level is none.
        """
        try:
            level = VertebralLevel(stored["level"]) if stored["level"] else None
        except ValueError:
            raise UserError(_("The scores in this scene are damaged."), _("Score again.")) from None
        return cls(**{**stored, "level": level, "remarks": tuple(stored["remarks"])})

    @property
    def key(self) -> str:
        """Unique among the results."""
        return f"{self.model_key}\n{self.level or ''}"

    @property
    def has_value(self) -> bool:
        """Whether the model gave a value."""
        return self.written != _ABSENT

    def stored(self) -> dict[str, object]:
        """Return what the scene keeps."""
        kept = {name: getattr(self, name) for name in FIELDS}
        return {**kept, "level": str(self.level or ""), "remarks": list(self.remarks)}


def row_view(result: Result, state: RowState, why_stale: str, with_level: bool) -> RowView:
    """Return the row of a result; remarks that do not fit stand in its tool tip."""
    remarks = "; ".join(result.remarks)
    value = result.scored.prediction.value if result.scored else None
    cells = (
        Cell(result.title, tip=why_stale or result.title),
        *([Cell(str(result.level or ""))] if with_level else []),
        Cell(result.written, value),
        Cell(result.class_text),
        Cell(result.reasons),
        Cell(remarks, tip=remarks),
    )
    return RowView(result.key, cells, state, result.level, why_stale or remarks)
