"""Compiling kernels at first use, into a folder of the user: the package may be read-only, and stays clean."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, update_wrapper
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any

from ...errors import import_optional

Report = Callable[[float, str], None]

_MODULES = ("binning", "cooccurrence", "gaussian", "moments", "neighbourhood", "points", "runs", "spline", "zones")
_LOCK = RLock()


class Kernel:
    """A function that is compiled, or read from the cache, when first called.

    Parameters
    ----------
    function : callable
        In the part of Python that Numba compiles; calls no other kernel.
    signature : str
        Types of its arguments, one version each: nothing is ever compiled a second time for other types.
    """

    def __init__(self, function: Callable, signature: str) -> None:
        self.function, self.signature = function, signature
        update_wrapper(self, function)

    @cached_property
    def compiled(self) -> Callable:
        """The machine code."""
        numba = import_optional("numba", "Radiomics")
        with _LOCK, _cache_folder(numba):
            options = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "nsz", "contract"}}
            return numba.njit(self.signature, cache=True, **options)(self.function)

    def __call__(self, *arguments: Any) -> Any:
        """Return what the compiled function does."""
        return self.compiled(*arguments)


def kernel(signature: str) -> Callable[[Callable], Kernel]:
    """Mark a function as a kernel of the given Numba signature."""
    return lambda function: Kernel(function, signature)


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
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    for folder in (os.environ.get("NUMBA_CACHE_DIR"), Path(home) / "ovfrisk" / "kernels"):
        if folder and _writable(Path(folder)):
            return Path(folder)
    folder = Path(tempfile.gettempdir()) / f"ovfrisk-kernels-{os.environ.get('USER', 'user')}"
    folder.mkdir(mode=0o700, exist_ok=True)
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
