"""Features of many regions of one volume: what they share is done once, and they run on all cores."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ..errors import UserError
from ..image import LabelMap, Mask, Volume
from .extraction import Features, extract
from .kernels import ready
from .protocol import Protocol

Report = Callable[[float, str], None]
Key = TypeVar("Key")


@dataclass(frozen=True)
class LabelMasks(Mapping[Key, Mask]):
    """The masks of regions of a label map, each made when it is asked for: twelve of a large CT fill 400 MB.

    Parameters
    ----------
    labels : LabelMap
    parts : mapping
        Each region's parts in `labels`.
    """

    labels: LabelMap
    parts: Mapping[Key, tuple]

    def __getitem__(self, region: Key) -> Mask:
        return self.labels.mask(*self.parts[region])

    def __iter__(self) -> Iterator[Key]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)


def extract_regions(
    volume: Volume,
    masks: Mapping[Key, Mask],
    protocol: Protocol,
    report: Report | None = None,
    threads: int | None = None,
) -> dict[Key, Features]:
    """Return the features of every region, equal to those that `extract` finds one by one.

    Parameters
    ----------
    volume : Volume
    masks : mapping of region to Mask
        On the grid of `volume`. May make a mask when it is asked for (`LabelMasks`): few are held at a time.
    protocol : Protocol
    report : callable, optional
        Called with the share done (0 to 1) and what is being done; from one thread at a time.
    threads : int, optional
        Regions worked on at a time; as many as there are cores if not given. Values do not depend on it.

    Raises
    ------
    UserError
        Of the first region that cannot be described, named.
    """
    found = try_regions(volume, masks, protocol, report, threads)
    for region, features in found.items():
        if isinstance(features, UserError):
            raise UserError(f"{region}: {features.what}", features.what_to_do)
    return found


def try_regions(
    volume: Volume,
    masks: Mapping[Key, Mask],
    protocol: Protocol,
    report: Report | None = None,
    threads: int | None = None,
) -> dict[Key, Features | UserError]:
    """Return, as `extract_regions` does, the features of every region, or why it cannot be described."""
    tell = report or (lambda _share, _text: None)
    ready(tell)

    def one(region: Key) -> Features | UserError:
        try:
            return extract(volume, masks[region], protocol)
        except UserError as error:
            return error

    found = {}
    with ThreadPoolExecutor(threads or _cores()) as pool:
        for n, (region, features) in enumerate(zip(masks, pool.map(one, masks))):
            tell(n / len(masks), f"Extracting features of {region}")
            found[region] = features
    return found


def refused(error: UserError, protocol: Protocol, diagnostics: Mapping[str, object] | None = None) -> Features:
    """Return the features of a region that cannot be described: every one absent, with the reason."""
    return Features({}, dict.fromkeys(protocol.feature_names, error.what), diagnostics or {}, (), protocol.id)


def _cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
