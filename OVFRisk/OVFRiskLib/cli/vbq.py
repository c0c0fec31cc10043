"""``ovfrisk vbq``: vertebral bone quality of one exam, and how far repeated readings agree."""

from time import perf_counter

import typer
from typer.core import TyperGroup

from ..errors import UserError
from ..files.result_folder import result_folder
from ..files.vbq_result import VbqExam, write_vbq_exam
from ..results import progress_bar
from ..vbq.exam import measure_exam
from ..vbq.readings import Reading, write_reading
from .options import Out, Overwrite, Subject, grouped
from .vbq_agreement import agreement_command
from .vbq_inputs import Bodies, How, ReaderCode, Sequences
from .vbq_summary import print_exam

_MEASURE = "measure"
_NO_SUBJECT = "patient"
_FILES, _BODIES, _HOW = Sequences(), Bodies(), How()


class _MeasureUnlessNamed(TyperGroup):
    """A group whose command is `measure` where the first word names none."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Put `measure` in front of an OUT or an option of it."""
        named = not args or args[0] in self.commands or args[0] == "--help"
        return super().parse_args(ctx, args if named else [_MEASURE, *args])


vbq = typer.Typer(
    cls=_MeasureUnlessNamed,
    help="Measure vertebral bone quality (VBQ) on MRI, and compare repeated readings.\n\n"
    "`ovfrisk vbq OUT --t1 … --bodies … --scheme …` measures one exam: the word `measure` may be left out. "
    "`ovfrisk vbq agreement OUT READINGS…` compares readings that were made with --reader. "
    "`ovfrisk vbq measure --help` and `ovfrisk vbq agreement --help` list the options.",
    no_args_is_help=True,
)
vbq.command("agreement")(agreement_command)


@vbq.command(_MEASURE)
@grouped
def measure_command(
    out: Out,
    sequences: Sequences = _FILES,
    bodies: Bodies = _BODIES,
    how: How = _HOW,
    reader: ReaderCode = None,
    subject: Subject = _NO_SUBJECT,
    overwrite: Overwrite = False,
) -> None:
    """Measure VBQ-T1, -T2, -STIR and -T2-STIR of one exam, and write tables, regions and pictures to OUT.

    Where the vertebral bodies are is told in one of three ways: --bodies, --clicks or --regions.
    """
    settings = how.settings(edited=bodies.regions is not None)
    bodies.check()
    if reader is not None and subject == _NO_SUBJECT:
        raise UserError("A reading is of a known subject.", "Add --subject with the patient's code, never a name.")
    with result_folder(out, overwrite) as folder, progress_bar() as report:
        started = perf_counter()
        report(0.1, "Reading the images")
        given = sequences.read()
        places = bodies.read(given.images)
        report(0.3, "Measuring vertebral bone quality")
        result = measure_exam(given.images, settings, subject, **places.given)
        told = {**places.told, **({"exam": given.choices} if given.choices else {})}
        exam = VbqExam(subject, given.images, settings, result, told, (*given.caveats, *places.caveats))
        report(0.7, "Writing tables and pictures")
        write_vbq_exam(folder, exam, lambda: perf_counter() - started)
        if reader is not None:
            reading = _reading(exam, reader)
            write_reading(folder / reading.file_name, reading)
        report(1.0, "Done")
    print_exam(exam, out)


def _reading(exam: VbqExam, reader: str) -> Reading:
    result, settings = exam.result, exam.settings
    return Reading.from_measurements(
        result.measurements,
        result.regions,
        result.volumes,
        reader=reader,
        statistic=settings.statistic,
        fractured=settings.fractured,
    )
