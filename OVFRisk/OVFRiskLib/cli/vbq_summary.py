"""What `ovfrisk vbq` prints: scores beside published cut-offs, signals by level, and everything to keep in mind."""

from collections.abc import Iterable
from pathlib import Path

from ..anatomy import Compartment, Region, Structure
from ..events import tell
from ..files.figures.charts import score_title
from ..files.vbq_result import VbqExam
from ..jobs import Kind
from ..measurement import Measurement
from ..models.scoring import Scored, rates, span
from ..vbq.motion import SMALLEST_MM
from ..vbq.score_definitions import scores_of
from ..vbq.score_uncertainty import SHIFT_MM


class _Notes:
    """Remarks, each told once below the tables and named there by its number."""

    def __init__(self, regions: Iterable[Region]) -> None:
        self.numbers: dict[str, int] = {}
        self._places = tuple(f"{region}: " for region in regions)

    def numbered(self, note: str) -> str:
        """Return the numbers of the remarks that `note` holds; where they apply is told by the rows themselves."""
        texts = dict.fromkeys(self._placeless(text) for text in note.split("; ") if text)
        found = {self.numbers.setdefault(text, len(self.numbers) + 1) for text in texts}
        return ", ".join(map(str, sorted(found)))

    def _placeless(self, text: str) -> str:
        return next((text.removeprefix(place) for place in self._places if text.startswith(place)), text)


def print_exam(exam: VbqExam, out: Path) -> None:
    """Print scores, signals by level, motions, what was left out, caveats, and where the result lies."""
    from rich.console import Console

    console = Console()
    regions = (*(roi.region for roi in exam.result.regions), *exam.result.regions.missing)
    notes = _Notes(regions)
    if "exam" in exam.told:
        console.print(_choice_table(exam))
    console.print(_score_table(exam, notes), _level_table(exam, notes))
    for text, number in notes.numbers.items():
        console.print(f"{number:>2}  {text}", highlight=False, markup=False)
    for text in (*_motions(exam), *_left_out(exam)):
        console.print(text, highlight=False, markup=False)
    for text in exam.all_caveats:
        console.print(f"! {text}", highlight=False, markup=False)
        tell(Kind.WARNING, text=text)
    for text in (*_explained(exam), f"\nResult: {out.absolute()}"):
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _choice_table(exam: VbqExam) -> object:
    from rich.table import Table

    table = Table("Sequence", "Series", "Why", "Doubts", title="Series of the exam")
    for sequence, choice in exam.told["exam"].items():
        table.add_row(sequence, choice["series"] or "none", choice["reason"], "; ".join(choice["doubts"]) or "-")
    return table


def _score_table(exam: VbqExam, notes: _Notes) -> object:
    from rich.table import Table

    columns = ("Score", "Value", "Cut-off,\nside", "Sens.,\nspec.", "AUC\n(95 % CI)", "Remarks")
    title = f"{exam.subject}: VBQ beside published cut-offs (no diagnosis)"
    table = Table(*columns, title=title, show_edge=False, pad_edge=False)
    for column in (0, 1, 4):
        table.columns[column].no_wrap = True
    published = {scored.model.card.inputs[0].name: scored for scored in exam.scores}
    for score in scores_of(exam.result.volumes):
        (row,) = exam.result.measurements.where(name=score.name)
        found = published.get(score.name)
        cells = _published(found) if found else ("none", "-", "-")
        remarks = "; ".join((row.note, *found.prediction.warnings)) if found else row.note
        table.add_row(score_title(score.name), _plus_minus(exam, row), *cells, notes.numbered(remarks))
    return table


def _published(scored: Scored) -> tuple[str, ...]:
    (threshold,), (auc,) = scored.model.card.thresholds, scored.model.card.performance
    side = scored.class_text.removesuffix(" the published cut-off") or "-"
    return f"{threshold.value:g}\n{side}", rates(threshold), f"{auc.value:.2f}\n{span(auc.interval, '.2f').strip()}"


