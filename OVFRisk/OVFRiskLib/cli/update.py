"""Options of `analyze` for an update after an edit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..analysis import Patient, Settings
from ..anatomy import VertebralLevel
from ..ct_features import EarlierFeatures
from ..errors import UserError
from ..files.earlier_result import read_earlier_result
from ..update import check_update


@dataclass(frozen=True)
class Update:
    """What was measured earlier, what was edited since, and what to write."""

    update: Annotated[
        Path | None, typer.Option(help="Earlier OUT of the same CT: what an edit left as it was is taken from it.")
    ] = None
    edited: Annotated[
        str | None, typer.Option(help="Levels whose segments were edited since then, e.g. L1,L3; no other may differ.")
    ] = None
    tables_only: Annotated[
        bool, typer.Option("--tables-only", help="Write tables, segmentation and run.json; no report and no scene.")
    ] = False


def earlier_features(options: Update, patient: Patient, settings: Settings) -> EarlierFeatures | None:
    """Return the features that may be taken over; None where everything is measured anew.

    Raises
    ------
    UserError
        When the earlier result is of something else, or other levels differ than those that were edited.
    """
    if options.update is None:
        if options.edited is not None:
            raise UserError("--edited is for --update.", "Name the earlier result with --update, too.")
        return None
    earlier = read_earlier_result(options.update)
    check_update(earlier, patient, settings, VertebralLevel.span(options.edited) if options.edited else ())
    return earlier.features
