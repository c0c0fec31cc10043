"""One muscle in one slab: its left, its right, and both together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy import Structure
from ..image import Volume
from .faults import cut_by_image, faults, is_fused, metal_near, other_side, thinned
from .rows import Found, joined_reasons
from .settings import SIDES, MuscleSettings
from .slabs import Slab
from .statistics import MuscleValues, muscle_values
from .voxels import MuscleVoxels, cranial_axis

_COARSE_MM = 2.0  # in the axial plane; strands of fat between the fascicles are a few millimetres thick
_ILIACUS = 0.02  # share of a label that is worth saying
_UNSURE = 0.03  # of a volume, as SD
_MOVED = 0.005  # of the fat fraction, by the correction for noise
_HALF = (0.3, 0.7)  # share on the other side of one label for both sides


@dataclass(frozen=True)
class _Part:
    """A muscle's voxels in a slab, as in `MuscleVoxels`, with the share of each that lies in it."""

    hu: np.ndarray
    ras: np.ndarray
    at_border: np.ndarray
    share: np.ndarray
    noise: float | None
    iliacus: float

    def joined(self, other: "_Part") -> "_Part":
        names = ("hu", "ras", "at_border", "share")
        arrays = (np.concatenate([getattr(self, name), getattr(other, name)]) for name in names)
        known = [noise for noise in (self.noise, other.noise) if noise is not None]
        return _Part(*arrays, float(np.mean(known)) if known else None, max(self.iliacus, other.iliacus))


@dataclass(frozen=True)
class MuscleInSlab:
    """Measures one muscle in one slab.

    Parameters
    ----------
    ct : Volume
    slab : Slab
    muscle : Structure
        Erector spinae or psoas.
    settings : MuscleSettings
    notes : tuple of str
        On every value that hangs on attenuation.
    metal : ndarray, shape (n, 3)
        Voxels of metal (i, j, k).
    """

    ct: Volume
    slab: Slab
    muscle: Structure
    settings: MuscleSettings
    notes: tuple[str, ...]
    metal: np.ndarray

    def found(
        self, voxels: Mapping[Structure, MuscleVoxels], named: set[Structure]
    ) -> tuple[Found | str, Found | str, Found | str]:
        """Return what was found of the left side, the right side and both, or the reason why there is nothing."""
        parts = {side: self._part(voxels[side]) for side in SIDES[self.muscle] if side in voxels}
        parts = {side: part for side, part in parts.items() if part}
        wrong = {side: other_side(thinned(part.ras), self.slab, side) for side, part in parts.items()}
        found: dict[Structure, Found | str] = {}
        for side in SIDES[self.muscle]:
            if side not in named:
                found[side] = "not in the label map"
            elif side not in parts:
                found[side] = "no voxel of it lies in the slab"
            elif is_fused(wrong[side]):
                found[side] = f"{wrong[side]:.0%} of its label lies on the other side: fused or exchanged labels"
            else:
                found[side] = self._measured(parts[side])
        return *found.values(), self._both(parts, wrong, found)

    def _both(self, parts: Mapping, wrong: Mapping[Structure, float], found: Mapping) -> Found | str:
        """Both sides, where each is measured or only not told from the other."""
        reasons = joined_reasons(dict(zip(("left", "right"), found.values(), strict=True)))
        one_label = len(parts) == 1 and _HALF[0] < next(iter(wrong.values())) < _HALF[1]
        unknown = [side for side, what in found.items() if isinstance(what, str) and not is_fused(wrong.get(side, 0))]
        if unknown and not (one_label and unknown == [side for side in found if side not in parts]):
            return reasons
        first, *others = parts.values()
        return self._measured(first.joined(others[0]) if others else first, (reasons,) if reasons else ())

    def _part(self, voxels: MuscleVoxels) -> _Part | None:
        share = self.slab.share(voxels.ras, self.ct.ijk_to_ras)
        inside = np.flatnonzero(share > 0)
        count = inside.size
        if self.muscle is Structure.PSOAS and count:
            inside = inside[self.slab.beyond_body(voxels.ras[inside]) <= self.settings.psoas_mm]
        if not inside.size:
            return None
        arrays = (values[inside] for values in (voxels.hu, voxels.ras, voxels.at_border, share))
        return _Part(*arrays, voxels.noise, 1 - inside.size / count)

    def _measured(self, part: _Part, notes: tuple[str, ...] = ()) -> Found | str:
        if cut_by_image(self.ct, thinned(part.ras), self.slab):
            return "the slab is cut off by the image's end"
        try:
            values = muscle_values(part.hu, part.share, part.noise, self.settings)
        except ValueError as error:
            return str(error)
        notes = (*notes, *self._notes(part))
        on_attenuation, on_fat = self._attenuation_notes(part), self._on_fat(part, values)
        return Found(self._values(part, values), notes, on_attenuation, on_fat, self._on_volume())

    def _values(self, part: _Part, values: MuscleValues) -> dict[str, float]:
        volume = float(part.share.sum(dtype=np.float64)) * self.ct.voxel_volume / 1000  # cm³
        middle = np.average(part.ras, axis=0, weights=part.share)
        return {
            "muscle_volume": volume,
            "cross_section": volume / (self.slab.length(middle) / 10),
            "mean_attenuation": values.mean,
            "mean_attenuation_sd": values.sd,
            "fat_infiltrated_fraction": values.fat,
            "lean_fraction": values.lean,
        }

    def _notes(self, part: _Part) -> Iterator[str]:
        if part.iliacus > _ILIACUS:
            aside = f"more than {self.settings.psoas_mm:g} mm beside the bodies"
            yield f"left out {part.iliacus:.0%} of the label {aside}: iliacus"
        yield from faults(part.hu, part.ras, part.at_border, self.slab, self.muscle, float(self.ct.spacing.max()))

    def _on_volume(self) -> tuple[str, ...]:
        step = max(plane.thickness(self.ct.ijk_to_ras) for plane in (self.slab.upper, self.slab.lower))
        height = self.slab.length(self.slab.frames[len(self.slab.frames) // 2].origin)
        # Each end plate lies anywhere within a voxel: SD of a uniform distribution, of the difference of two.
        share = step * np.sqrt(2 / 12) / height
        if share < _UNSURE:
            return ()
        return (
            f"voxels of {step:.1f} mm along the spine: the slab's height, and so the volume, is known to {share:.0%}",
        )

    def _attenuation_notes(self, part: _Part) -> tuple[str, ...]:
        notes = list(self.notes)
        if metal_near(self.ct, self.metal, part.ras):
            notes.append("metal in or near the muscle: artefacts change attenuation")
        pixel = float(max(np.delete(self.ct.spacing[::-1], cranial_axis(self.ct))))
        if pixel > _COARSE_MM:
            edge = "fat around the muscle lowers the attenuation of its edge, and fat finer than a voxel is missed"
            notes.append(f"voxels of {pixel:.1f} mm in the axial plane: {edge}")
        return tuple(notes)

    def _on_fat(self, part: _Part, values: MuscleValues) -> tuple[str, ...]:
        if abs(values.counted_fat - values.fat) < _MOVED:
            return ()
        counted = f"plainly counted: {values.counted_fat:.1%} fat"
        return (f"noise of {part.noise:.0f} HU was taken into account ({counted})",)
