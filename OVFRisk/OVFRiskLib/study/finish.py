"""What follows a run: judging, tables, figures, report."""

from pathlib import Path

from .figures import draw_figures, write_figures
from .judgement.judge import judge
from .judgement.tables import write_tables
from .report.writing import write_report
from .running.results import StudyRun


def finish(run: StudyRun, out: Path, jobs: int) -> tuple[str, ...]:
    """Judge a run, write everything that is shown of it into its folder, and return what to print.

    Parameters
    ----------
    run : StudyRun
    out : Path
    jobs : int
        Processes.

    Raises
    ------
    UserError
        When a file cannot be written, or a package is missing.
    """
    judgement = judge(run, jobs)
    figures = draw_figures(run, judgement)
    (out / "tables").mkdir(exist_ok=True)
    write_tables(out / "tables", run, judgement)
    write_figures(figures, out)
    write_report(out, run, judgement, figures)
    said = ["SYNTHETIC patients: no evidence of anything."] if run.synthetic else []
    areas = (
        f"{one.title}: AUC {one.auc} ({one.on}, {one.n} patients, {one.events} with the event)"
        for one in judgement.on(judgement.primary)
    )
    return (*said, *areas, *(f"Note: {warning}" for warning in judgement.warnings))
