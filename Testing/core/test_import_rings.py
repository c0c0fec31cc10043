"""Who may import whom: each module is read, and imported in an interpreter that knows nothing but NumPy.

Opening the module in Slicer has to stay instant, so what is heavy is imported where it is used.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "OVFRisk" / "OVFRiskLib"


@dataclass(frozen=True)
class Ring:
    """What the parts of one ring may do.

    Parameters
    ----------
    rings : rings whose parts they may import at the top of a file.
    packages : other packages they may import there.
    never : packages that importing them must not load; "*" is every package but `packages`.
    """

    rings: tuple[int, ...]
    packages: frozenset[str]
    never: frozenset[str]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


HEAVY = _names("torch SimpleITK pydicom matplotlib pandas sklearn numba jinja2")
RINGS = {
    1: Ring((1,), _names("numpy"), _names("*")),
    2: Ring((1, 2), _names("numpy scipy"), _names("*")),
    3: Ring(
        (1, 2, 3),
        _names("numpy scipy typer rich"),
        HEAVY | {"slicer", "qt", "vtk"},
    ),
    4: Ring((1, 2, 4), _names("numpy slicer vtk"), HEAVY | {"qt"}),
    5: Ring((1, 2, 3, 4, 5), _names("numpy scipy slicer vtk"), HEAVY | {"qt", "ctk"}),
    6: Ring((1, 2, 3, 4, 5, 6), _names("numpy slicer vtk qt ctk"), HEAVY),
    7: Ring((1, 2, 7), _names("numpy scipy pandas sklearn"), HEAVY - {"pandas", "sklearn"} | {"slicer", "qt", "vtk"}),
}
RING_OF = {
    **dict.fromkeys(("__init__", "anatomy", "image", "measurement", "errors"), 1),
    **dict.fromkeys(("fingerprints", "resources", "terminology"), 1),
    **dict.fromkeys(("jobs", "events", "batch", "results", "cli"), 3),
    **dict.fromkeys(("mrml", "scene"), 4),
    "panels": 5,
    "desktop": 6,
    "study": 7,
}
FRONT_END_STATE = _names("app mrmlScene modules")  # a scene is always an argument


def module_files() -> list[str]:
    """The library's modules as paths below OVFRiskLib."""
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def part_of(file: str) -> str:
    """The part that `file` belongs to: ``radiomics/protocol.py`` is of ``radiomics``."""
    return file.removesuffix(".py").partition("/")[0]


def ring_of(part: str) -> int:
    """The ring of `part`; what the table does not name does the work and lies in ring 2."""
    return RING_OF.get(part, 2)


def top_level_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (level, dotted name) of each import that runs when the file is imported."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.level, node.module
        elif isinstance(node, ast.ImportFrom):  # from . import a, b
            yield from ((node.level, alias.name) for alias in node.names)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)


def resolved(file: str, level: int, name: str) -> tuple[str, str]:
    """Return ('own', part) for a module of the library, else ('', package)."""
    if level == 0:
        top, _, rest = name.partition(".")
        return ("own", rest.partition(".")[0] or "__init__") if top == PACKAGE.name else ("", top)
    folder = list(Path(file).parent.parts)
    steps = folder[: len(folder) - level + 1]
    part = (steps + name.split("."))[0]
    return "own", part if (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").is_file() else "__init__"


@cache
def loaded_by_import() -> dict[str, dict]:
    """Return, for each module, the third-party packages that importing it loads, or its error.

    Every import runs in a fork of its own: as fresh as a new interpreter, without the start-up time of what its
    ring may load anyway (NumPy, and SciPy beyond the core).
    """
    core = {dotted(file) for file in module_files() if ring_of(part_of(file)) == 1}
    scipy = "scipy.ndimage,scipy.spatial,scipy.signal,scipy.stats"
    return _loaded("numpy", core) | _loaded(scipy, set(importable()) - core)


def _loaded(before: str, names: set[str]) -> dict[str, dict]:
    command = [sys.executable, "-c", IMPORTER, str(PACKAGE.parent), before, *sorted(names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def dotted(file: str) -> str:
    """The import name of `file`."""
    return ".".join([PACKAGE.name, *Path(file).with_suffix("").parts]).removesuffix(".__init__")


def importable() -> list[str]:
    """The import names of all modules whose own packages are installed; there is no Qt as Slicer's here."""
    rings = {1, 2, 3, 7} if find_spec("slicer") is None else {1, 2, 3, 4, 5, 7}
    return [dotted(file) for file in module_files() if ring_of(part_of(file)) in rings]


IMPORTER = """
import importlib, json, os, re, sys, traceback

for package in sys.argv[2].split(","):
    importlib.import_module(package)
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)

def third_party():
    # By the file's place: compiled modules register helpers under names of their own.
    files = {getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
    places = [re.split("/(?:site|dist)-packages/", file) for file in files]
    found = {re.split("[/.]", place[-1])[0] for place in places if len(place) > 1}
    return sorted(found - {"OVFRiskLib"})

answers = {}
for name in sys.argv[3:]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
            answer = {"loaded": third_party()}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        os.write(write, json.dumps(answer).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answers[name] = json.loads(pipe.read())
    os.waitpid(child, 0)
print(json.dumps(answers))
"""


def test_the_package_itself_needs_only_the_standard_library():
    code = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); before = set(sys.modules); import OVFRiskLib; "
    code += "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"OVFRiskLib", "numpy"}


@pytest.mark.parametrize("file", module_files())
def test_file_imports_only_what_its_ring_may(file):
    ring = RINGS[ring_of(part_of(file))]
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    for kind, name in (resolved(file, *found) for found in top_level_imports(tree)):
        if kind == "own":
            assert ring_of(name) in ring.rings, f"{file} imports {name}, of an outer ring, at its top"
        else:
            allowed = name in sys.stdlib_module_names or name in ring.packages
            assert allowed, f"{file} imports {name} at its top: import it where it is used"


@pytest.mark.parametrize("file", module_files())
def test_importing_loads_nothing_heavy(file):
    if dotted(file) not in importable():
        pytest.skip("needs Slicer's Qt, or slicer-core is not installed")
    ring = RINGS[ring_of(part_of(file))]
    answer = loaded_by_import()[dotted(file)]
    assert "error" not in answer, answer["error"]
    loaded = set(answer["loaded"])
    heavy = loaded - ring.packages if "*" in ring.never else loaded & ring.never
    assert not heavy, f"importing {dotted(file)} loads {', '.join(sorted(heavy))}"


@pytest.mark.parametrize("file", [file for file in module_files() if ring_of(part_of(file)) != 6])
def test_no_part_but_the_desktop_reaches_for_the_application(file):
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "slicer":
            assert node.attr not in FRONT_END_STATE, f"{file}:{node.lineno} uses slicer.{node.attr}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import torch", [(0, "torch")]),
        ("if True:\n    import torch.nn", [(0, "torch.nn")]),
        ("class A:\n    from ..image import Volume", [(2, "image")]),
        ("from . import anatomy", [(1, "anatomy")]),
        ("def f():\n    import torch", []),
    ],
)
def test_reading_finds_what_runs_at_import(text, names):
    assert list(top_level_imports(ast.parse(text))) == names
