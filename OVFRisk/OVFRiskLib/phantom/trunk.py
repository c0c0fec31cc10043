"""Skin, fat, the wall's muscles and the abdomen's content, around the spine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..anatomy import VertebralLevel
from .painter import TissueMap
from .paraspinal import behind_wall
from .settings import PhantomSettings
from .spine import Spine
from .tissues import Tissue

_BOX_SHAPE = 0.55  # 0: ellipses, 1: boxes
_GROOVE_MM = 6.0  # of the back's midline
SKIN_MM = 2.0
_LOOPS = 190  # of small bowel
_WITH_GAS = 0.2  # share of them
_SPINOUS_MM = 57.0  # from the posterior wall to the fascia


@dataclass(frozen=True)
class Trunk:
    """The outline of the trunk at each height.

    Parameters
    ----------
    settings : PhantomSettings
    spine : Spine
    """

    settings: PhantomSettings
    spine: Spine

    @property
    def fat(self) -> tuple[float, float, float]:
        """Thickness of the subcutaneous fat at the sides, in front and behind, mm."""
        stout = self.settings.stoutness
        return 15 * stout, 19 * stout, 11 * stout

    def back(self, z: np.ndarray) -> np.ndarray:
        """Return y of the skin of the back, mm."""
        lowest = self.spine[VertebralLevel.S1].frame.origin[2] - 4  # below, the sacrum comes near the skin
        return (
            self.spine.posterior_wall(np.maximum(z, lowest))[1] - _SPINOUS_MM * self.spine.scale - self.fat[2] - SKIN_MM
        )

    def front(self, z: np.ndarray) -> np.ndarray:
        """Return y of the skin of the belly, mm."""
        depth = (88 + 24 * self.settings.stoutness) * self.spine.scale
        return depth - 10 * ((z - 10) / 130) ** 2 + self.fat[1] * 0.4

    def half_width(self, z: np.ndarray) -> np.ndarray:
        """Return half the width with the skin, mm."""
        waist = 1 - 0.045 * np.exp(-(((z + 5) / 60) ** 2))
        return (118 + 22 * self.settings.stoutness) * self.spine.scale * waist + self.fat[0]

    def bounds(self, z: np.ndarray) -> tuple[float, float, float]:
        """Return the largest half-width, the hindmost and the foremost y between the heights `z`, mm."""
        return float(self.half_width(z).max()), float(self.back(z).min()), float(self.front(z).max())

    def inside(self, z: float, x: np.ndarray, y: np.ndarray, inset: tuple[float, float, float]) -> np.ndarray:
        """Return where an axial plane lies within the outline less an inset (sides, front, back; mm)."""
        at = np.array([z])
        front, back = self.front(at)[0] - inset[1], self.back(at)[0] + inset[2]
        middle, half = (front + back) / 2, (front - back) / 2
        groove = _GROOVE_MM * np.exp(-((x / 18) ** 2))
        across = ((x / (self.half_width(at)[0] - inset[0])) ** 2).astype(np.float32)
        shifted = (y[:, None] - middle) - np.where(y[:, None] < middle, groove, 0)
        along = ((shifted / half) ** 2).astype(np.float32)
        return across + along * (1 - np.float32(_BOX_SHAPE) * across) <= 1


def paint_trunk(tissues: TissueMap, trunk: Trunk, rng: np.random.Generator) -> None:
    """Paint everything outside the spinal column, the muscles beside it and the canal."""
    _paint_layers(tissues, trunk)
    _paint_organs(tissues, trunk)
    _paint_bowel(tissues, trunk, rng)
    _paint_vessels(tissues, trunk)


def _paint_layers(tissues: TissueMap, trunk: Trunk) -> None:
    raster = tissues.raster
    x, y = raster.x.fine, raster.y.fine
    skin, fat = (SKIN_MM,) * 3, np.add(trunk.fat, SKIN_MM)
    walls = trunk.spine.posterior_wall(raster.z.fine)[1]
    for plane, z, wall in zip(tissues.array, raster.z.fine, walls, strict=True):
        plane[trunk.inside(z, x, y, (0, 0, 0))] = Tissue.SKIN
        plane[trunk.inside(z, x, y, skin)] = Tissue.SUBCUTANEOUS_FAT
        within = trunk.inside(z, x, y, fat)
        plane[within] = Tissue.WALL_MUSCLE
        depth = max(wall - 12 - trunk.back(np.array([z]))[0], fat[2])
        plane[trunk.inside(z, x, y, (fat[0] + 15, fat[1] + 9, depth))] = Tissue.FAT
    # What the back's muscles lie in; at its sides the wall's muscles go on as latissimus and quadratus.
    s, back = trunk.spine.scale, behind_wall(trunk.spine, 0, -30)
    tissues.column(Tissue.FAT, (-400, 400), back, (74 * s, 29 * s), (Tissue.WALL_MUSCLE,))


def _paint_organs(tissues: TissueMap, trunk: Trunk) -> None:
    s, fat = trunk.spine.scale, (Tissue.FAT,)
    tissues.ellipsoid(Tissue.ORGAN, (72 * s, 22 * s, 135 * s), (80 * s, 72 * s, 100 * s), fat)  # liver
    tissues.ellipsoid(Tissue.ORGAN, (-98 * s, -28 * s, 120 * s), (30 * s, 42 * s, 55 * s), fat)  # spleen
    tissues.ellipsoid(Tissue.BOWEL, (-48 * s, 42 * s, 118 * s), (48 * s, 36 * s, 42 * s), fat)  # stomach
    tissues.ellipsoid(Tissue.GAS, (-50 * s, 62 * s, 125 * s), (30 * s, 13 * s, 26 * s), (Tissue.BOWEL,))
    tissues.ellipsoid(Tissue.ORGAN, (-6 * s, 46 * s, 48 * s), (52 * s, 12 * s, 15 * s), fat)  # pancreas
    for side, height in ((1, 28 * s), (-1, 38 * s)):
        beside = (Tissue.FAT, Tissue.ORGAN)
        tissues.ellipsoid(Tissue.FAT, (side * 64 * s, -16 * s, height), (36 * s, 33 * s, 66 * s), beside)
        tissues.ellipsoid(Tissue.KIDNEY, (side * 64 * s, -18 * s, height), (27 * s, 25 * s, 54 * s), fat)
        tissues.ellipsoid(Tissue.FAT, (side * 50 * s, -13 * s, height), (15 * s, 9 * s, 24 * s), (Tissue.KIDNEY,))


def _paint_bowel(tissues: TissueMap, trunk: Trunk, rng: np.random.Generator) -> None:
    """Colon at the sides, loops of small bowel between, at random places."""
    s, fat = trunk.spine.scale, (Tissue.FAT,)
    wide = trunk.half_width(np.zeros(1))[0] - trunk.fat[0] - 42 * s
    for side, top in ((1, 40 * s), (-1, 70 * s)):
        wave = rng.uniform(0, 6)

        def radius(z: np.ndarray, r: float, phase: float = wave) -> np.ndarray:
            return r * s * (1 + 0.1 * np.sin(z / 7 + phase))

        place, span = (side * wide, 14 * s), (-200, top)
        tissues.column(Tissue.BOWEL, span, place, (lambda z, f=radius: f(z, 24), lambda z, f=radius: f(z, 22)), fat)
        tissues.column(
            Tissue.STOOL, span, place, (lambda z, f=radius: f(z, 21), lambda z, f=radius: f(z, 19)), (Tissue.BOWEL,)
        )
        gas = (side * wide, 24 * s)
        tissues.column(
            Tissue.GAS, span, gas, (lambda z, f=radius: f(z, 15), lambda z, f=radius: f(z, 8)), (Tissue.STOOL,)
        )
    front = trunk.front(np.zeros(1))[0] - trunk.fat[1]
    for x, y, z, r, gas in zip(
        rng.uniform(-85, 85, _LOOPS),
        rng.uniform(0, 1, _LOOPS),
        rng.uniform(-145, 80, _LOOPS),
        rng.uniform(8, 14, _LOOPS),
        rng.random(_LOOPS),
        strict=True,
    ):
        centre = (x * s, 42 * s + y * (front - 58 * s), z * s)
        tissues.ellipsoid(Tissue.BOWEL_WALL, centre, (1.5 * r, r, 1.2 * r), fat)
        tissues.ellipsoid(Tissue.BOWEL, centre, (1.5 * r - 2, r - 2, 1.2 * r - 2), (Tissue.BOWEL_WALL,))
        if gas < _WITH_GAS:
            tissues.ellipsoid(
                Tissue.GAS, (centre[0], centre[1] + r / 4, centre[2]), (r - 2, r / 2, 0.8 * r - 1), (Tissue.BOWEL,)
            )


def _paint_vessels(tissues: TissueMap, trunk: Trunk) -> None:
    """Aorta left and vena cava right in front of the bodies; both divide at L4."""
    spine, s = trunk.spine, trunk.spine.scale
    fork = spine[VertebralLevel.L4].frame.origin[2] - 4
    usual = (Tissue.FAT, Tissue.ORGAN, Tissue.BOWEL, Tissue.BOWEL_WALL, Tissue.STOOL, Tissue.GAS)

    def beside(offset: float, ahead: float, spread: float) -> tuple[Callable, Callable]:
        def x(z: np.ndarray) -> np.ndarray:
            return spine.middle(z)[0] + (offset + spread * np.clip(fork - z, 0, None)) * s

        def y(z: np.ndarray) -> np.ndarray:
            return spine.middle(z)[1] + (ahead - 0.25 * abs(spread) * np.clip(fork - z, 0, None)) * s

        return x, y

    tissues.column(Tissue.AORTA, (fork, 400), beside(-9, 29, 0), (9.5 * s, 9.5 * s), usual)
    tissues.column(Tissue.VENA_CAVA, (fork, 400), beside(15, 27, 0), (11.5 * s, 8.5 * s), usual)
    artery, vein = Tissue.ILIAC_ARTERY, Tissue.ILIAC_VEIN
    for kind, offset, spread in ((artery, -10, -0.55), (artery, -5, 0.55), (vein, 12, 0.45), (vein, 12, -0.75)):
        tissues.column(kind, (-400, fork + 3), beside(offset, 27, spread), (6.5 * s, 6.5 * s), usual)
    if trunk.settings.has_organs:
        tissues.ellipsoid(Tissue.PORTAL_VEIN, (24 * s, 50 * s, 92 * s), (7 * s, 7 * s, 28 * s), usual)
