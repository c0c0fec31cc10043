"""How well a bundle does on cases it has not seen."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...anatomy import Compartment
from ...errors import UserError
from ..agreement import dice, surface_distance
from ..bundle_config import BundleConfig
from ..channel_meaning import Meaning, channel_meaning
from ..engines import Report
from ..monai_bundle import predict
from .cases import PARTS, Case, parts_array


@dataclass(frozen=True)
class Score:
    """Agreement of one part of one case, all levels together.

    Parameters
    ----------
    case : str
    part : Compartment
    dice : float or None
        None where neither the labels nor the network have any.
    surface_mm, surface_95_mm : float or None
        Mean and 95th percentile of the distance of the surfaces, mm; None where one has none.
    """

    case: str
    part: Compartment
    dice: float | None
    surface_mm: float | None
    surface_95_mm: float | None


def evaluate(
    config: BundleConfig, cases: Sequence[Case], report: Report, device: str = "cpu", shell_mm: float | None = None
) -> tuple[Score, ...]:
    """Return how the network's cortical and cancellous bone agree with each case's labels, on the CT's grid.

    Parameters
    ----------
    config : BundleConfig
    cases : sequence of Case
    report : callable
    device : str
    shell_mm : float, optional
        Compare with the outer shell of this depth instead of the labelled one.

    Raises
    ------
    UserError
        When the bundle has neither part, or a case cannot be read.
    """
    meaning = channel_meaning(config.channels)
    if not {*PARTS} & {*meaning.parts.values(), *(region.part for region in meaning.regions.values())}:
        raise UserError(f"The bundle {config.name} finds no cortical or cancellous bone.", "Evaluate one that does.")
    scores: list[Score] = []
    for n, case in enumerate(cases):

        def told(share: float, what: str, n: int = n, case: Case = case) -> None:
            report((n + share) / len(cases), f"{case.name}: {what}")

        told(0.0, "Reading")
        volume, labels = case.read()
        found = _parts(predict(volume, config, device, told), meaning)
        scores += _scores(case.name, found, parts_array(labels, shell_mm), volume.spacing)
    return tuple(scores)


def write_scores(path: Path, scores: Sequence[Score]) -> None:
    """Write one row a case and part."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("case", "compartment", "dice", "mean_surface_distance_mm", "surface_distance_95_mm"))
        for s in scores:
            numbers = ("" if v is None else f"{v:.4f}" for v in (s.dice, s.surface_mm, s.surface_95_mm))
            writer.writerow((s.case, s.part, *numbers))


def _parts(channels: np.ndarray, meaning: Meaning) -> np.ndarray:
    """Return the part (1 cortical, 2 cancellous) of each voxel, whatever its level."""
    table = np.zeros(256, dtype=np.uint8)
    of = {**meaning.parts} | {channel: region.part for channel, region in meaning.regions.items()}
    for channel, part in of.items():
        table[channel] = PARTS.index(part) + 1 if part in PARTS else 0
    return table[channels]


def _scores(case: str, found: np.ndarray, truth: np.ndarray, spacing: np.ndarray) -> Iterator[Score]:
    for value, part in enumerate(PARTS, 1):
        a, b = found == value, truth == value
        yield Score(case, part, dice(a, b), *(surface_distance(a, b, spacing) or (None, None)))
