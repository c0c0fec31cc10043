"""Packages that Slicer does not bring: installed when the user starts what needs them, and agrees."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import slicer

from ..errors import UserError
from ..panels.words import _
from ..resources import resource


def ensure_packages() -> None:
    """Install what ``Resources/requirements.txt`` names and is missing, with the user's consent.

    Raises
    ------
    UserError
        When the user does not agree, or the installation fails.
    """
    ensure(resource("requirements.txt"))


def ensure(requirements: Path) -> None:
    """Install what a requirements file names and is missing, with the user's consent (see `ensure_packages`)."""
    try:
        _ensure(requirements)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            _("The packages that this needs were not installed ({error}).").format(error=error),
            _("Start again and agree to the installation; it needs a connection to the internet."),
        ) from error


def _ensure(requirements: Path) -> None:
    try:
        from slicer.packaging import load_requirements, pip_ensure
    except ImportError:  # before Slicer 5.12
        _ensure_by_hand(requirements)
        return
    pip_ensure(load_requirements(str(requirements)), requester="OVFRisk")


def _ensure_by_hand(requirements: Path) -> None:
    missing = missing_packages(requirements.read_text("utf-8"))
    if not missing:
        return
    text = _("OVFRisk needs these Python packages: {names}.\nInstall them now?").format(names=", ".join(missing))
    if not slicer.util.confirmOkCancelDisplay(text):
        raise UserError(_("The packages were not installed: you did not agree."), _("Start again, and agree."))
    for name in missing:
        slicer.util.pip_install(name)


def missing_packages(text: str) -> list[str]:
    """Return the lines of a requirements file whose packages are not installed or too old.

    Only what our own file uses is understood: ``name`` and ``name>=version``.
    """
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not _is_there(line)]


def _is_there(requirement: str) -> bool:
    name, _sign, least = (part.strip() for part in requirement.partition(">="))
    try:
        return _number(version(name)) >= _number(least or "0")
    except PackageNotFoundError:
        return False


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())
