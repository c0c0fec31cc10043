"""What the main job leaves behind: the result folder's files, and what is printed."""

import json
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .analysis import Analysis
from .anatomy import Compartment, VertebralLevel
from .ct_analysis import Report
from .errors import import_optional
from .events import STOP_SIGNALS, telling
from .files.report import write_report
from .files.score_table import main_contributions, score_columns
from .files.segmentation_file import write_segmentation
from .files.tables import write_csv, write_features, write_measurements
from .models.scoring import Scored, numbered_remarks, rates
from .multiparametric import Person, multiparametric_table


def write_analysis(analysis: Analysis, folder: Path, report: Report, *, tables_only: bool = False) -> None:
    """Write tables, segmentation, scene, report and run manifest of an analysis into an existing folder.

    Parameters
    ----------
    tables_only : bool
        Leave out scene and report, which take longest.
    """
    report(0.92, "Writing tables")
    write_measurements(folder / "measurements.csv", analysis.measurements)
    write_features(folder / "features.csv", analysis.subject, analysis.features)
    write_csv(folder / "scores.csv", score_columns([scored.prediction for scored in analysis.scores]))
    if analysis.compartments is not None:
        person = Person(analysis.run["patient"]["age"], analysis.run["patient"]["sex"])
        table = multiparametric_table(analysis.measurements, {analysis.subject: person})
        write_csv(folder / "multiparametric.csv", table.columns())
    if analysis.compartments is not None:
        write_segmentation(folder / "segmentation.seg.nrrd", analysis.compartments)
    if not tables_only:
        report(0.94, "Writing the scene")
        _write_scene(analysis, folder / "scene.mrb")
        report(0.97, "Writing the report")
        write_report(folder / "report.html", analysis)
    (folder / "run.json").write_text(json.dumps(run_manifest(analysis), indent=1) + "\n", "utf-8")
    report(1.0, "Done")


def run_manifest(analysis: Analysis) -> dict:
    """Return what `run.json` holds: versions, settings, hashes of the inputs, timings, caveats."""
    return {
        "subject": analysis.subject,
        **analysis.run,
        "caveats": analysis.caveats,
        "warnings": {str(region): features.warnings for region, features in analysis.features.items()},
        "regions": {
            str(region): {
                "mask": analysis.feature_masks.get(region, ""),
                "absent": dict(features.absent),
                "diagnostics": dict(features.diagnostics),
            }
            for region, features in analysis.features.items()
        },
    }


def _write_scene(analysis: Analysis, path: Path) -> None:
    slicer = import_optional("slicer", "Writing scene.mrb")
    from . import mrml

    scene = slicer.vtkMRMLScene()
    mrml.build_scene(scene, analysis)
    mrml.save_bundle(scene, path)


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Yield a function that tells how far the work is (see `telling`); after Ctrl-C or a kill it ends the work.

    An interrupt that arrives inside compiled code may be lost there: the next report raises it again.
    """
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()
        raise KeyboardInterrupt

    with telling() as tell:

        def report(share: float, what: str) -> None:
            if stopped.is_set():
                raise KeyboardInterrupt
            tell(share, what)

        before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
        try:
            yield report
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def print_summary(analysis: Analysis, out: Path) -> None:
    """Print the result's table, its caveats, and where the report lies."""
    from rich.console import Console

    console = Console()
    if analysis.levels:
        console.print(_level_table(analysis))
    if analysis.scores:
        print_scores(analysis.scores)
    for caveat in analysis.caveats:
        console.print(f"! {caveat}", highlight=False, markup=False)
    if (out / "report.html").exists():
        console.print(f"\nReport: {out.absolute() / 'report.html'}", highlight=False, markup=False, soft_wrap=True)


_COLUMNS = (
    ("HU", Compartment.CANCELLOUS, "trabecular_attenuation", ".0f"),
    ("SD", Compartment.CANCELLOUS, "trabecular_attenuation_sd", ".0f"),
    ("Ha mm", Compartment.BODY, "anterior_height", ".1f"),
    ("Hm mm", Compartment.BODY, "middle_height", ".1f"),
    ("Hp mm", Compartment.BODY, "posterior_height", ".1f"),
    ("Grade", Compartment.BODY, "genant_grade", ".0f"),
    ("vBMD", Compartment.CANCELLOUS, "vbmd", ".0f"),
)


def _level_table(analysis: Analysis) -> object:
    from rich.table import Table

    table = Table("Level", *(title for title, *_ in _COLUMNS), "Remarks", title=f"{analysis.subject}: vertebrae on CT")
    notes = _own_notes(analysis)
    for quality in analysis.levels:
        cells = [_cell(analysis, quality.level, part, name, style) for _, part, name, style in _COLUMNS]
        features = sum(len(f.values) for region, f in analysis.features.items() if region.level == quality.level)
        table.add_row(quality.level, *cells, quality.note or notes.get(quality.level) or f"{features} features")
    return table


def _own_notes(analysis: Analysis) -> dict[VertebralLevel, str]:
    """Return what is noted of each level's bone, without what is noted of every level alike."""
    rows = analysis.measurements.where(name="trabecular_attenuation")
    notes = {row.level: row.note.split("; ") for row in rows if row.value is not None}
    common = set.intersection(*map(set, notes.values())) if len(notes) > 1 else set()
    return {level: "; ".join(note for note in own if note not in common) for level, own in notes.items()}


def _cell(analysis: Analysis, level: VertebralLevel, part: Compartment, name: str, style: str) -> str:
    value = analysis.measurements.value(level=level, compartment=part, name=name)
    return "-" if value is None else format(value, style)


def print_scores(scores: Sequence[Scored]) -> None:
    """Print the models' results; below them each remark once, with the numbers of the models it is about."""
    from rich.console import Console

    console = Console()
    titles = ("", "Model", "Result", "Class", "Sens., spec.", "Main reasons")
    rows = [_score_row(number, scored) for number, scored in enumerate(scores, start=1)]
    console.print(plain_table(titles, rows, "Models (no diagnosis)"))
    for remark, numbers in numbered_remarks(scores).items():
        console.print(f"{numbers}: {remark}", highlight=False, markup=False)


def _score_row(number: int, scored: Scored) -> tuple[str, ...]:
    found = scored.prediction
    published = "; ".join(filter(None, map(rates, scored.model.card.thresholds)))
    reasons = main_contributions(found.contributions, found.contribution_scale)
    return str(number), scored.title, scored.written, scored.class_text, published, reasons


def plain_table(titles: Iterable[str], rows: Iterable[Iterable[str]], title: str = "") -> object:
    """Return a table to print, without empty columns; brackets in its cells (units, texts of files) are no markup."""
    from rich.markup import escape
    from rich.table import Table

    lines = [list(row) for row in rows]
    columns = [(title, cells) for title, *cells in zip(titles, *lines) if any(cells)]
    table = Table(*(title for title, _ in columns), title=title or None)
    for n in range(len(lines)):
        table.add_row(*(escape(cells[n]) for _, cells in columns))
    return table
