"""Where each region lies on one sequence: moved with the patient, without the parts that are to be left out."""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

import numpy as np

from ..anatomy import Region
from ..image import Grid, Modality, Volume
from .motion import Motion, apply
from .regions import Regions
from .roi import Roi


@dataclass(frozen=True)
class Place:
    """Where one region is measured on one sequence.

    Parameters
    ----------
    roi : Roi
        Moved with the patient, where that is corrected.
    left_out : tuple of Roi
        Parts of it that are no healthy marrow, moved alike.
    kinds : tuple of str
        What these are.
    notes : tuple of str
        What a reader has to know about the place.
    """

    roi: Roi
    left_out: tuple[Roi, ...] = ()
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def region(self) -> Region:
        return self.roi.region

    @cached_property
    def hash(self) -> str:
        """The region's own hash, or one of all that it is made of."""
        parts = [self.roi.hash, *(part.hash for part in self.left_out)]
        return self.roi.hash if len(parts) == 1 else sha256("+".join(parts).encode()).hexdigest()[:16]

    def values_in(self, volume: Volume) -> np.ndarray:
        """Return the values of its voxels, shape (n,), as numbers with fractions."""
        return _values(self.roi, self.left_out, volume)

    def share_left_out(self, volume: Volume) -> float:
        """Return the share of the region's voxels that is left out."""
        whole = self.roi.values_in(volume).size
        return 1 - self.values_in(volume).size / whole if whole and self.left_out else 0.0

    def shifted_values(self, volume: Volume, shift_mm: tuple[float, float]) -> np.ndarray:
        """Return the values after the region was moved in its plane; what is left out stays where it is."""
        moved = replace(self.roi, outline=tuple(map(tuple, np.add(self.roi.outline, shift_mm))))
        return _values(moved, self.left_out, volume)


def _values(roi: Roi, left_out: tuple[Roi, ...], volume: Grid) -> np.ndarray:
    box = roi.box_on(volume)
    if box is None:
        return np.zeros(0)
    inside = roi.covers(volume, box)
    for part in left_out:
        inside &= ~part.covers(volume, box)
    return volume.array[box][inside].astype(float)


def places_on(sequence: Modality, regions: Regions, exclude: bool, correct_motion: bool) -> tuple[Place, ...]:
    """Return where the regions are measured on a sequence.

    Parameters
    ----------
    sequence : Modality
    regions : Regions
    exclude : bool
        Whether its exclusions are left out.
    correct_motion : bool
        Whether the regions are moved by the sequence's motion; one that is not to be trusted never moves them.
    """
    return tuple(_place(roi, sequence, regions, exclude, correct_motion) for roi in regions)


def _place(roi: Roi, sequence: Modality, regions: Regions, exclude: bool, correct_motion: bool) -> Place:
    found = [exclusion for exclusion in regions.exclusions if exclusion.region == roi.region]
    parts = [exclusion.as_roi(roi) for exclusion in found]
    kinds = tuple(dict.fromkeys(str(exclusion.kind) for exclusion in found))
    notes = ()
    if parts and not exclude:
        parts, notes = [], (f"{' and '.join(kinds)} in the region, not left out, as was asked for",)
    motion = regions.motions.get(sequence)
    if motion is None or not motion.matters:
        return Place(roi, tuple(parts), kinds, notes)
    notes = (*notes, _motion_note(sequence, motion, correct_motion))
    if not (correct_motion and motion.trusted):
        return Place(roi, tuple(parts), kinds, notes)
    return Place(apply(roi, motion), tuple(apply(part, motion) for part in parts), kinds, notes)


def _motion_note(sequence: Modality, motion: Motion, correct_motion: bool) -> str:
    how = f"{motion.anterior_mm:+.1f} mm forwards, {motion.up_mm:+.1f} mm upwards, {motion.rotation_deg:+.1f}°"
    if not motion.trusted:
        why = f": {motion.note}" if motion.note else ""
        return f"a motion before {sequence} ({how}) is not certain and was not corrected{why}".replace("; ", ", ")
    if not correct_motion:
        return f"the patient moved before {sequence} ({how}), not corrected, as was asked for"
    return f"moved with the patient on {sequence}: {how}"
