"""The tables of the panel VBQ."""

from collections.abc import Iterable

from ..anatomy import Region, Structure
from ..image import Modality
from ..measurement import Measurement
from ..models.scoring import Scored, brief, rates
from ..scene import regions as curves
from ..vbq.roi import parse_region
from ..vbq.score_definitions import DIFFERENCE, SINGLE, Score
from .vbq import Vbq
from .vbq_live import key_of
from .vbq_regions import SEQUENCES
from .view import Cell, RowState, RowView, TableView
from .words import _

_NONE = "—"


def scores_view(vbq: Vbq) -> TableView:
    """Return the scores with their plus or minus beside the published cut-offs, and the shading of each sequence."""
    columns = (_("Score"), _("Value"), _("Cut-off"), _("Compared"), _("Keep in mind"))
    published = {scored.model.card.inputs[0].name: scored for scored in vbq.scores}
    rows = [_score_row(vbq, score, published.get(score.name)) for score in (*SINGLE, DIFFERENCE)] if vbq.regions else []
    rows += [_shading_row(vbq, row) for row in vbq.table if row.name.endswith("_shading_percent")]
    return TableView(_("Bone quality beside published cut-offs (no diagnosis)"), columns, tuple(rows))


def signals_view(vbq: Vbq) -> TableView:
    """Return the signal of each region on each sequence."""
    sequences = [s for s in SEQUENCES if any(row.name == _signal(s) for row in vbq.table)]
    columns = (_("Region"), *(_("{sequence} (SD)").format(sequence=s) for s in sequences), _("Keep in mind"))
    rows = [_signal_row(vbq, roi.region, sequences) for roi in vbq.regions or ()]
    if vbq.regions:
        there = {roi.region for roi in vbq.regions}
        missing = {region: why for region, why in vbq.regions.missing.items() if region not in there}
        rows += [_missing_row(region, why, len(sequences)) for region, why in missing.items()]
    return TableView(_("Signal of each region, in the image's own units"), columns, tuple(rows))


def exclusions_view(vbq: Vbq) -> TableView:
    """Return what is no healthy marrow, and whether it is left out."""
    columns = (_("Region"), _("Kind"), _("Left out"), _("Why"))
    nodes = curves.exclusion_nodes(vbq.head) if vbq.regions else ()
    return TableView(_("Left out of the regions"), columns, tuple(_exclusion_row(vbq, node) for node in nodes))


def remarks_on(view: TableView, key: str | None) -> str:
    """Return the remarks on a row, one a line; those on the first row that has any where none is selected."""
    rows = {row.key: row for row in view.rows if row.cells[-1].tip}
    row = rows.get(key) if key in {row.key for row in view.rows} else next(iter(rows.values()), None)
    if row is None:
        return ""
    lines = row.cells[-1].tip.split("\n")
    return f"{row.cells[0].text}\n" + "\n".join(f"• {line}" for line in lines)


def named(region: Region) -> str:
    """Return a region as readers write it: ``L1``, ``CSF L3``."""
    return f"CSF {region.level or ''}".strip() if region.part is Structure.CSF else str(region.level)


def _score_row(vbq: Vbq, score: Score, found: Scored | None) -> RowView:
    title = score.name.replace("_", "-").upper()
    rows = vbq.table.where(name=score.name).rows
    if not rows or rows[0].value is None:
        why = rows[0].note if rows else _not_chosen(vbq, score.sequences)
        cells = (Cell(title), Cell(_NONE), *_published(found), Cell(why, tip=why))
        return RowView(score.name, cells, RowState.ABSENT, tip=why)
    row = rows[0]
    width = vbq.table.value(name=f"{row.name}_uncertainty")
    text = f"{row.value:.3f}" if width is None else f"{row.value:.3f} ± {width:.3f}"
    remarks = brief((row.note, *(found.prediction.warnings if found else ())))
    if vbq.measured.stale:
        remarks = (_("the remarks on shading are of before the last edit"), *remarks)
    value = Cell(text, row.value, _uncertain(vbq, row))
    cells = (Cell(title), value, *_published(found), _remarks(remarks))
    return RowView(score.name, cells, _state(vbq, (row,)))


