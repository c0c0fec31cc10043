"""The extension as Slicer installs it, and the wheel: both hold every file and describe themselves alike."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import cmake
import OVFRiskLib
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
CMAKE = Path(cmake.CMAKE_BIN_DIR) / "cmake"
STANDIN = Path(__file__).parent / "standin"
MODULE_FOLDER = Path("lib", "Slicer-5.12", "qt-scripted-modules")
KEYS = [
    *("scm", "scmurl", "scmrevision", "depends", "build_subdirectory", "homepage", "contributors", "category"),
    *("iconurl", "status", "description", "screenshoturls", "enabled"),
]
# A scripted extension compiles nothing, but project() asks for compilers: this machine may have none.
NO_COMPILER = [f"-DCMAKE_{name}_COMPILER{end}" for name in ("C", "CXX") for end in ("=true", "_FORCED=TRUE")]


def below(folder: Path, pattern: str = "*") -> set[Path]:
    """Return the files below `folder` that belong to the project, relative to it."""
    files = {path.relative_to(folder) for path in folder.rglob(pattern) if path.is_file()}
    return {path for path in files if "__pycache__" not in path.parts and path.parts[0] != "screenshots"}


def scripts() -> set[Path]:
    """Every Python file of the module."""
    return below(ROOT / "OVFRisk", "*.py")


def resources() -> set[Path]:
    """Every data file, as `Resources/...`; screenshots are the README's and stay in the repository."""
    return {Path("Resources") / path for path in below(ROOT / "Resources")}


def run(*command: object) -> None:
    """Run `command`; what it prints fails the test where it does not succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with `build` and `install`, made by CMake as for Slicer."""
    folder = tmp_path_factory.mktemp("extension")
    build = folder / "build"
    run(CMAKE, "-S", ROOT, "-B", build, f"-DSlicer_DIR={STANDIN}", "-DBUILD_TESTING=ON", *NO_COMPILER)
    run(CMAKE, "--build", build)
    run(CMAKE, "--install", build, "--prefix", folder / "install")
    return folder


@pytest.fixture(scope="module")
def description() -> dict[str, str]:
    """The keys of extension.s4ext."""
    lines = (ROOT / "extension.s4ext").read_text("utf-8").splitlines()
    pairs = (line.partition(" ") for line in lines if line.strip() and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def test_slicer_installs_every_file(built):
    installed = below(built / "install" / MODULE_FOLDER)
    missing = sorted(path.as_posix() for path in (scripts() | resources()) - installed)
    assert not missing, "add to the lists in OVFRisk/CMakeLists.txt:\n  " + "\n  ".join(missing)
    assert installed == scripts() | resources()
    assert below(built / "install") == {MODULE_FOLDER / path for path in installed}, "something lies outside"


def test_installed_module_finds_its_data_files(built):
    module = built / "install" / MODULE_FOLDER
    code = "from OVFRiskLib.resources import resource; print(resource('Icons', 'OVFRisk.png'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(module)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == (module / "Resources" / "Icons" / "OVFRisk.png").resolve()


def test_file_lists_are_sorted():
    for name in ("MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"):
        text = (ROOT / "OVFRisk" / "CMakeLists.txt").read_text("utf-8")
        files = text.partition(f"set({name}\n")[2].partition(")")[0].split()
        assert files == sorted(files), name


def test_description_is_complete(description):
    assert list(description) == KEYS
    assert all(description.values())


def test_description_agrees_with_cmake(built, description):
    lines = (built / "build" / "extension-description.txt").read_text("utf-8").splitlines()
    of_cmake = {key.lower(): value for key, _, value in (line.partition("=") for line in lines)}
    assert of_cmake == {key: description[key] for key in of_cmake}


@pytest.mark.parametrize("key", ["iconurl", "screenshoturls"])
def test_pictures_of_the_description_exist(description, key):
    assert (ROOT / description[key].removeprefix(description["homepage"] + "/")).is_file()


def test_description_agrees_with_the_wheel(description):
    assert description["description"] == project()["description"]


def project() -> dict:
    """The [project] table of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_slicer_installs_packages_in_the_ranges_of_the_wheel():
    ours = {Requirement(line) for line in project()["dependencies"]}
    lines = (ROOT / "Resources" / "requirements.txt").read_text("utf-8").splitlines()
    for_slicer = {Requirement(line) for line in lines if line and not line.startswith("#")}
    assert for_slicer <= ours
    assert not {"numpy", "scipy", "simpleitk", "pydicom", "torch"} & {entry.name.lower() for entry in for_slicer}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel, built from the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"import os, hatchling.build as b; os.chdir({str(ROOT)!r}); b.build_wheel({str(folder)!r})"
    run(sys.executable, "-c", code)
    return zipfile.ZipFile(next(folder.glob("ovfrisk-*.whl")))


def test_wheel_holds_the_library_and_every_data_file(wheel):
    packed = {Path(name) for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
    library = {path for path in scripts() if path.parts[0] == "OVFRiskLib"}
    assert packed == library | {Path("OVFRiskLib") / path for path in resources()}


def test_wheel_has_version_licence_and_command(wheel):
    about = {Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    assert f"Version: {OVFRiskLib.__version__}\n" in about["METADATA"]
    assert about["LICENSE"] == (ROOT / "LICENSE").read_text()
    assert "ovfrisk = OVFRiskLib.cli:main" in about["entry_points.txt"]
