"""What the report's tables and figures look up in the measurements: values, reasons, grades."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..anatomy import Compartment, Structure, VertebralLevel
from ..measurement import Measurement, MeasurementTable

ABSENT = "—"
NOT_PART = "not part of this analysis"
KINDS = {0: "none", 1: "wedge", 2: "biconcave", 3: "crush"}  # codes of genant_type
_BORDERLINE = "borderline"


class Lookup:
    """Finds measurements by level, part and name; of several protocols the first counts."""

    def __init__(self, table: MeasurementTable) -> None:
        self._rows: dict[tuple, Measurement] = {}
        for row in table:
            self._rows.setdefault((row.level, row.compartment, row.name), row)
        self.names = frozenset((row.compartment, row.name) for row in table)

    def row(self, level: VertebralLevel | None, part: Compartment | Structure | None, name: str) -> Measurement | None:
        """Return the row; None where the analysis holds none."""
        return self._rows.get((level, part, name))

    def value(self, level: VertebralLevel | None, part: Compartment | Structure | None, name: str) -> float | None:
        """Return the value; None where it is absent or there is no row."""
        row = self.row(level, part, name)
        return row.value if row else None

    def reason(self, level: VertebralLevel | None, part: Compartment | Structure | None, name: str) -> str:
        """Return the note of a row, or that the analysis holds none."""
        row = self.row(level, part, name)
        return row.note if row else NOT_PART


@dataclass(frozen=True)
class LevelGrade:
    """The grade of deformity of one level.

    Parameters
    ----------
    level : VertebralLevel
    grade : int or None
        0 to 3 (Genant); None where the level could not be graded.
    kind : str
        ``none``, ``wedge``, ``biconcave`` or ``crush``; empty where it is not known.
    reduction : float or None
        Share of the height that is lost, 0 to 1; the one that the grade comes from.
    borderline : bool
        Whether the grade would change within the uncertainty of the heights.
    note : str
        Why there is no grade, or what to keep in mind.
    """

    level: VertebralLevel
    grade: int | None
    kind: str = ""
    reduction: float | None = None
    borderline: bool = False
    note: str = ""

    @property
    def fractured(self) -> bool:
        """Whether the level is deformed: grade 1 or more."""
        return bool(self.grade)

    @property
    def name(self) -> str:
        """The grade in words, e.g. ``grade 2, wedge``."""
        if self.grade is None:
            return "no grade"
        return ", ".join(text for text in (f"grade {self.grade}", self.kind if self.grade else "") if text)

    @property
    def remarks(self) -> str:
        """The loss of height and how sure the grade is, e.g. ``−31 %, borderline``."""
        loss = "" if self.reduction is None else f"−{self.reduction:.0%}".replace("%", " %").replace("−-", "+")
        return ", ".join(text for text in (loss if self.grade else "", _BORDERLINE if self.borderline else "") if text)

    def __str__(self) -> str:
        return ", ".join(text for text in (self.name, self.remarks) if text)


def level_grades(lookup: Lookup, levels: Iterable[VertebralLevel]) -> dict[VertebralLevel, LevelGrade]:
    """Return the grade of each level that the analysis tried to grade, as `levels` are ordered."""
    rows = {level: lookup.row(level, Compartment.BODY, "genant_grade") for level in levels}
    return {level: _grade(lookup, row) for level, row in rows.items() if row}


def _grade(lookup: Lookup, row: Measurement) -> LevelGrade:
    if row.value is None:
        return LevelGrade(row.level, None, note=row.note)
    kind, reduction = (lookup.value(row.level, Compartment.BODY, n) for n in ("genant_type", "height_reduction"))
    kind = "" if kind is None else KINDS.get(round(kind), "")
    return LevelGrade(row.level, round(row.value), kind, reduction, _BORDERLINE in row.note.lower(), row.note)


def number(value: float | None, style: str) -> str:
    """Return a number with a true minus sign, and never minus zero."""
    if value is None:
        return ABSENT
    text = format(value, style)
    digits = text.rstrip("%")
    return text.lstrip("-") if float(digits) == 0 else text.replace("-", "−")


def named(values: Mapping[VertebralLevel, float], style: str, unit: str) -> str:
    """Return the values of several levels in one line, e.g. ``L1 123, L2 118 HU``."""
    found = ", ".join(f"{level} {number(value, style)}" for level, value in values.items())
    return f"{found} {unit}".strip() if values else ABSENT
