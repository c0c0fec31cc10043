"""Compiling kernels at first use, into a folder of the user: the package may be read-only, and stays clean."""

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property, update_wrapper
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any

from ...errors import import_optional

Report = Callable[[float, str], None]

_MODULES = (
    "binning",
    "convolution",
    "cooccurrence",
    "gaussian",
    "moments",
    "neighbourhood",
    "points",
    "runs",
    "sizes",
    "spline",
    "zones",
)
_LOCK = RLock()
_FAST = {"reassoc", "nsz", "contract"}


class Kernel:
    """A function that is compiled, or read from the cache, when first called.

    Parameters
    ----------
    function : callable
        In the part of Python that Numba compiles; calls no other kernel.
    signature : str or list of str
        Types of its arguments, one version each: nothing is ever compiled a second time for other types.
    exact : bool
        Whether sums are added up as written, to the last bit; otherwise as is fastest.
    """

    def __init__(self, function: Callable, signature: str | list[str], exact: bool) -> None:
        self.function, self.signature, self.exact = function, signature, exact
        update_wrapper(self, function)

    @cached_property
    def compiled(self) -> Callable:
        """The machine code."""
        numba = import_optional("numba", "Radiomics")
        with _LOCK, _cache_folder(numba):
            options = {"nogil": True, "error_model": "numpy", "fastmath": set() if self.exact else _FAST}
            return numba.njit(self.signature, cache=True, **options)(self.function)

    def __call__(self, *arguments: Any) -> Any:
        """Return what the compiled function does."""
        return self.compiled(*arguments)


def kernel(signature: str | list[str], *, exact: bool = False) -> Callable[[Callable], Kernel]:
    """Mark a function as a kernel of the given Numba signature."""
    return lambda function: Kernel(function, signature, exact)


def ready(report: Report | None = None) -> None:
    """Have all kernels compiled, saying so before the first time on a machine.

    Parameters
    ----------
    report : callable, optional
        Told (0.0, text) when there is something to wait for.
    """
    kernels = [k for name in _MODULES for k in vars(import_module(f"{__package__}.{name}")).values() if _is_kernel(k)]
    mark = cache_folder() / f"compiled-{_version(kernels)}"
    if not mark.exists() and report is not None:
        report(0.0, "Compiling the feature kernels, once on this computer (a few seconds)")
    for each in kernels:
        _ = each.compiled
    mark.touch()


def cache_folder() -> Path:
    """Return the folder of compiled kernels: NUMBA_CACHE_DIR where set, else one of the user, else a temporary one."""
    for folder in _wanted_folders():
        if _writable(folder):
            return folder
    return _temporary_folder()


def _wanted_folders() -> Iterator[Path]:
    if os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(os.environ["NUMBA_CACHE_DIR"])
    with suppress(RuntimeError):  # a user without a home
        home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        yield Path(home) / "ovfrisk" / "kernels"


@cache
def _temporary_folder() -> Path:
    """Return a folder of this user in the temporary one, a new one where somebody else could have put code into it."""
    folder = Path(tempfile.gettempdir()) / f"ovfrisk-kernels-{os.environ.get('USER', 'user')}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    state = folder.lstat()
    private = stat.S_ISDIR(state.st_mode) and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if os.name == "posix" and not (private and state.st_uid == os.getuid()):
        return Path(tempfile.mkdtemp(prefix="ovfrisk-kernels-"))
    return folder


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _is_kernel(thing: object) -> bool:
    return isinstance(thing, Kernel)


def _version(kernels: list[Kernel]) -> str:
    """Return what the machine code is made from: the files, this place, Python and Numba."""
    numba = import_optional("numba", "Radiomics")
    digest = hashlib.sha256(f"{sys.version} {numba.__version__} {__file__}".encode())
    for path in sorted({k.function.__code__.co_filename for k in kernels}):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _cache_folder(numba: Any) -> Iterator[None]:
    """Let Numba use the cache folder, without changing it for other users of Numba."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
