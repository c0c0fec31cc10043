"""Files of the library stay under 300 lines, functions at most 60."""

import ast
from pathlib import Path

import OVFRiskLib
import pytest

PACKAGE = Path(OVFRiskLib.__file__).parent


@pytest.mark.parametrize("file", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")))
def test_files_and_functions_are_short(file):
    text = (PACKAGE / file).read_text("utf-8")
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    assert len(text.splitlines()) < 300
    assert [function.name for function in functions if function.end_lineno - function.lineno >= 60] == []
