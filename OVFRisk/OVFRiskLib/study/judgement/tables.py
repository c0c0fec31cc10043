"""A study's tables as CSV files, each of one subject, and what their columns mean."""

from pathlib import Path

import pandas as pd

from ...files.tables import write_csv
from ..cohort import cells
from ..running.results import StudyRun
from .judged import Judgement
from .table_columns import meaning_of
from .tables_judged import judged_tables
from .tables_run import run_tables

COLUMNS = "columns.csv"


def write_tables(folder: Path, run: StudyRun, judgement: Judgement) -> tuple[str, ...]:
    """Write the tables of a study, and ``columns.csv`` that says what their columns mean.

    A value that there is not is an empty cell, and the row's ``reason`` says why. Tables without a row are not written.
    The same study gives the same bytes.

    Parameters
    ----------
    folder : Path
        Exists.
    run : StudyRun
    judgement : Judgement

    Returns
    -------
    tuple of str
        Names of the files, ``columns.csv`` last.

    Raises
    ------
    UserError
        When a file cannot be written.
    """
    tables = {name: table for name, table in (run_tables(run) | judged_tables(judgement)).items() if len(table)}
    for name, table in tables.items():
        write_csv(folder / name, cells(table))
    write_csv(folder / COLUMNS, cells(_columns(tables)))
    return (*tables, COLUMNS)


def _columns(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows = [(name, str(column), meaning_of(name, str(column))) for name, table in tables.items() for column in table]
    return pd.DataFrame(rows, columns=["table", "column", "meaning"])
