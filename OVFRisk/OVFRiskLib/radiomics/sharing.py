"""What regions of one volume share: a whole body and its cortical part have one bounding box, so the same images."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from ..image import Volume

IMAGES = 2
"""Resampled images kept with what is filtered from them; neighbouring regions are of one level."""
MAX_VOXELS = 2**17
"""Filtered images of larger boxes are not kept: thirteen would fill more than 14 MB."""


@dataclass(eq=False)
class _Entry:
    lock: Lock = field(default_factory=Lock)
    made: bool = False
    result: Any = None


class Kept:
    """The results last asked for, by what they depend on.

    Parameters
    ----------
    size : int
        How many are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what `make` returns, or returned before; a second thread waits rather than make the same."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self.size:
                self._entries.popitem(last=False)
        with entry.lock:
            if not entry.made:
                entry.result, entry.made = make(), True
            return entry.result


_KEPT: WeakKeyDictionary[Volume, Kept] = WeakKeyDictionary()
_LOCK = Lock()


def kept_of(volume: Volume) -> Kept:
    """Return what is kept of a volume as long as it lives."""
    with _LOCK:
        return _KEPT.setdefault(volume, Kept(IMAGES))
