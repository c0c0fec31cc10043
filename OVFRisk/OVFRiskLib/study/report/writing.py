"""The report of a study: the page, its text, and the checklists."""

from collections.abc import Sequence
from pathlib import Path

from ...errors import UserError
from ..figures.study_figure import StudyFigure
from ..judgement.judged import Judgement
from ..running.results import StudyRun
from .checklists import checklists, write_checklist
from .page import write_page
from .paragraph import methods_and_results

PAGE, TEXT = "study.html", "methods_and_results.md"


def write_report(folder: Path, run: StudyRun, judgement: Judgement, figures: Sequence[StudyFigure]) -> tuple[str, ...]:
    """Write ``study.html``, ``methods_and_results.md`` and ``checklist_*.csv`` into `folder`; return these names.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    run : StudyRun
    judgement : Judgement
    figures : sequence of StudyFigure
        In reading order; they are inside the page.

    Raises
    ------
    UserError
        When a file cannot be written, or jinja2 is missing.
    """
    names = [PAGE, TEXT]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TEXT).write_text(methods_and_results(run, judgement), "utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{folder / TEXT} cannot be written: {error.strerror}.", "Choose another folder.") from error
    write_page(folder / PAGE, run, judgement, figures)
    for checklist in checklists(run, judgement):
        names.append(f"checklist_{checklist.key}.csv")
        write_checklist(folder / names[-1], checklist)
    return tuple(names)
