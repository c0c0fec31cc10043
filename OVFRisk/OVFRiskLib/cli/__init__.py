"""The command `ovfrisk`: each group of commands has a file of its own."""

import signal
import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import UserError
from ..events import STOP_SIGNALS, print_events, tell
from ..jobs import Kind
from .features import features_command
from .models import models
from .patient import analyze_command
from .phantom import demo_command, phantom_command
from .protocols import protocols
from .score import score_command
from .segment import segment_command
from .segmenter import segmenter
from .study import study
from .vbq import vbq

app = typer.Typer(
    help="OVFRisk measures vertebrae on CT and MRI. What it shows is no diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze_command)
app.command("segment")(segment_command)
app.add_typer(segmenter, name="segmenter")
app.command("features")(features_command)
app.add_typer(protocols, name="protocols")
app.add_typer(vbq, name="vbq")
app.add_typer(models, name="models")
app.command("score")(score_command)
app.add_typer(study, name="study")
app.command("phantom")(phantom_command)
app.command("demo")(demo_command)


def main() -> None:
    """Run the command; what the user can put right ends with two lines on stderr and exit code 2."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)  # a kill cleans up as Ctrl-C does
    try:
        app()
    except SystemExit as end:
        if not end.code:
            tell(Kind.FINISHED)
        raise
    except UserError as error:
        tell(Kind.FAILED, what=error.what, what_to_do=error.what_to_do)
        typer.echo(f"{error.what}\n{error.what_to_do}", err=True)
        sys.exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ovfrisk {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
    events: Annotated[bool, typer.Option("--events", help="Print one JSON event a line, for programs.")] = False,
) -> None:
    """Options of the command itself."""
    if events:
        print_events()