def _published(found: Scored | None) -> tuple[Cell, Cell]:
    if found is None:
        return Cell(_NONE), Cell(_("none published"))
    (threshold,) = found.model.card.thresholds
    about = f"{found.model.card.population.text}. {found.model.card.citation}"
    told = _("Sensitivity, specificity: {rates}").format(rates=rates(threshold))
    side = found.class_text.removesuffix(" the published cut-off")
    return Cell(f"{threshold.value:g}", threshold.value, f"{told}\n{about}"), Cell(side or _NONE, tip=told)


def _shading_row(vbq: Vbq, row: Measurement) -> RowView:
    title = _("Shading {sequence}").format(sequence=row.name.partition("_")[0].upper())
    text = _NONE if row.value is None else f"{round(row.value):+d} %"
    tip = _("Signal at L1 less that at L4 that the coil makes.")
    blank = Cell("")
    notes = tuple(part for part in row.note.split("; ") if part)
    cells = (Cell(title), Cell(text, row.value, tip), blank, blank, _remarks(notes))
    state = _state(vbq, (row,))
    why = {
        RowState.STALE: _("Of the regions as they lay before: it follows when you let go."),
        RowState.ABSENT: row.note,
    }
    return RowView(row.name, cells, state, tip=why.get(state, ""))


def _signal_row(vbq: Vbq, region: Region, sequences: list[Modality]) -> RowView:
    own = vbq.table.where(level=region.level, compartment=region.part)
    rows = [row for s in sequences for row in own.where(name=_signal(s))]
    cells = [_signal_cell(own.value(name=f"{row.name}_sd"), row) for row in rows]
    remarks = tuple(dict.fromkeys(part for row in rows for part in row.note.split("; ") if part))
    cells = (Cell(named(region)), *cells, _remarks(remarks))
    return RowView(str(region), cells, _state(vbq, rows), region.level)


def _signal_cell(sd: float | None, row: Measurement) -> Cell:
    if row.value is None:
        return Cell(_NONE, tip=row.note)
    return Cell(f"{row.value:.4g}" if sd is None else f"{row.value:.4g} ({sd:.3g})", row.value)


def _missing_row(region: Region, why: str, count: int) -> RowView:
    cells = (Cell(named(region)), *[Cell(_NONE)] * count, Cell(why, tip=why))
    return RowView(str(region), cells, RowState.ABSENT, region.level, why)


def _exclusion_row(vbq: Vbq, node: object) -> RowView:
    data = curves.kept(node)
    region = parse_region(data["region"])
    left_out = vbq.session.parameters.vbq_exclude and not curves.is_left_in(node)
    cells = (Cell(named(region)), Cell(_(data["kind"])), Cell(_("yes") if left_out else _("no")), Cell(data["note"]))
    return RowView(node.GetID(), cells, level=region.level)


def _state(vbq: Vbq, rows: Iterable[Measurement]) -> RowState:
    if any(key_of(row) in vbq.measured.stale for row in rows):
        return RowState.STALE
    return RowState.ABSENT if all(row.value is None for row in rows) else RowState.CURRENT


def _not_chosen(vbq: Vbq, sequences: Iterable[Modality]) -> str:
    lacking = [str(sequence) for sequence in sequences if vbq.session.node(sequence) is None]
    return _("no {names} image is chosen in the panel Images").format(names=_(" and no ").join(lacking))


def _uncertain(vbq: Vbq, row: Measurement) -> str:
    rows = vbq.table.where(name=f"{row.name}_uncertainty").rows
    return rows[0].note if rows else ""


def _remarks(remarks: tuple[str, ...]) -> Cell:
    """Return how many remarks there are: all stand in the tool tip, and below the table where the row is selected."""
    count = len(remarks)
    text = "" if not count else _("1 remark") if count == 1 else _("{count} remarks").format(count=count)
    return Cell(text, tip="\n".join(remarks))


def _signal(sequence: Modality) -> str:
    return f"{sequence.lower()}_signal_intensity"
