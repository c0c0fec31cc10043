"""One exam with its measured signals: what every row and every score is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from ..anatomy import Region, Structure, VertebralLevel
from ..image import Modality, Volume
from ..measurement import Source
from .levels import Choice, choose_levels
from .regions import Regions
from .score_definitions import Means
from .score_uncertainty import Shifts
from .shading import Shading, estimate_shading
from .signals import Signal


@dataclass(frozen=True, eq=False)
class Exam:
    """One exam with its measured signals.

    Parameters
    ----------
    subject, protocol : str
        Of every row.
    volumes : mapping of Modality to Volume
    regions : Regions
    signals : mapping of Modality to tuple of Signal
    fractured : frozenset of VertebralLevel
    statistic : str
    """

    subject: str
    protocol: str
    volumes: Mapping[Modality, Volume]
    regions: Regions
    signals: Mapping[Modality, tuple[Signal, ...]]
    fractured: frozenset[VertebralLevel]
    statistic: str

    @cached_property
    def means(self) -> Means:
        """Mean signal of each region that could be measured, on each sequence."""
        return {
            (sequence, signal.place.region): signal.mean
            for sequence, signals in self.signals.items()
            for signal in signals
            if signal.mean is not None
        }

    @cached_property
    def shifts(self) -> Shifts:
        """The signals of moved regions."""
        places = {s: {signal.place.region: signal.place for signal in found} for s, found in self.signals.items()}
        return Shifts(self.volumes, places)

    @cached_property
    def shadings(self) -> Mapping[Modality, Shading | str]:
        """How unevenly the coil lights the spine on each sequence, or why that could not be estimated."""
        return {sequence: self._shading(sequence) for sequence in self.volumes}

    def _shading(self, sequence: Modality) -> Shading | str:
        rois = (signal.place.roi for signal in self.signals[sequence])
        bodies = {roi.region.level: roi for roi in rois if roi.region.part is not Structure.CSF}
        try:
            return estimate_shading(self.volumes[sequence], bodies)
        except ValueError as error:
            return str(error)

    def csf(self, sequence: Modality) -> Signal | None:
        """Return the signal of CSF."""
        return next((s for s in self.signals[sequence] if s.place.region.part is Structure.CSF), None)

    def bodies(self, sequence: Modality) -> dict[VertebralLevel, Signal]:
        """Return the bodies whose signal could be measured."""
        return {
            s.place.region.level: s
            for s in self.signals[sequence]
            if s.place.region.part is not Structure.CSF and s.mean is not None
        }

    def body_regions(self, choice: Choice) -> tuple[Region, ...]:
        """Return the regions of the levels of a score."""
        return tuple(self.regions.bodies[level].region for level in choice.levels)

    def unmeasured(self, *sequences: Modality) -> dict[VertebralLevel, str]:
        """Return why levels have no signal on one of the sequences."""
        reasons = {
            region.level: why for region, why in self.regions.missing.items() if region.part is not Structure.CSF
        }
        for sequence in sequences:
            silent = (s for s in self.signals[sequence] if s.mean is None and s.place.region.part is not Structure.CSF)
            reasons |= {s.place.region.level: f"{sequence}: {'; '.join(s.remarks)}" for s in silent}
        return reasons

    def chosen(self, *sequences: Modality) -> Choice:
        """Return the levels of the score of these sequences."""
        measured = set.intersection(*(set(self.bodies(sequence)) for sequence in sequences))
        return choose_levels(measured, self.fractured, self.unmeasured(*sequences))

    def source(self, sequences: tuple[Modality, ...], choice: Choice) -> Source:
        """Return the hashes of the images and regions that a score is made of."""
        used = [
            [s.place.hash for s in self.signals[sequence] if self._is_used(s.place.region, choice)]
            for sequence in sequences
        ]
        alike = used[:1] if all(hashes == used[0] for hashes in used) else used
        images = "+".join(self.volumes[sequence].hash for sequence in sequences)
        return Source(images, sha256("+".join(one for hashes in alike for one in hashes).encode()).hexdigest()[:16])

    @staticmethod
    def _is_used(region: Region, choice: Choice) -> bool:
        return region.part is Structure.CSF or region.level in choice.levels
