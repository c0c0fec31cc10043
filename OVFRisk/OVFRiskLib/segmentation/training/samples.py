"""Training patches from cases that lie on disk, at the network's spacing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import UserError
from ...image import Volume
from ..network_image import network_image
from .augmentation import changed, cut, random_frame
from .cases import PARTS, Case, parts_array
from .network import geometry
from .settings import TrainingSettings

_ANYWHERE = 1 / 3  # of the patches: what is no vertebra has to be learned, too
_WHOLE = np.float32(255)
_PLACES = 20_000  # remembered a case and part, to centre patches on


@dataclass(frozen=True)
class Sample:
    """A case at the network's spacing.

    Parameters
    ----------
    name : str
    hu : ndarray of float32, shape (x, y, z)
        Mapped from disk: a hundred cases need not fit in memory.
    parts : ndarray of uint8, shape (parts, x, y, z)
        Share of each part in each voxel, in 255ths: borders between voxels are not rounded to them.
    places : tuple of ndarray of int, shape (n, 3)
        Voxels of each part, to centre patches on.
    """

    name: str
    hu: np.ndarray
    parts: np.ndarray
    places: tuple[np.ndarray, ...]


def prepare(
    cases: Sequence[Case], settings: TrainingSettings, folder: Path, report: Callable[[float, str], None]
) -> tuple[Sample, ...]:
    """Bring the cases onto the network's spacing, as files in `folder`.

    Raises
    ------
    UserError
        When a case cannot be read or lacks cortical or cancellous bone.
    """
    samples = []
    for n, case in enumerate(cases):

        def told(share: float, n: int = n, case: Case = case) -> None:
            report((n + share) / len(cases), f"Preparing case {case.name}")

        samples.append(_prepared(case, settings, folder, told))
    return tuple(samples)


def draw(
    samples: Sequence[Sample], settings: TrainingSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random, changed patch, float32: HU, shape (1, ...), and shares of background and parts, (3, ...)."""
    sample = samples[rng.integers(len(samples))]
    if rng.random() < _ANYWHERE:
        centre = rng.uniform(0, np.array(sample.hu.shape) - 1)
    else:
        places = sample.places[rng.integers(len(sample.places))]
        centre = places[rng.integers(len(places))] + rng.uniform(-0.25, 0.25, 3) * settings.patch
    frame = random_frame(rng)
    parts = np.stack([cut(part, centre, frame, settings.patch, "constant") for part in sample.parts]) / _WHOLE
    hu = changed(rng, cut(sample.hu, centre, frame, settings.patch))
    return hu[None], np.concatenate([1 - parts.sum(axis=0, keepdims=True), parts])


def _prepared(case: Case, settings: TrainingSettings, folder: Path, report: Callable[[float], None]) -> Sample:
    report(0.0)
    volume, labels = case.read()
    report(0.3)
    marked = parts_array(labels, settings.shell_mm)
    missing = [part for value, part in enumerate(PARTS, 1) if not np.any(marked == value)]
    if missing:
        raise UserError(
            f"The case {case.name} has no {' and no '.join(missing)} bone in {case.labels.name}.",
            "Label it (in the scheme ovfrisk, or named 'L1 cortical'), or give --shell 2 where bodies are labelled.",
        )
    shares = (Volume((marked == value) * _WHOLE, volume.ijk_to_ras) for value in range(1, len(PARTS) + 1))
    steps = geometry(settings)
    hu, *parts = (
        network_image(image, steps, lambda share, n=n: report(0.4 + 0.2 * (n + share)))[0][0].numpy()
        for n, image in enumerate((volume, *shares))
    )
    array = np.stack([part.round().astype(np.uint8) for part in parts])
    stored = (_on_disk(folder / f"{case.name}-{name}.npy", each) for name, each in (("hu", hu), ("parts", array)))
    return Sample(case.name, *stored, tuple(map(_places, array)))


def _on_disk(path: Path, array: np.ndarray) -> np.ndarray:
    np.save(path, array)
    return np.load(path, mmap_mode="r")


def _places(share: np.ndarray) -> np.ndarray:
    found = np.flatnonzero(share > _WHOLE / 2)
    few = found[:: len(found) // _PLACES + 1]
    return np.stack(np.unravel_index(few, share.shape), axis=-1)
