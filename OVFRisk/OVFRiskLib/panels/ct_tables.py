"""The tables of the panel CT: a level a row, what is out of date or absent marked with its reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..anatomy import Compartment, Region, Structure, VertebralLevel
from ..measurement import Measurement, unit_text
from ..morphometry.fractures import FractureKind
from .dependence import Name
from .record import CT, Record
from .view import Cell, RowState, RowView, TableView
from .words import _

NONE = "—"
MOST_FEATURES = 2000  # rows: more are found by the filter
_BODY, _CANCELLOUS = Compartment.BODY, Compartment.CANCELLOUS
_MUSCLES = {Structure.ERECTOR_SPINAE: "erector spinae", Structure.PSOAS: "psoas"}
_BRIEF = 60  # characters


@dataclass(frozen=True)
class Column:
    """One column of a table of levels.

    Parameters
    ----------
    title : str
    part : Compartment
    name : str
        Of the measurement.
    written : callable
        Value to text.
    beside : str
        Name of the row that is written in the same cell.
    joined : callable
        Puts it behind the text: its plus or minus, usually.
    """

    title: str
    part: Compartment
    name: str
    written: Callable[[float], str]
    beside: str = ""
    joined: Callable[[str, float], str] = lambda text, error: f"{text} ± {error:.0f}"


def fixed(digits: int) -> Callable[[float], str]:
    """Return what writes a number with so many digits behind the point."""
    return lambda value: f"{value:.{digits}f}"


def percent(value: float) -> str:
    """Write a share."""
    return f"{100 * value:.0f} %"


def _with_kind(grade: str, code: float) -> str:
    kind = list(FractureKind)[int(code)]
    return grade if kind is FractureKind.NONE else f"{grade} {kind}"


HEIGHTS = (
    Column("Ant. mm", _BODY, "anterior_height", fixed(1)),
    Column("Mid. mm", _BODY, "middle_height", fixed(1)),
    Column("Post. mm", _BODY, "posterior_height", fixed(1)),
    Column("± mm", _BODY, "height_uncertainty", fixed(1)),
    Column("Genant", _BODY, "genant_grade", fixed(0), "genant_type", _with_kind),
    Column("Loss", _BODY, "height_reduction", percent),
    Column("Wedge °", _BODY, "wedge_angle", fixed(1)),
)
ATTENUATION = (
    Column("HU", _CANCELLOUS, "trabecular_attenuation", fixed(0)),
    Column("SD", _CANCELLOUS, "trabecular_attenuation_sd", fixed(0)),
    Column("Axial HU", _CANCELLOUS, "trabecular_attenuation_axial", fixed(0)),
    Column("vBMD mg/cm³", _CANCELLOUS, "vbmd", fixed(0), "vbmd_error"),
    Column("cm³ read", _CANCELLOUS, "trabecular_volume", fixed(1)),
    Column("Left out", _CANCELLOUS, "trabecular_excluded_fraction", percent),
)
NON_FRACTURED = {
    "trabecular_attenuation": "trabecular_attenuation_non_fractured",
    "vbmd": "vbmd_non_fractured",
    "vbmd_error": "vbmd_non_fractured_error",
}
MUSCLE = (
    ("Volume cm³", "muscle_volume", fixed(0)),
    ("Area cm²", "cross_section", fixed(1)),
    ("HU", "mean_attenuation", fixed(0)),
    ("Fat", "fat_infiltrated_fraction", percent),
    ("Lean", "lean_fraction", percent),
    ("Right − left", "asymmetry_volume", percent),
)
SPINE = {
    "fractured_levels": ("Fractured levels", fixed(0)),
    "worst_genant_grade": ("Worst Genant grade", fixed(0)),
    "spinal_deformity_index": ("Spinal deformity index", fixed(0)),
    "lordosis_l1_l5": ("Lordosis L1–L5", fixed(1)),
    "lordosis_l1_s1": ("Lordosis L1–S1", fixed(1)),
    "kyphosis_t11_l2": ("Kyphosis T11–L2", fixed(1)),
    "scoliosis_cobb_angle": ("Largest coronal angle", fixed(1)),
}


class CtTables:
    """The tables of one record.

    Parameters
    ----------
    record : Record or None
    """

    def __init__(self, record: Record | None) -> None:
        self.record = record or Record()
        part = self.record.parts.get(CT)
        self._part = part
        self._rows = {(row.level, row.compartment, row.name): row for row in (part.table if part else ())}
        bone = {row.level for row in self._rows.values() if isinstance(row.compartment, Compartment) and row.level}
        self.levels = tuple(sorted(bone, key=lambda level: level.rank))

    def heights(self) -> TableView:
        """Heights and Genant's grades."""
        rows = [self._level_row(level, HEIGHTS) for level in self.levels]
        return _table(_("Heights and fractures"), HEIGHTS, rows)

    def attenuation(self) -> TableView:
        """Trabecular attenuation and density, and their means over the lumbar levels that are not fractured."""
        rows = [self._level_row(level, ATTENUATION) for level in self.levels]
        mean = [self._rows.get((None, column.part, NON_FRACTURED.get(column.name, ""))) for column in ATTENUATION]
        if self.levels and any(mean):
            cells = [
                self._cell(c, row, self._rows.get((None, c.part, NON_FRACTURED.get(c.beside, ""))))
                for c, row in zip(ATTENUATION, mean, strict=True)
            ]
            rows.append(self._row("mean", _("L1–L5 mean"), None, cells, [row for row in mean if row]))
        return _table(_("Attenuation and bone density"), ATTENUATION, rows)

    def muscle(self) -> TableView:
        """Paraspinal muscles of both sides, over L1-L5 and level by level."""
        titles = (_("Level"), _("Muscle"), *(_(title) for title, *__ in MUSCLE), _("Keep in mind"))
        levels = dict.fromkeys(level for level, part, _name in self._rows if part in _MUSCLES)
        rows = [self._muscle_row(level, part) for part in _MUSCLES for level in sorted(levels, key=_lumbar_first)]
        return TableView(_("Paraspinal muscle"), titles, tuple(row for row in rows if row))

    def spine(self) -> TableView:
        """What the levels say together."""
        rows = []
        for name, (title, written) in SPINE.items():
            row = self._rows.get((None, None, name))
            if row:
                unit = unit_text(row.unit)
                column = Column("", _BODY, name, lambda value, w=written, u=unit: f"{w(value)}{u}")
                rows.append(self._row(name, _(title), None, [self._cell(column, row)], [row]))
        return TableView(_("Spine"), (_("Spine"), _("Value"), _("Keep in mind")), tuple(rows))

    def features(self, wanted: str = "") -> TableView:
        """A feature a row; only those whose region or name holds every word of `wanted`."""
        words, rows, found = wanted.lower().split(), [], 0
        features = self._part.features if self._part else {}
        for region in sorted(features, key=lambda region: region.sort_key):
            culprits = self.record.region_culprits(region)
            one, where = features[region], str(region).lower()
            for name in sorted((*one.values, *one.absent)):
                text = f"{where} {name.lower()}"
                if all(word in text for word in words):
                    found += 1
                    if found <= MOST_FEATURES:
                        rows.append(_feature_row(region, name, one, culprits))
        title = _("Features: {found}").format(found=found)
        if found > MOST_FEATURES:
            title = _("Features: the first {most} of {found}; filter by words").format(most=MOST_FEATURES, found=found)
        return TableView(title, (_("Region"), _("Feature"), _("Value"), _("Keep in mind")), tuple(rows))

    def _level_row(self, level: VertebralLevel, columns: Iterable[Column]) -> RowView:
        rows = [self._rows.get((level, column.part, column.name)) for column in columns]
        besides = [self._rows.get((level, column.part, column.beside)) for column in columns]
        cells = [self._cell(*one) for one in zip(columns, rows, besides, strict=True)]
        return self._row(str(level), str(level), level, cells, [row for row in rows if row])

    def _muscle_row(self, level: VertebralLevel | None, part: Structure) -> RowView | None:
        rows = [self._rows.get((level, part, name)) for _title, name, _written in MUSCLE]
        if not any(rows):
            return None
        columns = [Column(title, _BODY, name, written) for title, name, written in MUSCLE]
        cells = [Cell(_(_MUSCLES[part])), *(self._cell(*one) for one in zip(columns, rows, strict=True))]
        known = [row for row in rows if row]
        return self._row(f"{part} {level or 'L1-L5'}", str(level or "L1–L5"), level, cells, known)

    def _row(
        self, key: str, title: str, level: VertebralLevel | None, cells: list[Cell], rows: list[Measurement]
    ) -> RowView:
        culprits = list(dict.fromkeys(name for row in rows for name in self.record.culprits(row)))
        notes = list(dict.fromkeys(text for row in rows if row.note for text in row.note.split("; ")))
        state = RowState.STALE if culprits else RowState.CURRENT
        if not culprits and all(row.value is None for row in rows):
            state = RowState.ABSENT
        remark = Cell(_brief(notes), tip="\n".join(notes))
        tip = edited_text(culprits) if culprits else "\n".join(notes) if state is RowState.ABSENT else ""
        return RowView(key, (Cell(title), *cells, remark), state, level, tip)

    def _cell(self, column: Column, row: Measurement | None, beside: Measurement | None = None) -> Cell:
        if row is None:
            return Cell("")
        if row.value is None:
            return Cell(NONE, tip=row.note)
        text = column.written(row.value)
        if beside and beside.value is not None:
            text = column.joined(text, beside.value)
        return Cell(text, row.value, edited_text(self.record.culprits(row)))


def edited_text(culprits: Iterable[Name]) -> str:
    """Say what was edited since; empty where nothing was."""
    names = ", ".join(map(str, culprits))
    return _("Out of date: {names} changed since. Update measures it again.").format(names=names) if names else ""


def _table(title: str, columns: Iterable[Column], rows: list[RowView]) -> TableView:
    return TableView(title, (_("Level"), *(_(column.title) for column in columns), _("Keep in mind")), tuple(rows))


def _feature_row(region: Region, name: str, features: object, culprits: list[Name]) -> RowView:
    value, reason = features.values.get(name), features.absent.get(name, "")
    cells = (
        Cell(str(region)),
        Cell(name),
        Cell(NONE if value is None else f"{value:.6g}", value, reason),
        Cell(reason),
    )
    state = RowState.STALE if culprits else RowState.ABSENT if value is None else RowState.CURRENT
    return RowView(f"{region}|{name}", cells, state, region.level, edited_text(culprits) or reason)


def _brief(notes: list[str]) -> str:
    text = "; ".join(notes)
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 1].rstrip()}…"


def _lumbar_first(level: VertebralLevel | None) -> int:
    return level.rank if level else -1
