"""Arguments and options that several commands share."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer

from ..anatomy import VertebralLevel
from ..errors import UserError
from ..files.read_seeds import read_seeds
from ..segmentation.engines import ENGINES, Request
from ..segmentation.seeds import Seed

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the result; made new.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result in OUT.")]
Subject = Annotated[str, typer.Option(help="A code for the patient, never a name.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", help="A bundle's file or a name of `ovfrisk models list`; repeat it.")
]
EngineName = StrEnum("EngineName", {name.upper(): name for name in ENGINES})


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Spread each parameter that is a dataclass of options into its fields: to Typer they are single options."""
    signature = inspect.signature(command)
    groups = {name: p.annotation for name, p in signature.parameters.items() if is_dataclass(p.annotation)}
    spread = [
        option
        for name, parameter in signature.parameters.items()
        for option in (_options_of(groups[name]) if name in groups else [parameter])
    ]

    @wraps(command)
    def run(**values: object) -> None:
        made = {name: kind(**{f.name: values.pop(f.name) for f in fields(kind)}) for name, kind in groups.items()}
        command(**values, **made)

    run.__signature__ = signature.replace(parameters=sorted(spread, key=lambda p: p.default is not p.empty))
    run.__annotations__ = {option.name: option.annotation for option in spread}
    return run


def _options_of(group: type) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            f.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if f.default is MISSING else f.default,
            annotation=f.type,
        )
        for f in fields(group)
    ]


@dataclass(frozen=True)
class Segmenting:
    """How the vertebrae of a CT are found: the options that `segment` and `analyze` share."""

    engine: Annotated[EngineName | None, typer.Option(help="What finds the vertebrae on the CT.")] = None
    seeds: Annotated[Path | None, typer.Option(help="Points in the vertebral bodies: JSON, or Slicer's .mrk.json.")] = (
        None
    )
    between: Annotated[
        int | None, typer.Option(help="Vertebrae between the two points of --seeds, found as well.", min=0)
    ] = None
    anchor: Annotated[
        str | None, typer.Option(help="A point in a vertebra of known level, LEVEL@R,A,S in mm: L1@-3,12.5,-40.")
    ] = None
    bundle: Annotated[Path | None, typer.Option(help="Folder of a MONAI bundle.")] = None
    whole: Annotated[bool, typer.Option("--whole", help="Whole vertebrae rather than their bodies.")] = False
    fast: Annotated[bool, typer.Option("--fast", help="TotalSegmentator's fast model (3 mm).")] = False
    device: Annotated[str, typer.Option(help="Where networks run: cpu, cuda, cuda:1.")] = "cpu"

    def request(self) -> Request:
        """Return what is asked of the engine; options it does not use, or that it lacks, are a UserError."""
        self._check()
        return Request(
            seeds=read_seeds(self.seeds) if self.seeds else (),
            between=self.between,
            anchor=parse_anchor(self.anchor) if self.anchor else None,
            whole=self.whole,
            bundle=self.bundle,
            fast=self.fast,
            device=self.device,
        )

    def _check(self) -> None:
        if self.engine is None:
            raise UserError("No engine was named.", f"Add --engine with one of: {', '.join(ENGINES)}.")
        needed = {"seeded": "seeds", "monai": "bundle"}.get(self.engine)
        if needed and getattr(self, needed) is None:
            raise UserError(f"The engine {self.engine} needs --{needed}.", f"Add --{needed}, or choose another engine.")
        for option, engines in _USED_BY.items():
            if getattr(self, option) not in (None, False) and self.engine not in engines:
                raise UserError(
                    f"The engine {self.engine} does not use --{option}.",
                    f"Leave it out, or choose the engine {' or '.join(engines)}.",
                )


_USED_BY = {
    "seeds": ("seeded", "monai"),
    "between": ("seeded",),
    "anchor": ("automatic", "monai"),
    "bundle": ("monai",),
    "whole": ("seeded", "automatic", "totalsegmentator"),
    "fast": ("totalsegmentator",),
}


def parse_anchor(text: str) -> Seed:
    """Return the seed that ``L1@-3,12.5,-40`` stands for (RAS mm)."""
    level, _, place = text.partition("@")
    try:
        return Seed([float(number) for number in place.split(",")], VertebralLevel(level.strip().upper()))
    except ValueError:
        raise UserError(
            f"'{text}' is no point with a level.", "Write LEVEL@R,A,S in mm, e.g. --anchor L1@-3,12.5,-40."
        ) from None
