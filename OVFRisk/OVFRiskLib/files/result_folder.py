"""A result folder appears whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError

MARKERS = ("run.json", "phantom.json", "demo.json")  # what makes a folder one of OVFRisk's results


@contextmanager
def result_folder(out: Path, overwrite: bool) -> Iterator[Path]:
    """Yield a temporary folder beside `out` that becomes `out` when the block ends well.

    When the block fails or is interrupted the temporary folder is removed and `out` is as it was.

    Raises
    ------
    UserError
        When `out` cannot be written, exists and `overwrite` is false, or exists and is no earlier result.
    """
    out = out.absolute()
    _check(out, overwrite)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.partial-", dir=out.parent))
    except OSError as error:
        raise UserError(f"The folder {out} cannot be written: {error.strerror}.", "Choose another OUT.") from error
    try:
        yield partial
        partial.chmod(0o777 & ~_umask())
        _replace(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check(out: Path, overwrite: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file.", "Choose a folder for the result.")
    if not any(out.iterdir()):
        return
    if not overwrite:
        raise UserError(f"The folder {out} exists.", "Choose another OUT, or add --overwrite to replace it.")
    if not any((out / marker).is_file() for marker in MARKERS):
        raise UserError(
            f"The folder {out} holds no earlier result of OVFRisk.", "Choose another OUT: nothing was touched."
        )
    if not os.access(out, os.W_OK):
        raise UserError(f"The folder {out} is read-only.", "Choose another OUT.")


def _replace(partial: Path, out: Path) -> None:
    """Put `partial` in the place of `out`; an old result goes only after the new one is there."""
    if not out.exists():
        partial.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old-", dir=out.parent))
    out.rename(old / out.name)
    try:
        partial.rename(out)
    except BaseException:
        (old / out.name).rename(out)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
