"""The segmentation engines, by name; each is imported when it is first used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from ..image import LabelMap, Volume
from .seeds import Seed

Report = Callable[[float, str], None]  # share done (0 to 1) and what is being done; raises KeyboardInterrupt to stop


@dataclass(frozen=True)
class Request:
    """What the user asks of an engine; each uses what concerns it.

    Parameters
    ----------
    seeds : tuple of Seed
        Points in vertebral bodies.
    between : int or None
        Number of vertebrae between the first and the last of two seeds that are to be found as well.
    anchor : Seed or None
        "This is L1": names the levels of the automatic engine.
    whole : bool
        Whole vertebrae rather than vertebral bodies.
    bundle : Path or None
        Folder of a MONAI bundle.
    fast : bool
        TotalSegmentator's fast model.
    device : str
        ``cpu``, ``cuda``, …
    """

    seeds: tuple[Seed, ...] = ()
    between: int | None = None
    anchor: Seed | None = None
    whole: bool = False
    bundle: Path | None = None
    fast: bool = False
    device: str = "cpu"


Engine = Callable[[Volume, Request, Report], LabelMap]


def _engine(module: str, function: str) -> Engine:
    def segment(ct: Volume, request: Request, report: Report) -> LabelMap:
        return getattr(import_module(f".{module}", __package__), function)(ct, request, report)

    return segment


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "seeded": _engine("seeded", "segment_seeded"),
        "automatic": _engine("automatic", "segment_automatic"),
        "totalsegmentator": _engine("totalsegmentator", "segment_totalsegmentator"),
        "monai": _engine("monai_bundle", "segment_monai"),
    }
)
