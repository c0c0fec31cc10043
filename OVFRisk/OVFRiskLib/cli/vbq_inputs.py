"""What `ovfrisk vbq` is given: images from files or from a DICOM exam, where the bodies are, and how to measure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..anatomy import VertebralLevel, label_schemes
from ..errors import UserError
from ..files.dicom_exam import Exam, read_exam, read_series
from ..files.read_images import read_volume
from ..files.read_labels import read_labels
from ..files.read_seeds import read_seeds
from ..image import Modality, Volume
from ..vbq.exam import VbqSettings
from ..vbq.readings import STATISTICS
from ..vbq.regions import Regions, RegionSettings
from ..vbq.sequence_choice import SequenceChoice, propose_exam

Statistic = StrEnum("Statistic", {name.upper(): name for name in STATISTICS})
ReaderCode = Annotated[
    str | None, typer.Option("--reader", help="A code for the reader: keeps the result as a reading, too.")
]
_LEAVE_OUT = "none"
_MOST_BYTES = 5_000_000  # far above what regions need: a larger file holds something else


@dataclass(frozen=True)
class Images:
    """The sequences as read.

    Parameters
    ----------
    images : mapping of Modality to Volume
    choices : mapping
        Which series of an exam was taken for each sequence, and why.
    caveats : tuple of str
    """

    images: Mapping[Modality, Volume]
    choices: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Places:
    """Where the bodies are.

    Parameters
    ----------
    given : mapping
        What `measure_exam` takes: bodies, clicks or regions.
    told : mapping
        What the run manifest says of it.
    caveats : tuple of str
    """

    given: Mapping[str, Any]
    told: Mapping[str, object]
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sequences:
    """The images."""

    t1: Annotated[str | None, typer.Option(help="Sagittal T1: a file or DICOM folder; with --exam, a series.")] = None
    t2: Annotated[str | None, typer.Option(help="Sagittal T2, likewise.")] = None
    stir: Annotated[str | None, typer.Option(help="Sagittal STIR, likewise.")] = None
    exam: Annotated[
        Path | None,
        typer.Option(
            help="DICOM folder of the whole exam: the sequences are proposed. --t1 5 names a series by its number, "
            "--stir none leaves one out."
        ),
    ] = None

    def read(self) -> Images:
        """Read the images.

        Raises
        ------
        UserError
            When there is none, one cannot be read, or several series of the exam are alike.
        """
        named = {s: getattr(self, s.lower()) for s in (Modality.T1, Modality.T2, Modality.STIR)}
        if self.exam is not None:
            return _from_exam(self.exam, named)
        paths = {sequence: Path(text) for sequence, text in named.items() if text is not None}
        if not paths:
            raise UserError("There is no image to measure on.", "Give --t1, --t2 or --stir, or --exam with a folder.")
        caveats = (
            ("SYNTHETIC images of a simulated patient: for demonstration and tests only.",)
            if any((path.parent / "phantom.json").exists() for path in paths.values())
            else ()
        )
        return Images({sequence: read_volume(path, sequence) for sequence, path in paths.items()}, caveats=caveats)


@dataclass(frozen=True)
class Bodies:
    """Where the vertebral bodies are."""

    bodies: Annotated[Path | None, typer.Option(help="Label map of the vertebral bodies.")] = None
    scheme: Annotated[str | None, typer.Option(help="What its labels mean: see the README.")] = None
    clicks: Annotated[Path | None, typer.Option(help="A point in each body instead: JSON, or Slicer's .mrk.json.")] = (
        None
    )
    regions: Annotated[Path | None, typer.Option(help="regions.json of an earlier result instead, edited or not.")] = (
        None
    )

    def check(self) -> None:
        """Refuse none or several of the three ways, before anything is read."""
        ways = [f"--{name}" for name in ("bodies", "clicks", "regions") if getattr(self, name) is not None]
        if len(ways) != 1:
            how = "in no way" if not ways else f"in several ways ({', '.join(ways)})"
            raise UserError(
                f"Where the vertebral bodies are was told {how}.", "Give one of --bodies, --clicks and --regions."
            )
        if self.scheme is not None and self.bodies is None:
            raise UserError("--scheme says what the labels of --bodies mean.", "Leave it out, or give --bodies.")
        if self.bodies is not None and self.scheme is None and not self.bodies.name.endswith(".seg.nrrd"):
            raise UserError(
                f"What the labels in {self.bodies.name} mean is not known.",
                f"Add --scheme with one of: {', '.join(label_schemes())}.",
            )

    def read(self, images: Mapping[Modality, Volume]) -> Places:
        """Read the one that is given; `images` are compared with those that the regions were drawn on."""
        if self.bodies is not None:
            labels = read_labels(self.bodies, self.scheme)
            told = {"bodies": {"scheme": self.scheme, "hash": labels.hash}}
            return Places({"bodies": labels}, told, tuple(f"Bodies: {text}" for text in labels.corrections))
        if self.clicks is not None:
            seeds = read_seeds(self.clicks)
            told = [{"level": seed.level, "point_ras": [round(float(v), 3) for v in seed.point]} for seed in seeds]
            return Places({"clicks": seeds}, {"clicks": told})
        regions, drawn_on = _read_regions(self.regions)
        return Places({"regions": regions}, {"regions": {"drawn_on": drawn_on}}, _other_images(images, drawn_on))


@dataclass(frozen=True)
class How:
    """How to measure."""

    fractured: Annotated[str | None, typer.Option(help="Fractured levels that are left out, e.g. L2.")] = None
    statistic: Annotated[Statistic, typer.Option(help="How a score combines the levels.")] = Statistic.MEAN
    csf_level: Annotated[
        str | None, typer.Option(help="Where CSF is measured; else L3, or beside it where that is narrow.")
    ] = None
    no_motion_correction: Annotated[
        bool, typer.Option("--no-motion-correction", help="Regions do not follow the patient.")
    ] = False
    no_exclusions: Annotated[
        bool, typer.Option("--no-exclusions", help="Veins, haemangiomas and sclerosis stay in the regions.")
    ] = False
    n4: Annotated[bool, typer.Option("--n4", help="Take the coil's shading off the images first.")] = False

    def settings(self, edited: bool) -> VbqSettings:
        """Return the settings; `edited` where the regions come from a file, which settles where CSF is measured."""
        if edited and self.csf_level is not None:
            raise UserError("--regions says where CSF is measured.", "Leave --csf-level out, or propose regions anew.")
        return VbqSettings(
            regions=RegionSettings(csf_level=_one_level(self.csf_level) if self.csf_level else None),
            fractured=VertebralLevel.span(self.fractured) if self.fractured else (),
            statistic=str(self.statistic),
            exclude=not self.no_exclusions,
            correct_motion=not self.no_motion_correction,
            correct_shading=self.n4,
        )


def _one_level(text: str) -> VertebralLevel:
    levels = VertebralLevel.span(text)
    if len(levels) != 1:
        raise UserError(f"CSF is measured at one level, not at '{text}'.", "Write --csf-level L4.")
    return levels[0]


def _from_exam(folder: Path, named: Mapping[Modality, str | None]) -> Images:
    exam = read_exam(folder)
    choices = {
        sequence: _choice(exam, sequence, named[sequence], proposed)
        for sequence, proposed in propose_exam(exam.candidates).items()
    }
    taken = {sequence: choice.key for sequence, choice in choices.items() if choice.key is not None}
    if not taken:
        found = "; ".join(f"{sequence}: {choice.reason}" for sequence, choice in choices.items())
        raise UserError(f"The exam holds no sequence to measure on ({found}).", "Name one, e.g. --t1 5.")
    doubts = tuple(f"{s} ({choice.key}): {doubt}" for s, choice in choices.items() for doubt in choice.doubts)
    return Images(
        {sequence: read_series(exam, key, sequence) for sequence, key in taken.items()},
        {str(s): {"series": c.key, "reason": c.reason, "doubts": c.doubts} for s, c in choices.items()},
        doubts,
    )


def _choice(exam: Exam, sequence: Modality, named: str | None, proposed: SequenceChoice) -> SequenceChoice:
    """Return the series that the user named, else the proposed one; several alike are the user's to choose."""
    if named is not None:
        if named.strip().lower() == _LEAVE_OUT:
            return SequenceChoice(None, "left out, as was asked for")
        return SequenceChoice(exam.named(named).key, "named by the user")
    if proposed.key is None and proposed.candidates:
        option, first = f"--{sequence.lower()}", proposed.candidates[0]
        raise UserError(
            f"Which series is {sequence} is not clear: {proposed.reason}.",
            f'Name one of {", ".join(proposed.candidates)}, e.g. {option} "{first}"; {option} none leaves it out.',
        )
    return proposed


