"""Tables as a workbook: what openpyxl reads back, and text that must not run."""

import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.workbook import write_workbook

openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def written(tmp_path):
    """Return a function that writes one sheet and reads it back."""

    def write(columns):
        write_workbook(tmp_path / "x.xlsx", {"One": columns})
        return openpyxl.load_workbook(tmp_path / "x.xlsx")["One"]

    return write


def values(sheet) -> list[tuple]:
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows()]


def test_numbers_text_and_gaps_come_back(written):
    sheet = written({"name": ["L1", "L2"], "value": [1.25, None]})
    assert values(sheet) == [("name", "value"), ("L1", 1.25), ("L2", None)]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.b


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'x", '=HYPERLINK("http://x")'])
def test_text_that_looks_like_a_formula_stays_text(written, text):
    cell = written({"note": [text]})["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


def test_titles_are_text_too(written):
    assert written({"=1+1": [1.0]})["A1"].data_type == "s"


def test_characters_that_xml_cannot_hold_become_blanks(written):
    assert written({"note": ["a\x00b\x0bc"]})["A2"].value == "a b c"


def test_longer_text_than_a_cell_holds_says_that_it_was_cut(written):
    """Excel's limit is 32,767 characters."""
    text = written({"note": ["x" * 40_000]})["A2"].value
    assert len(text) == 32_767
    assert "cut" in text[-60:]


def test_table_larger_than_a_sheet_is_refused_and_nothing_is_written(tmp_path):
    """Excel's limit is 16,384 columns."""
    with pytest.raises(UserError, match="larger than an Excel sheet"):
        write_workbook(tmp_path / "x.xlsx", {"Features": {f"f{n}": [1.0] for n in range(16_385)}})
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        write_workbook(tmp_path / "none" / "x.xlsx", {"One": {"a": [1.0]}})


def test_missing_package_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(UserError, match="openpyxl"):
        write_workbook(tmp_path / "x.xlsx", {"One": {"a": [1.0]}})
