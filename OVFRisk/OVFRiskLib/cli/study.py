"""``ovfrisk study``: from a cohort's tables to validated, compared, exportable models."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError, import_optional
from ..files.result_folder import result_folder
from ..results import progress_bar
from .options import Out, Overwrite

study = typer.Typer(help="Studies: cohorts to models, as published and leak-free.", no_args_is_help=True)
_NAMES = "fracture-risk, residual-back-pain, malignant-fracture or vbq"
_CANDIDATES = {"fracture-risk": (480, 80), "vbq": (336, 84)}  # patients to match from, and events

Template = Annotated[str, typer.Option("--template", help=f"{_NAMES}.")]
Jobs = Annotated[
    int | None, typer.Option(help="Processes; all cores where not given. The numbers do not depend on it.", min=1)
]


@study.command("new")
def new_command(
    design: Annotated[Path, typer.Argument(metavar="DESIGN", help="File to write, e.g. design.toml.")],
    template: Template,
) -> None:
    """Write the design of one of the papers, to be changed to your own tables."""
    _need_study()
    from ..study.design.templates import template as text_of

    text = text_of(template)
    try:
        with design.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise UserError(f"{design} exists.", "Choose another name: nothing was touched.") from error
    except OSError as error:
        raise UserError(f"{design} cannot be written: {error.strerror}.", "Choose another folder.") from error
    typer.echo(f"Design: {design}")


@study.command("synthetic")
def synthetic_command(
    out: Out,
    template: Template,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients.", min=0)] = 1,
    patients: Annotated[int | None, typer.Option(help="The publication's number where not given.", min=20)] = None,
    events: Annotated[int | None, typer.Option(help="In proportion where not given.", min=1)] = None,
    noise: Annotated[bool, typer.Option("--noise", help="No column has anything to do with the outcome.")] = False,
    examples: Annotated[int, typer.Option(help="Patients whose tables are written one by one, to score.", min=0)] = 2,
    overwrite: Overwrite = False,
) -> None:
    """Make a synthetic cohort of a paper's size with its design: tables, truth and design.toml. Never evidence."""
    _need_study()
    from ..study.design.templates import template as text_of
    from ..study.synthetic import synthetic_cohort
    from ..study.synthetic_files import write_cohort, write_patient

    text = text_of(template)
    if patients is None and events is None:
        patients, events = _CANDIDATES.get(template, (None, None))
    drawn = synthetic_cohort(template, seed, patients, events, signal=not noise)
    with result_folder(out, overwrite) as folder:
        write_cohort(drawn, folder)
        (folder / "design.toml").write_text(text, "utf-8", newline="\n")
        (folder / "phantom.json").write_text(json.dumps({"synthetic": True, "seed": seed}) + "\n", "utf-8")
        for subject in drawn.cohort.table.index[:examples]:
            (folder / "patients" / subject).mkdir(parents=True)
            write_patient(drawn, subject, folder / "patients" / subject)
    typer.echo(f"Synthetic cohort of {len(drawn.cohort)} patients: {out}")


@study.command("run")
def run_command(
    design: Annotated[Path, typer.Argument(metavar="DESIGN", help="The study's design (TOML).")],
    out: Out,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Run a study. A run that was stopped goes on where it was when the command is given again."""
    _need_study()
    from ..study.finish import finish
    from ..study.running.run import run_study

    with progress_bar() as report:
        run = run_study(design, out, jobs or _cores(), report, overwrite=overwrite)
        report(0.93, "Judging and writing")
        lines = finish(run, out, jobs or _cores())
        report(1.0, "Done")
    _show(lines, out)


@study.command("report")
def report_command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a finished run.")], jobs: Jobs = None
) -> None:
    """Judge a finished run again and write its tables, figures and report anew."""
    _need_study()
    from ..study.finish import finish
    from ..study.running.run import load_run

    _show(finish(load_run(out), out, jobs or _cores()), out)


@study.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a design file: editors of TOML check and complete a file with it."""
    _need_study()
    from ..study.design.schema import design_schema

    typer.echo(json.dumps(design_schema(), indent=1))


def _need_study() -> None:
    for name in ("sklearn", "pandas", "statsmodels", "imblearn"):
        import_optional(name, "A study")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _show(lines: tuple[str, ...], out: Path) -> None:
    for line in lines:
        typer.echo(line)
    typer.echo(f"Report: {out / 'study.html'}")