def _read_regions(path: Path) -> tuple[Regions, Mapping[str, str]]:
    """Return regions from ``regions.json`` and the hashes of the images that they were drawn on."""
    help_text = "Give a regions.json of `ovfrisk vbq`."
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path} is too large for a file of regions.", help_text)
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no JSON file ({error}).", help_text) from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no regions.", help_text)
    regions = Regions.from_dict(content)
    if not len(regions):
        raise UserError(f"{path} holds no region.", help_text)
    drawn_on = content.get("images", {})
    return regions, {str(k): str(v) for k, v in drawn_on.items()} if isinstance(drawn_on, dict) else {}


def _other_images(images: Mapping[Modality, Volume], drawn_on: Mapping[str, str]) -> tuple[str, ...]:
    """Say where regions were drawn on other images: measured on another patient they would mean nothing."""
    unknown = [str(sequence) for sequence in images if str(sequence) not in drawn_on]
    other = [str(s) for s, image in images.items() if str(s) in drawn_on and drawn_on[str(s)] != image.hash]
    said = [f"The regions were drawn on another image of {', '.join(other)}: is it the same exam?"] if other else []
    if unknown:
        said.append(f"Whether the regions were drawn with {', '.join(unknown)} is not known: look where they lie.")
    return tuple(said)
