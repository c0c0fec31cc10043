"""The page of a study: one self-contained HTML file that loads nothing, best first and everything in it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ... import __version__
from ...errors import UserError, import_optional
from ...resources import resource
from ..figures.study_figure import StudyFigure
from ..judgement.judged import Judgement
from ..running.results import StudyRun
from . import findings, shown_judgement, shown_study
from .checklists import Checklist, State, checklists, score
from .methods_judging import at, best_of
from .paragraph import passages
from .shown import Cell, Shown, of_estimate, shown
from .words import Nameless, counted, share


@dataclass(frozen=True)
class Section:
    """A heading of the page with its tables.

    Parameters
    ----------
    key : str
        Of the link to it.
    title : str
    tables : tuple of Shown
    empty : str
        What is said where there is no table; empty: the section is left out.
    """

    key: str
    title: str
    tables: tuple[Shown, ...]
    empty: str = ""

    @property
    def folders(self) -> list[tuple[str, list[Shown]]]:
        """Return neighbours of one folder together; open tables have none."""
        return [(folder, list(tables)) for folder, tables in groupby(self.tables, lambda table: table.folder)]


def write_page(path: Path, run: StudyRun, judgement: Judgement, figures: Sequence[StudyFigure]) -> None:
    """Write the page of a study.

    Parameters
    ----------
    path : Path
        Ends in ``.html``.
    run : StudyRun
    judgement : Judgement
    figures : sequence of StudyFigure
        In reading order.

    Raises
    ------
    UserError
        When the file cannot be written, or jinja2 is missing.
    """
    html = render_page(run, judgement, figures)
    try:
        path.write_text(html, "utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def render_page(run: StudyRun, judgement: Judgement, figures: Sequence[StudyFigure]) -> str:
    """Return the page as HTML; everything from outside is escaped, and no patient is named."""
    jinja2 = import_optional("jinja2", "Writing study.html")
    loader = jinja2.FileSystemLoader([resource("Study"), resource("Report")])
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("study.html.jinja").render(**_content(run, judgement, figures))


def _content(run: StudyRun, judgement: Judgement, figures: Sequence[StudyFigure]) -> dict[str, object]:
    nameless = Nameless(run)
    return {
        "version": __version__,
        "design": run.design,
        "synthetic": run.synthetic,
        "facts": _facts(run),
        "headline": _headline(judgement),
        "warnings": [nameless(text) for text in judgement.warnings],
        "first": _present(_first(run, judgement)),
        "figures": [(figure, _uri(figure)) for figure in figures],
        "second": _present(_second(run, judgement)),
        "passages": passages(run, judgement),
        "checklists": [_checklist(one) for one in checklists(run, judgement)],
        "last": Section("run", "The run", tuple(shown_study.facts(run))),
    }


def _facts(run: StudyRun) -> list[tuple[str, str]]:
    keys = run.cohort.table.index
    found = [("Patients", f"{len(keys):,}"), ("With the event", share(int(run.outcome.loc[keys].sum()), len(keys)))]
    if run.split is not None:
        found.append(("Training / test", f"{len(run.split.train):,} / {len(run.split.test):,}"))
    if run.external is not None:
        found.append(("External", f"{len(run.external):,}"))
    failed = sum(bool(model.failed) for model in run.models)
    found.append(("Models", f"{len(run.models) - failed}" + (f", {failed} failed" if failed else "")))
    return found


def _headline(judgement: Judgement) -> dict[str, object]:
    """Return the best leak-free model on the primary set, and the optimism of the other order."""
    best = best_of(judgement)
    if best is None:
        return {"title": "", "rows": (), "optimism": "", "on": at(judgement.primary)}
    rows = [("AUC", of_estimate(best.auc)), ("Calibration slope", of_estimate(best.calibration.slope))]
    youden = best.confusion.get("Youden")
    if youden is not None:
        cutoff = "absent" if youden.cutoff.value is None else f"{youden.cutoff.value:.3f}"
        rule = f"at Youden's cut-off ({cutoff})"
        rows += [(f"Sensitivity {rule}", of_estimate(youden.sensitivity))]
        rows += [(f"Specificity {rule}", of_estimate(youden.specificity))]
    optimism = f"{findings.optimism_of_best(judgement)}{findings.chosen_there(judgement)}"
    where = f"{at(best.on)}: {counted(best.n, 'patient')}, {best.events:,} with the event"
    return {"title": best.title, "rows": rows, "optimism": optimism, "on": where}


def _first(run: StudyRun, judgement: Judgement) -> tuple[Section, ...]:
    """Return what comes before the figures."""
    return (
        Section(
            "order",
            "As published and leak-free",
            tuple(shown_judgement.both_ways(judgement)),
            "Only one order was run: there is nothing to compare.",
        ),
        Section("performance", "Performance", tuple(shown_judgement.performance(judgement)), "No model was judged."),
        Section("comparisons", "Models compared", tuple(shown_judgement.comparisons(run, judgement))),
        Section("validation", "Validation", tuple(shown_judgement.validation(judgement))),
    )


def _second(run: StudyRun, judgement: Judgement) -> tuple[Section, ...]:
    """Return what comes after the figures."""
    return (
        Section("patients", "Patients", tuple(shown_study.table_one(run))),
        Section("missing", "Missing values", tuple(shown_study.missing(run)), "No value is missing."),
        Section("matching", "Matching", tuple(shown_study.balance(run))),
        Section("steps", "Selection step by step", tuple(shown_study.steps(run)), "No step was asked for."),
        Section("models", "Models", tuple(shown_study.models(run))),
        Section("subgroups", "Subgroups", tuple(shown_judgement.subgroups(judgement))),
        Section("ablation", "Ablation", tuple(shown_judgement.ablation(judgement))),
        Section("learning", "Learning curve", tuple(shown_judgement.learning_curve(judgement))),
    )


def _present(sections: Sequence[Section]) -> list[Section]:
    return [section for section in sections if section.tables or section.empty]


def _uri(figure: StudyFigure) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(figure.svg).decode('ascii')}"


def _checklist(one: Checklist) -> dict[str, object]:
    rows = [
        (item.number, item.section, item.item, Cell(item.state), Cell(item.answer, item.add and f"To add: {item.add}."))
        for item in one.items
    ]
    tally = one.tally()
    weighted = any(item.weight is not None for item in one.items)
    value, why = score(one.items)
    return {
        "checklist": one,
        "tally": ", ".join(f"{n} {state}" for state, n in tally.items() if n),
        "table": shown(one.name, ("Item", "Section", "Asks for", "State", "Answer"), rows, folder=""),
        "score": (f"{value:.1f} %" if value is not None else why) if weighted else "",
        "open": tally[State.AUTHORS],
    }
