"""Where compiled kernels are kept: never in the package, wherever it lies and whatever the user may write to."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from OVFRiskLib.radiomics.kernels import compiling

PACKAGE_HOME = Path(compiling.__file__).resolve().parents[3]
READY = "from OVFRiskLib.radiomics.kernels import ready; ready(lambda share, text: print(text))"
ONE_KERNEL = """
import numpy as np
from OVFRiskLib.radiomics.kernels.moments import compensated_sums
found = np.empty(7)
compensated_sums(np.arange(5.0), 1e15, found)
print(compensated_sums.function.__code__.co_filename, found[1])
"""


def python(code, home=PACKAGE_HOME, **environment):
    """Run `code` with the package in `home`; return what it printed."""
    path = os.pathsep.join([str(home), *(entry for entry in sys.path if entry and entry != str(PACKAGE_HOME))])
    unset = {"NUMBA_CACHE_DIR", "LOCALAPPDATA", "XDG_CACHE_HOME"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    given = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | environment
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=kept | given, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def file(tmp_path):
    """A file: below it there can be no folder, not even for an administrator."""
    path = tmp_path / "file"
    path.touch()
    return path


@pytest.fixture
def temporary(tmp_path, file, monkeypatch):
    """The folder for temporary files, empty, of a user who can write nowhere else."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(compiling.tempfile, "tempdir", str(path))
    monkeypatch.setenv("USER", "jane")
    compiling._temporary_folder.cache_clear()
    yield path
    compiling._temporary_folder.cache_clear()


def test_compiling_is_announced_once_and_kept_outside_the_package(tmp_path):
    assert python(READY, NUMBA_CACHE_DIR=str(tmp_path)).startswith("Compiling the feature kernels")
    assert python(READY, NUMBA_CACHE_DIR=str(tmp_path)) == ""
    assert list(tmp_path.rglob("*.nbc"))
    assert not list((PACKAGE_HOME / "OVFRiskLib" / "radiomics").rglob("*.nbc"))


def test_a_read_only_installation_without_a_home_compiles_into_the_temporary_folder(tmp_path, file):
    installed, temporary = tmp_path / "installed", tmp_path / "temporary"
    shutil.copytree(PACKAGE_HOME / "OVFRiskLib", installed / "OVFRiskLib", ignore=shutil.ignore_patterns("__pycache__"))
    temporary.mkdir()
    before = sorted(installed.rglob("*"))
    for path in (installed, *before):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    printed = python(ONE_KERNEL, installed, XDG_CACHE_HOME=str(file), TMPDIR=str(temporary), USER="jane").split()
    for path in (installed, *(path for path in before if path.is_dir())):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)  # so that the folder can be removed
    assert printed == [str(installed / "OVFRiskLib/radiomics/kernels/moments.py"), "10.0"]
    assert list((temporary / "ovfrisk-kernels-jane").rglob("*.nbc"))
    assert sorted(installed.rglob("*")) == before


def test_the_first_folder_that_can_be_written_is_taken(tmp_path, file, temporary, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert compiling.cache_folder() == tmp_path / "numba"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(file / "numba"))
    assert compiling.cache_folder() == tmp_path / "cache/ovfrisk/kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert compiling.cache_folder() == temporary / "ovfrisk-kernels-jane"


def test_a_user_without_a_home_has_the_temporary_folder(temporary, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")

    def unknown(_path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    assert compiling.cache_folder() == temporary / "ovfrisk-kernels-jane"


@pytest.mark.skipif(os.name != "posix", reason="owners and modes of POSIX")
def test_code_that_somebody_else_could_have_put_there_is_not_run(tmp_path, temporary):
    known = temporary / "ovfrisk-kernels-jane"
    assert compiling.cache_folder() == known
    assert stat.S_IMODE(known.stat().st_mode) == 0o700
    for spoil in (lambda: known.chmod(0o777), lambda: _replaced(known, tmp_path), lambda: _file(known)):
        spoil()
        compiling._temporary_folder.cache_clear()
        found = compiling.cache_folder()
        assert found != known
        assert stat.S_IMODE(found.stat().st_mode) == 0o700
        assert compiling.cache_folder() == found


def _replaced(folder, target):
    folder.rmdir()
    folder.symlink_to(target)


def _file(folder):
    folder.unlink()
    folder.touch()


def test_importing_the_engine_does_not_load_numba():
    assert python("import sys, OVFRiskLib.radiomics; print('numba' in sys.modules)").strip() == "False"
