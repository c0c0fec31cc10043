"""A patient drawn on one raster: tissues, bones and patterns, ready to be given any contrast."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..anatomy import Structure, VertebralLevel
from .bones import BonePainter, BonePiece
from .contrast import enhance
from .dimensions import LEVELS, LIKE
from .lesion_drawing import DrawnLesion, draw_lesions, notched
from .other_bones import draw_other_bones
from .painter import TissueMap
from .paraspinal import paint_paraspinal
from .raster import Box, Raster
from .settings import PhantomSettings
from .spine import Spine
from .texture import Pattern, share
from .tissues import MUSCLE_OF, Tissue, appearance
from .trunk import Trunk, paint_trunk

HALF = 0.5  # a sample whose centre lies inside a shape is at least half covered
_PATTERN_STEP_MM, _TRABECULAE_MM = 0.6, (1.1, 0.6, 0.6)  # vertical trabeculae dominate in osteoporosis
_EVEN_MM = 2.5  # over more than this, the density of a body is the same everywhere
_STREAK_STEP_MM, _STREAKS_MM = 0.8, (4.0, 1.1, 1.1)  # fat runs along the muscles' fibres


@dataclass(frozen=True)
class Patterns:
    """The random patterns of one patient, the same on every raster."""

    trabeculae: Pattern
    streaks: Pattern

    @classmethod
    def drawn(cls, seed: int) -> "Patterns":
        """Draw the patterns of a seed."""
        rng = np.random.default_rng((seed, 1))
        return cls(Pattern(rng, _PATTERN_STEP_MM, _TRABECULAE_MM, _EVEN_MM), Pattern(rng, _STREAK_STEP_MM, _STREAKS_MM))


@dataclass(frozen=True)
class Scene:
    """A patient on one raster.

    Parameters
    ----------
    raster : Raster
    tissues : TissueMap
        All but bone.
    bones : tuple of BonePiece
    discs : mapping of VertebralLevel to (box, mask)
        Named by the level above.
    patterns : Patterns
    fat_fractions : mapping of Structure to float
        Of the muscles.
    lesions : tuple of DrawnLesion
    """

    raster: Raster
    tissues: TissueMap
    bones: tuple[BonePiece, ...]
    discs: Mapping[VertebralLevel, tuple[Box, np.ndarray]]
    patterns: Patterns
    fat_fractions: Mapping[Structure, float]
    lesions: tuple[DrawnLesion, ...] = ()

    def image(
        self, settings: PhantomSettings, contrast: str, marrow: Mapping[VertebralLevel | None, float], texture: float
    ) -> np.ndarray:
        """Return the noise-free fine image of a contrast, float32, shape (nz, ny, nx).

        Parameters
        ----------
        settings : PhantomSettings
        contrast : str
            ``hu``, ``t1``, ``t2`` or ``stir``.
        marrow : mapping
            Mean value of the cancellous bone of each level.
        texture : float
            Standard deviation of the trabecular pattern.
        """
        values = appearance(settings, contrast)
        if contrast == "hu":
            enhance(values, settings)
        image = values[self.tissues.array]
        for tissue, box, mask, fat in self.streaks:
            image[box][mask] = values[tissue] + (values[Tissue.FAT] - values[tissue]) * fat
        image *= 1 - np.minimum(self.bone_cover, 1)
        for piece, pattern in zip(self.bones, self.trabeculae, strict=True):
            mean = np.float32(marrow.get(piece.level, float(values[Tissue.BONE])))
            core = mean + np.float32(texture) * pattern
            image[piece.box] += values[Tissue.CORTEX] * (piece.outer - piece.core) + core * piece.core
        for lesion in self.lesions:
            lesion.paint(image, self.raster.pitch, contrast, marrow, values)
        return image

    @cached_property
    def bone_cover(self) -> np.ndarray:
        """Share of each fine sample that is bone, float32, shape (nz, ny, nx)."""
        cover = np.zeros(self.raster.shape, dtype=np.float32)
        for piece in self.bones:
            cover[piece.box] += piece.outer
        return cover

    @cached_property
    def trabeculae(self) -> tuple[np.ndarray, ...]:
        """The pattern of each bone, with a mean of zero over its interior."""
        return tuple(self._trabeculae(piece) for piece in self.bones)

    def _trabeculae(self, piece: BonePiece) -> np.ndarray:
        shift = 13.7 * (_place(piece.level) if piece.level else 0)
        pattern = self.patterns.trabeculae.sampled(self.raster, piece.box, shift)
        if piece.interior.any():
            pattern = pattern - pattern[piece.interior].mean(dtype=np.float64).astype(np.float32)
        return pattern

    @cached_property
    def streaks(self) -> tuple[tuple[Tissue, Box, np.ndarray, np.ndarray], ...]:
        """Of each muscle its box, where it lies in it, and its local shares of fat."""
        found = []
        for structure, fraction in self.fat_fractions.items():
            tissue = MUSCLE_OF[structure]
            box, mask = self._found(tissue)
            if mask.any():
                pattern = self.patterns.streaks.sampled(self.raster, box)[mask]
                found.append((tissue, box, mask, share(pattern, fraction)))
        return tuple(found)

    def _found(self, tissue: Tissue) -> tuple[Box, np.ndarray]:
        """Return the box that holds a tissue and where it lies in it, without bone."""
        mask = (self.tissues.array == tissue) & (self.bone_cover < HALF)
        if not mask.any():
            return (slice(0, 0),) * 3, np.zeros((0, 0, 0), dtype=bool)
        box = tuple(_extent(mask.any(axis=tuple(m for m in range(3) if m != n))) for n in range(3))
        return box, mask[box]


def draw_scene(settings: PhantomSettings, spine: Spine, patterns: Patterns, raster: Raster) -> Scene:
    """Draw the patient on a raster."""
    trunk = Trunk(settings, spine)
    tissues = TissueMap(raster)
    paint_trunk(tissues, trunk, np.random.default_rng((settings.seed, 2)))
    discs = paint_paraspinal(tissues, spine, settings.stenosis)
    painter = BonePainter(raster, settings.cortical_thickness)
    bones = [piece for level in [*spine.vertebrae][:-1] for piece in painter.vertebra(spine[level])]
    bones += painter.sacrum(spine[LEVELS[-1]])
    bones += draw_other_bones(painter, spine, trunk)
    bones = notched(settings.lesions, spine, tissues, bones)
    lesions = tuple(draw_lesions(settings.lesions, spine, raster, bones))
    return Scene(raster, tissues, tuple(bones), discs, patterns, settings.muscle_fat_fraction, lesions)


def _place(level: VertebralLevel) -> float:
    """Place along the spine; T13 and L6 lie between others, so that all else is drawn as without them."""
    return LEVELS.index(LIKE[level]) + 0.5 if level in LIKE else LEVELS.index(level)


def _extent(hits: np.ndarray) -> slice:
    found = np.flatnonzero(hits)
    return slice(int(found[0]), int(found[-1]) + 1)