def _plus_minus(exam: VbqExam, row: Measurement) -> str:
    if row.value is None:
        return "absent"
    width = exam.result.measurements.value(name=f"{row.name}_uncertainty")
    return f"{row.value:.3f}" if width is None else f"{row.value:.3f} ± {width:.3f}"


def _level_table(exam: VbqExam, notes: _Notes) -> object:
    from rich.table import Table

    sequences = tuple(exam.result.volumes)
    columns = ("Level", *(f"{sequence} (SD)" for sequence in sequences), "Remarks")
    table = Table(*columns, title="\nSignal, in the image's own units", show_edge=False, pad_edge=False)
    regions = exam.result.regions
    for roi in regions:
        rows = [_row(exam, roi.region, f"{sequence.lower()}_signal_intensity") for sequence in sequences]
        said = notes.numbered("; ".join(row.note for row in rows))
        table.add_row(_named(roi.region), *(_signal(exam, row) for row in rows), said)
    for region, why in regions.missing.items():
        table.add_row(_named(region), *("-" for _ in sequences), notes.numbered(why))
    return table


def _row(exam: VbqExam, region: Region, name: str) -> Measurement:
    (row,) = exam.result.measurements.where(level=region.level, compartment=region.part, name=name)
    return row


def _signal(exam: VbqExam, row: Measurement) -> str:
    if row.value is None:
        return "absent"
    sd = exam.result.measurements.value(level=row.level, compartment=row.compartment, name=f"{row.name}_sd")
    return f"{row.value:.4g}" if sd is None else f"{row.value:.4g} ({sd:.3g})"


def _named(region: Region) -> str:
    if isinstance(region.part, Structure):
        return f"CSF {region.level or ''}".strip()
    return str(region.level) if region.part is Compartment.BODY else str(region)


def _motions(exam: VbqExam) -> list[str]:
    """Say how the patient had moved before a sequence, against the one that the regions were drawn on."""
    said = []
    for sequence, motion in exam.result.regions.motions.items():
        how = f"{motion.anterior_mm:+.1f} mm forwards, {motion.up_mm:+.1f} mm upwards, {motion.rotation_deg:+.1f}°"
        if not motion.matters:
            what = f"hardly any motion ({motion.largest_mm:.1f} mm)"
        elif not motion.trusted:
            what = f"perhaps a motion ({how}), not certain, not corrected: {motion.note}"
        elif exam.settings.correct_motion:
            what = f"the patient had moved ({how}); the regions follow"
        else:
            what = f"the patient had moved ({how}); not corrected, as was asked for"
        said.append(f"{sequence}: {what}")
    return [*said, *_still(exam)]


def _still(exam: VbqExam) -> list[str]:
    """Say of the other sequences whether a motion was looked for."""
    still = [str(sequence) for sequence in exam.result.volumes if sequence not in exam.result.regions.motions]
    if len(exam.result.volumes) < 2:
        return []
    if "regions" in exam.told:
        return [f"The file of regions names no motion before {', '.join(still)}."] if still else []
    if not exam.settings.correct_motion:
        return ["Whether the patient moved between the sequences was not looked for, as was asked for."]
    return [f"Between {' and '.join(still)} no motion of {SMALLEST_MM:g} mm or more."] if len(still) > 1 else []


def _left_out(exam: VbqExam) -> list[str]:
    """Say what is no healthy marrow in the regions, and whether it was left out."""
    found = [
        f"{e.region.level} {e.kind} ({e.note})" if e.note else f"{e.region.level} {e.kind}"
        for e in exam.result.regions.exclusions
    ]
    if not found:
        return []
    return [f"{'Left out' if exam.settings.exclude else 'Found, not left out'}: {'; '.join(found)}"]


def _explained(exam: VbqExam) -> list[str]:
    """Say what the table's numbers are, and of whom the published ones."""
    first = f"\n±: how far a score changes with regions {SHIFT_MM:g} mm beside."
    card = exam.scores[0].model.card
    about = f"Cut-offs, sensitivity, specificity and AUC for {card.outcome}: {card.population.text}.\n{card.citation}"
    return [f"{first} {about}"]
