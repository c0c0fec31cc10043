"""Tables as one Excel workbook (``.xlsx``): a sheet a table.

Text that a spreadsheet would run as a formula is a plain string with Excel's own apostrophe (the style "quote prefix"):
it shows and reads back as it is, and never runs, not even after it was edited (OWASP, "CSV Injection"; `files.tables`
does the same in a CSV, where the apostrophe is part of the text).
"""

import re
from collections.abc import Mapping
from pathlib import Path

from ..errors import UserError, import_optional
from .tables import Cell

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST = 32767  # characters of a cell, as Excel's specifications and limits say; so for the next two
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
_CUT = " … (cut: the whole text is in the CSV)"
_WIDEST = 60


def write_workbook(path: Path, tables: Mapping[str, Mapping[str, list[Cell]]]) -> None:
    """Write tables as the sheets of a workbook; a value that is absent is an empty cell.

    Parameters
    ----------
    path : Path
        Ends in ``.xlsx``.
    tables : mapping of str to mapping of str to list
        By the sheets' names (31 characters at most), columns of one length by their titles.

    Raises
    ------
    UserError
        When openpyxl is missing, a table is larger than a sheet, or the file cannot be written.
    """
    openpyxl = import_optional("openpyxl", "Writing an Excel workbook")
    for name, columns in tables.items():
        _check_size(name, columns)
    try:
        with path.open("wb") as file:
            book = openpyxl.Workbook(write_only=True)
            book.properties.creator = "OVFRisk"
            for name, columns in tables.items():
                _fill(book.create_sheet(name), columns)
            book.save(file)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def _check_size(name: str, columns: Mapping[str, list[Cell]]) -> None:
    rows = 1 + max(map(len, columns.values()), default=0)
    if rows > _MOST_ROWS or len(columns) > _MOST_COLUMNS:
        raise UserError(f"The table '{name}' is larger than an Excel sheet.", "Export it as CSV or Parquet.")


def _fill(sheet: object, columns: Mapping[str, list[Cell]]) -> None:
    """Write header and rows; the header stays in view, and columns are as wide as their titles or short texts."""
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    for n, (title, cells) in enumerate(columns.items(), start=1):
        longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
        sheet.column_dimensions[get_column_letter(n)].width = 2 + min(max(len(title), longest), _WIDEST)
    sheet.append([_text(sheet, title, bold=True) for title in columns])
    for row in zip(*columns.values()):
        sheet.append([_text(sheet, cell) if isinstance(cell, str) else cell for cell in row])


def _text(sheet: object, text: str, bold: bool = False) -> object:
    """Return a cell that is text whatever it looks like."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    text = _NOT_IN_XML.sub(" ", text)
    if len(text) > _LONGEST:
        text = text[: _LONGEST - len(_CUT)] + _CUT
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    if text.startswith(_FORMULA_STARTS):
        cell.quotePrefix = True
    if bold:
        cell.font = Font(bold=True)
    return cell
