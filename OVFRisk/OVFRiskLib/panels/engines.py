"""The segmentation engines as a reader chooses them: what each does and needs, and what would have to be installed."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .words import _


@dataclass(frozen=True)
class Package:
    """A Python package that an engine needs and Slicer does not bring.

    Parameters
    ----------
    module : str
        What is imported.
    about : str
        Name, licence and size.
    extension : str
        The extension of Slicer that brings it: pip would replace packages of Slicer's own. Empty where pip may.
    """

    module: str
    about: str
    extension: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether it is there; it is not imported."""
        return find_spec(self.module) is not None


_TORCH = Package("torch", "PyTorch, BSD-3-Clause, 0.2 to 3 GB", "PyTorch")
_MONAI = Package("monai", "MONAI, Apache-2.0, a few MB")
_TOTALSEGMENTATOR = Package("totalsegmentator", "TotalSegmentator with nnU-Net, Apache-2.0", "TotalSegmentator")


@dataclass(frozen=True)
class EngineChoice:
    """One engine.

    Parameters
    ----------
    name : str
        In `segmentation.engines.ENGINES`.
    title : str
    about : str
        What it does, and needs of the reader.
    uses : tuple of str
        Names of the parameters that concern it.
    packages : tuple of Package
    requirements : str
        File in Resources that names what pip installs.
    program : str
        A command that does without the packages where it is installed.
    """

    name: str
    title: str
    about: str
    uses: tuple[str, ...]
    packages: tuple[Package, ...] = ()
    requirements: str = ""
    program: str = ""

    @property
    def missing(self) -> tuple[Package, ...]:
        """The packages that are not installed."""
        places = os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))
        if self.program and shutil.which(self.program, path=places):
            return ()
        return tuple(package for package in self.packages if not package.is_installed)

    @property
    def offer(self) -> str:
        """What would be installed, to be agreed to; empty where nothing is missing."""
        if not self.missing:
            return ""
        lines = [_("{title} needs what is not installed:").format(title=self.title)]
        lines += [f"• {package.about}" for package in self.missing]
        if extensions := [package.extension for package in self.missing if package.extension]:
            what = _("Install in the Extensions Manager, then start Slicer again: {names}.")
            lines.append(what.format(names=", ".join(extensions)))
        if self.name == "totalsegmentator":
            lines.append(_("Its weights (up to 1.7 GB, Apache-2.0) come separately: the first run names the command."))
        return "\n".join(lines)

    @property
    def can_install(self) -> bool:
        """Whether pip can install all that is missing."""
        return bool(self.missing) and not any(package.extension for package in self.missing)


def engine_choices() -> tuple[EngineChoice, ...]:
    """Return the engines in the order they are offered."""
    return (
        EngineChoice(
            "seeded",
            _("Seeded: one click a vertebra"),
            _("Click once into each vertebral body. Nothing is downloaded; the surest way for few levels."),
            ("seeds", "first_level", "between", "whole"),
        ),
        EngineChoice(
            "automatic",
            _("Automatic: no clicks"),
            _("Finds the column and names the levels by sacrum and ribs; where neither shows, click one vertebra."),
            ("seeds", "first_level", "use_anchor", "whole"),
        ),
        EngineChoice(
            "totalsegmentator",
            "TotalSegmentator",
            _("A network for vertebrae, sacrum, ribs and muscles; needs a GPU or patience. Knows no T13 and no L6."),
            ("whole", "fast", "device"),
            (_TORCH, _TOTALSEGMENTATOR),
            program="TotalSegmentator",
        ),
        EngineChoice(
            "monai",
            _("MONAI bundle: your own network"),
            _("Runs a network of your own; where it does not tell levels apart, click the vertebrae, or one of them."),
            ("bundle", "seeds", "first_level", "use_anchor", "device"),
            (_TORCH, _MONAI),
            "requirements-monai.txt",
        ),
    )
