"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the result; made new.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result in OUT.")]
Subject = Annotated[str, typer.Option(help="A code for the patient, never a name.")]
